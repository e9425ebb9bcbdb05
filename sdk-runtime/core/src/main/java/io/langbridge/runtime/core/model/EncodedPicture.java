package io.langbridge.runtime.core.model;

import io.langbridge.EncodedImage;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.image.TileGrid;
import java.util.concurrent.atomic.AtomicLong;

/** The one implementation of {@link EncodedImage}: features and where they lie in the picture. */
final class EncodedPicture implements EncodedImage {
    private static final AtomicLong SERIALS = new AtomicLong();

    /** Distinguishes pictures in the KV cache's record of what it holds. */
    final long serial = SERIALS.incrementAndGet();

    /** {@code [tiles, patches, mm_hidden]}. */
    final FloatTensor features;

    final TileGrid grid;

    /** Says which encoder made it; features of another one mean something else. */
    final String encoder;

    EncodedPicture(FloatTensor features, TileGrid grid, String encoder) {
        this.features = features;
        this.grid = grid;
        this.encoder = encoder;
    }

    @Override
    public int width() {
        return grid.picture().width();
    }

    @Override
    public int height() {
        return grid.picture().height();
    }

    @Override
    public int tiles() {
        return features.size(0);
    }
}

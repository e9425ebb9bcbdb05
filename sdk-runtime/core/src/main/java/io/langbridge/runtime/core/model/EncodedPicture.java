package io.langbridge.runtime.core.model;

import io.langbridge.EncodedImage;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.concurrent.atomic.AtomicLong;

/** The one implementation of {@link EncodedImage}: features and where they lie in the picture. */
final class EncodedPicture implements EncodedImage {
    private static final AtomicLong SERIALS = new AtomicLong();

    /** Distinguishes pictures in the KV cache's record of what it holds. */
    final long serial = SERIALS.incrementAndGet();

    /** {@code [tiles, patches, mm_hidden]}, or {@code [1, patches of all tiles, mm_hidden]} where tiles differ. */
    final FloatTensor features;

    final PicturePlan plan;

    /** Says which encoder made it; features of another one mean something else. */
    final String encoder;

    EncodedPicture(FloatTensor features, PicturePlan plan, String encoder) {
        this.features = features;
        this.plan = plan;
        this.encoder = encoder;
    }

    @Override
    public int width() {
        return plan.picture().width();
    }

    @Override
    public int height() {
        return plan.picture().height();
    }

    @Override
    public int tiles() {
        return plan.views().size();
    }
}

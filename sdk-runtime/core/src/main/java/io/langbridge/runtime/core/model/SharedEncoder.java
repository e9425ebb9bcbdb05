package io.langbridge.runtime.core.model;

import io.langbridge.Image;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.ModelSpec;
import java.util.Objects;

/**
 * What models have in common that differ in their language model only: the encoder, and the files of encoder and
 * adapter. Closed with the last model that uses it. Thread-safe.
 */
final class SharedEncoder {
    final ModelFiles files;
    final ModelSpec spec;
    final EngineChoice engines;
    final EngineOptions options;
    final Running vision;
    final ImagePreprocessor preprocessor;
    private final String name;
    private final Closing resources;
    private int users;

    /** Takes over {@code resources}, which hold the network too; the first user closes them with itself. */
    SharedEncoder(
            ModelFiles files,
            ModelSpec spec,
            EngineChoice engines,
            EngineOptions options,
            ImagePreprocessor preprocessor,
            Running vision,
            Closing resources) {
        this.files = files;
        this.spec = spec;
        this.engines = engines;
        this.options = options;
        this.vision = vision;
        this.preprocessor = preprocessor;
        this.name = files.encoderName();
        this.resources = resources;
    }

    /** Says what the features mean. */
    String name() {
        return name;
    }

    /**
     * Encodes a picture tile by tile.
     *
     * @param betweenTiles called before each tile; what it throws ends this
     */
    EncodedPicture encode(PreparedImage picture, Runnable betweenTiles) {
        int tiles = picture.pixels().size(0);
        int atOnce = vision.together();
        FloatTensor all = null;
        for (int from = 0; from < tiles; from += atOnce) {
            betweenTiles.run();
            int to = Math.min(tiles, from + atOnce);
            FloatTensor some = vision.run(picture.views(from, to));
            if (to - from == tiles) {
                return new EncodedPicture(some, picture.plan(), name());
            }
            if (all == null) {
                all = FloatTensor.allocate(tiles, some.size(1), some.size(2));
            }
            all.rows(from, to).data().put(some.data());
        }
        return new EncodedPicture(Objects.requireNonNull(all), picture.plan(), name());
    }

    /** The features of a picture, {@code [tiles, patches, mm_hidden]}. */
    FloatTensor features(Image image) {
        return encode(preprocessor.prepare(image), () -> {}).features;
    }

    /** Adds a user, who must still have another one that keeps it open, unless it is the first. */
    synchronized AutoCloseable use() {
        users++;
        return this::release;
    }

    private synchronized void release() {
        users--;
        if (users == 0) {
            Closing.all(resources.opened());
        }
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.Image;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.ModelSpec;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

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
    private final EqualPictures equal;
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
        this.equal = new EqualPictures(spec.sharedImages());
        this.name = files.encoderName();
        this.resources = resources;
    }

    /** Says what the features mean. */
    String name() {
        return name;
    }

    /**
     * Encodes a picture, unless one of equal pixels is kept.
     *
     * @param betweenTiles as for {@link #encode}
     * @param before called if it is
     */
    EncodedPicture encodeOnce(PreparedImage picture, Runnable betweenTiles, Runnable before) {
        EqualPictures.Key key = equal.key(picture);
        if (key == null) {
            return encode(picture, betweenTiles);
        }
        EncodedPicture known = equal.get(key);
        if (known != null) {
            before.run();
            return known;
        }
        return equal.keep(key, encode(picture, betweenTiles));
    }

    /**
     * Encodes a picture tile by tile.
     *
     * @param betweenTiles called before each tile; what it throws ends this
     */
    private EncodedPicture encode(PreparedImage picture, Runnable betweenTiles) {
        List<Map<String, FloatTensor>> runs = picture.runs(vision.together());
        betweenTiles.run();
        FloatTensor first = vision.run(runs.get(0));
        if (runs.size() == 1) {
            return new EncodedPicture(first, picture.plan(), name());
        }
        FloatTensor all = picture.features(first);
        FloatBuffer target = all.data();
        target.put(first.data());
        for (Map<String, FloatTensor> run : runs.subList(1, runs.size())) {
            betweenTiles.run();
            target.put(vision.run(run).data());
        }
        return new EncodedPicture(all, picture.plan(), name());
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
            equal.clear();
            Closing.all(resources.opened());
        }
    }
}

package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Which vision encoder to use, and what of it: a Hugging Face folder of CLIP or SigLIP, as downloaded. An immutable
 * description; nothing is read before {@link VisionLanguageModel.Builder#build()}.
 *
 * @since 0.1
 */
public final class Encoder {
    private static final int LLAVA_LAYER = -2;

    private final Path folder;
    private final int layer;
    private final ImageFit fit;

    private Encoder(Path folder, int layer, ImageFit fit) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.layer = layer;
        this.fit = Objects.requireNonNull(fit, "fit");
    }

    /**
     * The encoder in a folder with {@code config.json}, {@code preprocessor_config.json} and weights; patch features of
     * the last layer but one, pictures padded to a square, as LLaVA and LangBridge were trained.
     *
     * @param folder the Hugging Face folder
     */
    public static Encoder of(Path folder) {
        return new Encoder(folder, LLAVA_LAYER, ImageFit.PAD);
    }

    /**
     * Takes the features of another layer.
     *
     * @param layer index into the hidden states: 0 the embeddings, n the output of layer n, -1 the last one, -2
     *     (default) the one before
     */
    public Encoder layer(int layer) {
        return new Encoder(folder, layer, fit);
    }

    /**
     * Chooses how a picture that is not square becomes one; default {@link ImageFit#PAD}.
     *
     * @param fit the choice
     */
    public Encoder fit(ImageFit fit) {
        return new Encoder(folder, layer, fit);
    }

    /** The Hugging Face folder. */
    public Path folder() {
        return folder;
    }

    /** Index into the hidden states. */
    public int layer() {
        return layer;
    }

    /** How a picture that is not square becomes one. */
    public ImageFit fit() {
        return fit;
    }

    @Override
    public String toString() {
        return "Encoder[" + folder + ", layer " + layer + ", " + fit + "]";
    }
}

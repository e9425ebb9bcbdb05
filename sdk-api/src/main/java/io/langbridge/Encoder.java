package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which vision encoder to use, and what of it: a Hugging Face folder of CLIP or SigLIP, as downloaded. An immutable
 * description; nothing is read before {@link VisionLanguageModel.Builder#build()}.
 *
 * @since 0.1
 */
public final class Encoder {
    private final Path folder;
    private final @Nullable Integer layer;
    private final @Nullable ImageFit fit;
    private final @Nullable Precision precision;

    private Encoder(Path folder, @Nullable Integer layer, @Nullable ImageFit fit, @Nullable Precision precision) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.layer = layer;
        this.fit = fit;
        this.precision = precision;
    }

    /**
     * The encoder in a folder with {@code config.json}, {@code preprocessor_config.json} and weights. Which layer and
     * which form of the picture the adapter wants is read from the adapter's configuration; where there is none, it is
     * the last layer but one and a picture padded to a square, as LLaVA and LangBridge were trained.
     *
     * @param folder the Hugging Face folder
     * @return the encoder
     */
    public static Encoder of(Path folder) {
        return new Encoder(folder, null, null, null);
    }

    /**
     * Takes the features of another layer.
     *
     * @param layer index into the hidden states: 0 the embeddings, n the output of layer n, -1 the last one, -2
     *     (default) the one before
     * @return the encoder
     */
    public Encoder layer(int layer) {
        return new Encoder(folder, layer, fit, precision);
    }

    /**
     * Chooses how a picture that is not square becomes one, whatever the adapter's configuration says.
     *
     * @param fit the choice
     * @return the encoder
     */
    public Encoder fit(ImageFit fit) {
        return new Encoder(folder, layer, Objects.requireNonNull(fit, "fit"), precision);
    }

    /**
     * Sets the precision of this part, whatever the builder's own says.
     *
     * @param precision the precision
     * @return the encoder
     */
    public Encoder precision(Precision precision) {
        return new Encoder(folder, layer, fit, Objects.requireNonNull(precision, "precision"));
    }

    /** {@return the Hugging Face folder} */
    public Path folder() {
        return folder;
    }

    /** {@return index into the hidden states, or null for the adapter's} */
    public @Nullable Integer layer() {
        return layer;
    }

    /** {@return how a picture that is not square becomes one, or null for the adapter's way} */
    public @Nullable ImageFit fit() {
        return fit;
    }

    /** {@return the precision of this part, or null for the builder's} */
    public @Nullable Precision precision() {
        return precision;
    }

    @Override
    public String toString() {
        return "Encoder[" + folder + "]";
    }
}

package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a whole model of one of the {@link Families}, opened and checked. Safe for use by several threads.
 * Closing it closes its parts; they need not be closed.
 */
public final class ModelFolder implements AutoCloseable {
    private final VisionPart vision;
    private final AdapterPart adapter;
    private final LlmPart llm;
    private final Pictures pictures;
    private final ImagePrompt imagePrompt;
    private final @Nullable Positions positions;
    private final List<AutoCloseable> owned;

    private ModelFolder(
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            Pictures pictures,
            ImagePrompt imagePrompt,
            @Nullable Positions positions,
            List<AutoCloseable> owned) {
        this.vision = vision;
        this.adapter = adapter;
        this.llm = llm;
        this.pictures = pictures;
        this.imagePrompt = imagePrompt;
        this.positions = positions;
        this.owned = owned;
    }

    /** Opens a folder that holds everything, the vision encoder inside or beside it. */
    public static ModelFolder open(Path folder) {
        return open(folder, null);
    }

    /**
     * Opens a folder that holds a whole model.
     *
     * @param folder with {@code config.json}, weights and tokenizer files
     * @param visionFolder the vision encoder in place of the one that {@code mm_vision_tower} names; null to look for
     *     that inside and beside the folder
     * @throws CheckpointException if a file is missing, damaged or does not fit the others
     * @throws UnsupportedModelException if it is another architecture
     */
    public static ModelFolder open(Path folder, @Nullable Path visionFolder) {
        Json config = Folder.config(folder);
        Family family = Families.of(config);
        Closing closing = new Closing();
        try {
            Weights weights = Quantisation.widened(config, closing.add(Checkpoints.open(folder)));
            return family.open(new Checkpoint(folder, visionFolder, config, weights, closing));
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /** The parts must fit each other; tokens stand one behind the other. */
    static ModelFolder of(
            Checkpoint checkpoint,
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            Pictures pictures,
            ImagePrompt imagePrompt) {
        return of(checkpoint, vision, adapter, llm, pictures, imagePrompt, null);
    }

    /** The parts must fit each other. */
    static ModelFolder of(
            Checkpoint checkpoint,
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            Pictures pictures,
            ImagePrompt imagePrompt,
            @Nullable Positions positions) {
        Json config = checkpoint.config();
        int features = vision.width();
        if (adapter.config().mmHiddenSize() != features) {
            throw new CheckpointException("The adapter in " + adapter.weights().source() + " takes features of size "
                    + adapter.config().mmHiddenSize() + " (mm_hidden_size), but the encoder in "
                    + vision.weights().source() + " gives " + features + ".");
        }
        long hidden = llm.config().hiddenSize();
        StoredTensor matrix = adapter.vocabularyMatrix();
        if (matrix != null && matrix.shape()[1] != hidden) {
            throw new CheckpointException("The vocabulary matrix " + matrix.file() + " has rows of size "
                    + matrix.shape()[1]
                    + ", but " + config.at("hidden_size") + " is " + hidden + ".");
        }
        if (adapter.config() instanceof AdapterConfig.LangBridge
                && matrix == null
                && adapter.vocabularyFile() == null) {
            throw new CheckpointException(config.source()
                    + " describes a LangBridge adapter, but there is neither a shared"
                    + " vocabulary (vocabulary.json) nor the file that mm_vocab_matrix names in its folder.");
        }
        if (pictures.needsNewline()) {
            StoredTensor newline = adapter.imageNewline();
            if (newline == null || newline.elements() != hidden) {
                throw new CheckpointException("Tiles are merged with a newline, so "
                        + adapter.weights().source()
                        + " must hold image_newline with " + hidden + " elements; "
                        + (newline == null ? "it is missing." : "it has " + newline.elements() + "."));
            }
        }
        return new ModelFolder(
                vision,
                adapter,
                llm,
                pictures,
                imagePrompt,
                positions,
                checkpoint.closing().opened());
    }

    public VisionPart vision() {
        return vision;
    }

    public AdapterPart adapter() {
        return adapter;
    }

    public LlmPart llm() {
        return llm;
    }

    /** How pictures become tiles. */
    public Pictures pictures() {
        return pictures;
    }

    /** How pictures enter the prompt. */
    public ImagePrompt imagePrompt() {
        return imagePrompt;
    }

    /** Where tokens stand; null if one behind the other. */
    public @Nullable Positions positions() {
        return positions;
    }

    @Override
    public void close() {
        Closing.all(owned);
    }
}

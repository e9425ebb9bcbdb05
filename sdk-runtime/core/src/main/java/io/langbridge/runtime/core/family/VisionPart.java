package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A vision encoder's files, opened and checked: every tensor is there in the right shape. Safe for use by several
 * threads. Whoever opened it closes it; one that belongs to a {@link ModelFolder} is closed with that.
 */
public final class VisionPart implements AutoCloseable {
    private static final String PATCH_EMBEDDING = "embeddings.patch_embedding.weight";

    /** Null of what is neither CLIP nor SigLIP. */
    private final @Nullable VisionConfig config;

    private final String description;
    private final Weights weights;
    private final Network network;
    private final Function<Tiling, Pictures> pictures;
    private final Path folder;
    private final long elements;
    private final int width;
    private final List<AutoCloseable> owned;

    /** CLIP or SigLIP, with pictures as LLaVA takes them. */
    VisionPart(
            VisionConfig config,
            Weights weights,
            PreprocessorConfig preprocessor,
            Path folder,
            List<AutoCloseable> owned) {
        this(
                config,
                describe(config),
                Vit.network(config, weights),
                weights,
                tiling -> new LlavaPictures(
                        preprocessor,
                        tiling,
                        config.imageSize(),
                        config.selectPatches() ? config.patches() : config.tokens()),
                folder,
                owned);
    }

    /**
     * An encoder of any family.
     *
     * @param config what others compare; null if it is neither CLIP nor SigLIP
     * @param description for people
     * @param pictures how it takes pictures, of those ways that users choose from
     */
    VisionPart(
            @Nullable VisionConfig config,
            String description,
            Network network,
            Weights weights,
            Function<Tiling, Pictures> pictures,
            Path folder,
            List<AutoCloseable> owned) {
        this.config = config;
        this.description = description;
        this.network = network;
        this.weights = weights;
        this.pictures = pictures;
        this.folder = folder;
        Inventory inventory = Inventory.of(network);
        this.elements = inventory.check(weights);
        this.width = inventory.result().width();
        this.owned = owned;
    }

    /** SigLIP inside a model that takes what its last norm gives, and pictures in one way. */
    static VisionPart toTheEnd(VisionConfig config, Checkpoint checkpoint, Pictures pictures) {
        return new VisionPart(
                config,
                describe(config),
                new Network(
                        "vision encoder",
                        net -> net.layerNorm(Vit.features(net, config), "post_layernorm", config.layerNormEps())),
                strip(checkpoint.weights()),
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
    }

    /** Opens a CLIP or SigLIP folder for the features that LLaVA and LangBridge use. */
    public static VisionPart open(Path folder) {
        return open(folder, FeatureSelection.DEFAULT);
    }

    /**
     * Opens a CLIP or SigLIP folder, a complete model or its vision encoder alone.
     *
     * @param folder with {@code config.json}, weights and {@code preprocessor_config.json}
     * @param selection which features the adapter takes
     * @throws CheckpointException if a file is missing, damaged or does not fit the others
     * @throws io.langbridge.UnsupportedModelException if it is another architecture
     */
    public static VisionPart open(Path folder, FeatureSelection selection) {
        VisionConfig config = VisionConfigReader.read(Folder.config(folder), selection);
        PreprocessorConfig preprocessor = PreprocessorConfigReader.find(config, folder);
        Closing closing = new Closing();
        try {
            Weights all = closing.add(Checkpoints.open(folder));
            Quantisation.refuse(all);
            Folder.refuseLora(all);
            Weights weights = strip(all);
            return new VisionPart(config, weights, preprocessor, folder, closing.opened());
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /** Whether there is a vision encoder among the weights. */
    static boolean isIn(Weights weights) {
        return weights.names().stream().anyMatch(name -> name.endsWith(PATCH_EMBEDDING));
    }

    /** Takes the encoder out of a file that may hold more: the prefix is whatever stands before its first tensor. */
    static Weights strip(Weights weights) {
        for (String name : weights.names()) {
            if (name.endsWith(PATCH_EMBEDDING)) {
                return weights.under(name.substring(0, name.length() - PATCH_EMBEDDING.length()));
            }
        }
        throw new CheckpointException("There is no vision encoder in " + weights.source() + ": no tensor is named "
                + PATCH_EMBEDDING + ", with or without a prefix.");
    }

    /** What is said of such an encoder. */
    public static String describe(VisionConfig config) {
        return config.kind() + " with " + config.numHiddenLayers() + " layers of size " + config.hiddenSize() + ", "
                + config.imageSize() + " pixels, patches of " + config.patchSize();
    }

    /**
     * The shape of CLIP or SigLIP.
     *
     * @throws IllegalStateException if it is another kind, see {@link #isVit}
     */
    public VisionConfig config() {
        if (config == null) {
            throw new IllegalStateException("The encoder " + folder + " is neither CLIP nor SigLIP: " + description);
        }
        return config;
    }

    /** Whether it is CLIP or SigLIP. */
    public boolean isVit() {
        return config != null;
    }

    /** Width of its features. */
    public int width() {
        return width;
    }

    /** A few words for people. */
    public String description() {
        return description;
    }

    /** Named as an engine asks for them, from {@code embeddings.} on. */
    public Weights weights() {
        return weights;
    }

    /** From pixels of a view to features. */
    public Network network() {
        return network;
    }

    /**
     * How pictures become what the encoder takes.
     *
     * @throws CheckpointException if the configuration makes something else
     */
    public Pictures pictures(Tiling tiling) {
        return pictures.apply(tiling);
    }

    /** Where the configuration is. */
    public Path folder() {
        return folder;
    }

    /** Number of weights, for an estimate of the memory. */
    public long elements() {
        return elements;
    }

    @Override
    public void close() {
        Closing.all(owned);
    }
}

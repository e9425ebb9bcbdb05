package io.langbridge.runtime.core.family;

import com.google.gson.JsonElement;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An adapter's files, opened and checked: every tensor is there in the right shape. Safe for use by several threads.
 * Whoever opened it closes it; one that belongs to a {@link ModelFolder} is closed with that.
 */
public final class AdapterPart implements AutoCloseable {
    private static final String NEWLINE = "image_newline";

    private static final List<String> SETTINGS = Collections.unmodifiableList(Arrays.asList(
            "mm_vision_tower",
            "mm_vision_select_layer",
            "mm_vision_select_feature",
            "image_aspect_ratio",
            "image_grid_pinpoints",
            "mm_patch_merge_type"));

    private final AdapterConfig config;
    private final Weights weights;
    private final @Nullable Path vocabularyFile;
    private final @Nullable StoredTensor vocabularyMatrix;
    private final @Nullable StoredTensor imageNewline;
    private final @Nullable Tiling tiling;
    private final @Nullable FeatureSelection selection;
    private final @Nullable Json configuration;
    private final @Nullable String visionTower;
    private final @Nullable VisionConfig trainedOn;
    private final long elements;
    private final List<AutoCloseable> owned;

    private AdapterPart(
            AdapterConfig config,
            Weights weights,
            @Nullable Path vocabularyFile,
            @Nullable StoredTensor vocabularyMatrix,
            @Nullable StoredTensor imageNewline,
            @Nullable Tiling tiling,
            @Nullable FeatureSelection selection,
            @Nullable Json configuration,
            List<AutoCloseable> owned) {
        this.config = config;
        this.weights = weights;
        this.vocabularyFile = vocabularyFile;
        this.vocabularyMatrix = vocabularyMatrix;
        this.imageNewline = imageNewline;
        this.tiling = tiling;
        this.selection = selection;
        this.configuration = configuration;
        this.visionTower = configuration == null ? null : configuration.string("mm_vision_tower");
        this.trainedOn = configuration == null || visionTower == null
                ? null
                : VisionConfigReader.knownOrNull(
                        visionTower, configuration, selection == null ? FeatureSelection.DEFAULT : selection);
        this.elements = Inventory.of(Projector.network(config, 0)).check(weights);
        this.owned = owned;
    }

    /**
     * Opens an adapter.
     *
     * @param fileOrFolder {@code mm_projector.bin} or {@code .safetensors}, or a folder with one of them (or with a
     *     whole model's weights), in which {@code config.json} and the shared vocabulary are found if they are there.
     *     Without a {@code config.json} all sizes come from the weights
     * @throws CheckpointException if a file is missing, damaged or does not fit the others
     * @throws io.langbridge.UnsupportedModelException if it is another kind of adapter
     */
    public static AdapterPart open(Path fileOrFolder) {
        return open(fileOrFolder, null);
    }

    /**
     * Opens an adapter.
     *
     * @param vocabularyFile the shared vocabulary, {@code {token: id}}; null to look for it in the folder
     */
    public static AdapterPart open(Path fileOrFolder, @Nullable Path vocabularyFile) {
        if (!Files.exists(fileOrFolder)) {
            Folder.requireThere(fileOrFolder);
        }
        boolean isFolder = Files.isDirectory(fileOrFolder);
        Path file = isFolder ? weightsIn(fileOrFolder) : fileOrFolder;
        Path configFile = fileOrFolder.resolve("config.json");
        Json config = isFolder && Files.exists(configFile) ? Json.read(configFile) : null;
        Closing closing = new Closing();
        try {
            Weights all = closing.add(Checkpoints.open(file));
            VisionConfig trainedOn = config == null
                    ? null
                    : VisionConfigReader.knownOrNull(
                            config.stringOr("mm_vision_tower", ""), config, FeatureSelection.DEFAULT);
            int imageSize = trainedOn == null ? 0 : trainedOn.imageSize();
            return ofAuthors(config, all, isFolder ? fileOrFolder : null, vocabularyFile, imageSize, closing);
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /**
     * Makes the part from the authors' layout.
     *
     * @param folder where the shared vocabulary is looked for, or null
     * @param imageSize of the encoder's tiles in pixels; 0 if it is not known
     * @param closing takes what is opened; the part owns everything in it
     */
    static AdapterPart ofAuthors(
            @Nullable Json config,
            Weights all,
            @Nullable Path folder,
            @Nullable Path vocabularyFile,
            int imageSize,
            Closing closing) {
        Weights weights = normalize(all);
        Folder.refuseLora(weights);
        AdapterConfig adapter = AdapterConfigReader.ofAuthors(config, weights);
        Path vocabulary = vocabularyFile;
        StoredTensor matrix = null;
        if (adapter instanceof AdapterConfig.LangBridge langBridge) {
            if (vocabulary == null && folder != null) {
                vocabulary = SharedVocabularyFiles.vocabulary(folder, langBridge.mmVocabSize());
            } else if (vocabulary != null) {
                SharedVocabularyFiles.requireSize(vocabulary, langBridge.mmVocabSize());
            }
            if (config != null && folder != null) {
                matrix = SharedVocabularyFiles.matrix(config, folder, langBridge.mmVocabSize(), closing);
            }
        }
        return new AdapterPart(
                adapter,
                weights,
                vocabulary,
                matrix,
                newlineIn(all),
                config == null || !config.has("image_aspect_ratio") ? null : TilingReader.ofAuthors(config, imageSize),
                config == null ? null : selection(config),
                config,
                closing.opened());
    }

    private static @Nullable FeatureSelection selection(Json config) {
        if (config.has("mm_vision_select_layer")) {
            return FeatureSelection.ofAuthors(config);
        }
        return config.has("vision_feature_layer") ? FeatureSelection.ofTransformers(config) : null;
    }

    static AdapterPart ofTransformers(AdapterConfig config, Weights all, Tiling tiling, FeatureSelection selection) {
        return new AdapterPart(
                config, normalize(all), null, null, newlineIn(all), tiling, selection, null, Collections.emptyList());
    }

    /** The connector of a family; {@code weights} are named as its text names them. */
    static AdapterPart ofFamily(AdapterConfig.Connector config, Weights weights) {
        return new AdapterPart(config, weights, null, null, null, null, null, null, Collections.emptyList());
    }

    private static Path weightsIn(Path folder) {
        List<String> names = Arrays.asList("mm_projector.safetensors", "mm_projector.bin");
        for (String name : names) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                return file;
            }
        }
        Folder.refuseLora(folder);
        if (Checkpoints.hasWeights(folder)) {
            return folder;
        }
        throw new CheckpointException("There is no adapter in the folder " + folder + "; looked for "
                + String.join(", ", names) + " and the weights of a whole model.");
    }

    /** Whether there is an adapter among the weights. */
    static boolean isIn(Weights weights) {
        return weights.names().stream()
                .anyMatch(name -> name.contains("mm_projector.") || name.contains("multi_modal_projector."));
    }

    private static Weights normalize(Weights all) {
        return isIn(all) ? Checkpoints.renamed(all, AdapterPart::newName) : all;
    }

    private static @Nullable String newName(String name) {
        for (String prefix : Arrays.asList("mm_projector.", "multi_modal_projector.")) {
            int at = name.indexOf(prefix);
            if (at == 0 || at > 0 && name.charAt(at - 1) == '.') {
                return name.substring(at + prefix.length())
                        .replace("linear_1.", "0.")
                        .replace("linear_2.", "2.");
            }
        }
        return null;
    }

    private static @Nullable StoredTensor newlineIn(Weights all) {
        for (String name : all.names()) {
            if (name.equals(NEWLINE) || name.endsWith("." + NEWLINE)) {
                StoredTensor newline = all.get(name);
                newline.requireFloatingPoint();
                Finite.require(newline);
                return newline;
            }
        }
        return null;
    }

    public AdapterConfig config() {
        return config;
    }

    /** Named as an engine asks for them: {@code 0.weight} .. or {@code weight}. */
    public Weights weights() {
        return weights;
    }

    /**
     * The shared vocabulary of a LangBridge adapter, {@code {token: id}}, with as many entries as the projector has
     * columns; null if there is none beside it, or it is another kind of adapter.
     */
    public @Nullable Path vocabularyFile() {
        return vocabularyFile;
    }

    /**
     * {@code [mm_vocab, llm_hidden]}: embedding rows of the shared tokens as the authors saved them
     * ({@code mm_vocab_matrix}), for the language model of the same folder only; null if there is none.
     */
    public @Nullable StoredTensor vocabularyMatrix() {
        return vocabularyMatrix;
    }

    /** {@code [llm_hidden]}: what ends each row of a grid of tiles; null if there is none. */
    public @Nullable StoredTensor imageNewline() {
        return imageNewline;
    }

    /** How the pictures of its training became tiles; null if no configuration says so. */
    public @Nullable Tiling tiling() {
        return tiling;
    }

    /** Which features it was trained on; null if no configuration says so. */
    public @Nullable FeatureSelection selection() {
        return selection;
    }

    /**
     * The encoder it was trained with as its configuration names it, a place or a published name; null if none does.
     */
    public @Nullable String visionTower() {
        return visionTower;
    }

    /** The shape of that encoder; null if its name is not a known published one. */
    public @Nullable VisionConfig trainedOn() {
        return trainedOn;
    }

    /** What its configuration says about encoder and pictures, as it stands there, for a copy. */
    public Map<String, JsonElement> settings() {
        Map<String, JsonElement> settings = new LinkedHashMap<>();
        for (String key : SETTINGS) {
            JsonElement value = configuration == null ? null : configuration.element(key);
            if (value != null) {
                settings.put(key, value);
            }
        }
        return settings;
    }

    /** Where it comes from, if a program of ours wrote its configuration. */
    public @Nullable JsonElement provenance() {
        return configuration == null ? null : configuration.element("provenance");
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

package io.langbridge.runtime.core.config;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Closing;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a whole model, opened and checked: LLaVA, LLaVA-NeXT and LangBridge as their authors publish them, or
 * as transformers does. Safe for use by several threads. Closing it closes its parts; they need not be closed.
 */
public final class ModelFolder implements AutoCloseable {
    private static final String TOWER = "mm_vision_tower";

    private final VisionPart vision;
    private final AdapterPart adapter;
    private final LlmPart llm;
    private final Tiling tiling;
    private final ImagePrompt imagePrompt;
    private final List<AutoCloseable> owned;

    private ModelFolder(
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            Tiling tiling,
            ImagePrompt imagePrompt,
            List<AutoCloseable> owned) {
        this.vision = vision;
        this.adapter = adapter;
        this.llm = llm;
        this.tiling = tiling;
        this.imagePrompt = imagePrompt;
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
        Layout layout = layout(config);
        Closing closing = new Closing();
        try {
            return layout == Layout.AUTHORS
                    ? ofAuthors(config, folder, visionFolder, closing)
                    : ofTransformers(config, layout, folder, closing);
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    private enum Layout {
        AUTHORS,
        LLAVA,
        LLAVA_NEXT
    }

    private static Layout layout(Json config) {
        List<String> architectures =
                config.has("architectures") ? config.strings("architectures") : Collections.emptyList();
        String name = architectures.isEmpty() ? config.stringOr("model_type", "") : architectures.get(0);
        return switch (name) {
            case "LlavaQwenForCausalLM",
                    "LlavaLlamaForCausalLM",
                    "LlavaMistralForCausalLM",
                    "llava_qwen",
                    "llava_llama",
                    "llava_mistral" -> Layout.AUTHORS;
            case "LlavaForConditionalGeneration", "llava" -> Layout.LLAVA;
            case "LlavaNextForConditionalGeneration", "llava_next" -> Layout.LLAVA_NEXT;
            default ->
                throw new UnsupportedModelException(config.at("architectures") + " is '" + name
                        + "'; supported are LlavaQwenForCausalLM, LlavaLlamaForCausalLM, LlavaMistralForCausalLM,"
                        + " LlavaForConditionalGeneration and LlavaNextForConditionalGeneration. To combine an encoder, an"
                        + " adapter and a language model from separate folders, use the builder.");
        };
    }

    private static ModelFolder ofAuthors(Json config, Path folder, @Nullable Path visionFolder, Closing closing) {
        if (config.booleanOr("mm_use_im_start_end", false)) {
            throw new UnsupportedModelException(config.at("mm_use_im_start_end") + " is true; models with start and end"
                    + " tokens around the picture are not supported.");
        }
        Weights weights = closing.add(Checkpoints.open(folder));
        LlmPart llm = LlmPart.of(config, weights, folder, Collections.emptyList());

        Closing adapterFiles = new Closing();
        AdapterPart adapter;
        try {
            Weights projector = AdapterPart.isIn(weights) ? weights : separateProjector(folder, weights, adapterFiles);
            adapter = closing.add(AdapterPart.ofAuthors(config, projector, folder, null, adapterFiles));
        } catch (RuntimeException | Error e) {
            adapterFiles.closeAfter(e);
            throw e;
        }
        VisionPart vision = towerOfAuthors(config, folder, visionFolder, weights, closing);
        Tiling tiling = TilingReader.ofAuthors(config);
        return checked(config, vision, adapter, llm, tiling, new ImagePrompt.Splice(), closing);
    }

    private static Weights separateProjector(Path folder, Weights weights, Closing closing) {
        for (String name : new String[] {"mm_projector.safetensors", "mm_projector.bin"}) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                return closing.add(Checkpoints.open(file));
            }
        }
        throw new CheckpointException("There is no adapter in " + weights.source()
                + " (tensors named model.mm_projector.),"
                + " and no mm_projector.bin or mm_projector.safetensors beside it.");
    }

    private static VisionPart towerOfAuthors(
            Json config, Path folder, @Nullable Path visionFolder, Weights weights, Closing closing) {
        FeatureSelection selection = FeatureSelection.ofAuthors(config);
        String name = config.stringOr(TOWER, config.stringOr("vision_tower", ""));
        Path tower = visionFolder;
        if (tower == null && !name.isEmpty()) {
            tower = Folders.insideOrBeside(folder, name);
        }
        boolean described = tower != null && Files.exists(tower.resolve("config.json"));
        if (!VisionPart.isIn(weights) || visionFolder != null) {
            if (tower == null || !described) {
                throw new CheckpointException(config.at(TOWER) + " is '" + name
                        + "', but there is no such folder inside or"
                        + " beside " + folder + ", and the model's files do not hold the encoder. Download it, and put"
                        + " it there or pass its folder: builder().folder(..).encoder(Encoder.of(..)).");
            }
            return closing.add(VisionPart.open(tower, selection));
        }
        VisionConfig vision = tower != null && described
                ? VisionConfigReader.read(Json.read(tower.resolve("config.json")), selection)
                : VisionConfigReader.knownOrNull(name, config, selection);
        if (vision == null) {
            throw new CheckpointException(config.at(TOWER) + " is '" + name + "', but there is no such folder inside or"
                    + " beside " + folder + ". The encoder's weights are in the model's files, only its config.json is"
                    + " missing: put it into a folder of this name.");
        }
        Path home = tower != null && described ? tower : folder;
        boolean known = VisionConfigReader.knownOrNull(name, config, selection) != null;
        PreprocessorConfig preprocessor = known
                ? PreprocessorConfigReader.findOrDefault(vision, home, folder)
                : PreprocessorConfigReader.find(vision, home, folder);
        return new VisionPart(vision, VisionPart.strip(weights), preprocessor, home, Collections.emptyList());
    }

    private static ModelFolder ofTransformers(Json config, Layout layout, Path folder, Closing closing) {
        Weights weights = closing.add(Checkpoints.open(folder));
        LlmPart llm = LlmPart.of(config, weights, folder, Collections.emptyList());
        FeatureSelection selection = FeatureSelection.ofTransformers(config);
        VisionConfig visionConfig = VisionConfigReader.readNested(config.object("vision_config"), config, selection);
        if (visionConfig.kind() == VisionConfig.Kind.SIGLIP && selection.patches()) {
            // The reference would drop the first patch as if it were a class token.
            throw new UnsupportedModelException(config.at("vision_feature_select_strategy")
                    + " is 'default', which a SigLIP encoder has no class token for; 'full' is supported.");
        }
        VisionPart vision = new VisionPart(
                visionConfig,
                VisionPart.strip(weights),
                PreprocessorConfigReader.find(visionConfig, folder),
                folder,
                Collections.emptyList());
        AdapterConfig projector = AdapterConfigReader.ofTransformers(
                config, visionConfig.hiddenSize(), llm.config().hiddenSize());
        Json preprocessor = PreprocessorConfigReader.findJson(folder);
        Tiling tiling;
        if (layout == Layout.LLAVA_NEXT) {
            tiling = TilingReader.ofNext(config, preprocessor);
        } else {
            tiling = preprocessor.booleanOr("do_pad", false) ? new Tiling.Pad() : new Tiling.Plain();
        }
        AdapterPart adapter = AdapterPart.ofTransformers(projector, weights, tiling, selection);
        return checked(config, vision, adapter, llm, tiling, placeholder(config, folder), closing);
    }

    private static ImagePrompt placeholder(Json config, Path folder) {
        // transformers 4 and 5 name it differently; the number is LlavaConfig's default.
        int id = config.intOr("image_token_index", config.intOr("image_token_id", 32_000));
        Path processor = folder.resolve("processor_config.json");
        String token = Files.exists(processor) ? Json.read(processor).stringOr("image_token", "<image>") : "<image>";
        return new ImagePrompt.Placeholder(id, token);
    }

    /** The parts must fit each other. */
    private static ModelFolder checked(
            Json config,
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            Tiling tiling,
            ImagePrompt imagePrompt,
            Closing closing) {
        int features = vision.config().hiddenSize();
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
        if (tiling instanceof Tiling.AnyResolution any && any.merge() == Tiling.Merge.SPATIAL_UNPAD) {
            StoredTensor newline = adapter.imageNewline();
            if (newline == null || newline.elements() != hidden) {
                throw new CheckpointException("Tiles are merged with a newline, so "
                        + adapter.weights().source()
                        + " must hold image_newline with " + hidden + " elements; "
                        + (newline == null ? "it is missing." : "it has " + newline.elements() + "."));
            }
        }
        TilingReader.requireWholeTiles(tiling, vision.config().imageSize(), config);
        return new ModelFolder(vision, adapter, llm, tiling, imagePrompt, closing.opened());
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
    public Tiling tiling() {
        return tiling;
    }

    /** How pictures enter the prompt. */
    public ImagePrompt imagePrompt() {
        return imagePrompt;
    }

    @Override
    public void close() {
        Closing.all(owned);
    }
}

package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** LLaVA, LLaVA-NeXT and LangBridge as their authors publish them. */
final class LlavaAuthors implements Family {
    private static final String TOWER = "mm_vision_tower";

    static final Set<String> NAMES = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            "LlavaQwenForCausalLM",
            "LlavaQwen2ForCausalLM",
            "LlavaLlamaForCausalLM",
            "LlavaMistralForCausalLM",
            "llava_qwen",
            "llava_qwen2",
            "llava-qwen2",
            "llava_llama",
            "llava_mistral")));

    @Override
    public Set<String> names() {
        return NAMES;
    }

    @Override
    public @Nullable ChatTemplate chatTemplate(Json config, Path folder) {
        ChatTemplate own = ChatTemplate.of(folder);
        return own == null ? LlavaConversations.of(folder) : own;
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        Path folder = checkpoint.folder();
        Weights weights = checkpoint.weights();
        refuseVariants(config);
        LlmPart llm = checkpoint.llm();
        VisionPart vision = tower(checkpoint);
        int imageSize = vision.config().imageSize();

        Closing adapterFiles = new Closing();
        AdapterPart adapter;
        try {
            Weights projector = AdapterPart.isIn(weights) ? weights : separateProjector(folder, weights, adapterFiles);
            adapter = checkpoint
                    .closing()
                    .add(AdapterPart.ofAuthors(config, projector, folder, null, imageSize, adapterFiles));
        } catch (RuntimeException | Error e) {
            adapterFiles.closeAfter(e);
            throw e;
        }
        Tiling tiling = TilingReader.ofAuthors(config, imageSize);
        TilingReader.requireWholeTiles(tiling, imageSize, config);
        return ModelFolder.of(checkpoint, vision, adapter, llm, vision.pictures(tiling), new ImagePrompt.Splice());
    }

    private static void refuseVariants(Json config) {
        if (config.booleanOr("mm_use_im_start_end", false)) {
            throw new UnsupportedModelException(config.at("mm_use_im_start_end") + " is true; models with start and end"
                    + " tokens around the picture are not supported.");
        }
        if (config.booleanOr("s2", false)) {
            throw new UnsupportedModelException(
                    config.at("s2") + " is true; encoders that see a picture at several scales are not supported.");
        }
        if (config.has("mm_resampler_type") && !config.isNull("mm_resampler_type")) {
            throw new UnsupportedModelException(config.at("mm_resampler_type")
                    + " is set; models that resample what the encoder sees are not supported.");
        }
        String tower = config.stringOr(TOWER, "");
        if (tower.contains("mobileclip")) {
            throw new UnsupportedModelException(config.at(TOWER) + " is '" + tower + "', the convolutional encoder of"
                    + " FastVLM, which is not supported; CLIP and SigLIP are.");
        }
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

    private static VisionPart tower(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        Path folder = checkpoint.folder();
        Path visionFolder = checkpoint.visionFolder();
        Weights weights = checkpoint.weights();
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
            return checkpoint.closing().add(VisionPart.open(tower, selection));
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
}

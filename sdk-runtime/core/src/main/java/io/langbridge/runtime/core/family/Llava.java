package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** LLaVA 1.5 and LLaVA-NeXT as transformers publishes them. */
final class Llava implements Family {
    private static final List<String> NEXT = Arrays.asList("LlavaNextForConditionalGeneration", "llava_next");

    @Override
    public Set<String> names() {
        Set<String> names = new HashSet<>(Arrays.asList("LlavaForConditionalGeneration", "llava"));
        names.addAll(NEXT);
        return names;
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        if (Mistral3.isIn(config)) {
            return new Mistral3().open(checkpoint);
        }
        Path folder = checkpoint.folder();
        Weights weights = checkpoint.weights();
        LlmPart llm = checkpoint.llm();
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
        Tiling tiling = tiling(config, checkpoint.preprocessor());
        TilingReader.requireWholeTiles(tiling, visionConfig.imageSize(), config);
        AdapterPart adapter = AdapterPart.ofTransformers(projector, weights, tiling, selection);
        Pictures pictures = vision.pictures(tiling);
        // The number is LlavaConfig's default.
        return ModelFolder.of(checkpoint, vision, adapter, llm, pictures, checkpoint.placeholder(32_000, "<image>"));
    }

    private static Tiling tiling(Json config, Json preprocessor) {
        if (NEXT.contains(Families.nameOf(config))) {
            return TilingReader.ofNext(config, preprocessor);
        }
        return preprocessor.booleanOr("do_pad", false) ? new Tiling.Pad() : new Tiling.Plain();
    }
}

package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * LLaVA 1.5, LLaVA-NeXT and LLaVA-OneVision as transformers publishes them. Granite Vision 3 is LLaVA-NeXT with the
 * features of several layers side by side.
 */
final class Llava implements Family {
    private static final List<String> NEXT = Arrays.asList("LlavaNextForConditionalGeneration", "llava_next");
    private static final List<String> ONE_VISION =
            Arrays.asList("LlavaOnevisionForConditionalGeneration", "llava_onevision");

    /** What LLaVA-OneVision takes where the file says nothing. */
    private static final FeatureSelection LAST = new FeatureSelection(-1, false);

    @Override
    public Set<String> names() {
        Set<String> names = new HashSet<>(Arrays.asList("LlavaForConditionalGeneration", "llava"));
        names.addAll(NEXT);
        names.addAll(ONE_VISION);
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
        // The whole model's head is not the language model's: Granite divides what that gives, and here nothing does.
        LlmPart llm =
                checkpoint.llm(decoder -> decoder instanceof LlamaConfig llama ? llama.unscaledLogits() : decoder);
        boolean oneVision = ONE_VISION.contains(Families.nameOf(config));
        FeatureSelection selection =
                FeatureSelection.ofTransformers(config, oneVision ? LAST : FeatureSelection.DEFAULT);
        VisionConfig visionConfig = VisionConfigReader.readNested(
                config.object("vision_config"), config, selection, oneVision ? Kind.SIGLIP : Kind.CLIP);
        if (visionConfig.kind() == Kind.SIGLIP && selection.patches()) {
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
                config, vision.width(), llm.config().hiddenSize());
        Tiling tiling = tiling(config, checkpoint.preprocessor());
        TilingReader.requireWholeTiles(tiling, visionConfig.imageSize(), config);
        AdapterPart adapter = AdapterPart.ofTransformers(projector, weights, tiling, selection);
        Pictures pictures = vision.pictures(tiling);
        // The numbers are the defaults of LlavaConfig and LlavaOnevisionConfig.
        ImagePrompt prompt = checkpoint.placeholder(oneVision ? 151_646 : 32_000, "<image>");
        return ModelFolder.of(checkpoint, vision, adapter, llm, pictures, prompt);
    }

    private static Tiling tiling(Json config, Json preprocessor) {
        if (NEXT.contains(Families.nameOf(config))) {
            return TilingReader.ofNext(config, preprocessor);
        }
        if (ONE_VISION.contains(Families.nameOf(config))) {
            return TilingReader.ofOneVision(config, preprocessor);
        }
        return preprocessor.booleanOr("do_pad", false) ? new Tiling.Pad() : new Tiling.Plain();
    }
}

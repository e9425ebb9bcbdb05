package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.GemmaConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * Gemma 3, and MedGemma: SigLIP to its end, neighbouring patches averaged to a fixed number of visual tokens, which see
 * each other in the decoder.
 */
final class Gemma3 implements Family {
    private static final FeatureSelection LAST = new FeatureSelection(-1, true);
    private static final String NORM = "mm_soft_emb_norm";
    private static final String PROJECTION = "mm_input_projection_weight";

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList("Gemma3ForConditionalGeneration", "gemma3"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        VisionConfig tower =
                VisionConfigReader.read(checkpoint.configOf("vision_config"), VisionConfig.Kind.SIGLIP, LAST);
        int side = tower.patchesPerSide();
        int tokens = config.positiveOr("mm_tokens_per_image", 256);
        int tokensPerSide = (int) Math.sqrt(tokens);
        if (tokensPerSide * tokensPerSide != tokens || side % tokensPerSide != 0) {
            throw new CheckpointException(config.at("mm_tokens_per_image") + " is " + tokens
                    + ", which is no square of a number that divides the " + side + " patches along a picture's side.");
        }
        LlmPart llm = checkpoint.llm(decoder -> ((GemmaConfig) decoder).openingPictures());
        int hidden = llm.config().hiddenSize();
        AdapterConfig.Connector connector = new AdapterConfig.Connector(
                "average pool",
                tower.hiddenSize(),
                hidden,
                net -> net.linear(
                        net.rmsNorm(
                                net.pooled(
                                        net.input("features", side * side, tower.hiddenSize()), side / tokensPerSide),
                                NORM,
                                tower.layerNormEps()),
                        PROJECTION,
                        null,
                        hidden));
        LlavaPictures pictures =
                new LlavaPictures(preprocessor(checkpoint, tower), new Tiling.Plain(), tower.imageSize(), tokens);
        VisionPart vision = VisionPart.toTheEnd(tower, checkpoint, pictures);
        Weights projector = Checkpoints.transposed(
                Checkpoints.plusOne(checkpoint.part(NORM + ".weight"), name -> name.equals(NORM + ".weight")),
                PROJECTION,
                tower.hiddenSize(),
                hidden);
        return ModelFolder.of(
                checkpoint, vision, AdapterPart.ofFamily(connector, projector), llm, pictures, prompt(checkpoint));
    }

    private static PreprocessorConfig preprocessor(Checkpoint checkpoint, VisionConfig tower) {
        Json json = checkpoint.preprocessor();
        if (json.booleanOr("do_pan_and_scan", false)) {
            throw new UnsupportedModelException(json.at("do_pan_and_scan")
                    + " is true, which cuts crops out of pictures; only the whole picture, false, is supported.");
        }
        return PreprocessorConfigReader.find(tower, checkpoint.folder());
    }

    /** The names of the tokens are the tokenizer's, their defaults those of the published one. */
    private static ImagePrompt prompt(Checkpoint checkpoint) {
        String begin = checkpoint.token("boi_token", "<start_of_image>");
        String image = checkpoint.token("image_token", "<image_soft_token>");
        String end = checkpoint.token("eoi_token", "<end_of_image>");
        return new ImagePrompt.Placeholder(
                checkpoint.imageTokenId(262_144), image, begin, "\n\n" + begin + image + end + "\n\n");
    }
}

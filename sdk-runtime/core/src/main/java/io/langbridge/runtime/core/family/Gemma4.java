package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.Gemma4Config;
import io.langbridge.runtime.core.network.Gemma4Vit;
import io.langbridge.runtime.core.network.Gemma4VitConfig;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Gemma 4 with a vision tower, as E2B and E4B are: pictures at their own shape, blocks of patches averaged to visual
 * tokens. What such a folder has for sound stays unread.
 */
final class Gemma4 implements Family {
    private static final String PATCHES = "patch_embedder.input_proj.weight";
    private static final String PROJECTION = "embed_vision.embedding_projection.weight";

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList("Gemma4ForConditionalGeneration", "gemma4"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Gemma4VitConfig tower = tower(checkpoint.configOf("vision_config"));
        boolean opens = "vision".equals(checkpoint.configOf("text_config").string("use_bidirectional_attention"));
        LlmPart llm = checkpoint.llm(decoder -> opens ? ((Gemma4Config) decoder).openingPictures() : decoder);
        Weights weights = Gemma4Vit.weights(tower, checkpoint.part(PATCHES));
        Gemma4Pictures pictures = new Gemma4Pictures(checkpoint.preprocessor(), tower);
        VisionPart vision = new VisionPart(
                null,
                "Gemma 4 tower with " + tower.numHiddenLayers() + " layers of size " + tower.hiddenSize()
                        + ", patches of " + tower.patchSize(),
                Gemma4Vit.network(
                        tower, bound -> weights.get(bound, new long[0]).toFloats()[0]),
                weights,
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        Weights connector = Checkpoints.renamed(
                checkpoint.part(PROJECTION),
                name -> name.equals(PROJECTION) || name.startsWith("vision_tower.std_") ? name : null);
        AdapterPart adapter =
                AdapterPart.ofFamily(Gemma4Vit.connector(tower, llm.config().hiddenSize()), connector);
        return ModelFolder.of(checkpoint, vision, adapter, llm, pictures, prompt(checkpoint));
    }

    private static ImagePrompt prompt(Checkpoint checkpoint) {
        String image = checkpoint.token("image_token", "<|image|>");
        String begin = checkpoint.token("boi_token", "<|image>");
        String end = checkpoint.token("eoi_token", "<image|>");
        return new ImagePrompt.Placeholder(checkpoint.imageTokenId(258_880), image, image, begin + image + end);
    }

    private static Gemma4VitConfig tower(Json json) {
        int heads = json.positiveOr("num_attention_heads", 12);
        int kvHeads = json.positiveOr("num_key_value_heads", 12);
        if (kvHeads != heads) {
            throw new UnsupportedModelException(json.at("num_key_value_heads") + " is " + kvHeads
                    + "; only as many as num_attention_heads, " + heads + ", are supported in the encoder.");
        }
        int headDim = json.positiveOr("head_dim", 64);
        if (headDim % 4 != 0) {
            throw new CheckpointException(json.at("head_dim") + " is " + headDim
                    + ", no multiple of 4: half of a head rotates by columns and half by rows, both in pairs.");
        }
        DecoderConfigReader.refuseUnsupported(json, "hidden_activation", "gelu_pytorch_tanh");
        return new Gemma4VitConfig(
                json.positiveOr("hidden_size", 768),
                json.positiveOr("intermediate_size", 3072),
                json.positiveOr("num_hidden_layers", 16),
                heads,
                headDim,
                json.positiveOr("patch_size", 16),
                json.positiveOr("pooling_kernel_size", 3),
                json.positiveOr("position_embedding_size", 10_240),
                json.epsilonOr("rms_norm_eps", 1e-6),
                QwenVl.theta(json, 100),
                json.booleanOr("standardize", false),
                json.booleanOr("use_clipped_linears", false));
    }
}

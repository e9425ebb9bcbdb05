package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5: pictures at their own shape, blocks of patches merged into visual tokens
 * that stand on a grid, Qwen2, Qwen3 or Qwen3.5. Qwen2.5-VL's tower looks through windows in most layers; Qwen3-VL's
 * gives features of several layers, which enter the decoder's first ones; Qwen3.5 has its tower without those.
 */
final class QwenVl implements Family {
    private static final String PATCHES = "patch_embed.proj.weight";

    /** What differs between them; keys that are absent have the reference's defaults. */
    private enum Kind {
        QWEN2("Qwen2-VL", "embed_dim", 1280, 0, 32, 14, "quick_gelu"),
        QWEN2_5("Qwen2.5-VL", "hidden_size", 3584, 3420, 32, 14, "silu"),
        QWEN3("Qwen3-VL", "hidden_size", 1152, 4304, 27, 16, "gelu_pytorch_tanh"),
        QWEN3_5("Qwen3.5", "hidden_size", 1152, 4304, 27, 16, "gelu_pytorch_tanh");

        final String title;
        final String widthKey;
        final int width;
        final int intermediateSize;
        final int depth;
        final int patchSize;
        final String activation;

        Kind(
                String title,
                String widthKey,
                int width,
                int intermediateSize,
                int depth,
                int patchSize,
                String activation) {
            this.title = title;
            this.widthKey = widthKey;
            this.width = width;
            this.intermediateSize = intermediateSize;
            this.depth = depth;
            this.patchSize = patchSize;
            this.activation = activation;
        }

        GridVit.Merger merger() {
            return hasTowerOfQwen3()
                    ? new GridVit.Merger("merger.norm", "merger.linear_fc1", "merger.linear_fc2")
                    : new GridVit.Merger("merger.ln_q", "merger.mlp.0", "merger.mlp.2");
        }

        static Kind of(String name) {
            return switch (name) {
                case "Qwen2VLForConditionalGeneration", "qwen2_vl" -> QWEN2;
                case "Qwen2_5_VLForConditionalGeneration", "qwen2_5_vl" -> QWEN2_5;
                case "Qwen3VLForConditionalGeneration", "qwen3_vl" -> QWEN3;
                default -> QWEN3_5;
            };
        }

        /** Whether the tower is Qwen3-VL's. */
        boolean hasTowerOfQwen3() {
            return this == QWEN3 || this == QWEN3_5;
        }
    }

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList(
                "Qwen2VLForConditionalGeneration",
                "qwen2_vl",
                "Qwen2_5_VLForConditionalGeneration",
                "qwen2_5_vl",
                "Qwen3VLForConditionalGeneration",
                "qwen3_vl",
                "Qwen3_5ForConditionalGeneration",
                "qwen3_5"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        Kind kind = Kind.of(Families.nameOf(config));
        Json vision = checkpoint.configOf("vision_config");
        GridVitConfig tower = tower(vision, kind);
        LlmPart llm = checkpoint.llm(decoder -> decoder instanceof LlamaConfig llama
                ? llama.deepstack(tower.deepLayers().size())
                : decoder);
        int hidden = llm.config().hiddenSize();
        requireWidth(vision, kind, hidden);
        if (tower.deepLayers().size() > llm.config().numHiddenLayers()) {
            throw new CheckpointException(vision.at("deepstack_visual_indexes") + " names "
                    + tower.deepLayers().size() + " layers, more than the language model's "
                    + llm.config().numHiddenLayers() + ".");
        }
        Weights weights = Checkpoints.summedFrames(
                checkpoint.part(PATCHES),
                PATCHES,
                tower.hiddenSize(),
                3,
                frames(vision),
                tower.patchSize(),
                tower.patchSize());
        GridPictures pictures = new GridPictures(checkpoint.preprocessor(), tower);
        VisionPart part = new VisionPart(
                null,
                kind.title + " tower with " + tower.depth() + " layers of size " + tower.hiddenSize() + ", patches of "
                        + tower.patchSize(),
                GridVit.network(tower),
                weights,
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        AdapterPart adapter = AdapterPart.ofFamily(GridVit.connector(tower, kind.merger(), hidden), weights);
        // The number is the reference's default for all of them.
        ImagePrompt prompt = checkpoint.placeholder(151_655, "<|image_pad|>");
        return ModelFolder.of(checkpoint, part, adapter, llm, pictures, prompt, Positions::onGrids);
    }

    private static int frames(Json vision) {
        return vision.positiveOr("temporal_patch_size", 2);
    }

    /** What the merger gives; Qwen2-VL calls it hidden_size. */
    private static void requireWidth(Json vision, Kind kind, int hidden) {
        String key = kind == Kind.QWEN2 ? "hidden_size" : "out_hidden_size";
        int width = vision.positiveOr(key, 3584);
        if (width != hidden) {
            throw new CheckpointException(
                    vision.at(key) + " is " + width + ", but the language model's hidden_size is " + hidden + ".");
        }
    }

    private static GridVitConfig tower(Json json, Kind kind) {
        if (json.positiveOr("in_channels", 3) != 3) {
            throw new UnsupportedModelException(
                    json.at("in_channels") + " is " + json.intOr("in_channels", 3) + "; only 3 (RGB) is supported.");
        }
        int hidden = json.positiveOr(kind.widthKey, kind.width);
        int heads = json.positiveOr("num_heads", 16);
        // Half of a head goes by the row and half by the column, each in pairs.
        if (hidden % heads != 0 || hidden / heads % 4 != 0) {
            throw new CheckpointException(json.at(kind.widthKey) + " is " + hidden + ", of which " + heads
                    + " heads (num_heads) do not get a multiple of 4 each.");
        }
        int depth = json.positiveOr("depth", kind.depth);
        int patch = json.positiveOr("patch_size", kind.patchSize);
        int merge = json.positiveOr("spatial_merge_size", 2);
        boolean windows = kind == Kind.QWEN2_5;
        return new GridVitConfig(
                hidden,
                kind == Kind.QWEN2
                        ? hidden * json.positiveOr("mlp_ratio", 4)
                        : json.positiveOr("intermediate_size", kind.intermediateSize),
                depth,
                heads,
                patch,
                merge,
                VisionConfigReader.activation(json, kind.activation),
                theta(json, 10_000),
                windows,
                kind.hasTowerOfQwen3() ? Arrays.asList("linear_fc1", "linear_fc2") : Arrays.asList("fc1", "fc2"),
                kind.hasTowerOfQwen3(),
                kind.hasTowerOfQwen3() ? side(json) : 0,
                windows ? cells(json, patch * merge) : 0,
                windows ? layers(json, "fullatt_block_indexes", depth, 7, 15, 23, 31) : Collections.emptyList(),
                kind == Kind.QWEN3
                        ? layers(json, "deepstack_visual_indexes", depth, 8, 16, 24)
                        : Collections.emptyList());
    }

    /** Of a rotation by rows and columns; {@code absent} where the file has none. */
    static double theta(Json json, double absent) {
        Json parameters = json.object("rope_parameters");
        if (parameters == null) {
            return absent;
        }
        // Older files call it the default, which it is for these.
        String type = parameters.stringOr("rope_type", "axial");
        if (!type.equals("axial") && !type.equals("default")) {
            throw new UnsupportedModelException(
                    parameters.at("rope_type") + " is '" + type + "'; only axial is supported in the encoder.");
        }
        return parameters.doubleOr("rope_theta", absent);
    }

    private static int side(Json json) {
        int positions = json.positiveOr("num_position_embeddings", 2304);
        int side = (int) Math.sqrt(positions);
        if (side * side != positions) {
            throw new CheckpointException(
                    json.at("num_position_embeddings") + " is " + positions + ", which is no square number.");
        }
        return side;
    }

    private static int cells(Json json, int block) {
        int window = json.positiveOr("window_size", 112);
        if (window < block) {
            throw new CheckpointException(json.at("window_size") + " is " + window
                    + ", smaller than a visual token's block of " + block + " pixels.");
        }
        return window / block;
    }

    private static List<Integer> layers(Json json, String key, int depth, Integer... absent) {
        List<Integer> layers = json.has(key)
                ? json.longs(key).stream()
                        .map(layer -> (int) Math.max(-1, Math.min(layer, depth)))
                        .collect(Collectors.toList())
                : Arrays.asList(absent);
        boolean possible = layers.stream().allMatch(layer -> layer >= 0 && layer < depth);
        if (!possible || new HashSet<>(layers).size() != layers.size()) {
            throw new CheckpointException(
                    json.at(key) + " must name different layers of 0 to " + (depth - 1) + ", not " + layers + ".");
        }
        return layers;
    }
}

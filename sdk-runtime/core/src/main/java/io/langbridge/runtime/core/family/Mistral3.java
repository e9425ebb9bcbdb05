package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.Patches;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.PixtralVit;
import io.langbridge.runtime.core.network.PixtralVitConfig;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Models with Pixtral's tower: Mistral 3 (Mistral Small 3.1 and later, Ministral 3), Pixtral itself, and LightOnOCR.
 * Pictures at their own shape, blocks of patches merged into visual tokens, and with the former a mark behind each row.
 */
final class Mistral3 implements Family {
    private static final List<String> LIGHT_ON_OCR = Collections.unmodifiableList(
            Arrays.asList("LightOnOcrForConditionalGeneration", "LightOnOCRForConditionalGeneration", "lighton_ocr"));

    @Override
    public Set<String> names() {
        Set<String> names = new HashSet<>(Arrays.asList("Mistral3ForConditionalGeneration", "mistral3"));
        names.addAll(LIGHT_ON_OCR);
        return names;
    }

    /** Whether a LLaVA folder has this tower. */
    static boolean isIn(Json config) {
        Json vision = config.object("vision_config");
        return vision != null && "pixtral".equals(vision.string("model_type"));
    }

    /** What differs between them. */
    private enum Kind {
        MISTRAL3(10),
        PIXTRAL(32_000),
        LIGHT_ON_OCR(151_655);

        final int imageToken;

        Kind(int imageToken) {
            this.imageToken = imageToken;
        }

        static Kind of(String name) {
            if (Mistral3.LIGHT_ON_OCR.contains(name)) {
                return LIGHT_ON_OCR;
            }
            return name.toLowerCase(Locale.ROOT).startsWith("llava") ? PIXTRAL : MISTRAL3;
        }
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        Kind kind = Kind.of(Families.nameOf(config));
        int merge = kind == Kind.PIXTRAL ? 1 : config.positiveOr("spatial_merge_size", 2);
        PixtralVitConfig tower = tower(config, checkpoint.configOf("vision_config"), kind);
        LlmPart llm = checkpoint.llm();
        Weights weights = Checkpoints.summedFrames(
                checkpoint.part(PixtralVit.PATCHES),
                PixtralVit.PATCHES,
                tower.hiddenSize(),
                3,
                tower.patchSize(),
                tower.patchSize());
        Json processor = checkpoint.processor();
        GridPictures.same(processor, "patch_size", tower.patchSize(), tower.patchSize());
        GridPictures.same(processor, "spatial_merge_size", merge, merge);
        Json preprocessor = checkpoint.preprocessor();
        if (kind == Kind.LIGHT_ON_OCR) {
            requireWholeBlocks(preprocessor, tower.patchSize() * merge);
        }
        AtOwnShape pictures = new AtOwnShape(
                preprocessor,
                tower,
                merge,
                kind == Kind.LIGHT_ON_OCR ? "" : processor.stringOr("image_break_token", "[IMG_BREAK]"),
                kind == Kind.LIGHT_ON_OCR ? "" : processor.stringOr("image_end_token", "[IMG_END]"));
        VisionPart vision = new VisionPart(
                null,
                "Pixtral tower with " + tower.layersToRun() + " layers of size " + tower.hiddenSize() + ", patches of "
                        + tower.patchSize(),
                PixtralVit.network(tower),
                weights,
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        return ModelFolder.of(
                checkpoint,
                vision,
                adapter(checkpoint, kind, tower.hiddenSize(), merge, llm),
                llm,
                pictures,
                prompt(checkpoint, kind));
    }

    /** The others' processor has the last word, and there it is whole blocks. */
    private static void requireWholeBlocks(Json json, int block) {
        String key = "patch_size";
        Json both = json.isObject(key) ? json.object(key) : null;
        int height = both == null ? json.positiveOr(key, 16) : both.requiredPositive("height");
        int width = both == null ? height : both.requiredPositive("width");
        if (height != block || width != block) {
            throw new UnsupportedModelException(json.at(key) + " makes sides of pictures multiples of " + width
                    + " and " + height + " pixels; only whole visual tokens, " + block + " pixels, are supported.");
        }
    }

    private static ImagePrompt prompt(Checkpoint checkpoint, Kind kind) {
        return kind == Kind.LIGHT_ON_OCR
                ? new ImagePrompt.Placeholder(
                        checkpoint.imageTokenId(kind.imageToken), checkpoint.token("image_token", "<|image_pad|>"))
                : checkpoint.placeholder(kind.imageToken, "[IMG]");
    }

    private static AdapterPart adapter(Checkpoint checkpoint, Kind kind, int width, int merge, LlmPart llm) {
        Json config = checkpoint.config();
        int hidden = llm.config().hiddenSize();
        boolean bias = kind != Kind.LIGHT_ON_OCR && config.booleanOr("multimodal_projector_bias", kind == Kind.PIXTRAL);
        if (kind != Kind.LIGHT_ON_OCR) {
            DecoderConfigReader.refuseUnsupported(config, "projector_hidden_act", "gelu");
        }
        Weights weights = checkpoint.part("linear_1.weight");
        if (kind == Kind.PIXTRAL) {
            return AdapterPart.ofFamily(
                    new AdapterConfig.Connector(
                            "mlp",
                            width,
                            hidden,
                            net -> mlp(net, net.input(Projector.FEATURES, Net.ANY, width), hidden, bias)),
                    weights);
        }
        float epsilon = ((LlamaConfig) llm.config()).rmsNormEps();
        String merging = "patch_merger.merging_layer";
        int cells = merge * merge;
        AdapterConfig.Connector connector = new AdapterConfig.Connector("patch merger", width, hidden, net -> {
            Net.Value x = net.rmsNorm(net.input(Projector.FEATURES, Net.ANY, width), "norm", epsilon);
            x = net.linear(net.joined(x, cells), merging, width, false);
            return mlp(net, x, hidden, bias);
        });
        // There a channel of all patches of a block stands together, here all channels of a patch.
        return AdapterPart.ofFamily(
                connector, Checkpoints.regrouped(weights, merging + ".weight", width, width, cells));
    }

    private static Net.Value mlp(Net net, Net.Value x, int hidden, boolean bias) {
        Net.Value inner = net.activation(Activation.GELU, net.linear(x, "linear_1", hidden, bias));
        return net.linear(inner, "linear_2", hidden, bias);
    }

    private static PixtralVitConfig tower(Json config, Json json, Kind kind) {
        String type = json.stringOr("model_type", "pixtral");
        if (!type.equals("pixtral")) {
            throw new UnsupportedModelException(
                    json.at("model_type") + " is '" + type + "'; only the encoder pixtral is supported here.");
        }
        if (json.positiveOr("num_channels", 3) != 3) {
            throw new UnsupportedModelException(
                    json.at("num_channels") + " is " + json.intOr("num_channels", 3) + "; only 3 (RGB) is supported.");
        }
        // Where there is no configuration of the encoder at all, the reference has another one.
        boolean whole = config.object("vision_config") == null;
        int hidden = json.positiveOr("hidden_size", 1024);
        int heads = json.positiveOr("num_attention_heads", 16);
        // Half of a head goes by the row and half by the column, each in pairs.
        if (hidden % heads != 0 || hidden / heads % 4 != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + hidden + ", of which " + heads
                    + " heads (num_attention_heads) do not get a multiple of 4 each.");
        }
        int headDim = json.positiveOr("head_dim", hidden / heads);
        if (headDim != hidden / heads) {
            throw new UnsupportedModelException(json.at("head_dim") + " is " + headDim + "; only hidden_size over"
                    + " num_attention_heads, " + hidden / heads + ", is supported in the encoder.");
        }
        int layers = DecoderConfigReader.layers(json, 24);
        return new PixtralVitConfig(
                hidden,
                json.positiveOr("intermediate_size", 4096),
                kind == Kind.LIGHT_ON_OCR ? layers : layersToRun(config, layers, kind),
                heads,
                json.positiveOr("patch_size", whole ? 14 : 16),
                VisionConfigReader.activation(json, whole && kind == Kind.LIGHT_ON_OCR ? "silu" : "gelu"),
                json.has("rope_parameters") ? QwenVl.theta(json, 10_000) : json.doubleOr("rope_theta", 10_000));
    }

    /** {@code vision_feature_layer}, an index into what goes into each layer and what comes out of the last. */
    private static int layersToRun(Json config, int layers, Kind kind) {
        String key = "vision_feature_layer";
        if (config.has(key) && !config.isNumber(key)) {
            throw new UnsupportedModelException(
                    config.at(key) + " is " + config.element(key) + "; one layer, as a number, is supported.");
        }
        String strategy = config.stringOr("vision_feature_select_strategy", "default");
        if (kind == Kind.PIXTRAL && !strategy.equals("full")) {
            throw new UnsupportedModelException(config.at("vision_feature_select_strategy") + " is '" + strategy
                    + "', which would leave out the first patch; only 'full' is supported with the encoder pixtral.");
        }
        int layer = config.intOr(key, kind == Kind.PIXTRAL ? -2 : -1);
        int run = layer < 0 ? layers + 1 + layer : layer;
        if (run < 0 || run > layers) {
            throw new CheckpointException(config.at(key) + " is " + layer + ", but the encoder has " + layers
                    + " layers: " + (-layers - 1) + " to " + layers + " are possible.");
        }
        return run;
    }

    /** Made smaller if a side is longer than the longest, then each side up to whole visual tokens. */
    static final class AtOwnShape implements Pictures {
        private static final Set<String> PROCESSORS = new HashSet<>(Arrays.asList(
                "PixtralImageProcessor",
                "PixtralImageProcessorFast",
                "PixtralImageProcessorPil",
                "LightOnOcrImageProcessor"));

        private final PixtralVitConfig tower;
        private final Patches patches;
        private final int block;
        /** The largest width and height. */
        private final Size longest;

        private final int most;
        private final String rowBreak;
        private final String end;
        private final Resampler.Filter filter;
        private final Normaliser normaliser;

        AtOwnShape(Json json, PixtralVitConfig tower, int merge, String rowBreak, String end) {
            this.tower = tower;
            this.rowBreak = rowBreak;
            this.end = end;
            most = Integer.MAX_VALUE;
            String processor = json.string("image_processor_type");
            if (processor != null && !PROCESSORS.contains(processor)) {
                throw new UnsupportedModelException(json.at("image_processor_type") + " is '" + processor
                        + "'; supported is PixtralImageProcessor.");
            }
            patches = new Patches(tower.patchSize(), merge);
            block = tower.patchSize() * merge;
            if (!json.booleanOr("do_resize", true)) {
                throw new UnsupportedModelException(json.at("do_resize") + " is false; pictures must be resized to"
                        + " whole blocks of " + block + " pixels.");
            }
            if (json.booleanOr("do_center_crop", false)) {
                throw new UnsupportedModelException(
                        json.at("do_center_crop") + " is true; only whole pictures, false, are supported.");
            }
            longest = longest(json, json.isObject("size") ? json.object("size") : null);
            filter = PreprocessorConfigReader.filter(json, 3);
            normaliser = PreprocessorConfigReader.normaliser(json, true);
        }

        private AtOwnShape(AtOwnShape like, int most) {
            tower = like.tower;
            patches = like.patches;
            block = like.block;
            longest = like.longest;
            rowBreak = like.rowBreak;
            end = like.end;
            filter = like.filter;
            normaliser = like.normaliser;
            this.most = most;
        }

        private static Size longest(Json json, @Nullable Json size) {
            if (size == null) {
                int edge = json.positiveOr("size", 1024);
                return new Size(edge, edge);
            }
            if (size.has("longest_edge")) {
                int edge = size.requiredPositive("longest_edge");
                return new Size(edge, edge);
            }
            if (size.has("height") && size.has("width")) {
                return new Size(size.requiredPositive("width"), size.requiredPositive("height"));
            }
            throw new UnsupportedModelException(json.at("size") + " has the keys " + size.keys()
                    + "; supported are longest_edge, or height and width.");
        }

        @Override
        public AtOwnShape atMost(int visualTokens) {
            return new AtOwnShape(this, visualTokens);
        }

        @Override
        public Normaliser normaliser() {
            return normaliser;
        }

        @Override
        public Patches patches() {
            return patches;
        }

        @Override
        public String description() {
            return "at its own shape, in blocks of " + block + " pixels, at most " + longest.width() + " x "
                    + longest.height() + " pixels"
                    + (most == Integer.MAX_VALUE ? "" : " and " + most + " visual tokens");
        }

        @Override
        public String toString() {
            return description() + ", " + filter;
        }

        @Override
        public PicturePlan plan(Size picture) {
            Size size = resized(picture, longest);
            // Smaller by a block each time, as long as there are too many and a side has more than one.
            for (int edge = Math.max(size.width(), size.height()) - block;
                    edge > 0 && (long) size.width() / block * (size.height() / block) > most;
                    edge -= block) {
                size = resized(picture, new Size(Math.min(edge, longest.width()), Math.min(edge, longest.height())));
            }
            int rows = size.height() / block;
            int columns = size.width() / block;
            TokenLayout.Builder layout = TokenLayout.builder(rows, columns);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    layout.add(row * columns + column);
                }
                String mark = row == rows - 1 ? end : rowBreak;
                if (!mark.isEmpty()) {
                    layout.words(mark);
                }
            }
            return new PicturePlan(
                    picture,
                    Collections.singletonList(PicturePlan.Resizing.of(picture, size, filter)),
                    Collections.singletonList(new PicturePlan.View(0, size, 0, 0, 0, 0)),
                    layout.build());
        }

        private Size resized(Size picture, Size within) {
            double ratio =
                    Math.max((double) picture.height() / within.height(), (double) picture.width() / within.width());
            int width = ratio > 1 ? (int) Math.floor(picture.width() / ratio) : picture.width();
            int height = ratio > 1 ? (int) Math.floor(picture.height() / ratio) : picture.height();
            if (width == 0 || height == 0) {
                throw new ImageException("The picture has " + picture.width() + " x " + picture.height()
                        + " pixels; made as small as this model takes it, " + within.width() + " x " + within.height()
                        + " pixels, one side would be less than a pixel; cut it into parts");
            }
            return new Size((width + block - 1) / block * block, (height + block - 1) / block * block);
        }

        /** Frequencies take turns: the first, third and so on go by the row, the others by the column. */
        @Override
        public Map<String, FloatTensor> inputs(Size view) {
            int rows = view.height() / tower.patchSize();
            int columns = view.width() / tower.patchSize();
            float[] all = new Rope(tower.ropeTheta(), null)
                    .inverseFrequencies(tower.hiddenSize() / tower.numAttentionHeads());
            float[] ofRows = new float[all.length / 2];
            float[] ofColumns = new float[all.length / 2];
            for (int i = 0; i < ofRows.length; i++) {
                ofRows[i] = all[2 * i];
                ofColumns[i] = all[2 * i + 1];
            }
            Map<String, FloatTensor> inputs = new LinkedHashMap<>();
            GridPictures.addAngles(
                    inputs, ofRows, patches.rows(rows, columns), ofColumns, patches.columns(rows, columns));
            return inputs;
        }
    }
}

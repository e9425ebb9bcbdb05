package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.InternVit;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * InternVL 3 and 3.5 as transformers and as its authors publish it: InternViT, neighbouring patches side by side in one
 * visual token, Qwen2 or Qwen3. Pictures are stretched to the grid of tiles whose shape is nearest to theirs, the whole
 * comes last.
 */
final class InternVl implements Family {
    private static final List<String> AUTHORS = Arrays.asList("InternVLChatModel", "internvl_chat");
    private static final String PATCHES = "embeddings.patch_embeddings.projection.weight";
    private static final String PROJECTOR = "multi_modal_projector.";
    private static final int MOST = 1000;
    private static final String BEGIN = "<img>";
    private static final String IMAGE = "<IMG_CONTEXT>";
    private static final String END = "</img>";

    private static final String FORM = "internvl2_5";

    /** The system message that the models saw in training. */
    private static final String SYSTEM = "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。";

    /** A picture in front of the words that follow it in a line of its own. */
    private static final String TEMPLATE = "{% if messages[0].role != 'system' %}"
            + "{{ '<|im_start|>system\n%s<|im_end|>\n' }}{% endif %}{% for message in messages %}"
            + "{{ '<|im_start|>' + message.role + '\n' }}"
            + "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
            + "{% if part.type == 'image' %}{{ '<image>\n' }}{% else %}{{ part.text }}{% endif %}{% endfor %}"
            + "{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    @Override
    public Set<String> names() {
        Set<String> names = new HashSet<>(Arrays.asList("InternVLForConditionalGeneration", "internvl"));
        names.addAll(AUTHORS);
        return names;
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        return isOfAuthors(checkpoint.config()) ? ofAuthors(checkpoint) : ofTransformers(checkpoint);
    }

    /** What the authors' code does, whatever template of the language model alone lies in the folder. */
    @Override
    public @Nullable ChatTemplate chatTemplate(Json config, Path folder) {
        if (!isOfAuthors(config)) {
            return ChatTemplate.of(folder);
        }
        String form = config.stringOr("template", "");
        if (!form.equals(FORM)) {
            throw new UnsupportedModelException(
                    config.at("template") + " is '" + form
                            + "', a conversation form that is not known; only " + FORM
                            + " is, that of InternVL 2.5 and later. Say how questions are put with builder().chatTemplate(..).");
        }
        String template = TEMPLATE.replace(
                "%s",
                config.stringOr("system_message", SYSTEM).replace("\\", "\\\\").replace("'", "\\'"));
        return ChatTemplate.of(template, "InternVL's conversation form " + FORM, folder);
    }

    @Override
    public @Nullable String endToken(Json config) {
        return isOfAuthors(config) ? "<|im_end|>" : null;
    }

    private static boolean isOfAuthors(Json config) {
        return AUTHORS.contains(Families.nameOf(config));
    }

    private static ModelFolder ofTransformers(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        DecoderConfigReader.refuseUnsupported(config, "projector_hidden_act", "gelu");
        DecoderConfigReader.refuseUnsupported(config, "vision_feature_select_strategy", "default");
        Json vision = checkpoint.configOf("vision_config");
        int layers = vision.positiveOr("num_hidden_layers", 24);
        int run = layersToRun(config, "vision_feature_layer", layers);
        boolean last = config.intOr("vision_feature_layer", -1) == -1;
        InternVit.Config tower = checked(
                vision,
                new InternVit.Config(
                        vision.positiveOr("hidden_size", 1024),
                        vision.positiveOr("intermediate_size", 4096),
                        layers,
                        vision.positiveOr("num_attention_heads", 16),
                        side(vision, "image_size", 448),
                        side(vision, "patch_size", 14),
                        VisionConfigReader.activation(vision, "gelu"),
                        vision.epsilonOr("layer_norm_eps", 1e-6),
                        vision.booleanOr("attention_bias", false),
                        vision.booleanOr("use_qk_norm", false) ? 1e-6f : null,
                        isRms(vision, "layer_norm"),
                        vision.booleanOr("use_absolute_position_embeddings", true),
                        run,
                        last && !vision.booleanOr("use_mean_pooling", true)));
        // Where the file says nothing the reference has one matrix for both ends.
        boolean tied = !config.has("tie_word_embeddings")
                && checkpoint.weights().names().stream().noneMatch(name -> name.endsWith("lm_head.weight"));
        LlmPart llm = checkpoint.llm(decoder -> tied ? decoder.tied(true) : decoder);
        int factor = factor(config, tower.patchesPerSide());
        Json json = checkpoint.preprocessor();
        requireSize(json, tower.imageSize());
        Tiles pictures = new Tiles(
                tower.imageSize(),
                tower.patches() / (factor * factor),
                // The reference cuts pictures whatever crop_to_patches of the file says.
                tiles(json, "min_patches", 1),
                tiles(json, "max_patches", 12),
                true,
                PreprocessorConfigReader.filter(json, 3),
                PreprocessorConfigReader.normaliser(json, true));
        Weights projector = checkpoint.part(PROJECTOR + "layer_norm.weight").under(PROJECTOR);
        String image = checkpoint.token("context_image_token", IMAGE);
        String written =
                checkpoint.token("start_image_token", BEGIN) + image + checkpoint.token("end_image_token", END);
        ImagePrompt prompt = new ImagePrompt.Placeholder(checkpoint.imageTokenId(151_667), image, image, written);
        return of(checkpoint, tower, factor, checkpoint.part(PATCHES), projector, llm, pictures, prompt);
    }

    private static ModelFolder ofAuthors(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        String shuffle = config.stringOr("ps_version", "v1");
        if (!shuffle.equals("v2")) {
            throw new UnsupportedModelException(config.at("ps_version") + " is '" + shuffle
                    + "', which turns the grid of patches; only v2 is supported, as InternVL 2 and later have it.");
        }
        if (config.booleanOr("pad2square", false)) {
            throw new UnsupportedModelException(
                    config.at("pad2square") + " is true; pictures that are padded are not supported, only false is.");
        }
        Json vision = checkpoint.configOf("vision_config");
        float epsilon = vision.epsilonOr("layer_norm_eps", 1e-6);
        int layers = vision.positiveOr("num_hidden_layers", 48);
        InternVit.Config tower = checked(
                vision,
                new InternVit.Config(
                        vision.positiveOr("hidden_size", 3200),
                        vision.positiveOr("intermediate_size", 12_800),
                        layers,
                        vision.positiveOr("num_attention_heads", 25),
                        side(vision, "image_size", 224),
                        side(vision, "patch_size", 14),
                        VisionConfigReader.activation(vision, "gelu"),
                        epsilon,
                        vision.booleanOr("qkv_bias", false),
                        vision.booleanOr("qk_normalization", true) ? (Float) epsilon : null,
                        isRms(vision, "rms_norm"),
                        true,
                        layersToRun(config, "select_layer", layers),
                        false));
        int size = config.positiveOr("force_image_size", tower.imageSize());
        if (size != tower.imageSize()) {
            throw new UnsupportedModelException(config.at("force_image_size") + " is " + size
                    + ", but the encoder's image_size is " + tower.imageSize()
                    + "; positions that are resampled are not supported.");
        }
        LlmPart llm = checkpoint.llm();
        int factor = factor(config, tower.patchesPerSide());
        Json json = checkpoint.preprocessor();
        boolean cuts = config.booleanOr("dynamic_image_size", false);
        Tiles pictures = new Tiles(
                tower.imageSize(),
                tower.patches() / (factor * factor),
                cuts ? tiles(config, "min_dynamic_patch", 1) : 1,
                cuts ? tiles(config, "max_dynamic_patch", 6) : 1,
                config.booleanOr("use_thumbnail", false),
                PreprocessorConfigReader.filter(json, 3),
                PreprocessorConfigReader.normaliser(json, true));
        int id = Checkpoint.tokenId(checkpoint.folder(), IMAGE);
        Weights weights = names(checkpoint.weights(), tower.hiddenSize());
        ImagePrompt prompt = new ImagePrompt.Placeholder(id, IMAGE, "<image>", BEGIN + IMAGE + END);
        return of(checkpoint, tower, factor, weights, weights.under(PROJECTOR), llm, pictures, prompt);
    }

    private static ModelFolder of(
            Checkpoint checkpoint,
            InternVit.Config tower,
            int factor,
            Weights vision,
            Weights projector,
            LlmPart llm,
            Tiles pictures,
            ImagePrompt prompt) {
        VisionPart part = new VisionPart(
                null,
                "InternViT with " + tower.numHiddenLayers() + " layers of size " + tower.hiddenSize() + ", "
                        + tower.imageSize() + " pixels, patches of " + tower.patchSize(),
                InternVit.network(tower),
                vision,
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        AdapterPart adapter = AdapterPart.ofFamily(
                InternVit.connector(tower, factor, llm.config().hiddenSize()), projector);
        return ModelFolder.of(checkpoint, part, adapter, llm, pictures, prompt);
    }

    /** The authors' names as transformers has them; what belongs to the language model is left out. */
    private static Weights names(Weights weights, int hidden) {
        Weights named = Checkpoints.renamed(weights, InternVl::name);
        List<String> parts = Arrays.asList("q_proj", "k_proj", "v_proj");
        named = Checkpoints.split(named, "qkv.weight", parts, hidden, hidden, hidden);
        return Checkpoints.split(named, "qkv.bias", parts, hidden, hidden, hidden);
    }

    private static @Nullable String name(String name) {
        if (name.startsWith("mlp1.")) {
            return name.replace("mlp1.0.", PROJECTOR + "layer_norm.")
                    .replace("mlp1.1.", PROJECTOR + "linear_1.")
                    .replace("mlp1.3.", PROJECTOR + "linear_2.");
        }
        if (!name.startsWith("vision_model.")) {
            return null;
        }
        return name.substring("vision_model.".length())
                .replace("class_embedding", "cls_token")
                .replace("patch_embedding.", "patch_embeddings.projection.")
                .replace("position_embedding", "position_embeddings")
                .replace("encoder.layers.", "encoder.layer.")
                .replace(".attn.proj.", ".attention.projection_layer.")
                .replace(".attn.", ".attention.")
                .replace(".norm1.", ".layernorm_before.")
                .replace(".norm2.", ".layernorm_after.")
                .replace(".ls1", ".lambda_1")
                .replace(".ls2", ".lambda_2");
    }

    /** Patches along the side of what becomes one visual token. */
    private static int factor(Json config, int side) {
        double ratio = config.doubleOr("downsample_ratio", 0.5);
        int factor = ratio > 0 && ratio <= 1 ? (int) Math.round(1 / ratio) : 0;
        if (factor == 0 || Math.abs(factor * ratio - 1) > 1e-6 || side % factor != 0) {
            throw new CheckpointException(config.at("downsample_ratio") + " is " + ratio
                    + ", which is not 1 over a whole number that divides the " + side
                    + " patches along the side of a tile.");
        }
        return factor;
    }

    private static InternVit.Config checked(Json json, InternVit.Config said) {
        if (said.hiddenSize() % said.numAttentionHeads() != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + said.hiddenSize()
                    + ", which is not divisible by num_attention_heads " + said.numAttentionHeads() + ".");
        }
        if (said.imageSize() % said.patchSize() != 0) {
            throw new CheckpointException(json.at("image_size") + " is " + said.imageSize()
                    + ", which is not made of whole patches of " + said.patchSize() + " (patch_size).");
        }
        if (json.intOr("num_channels", 3) != 3) {
            throw new UnsupportedModelException(
                    json.at("num_channels") + " is " + json.intOr("num_channels", 3) + "; only 3 (RGB) is supported.");
        }
        return said;
    }

    private static int layersToRun(Json config, String key, int layers) {
        int layer = config.intOr(key, -1);
        if (layer < -layers - 1 || layer > layers) {
            throw new CheckpointException(config.at(key) + " is " + layer + ", but the encoder has " + layers
                    + " layers: " + (-layers - 1) + " to " + layers + " are possible.");
        }
        return layer < 0 ? layers + 1 + layer : layer;
    }

    private static boolean isRms(Json json, String absent) {
        String norm = json.stringOr("norm_type", absent);
        if (!norm.equals("layer_norm") && !norm.equals("rms_norm")) {
            throw new UnsupportedModelException(
                    json.at("norm_type") + " is '" + norm + "'; supported are layer_norm and rms_norm.");
        }
        return norm.equals("rms_norm");
    }

    /** One number, or height and width of a square. */
    private static int side(Json json, String key, int absent) {
        if (!json.has(key) || json.isNumber(key)) {
            return json.positiveOr(key, absent);
        }
        List<Long> sides = json.longs(key);
        if (sides.size() != 2 || !sides.get(0).equals(sides.get(1))) {
            throw new UnsupportedModelException(
                    json.at(key) + " is " + sides + "; only squares are supported, two equal numbers.");
        }
        long side = sides.get(0);
        if (side < 1 || side > 1_000_000) {
            throw new CheckpointException(json.at(key) + " must be at least 1 and at most 1000000, not " + side + ".");
        }
        return (int) side;
    }

    private static void requireSize(Json json, int tile) {
        Json size = json.isObject("size") ? json.object("size") : null;
        int height = size == null ? json.positiveOr("size", 384) : size.requiredPositive("height");
        int width = size == null ? height : size.requiredPositive("width");
        if (height != tile || width != tile) {
            throw new CheckpointException(json.at("size") + " makes tiles of " + width + " x " + height
                    + " pixels, but the encoder's image_size is " + tile + "; the files belong to different models.");
        }
    }

    /** A number of tiles; published models have 12 at most. */
    private static int tiles(Json json, String key, int absent) {
        int tiles = json.positiveOr(key, absent);
        if (tiles > MOST) {
            throw new UnsupportedModelException(
                    json.at(key) + " is " + tiles + "; supported are up to " + MOST + " tiles.");
        }
        return tiles;
    }

    /** Stretched to whole tiles; of more than one tile the whole, stretched to one, comes last. */
    private static final class Tiles implements Pictures {
        private final int tile;
        private final int patches;
        private final int least;
        private final int most;
        private final boolean whole;
        private final Resampler.Filter filter;
        private final Normaliser normaliser;

        /**
         * @param patches visual tokens of a tile
         * @param whole whether it comes behind the tiles
         */
        Tiles(
                int tile,
                int patches,
                int least,
                int most,
                boolean whole,
                Resampler.Filter filter,
                Normaliser normaliser) {
            this.tile = tile;
            this.patches = patches;
            this.least = least;
            this.most = most;
            this.whole = whole;
            this.filter = filter;
            this.normaliser = normaliser;
            if (least > most) {
                throw new CheckpointException("Pictures are to be cut into at least " + least + " tiles and at most "
                        + most + "; correct min_patches and max_patches of preprocessor_config.json, or"
                        + " min_dynamic_patch and max_dynamic_patch of config.json.");
            }
        }

        @Override
        public Tiles atMost(int visualTokens) {
            int tiles = Math.max(visualTokens / patches - (whole ? 1 : 0), 1);
            int fewest = least + (whole && least > 1 ? 1 : 0);
            if (visualTokens < (long) fewest * patches) {
                throw new UnsupportedModelException("maxVisualTokens(" + visualTokens
                        + ") was asked for, but a picture has at least " + (long) fewest * patches + ", those of "
                        + (fewest == 1 ? "one tile." : fewest + " tiles."));
            }
            return new Tiles(tile, patches, least, most == 1 ? 1 : Math.min(MOST, tiles), whole, filter, normaliser);
        }

        @Override
        public Normaliser normaliser() {
            return normaliser;
        }

        @Override
        public String description() {
            return most == 1
                    ? "stretched to " + tile + " pixels"
                    : "stretched to " + least + " to " + most + " tiles of " + tile + " pixels"
                            + (whole ? ", and the whole" : "");
        }

        @Override
        public String toString() {
            return description() + ", " + filter;
        }

        @Override
        public PicturePlan plan(Size picture) {
            Size grid = grid(picture);
            Size view = new Size(tile, tile);
            List<PicturePlan.Resizing> resizings = new ArrayList<>();
            List<PicturePlan.View> views = new ArrayList<>();
            resizings.add(
                    PicturePlan.Resizing.of(picture, new Size(grid.width() * tile, grid.height() * tile), filter));
            TokenLayout.Builder layout = TokenLayout.builder(patches);
            for (int row = 0; row < grid.height(); row++) {
                for (int column = 0; column < grid.width(); column++) {
                    layout.view(views.size());
                    views.add(new PicturePlan.View(0, view, -column * tile, -row * tile, row, column));
                }
            }
            if (whole && views.size() > 1) {
                layout.view(views.size());
                resizings.add(PicturePlan.Resizing.of(picture, view, filter));
                views.add(new PicturePlan.View(1, view, 0, 0, 0, 0));
            }
            return new PicturePlan(picture, resizings, views, layout.build());
        }

        /**
         * Tiles across and down. Of grids with the same difference that with more tiles is taken if the picture has
         * more than half of their pixels.
         */
        private Size grid(Size picture) {
            double ratio = (double) picture.width() / picture.height();
            double area = (double) picture.width() * picture.height();
            double nearest = Double.POSITIVE_INFINITY;
            Size best = new Size(1, 1);
            for (int tiles = least; tiles <= most && most > 1; tiles++) {
                for (int across = 1; across <= tiles; across++) {
                    int down = tiles / across;
                    if (across * down != tiles) {
                        continue;
                    }
                    double difference = Math.abs(ratio - (double) across / down);
                    if (difference < nearest || difference == nearest && area > 0.5 * tile * tile * across * down) {
                        nearest = difference;
                        best = new Size(across, down);
                    }
                }
            }
            return best;
        }
    }
}

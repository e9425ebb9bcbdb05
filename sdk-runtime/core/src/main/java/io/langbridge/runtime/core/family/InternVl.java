package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.InternVit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * InternVL 3 and 3.5: InternViT, neighbouring patches side by side in one visual token, Qwen2 or Qwen3. Pictures are
 * stretched to the grid of tiles whose shape is nearest to theirs, the whole comes last.
 */
final class InternVl implements Family {
    private static final String PATCHES = "embeddings.patch_embeddings.projection.weight";
    private static final String PROJECTOR = "multi_modal_projector.";

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList("InternVLForConditionalGeneration", "internvl"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        DecoderConfigReader.refuseUnsupported(config, "projector_hidden_act", "gelu");
        DecoderConfigReader.refuseUnsupported(config, "vision_feature_select_strategy", "default");
        InternVit.Config tower = tower(checkpoint.configOf("vision_config"), config);
        // Where the file says nothing the reference has one matrix for both ends.
        boolean tied = !config.has("tie_word_embeddings")
                && checkpoint.weights().names().stream().noneMatch(name -> name.endsWith("lm_head.weight"));
        LlmPart llm = checkpoint.llm(decoder -> tied ? decoder.tied(true) : decoder);
        String image = checkpoint.token("context_image_token", "<IMG_CONTEXT>");
        String begin = checkpoint.token("start_image_token", "<img>");
        String end = checkpoint.token("end_image_token", "</img>");
        int factor = factor(config, tower.patchesPerSide());
        Tiles pictures = new Tiles(checkpoint.preprocessor(), tower.imageSize(), tower.patches() / (factor * factor));
        VisionPart vision = new VisionPart(
                null,
                "InternViT with " + tower.numHiddenLayers() + " layers of size " + tower.hiddenSize() + ", "
                        + tower.imageSize() + " pixels, patches of " + tower.patchSize(),
                InternVit.network(tower),
                checkpoint.part(PATCHES),
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        String first = PROJECTOR + "layer_norm.weight";
        Weights projector = checkpoint.part(first).under(PROJECTOR);
        AdapterPart adapter = AdapterPart.ofFamily(
                InternVit.connector(tower, factor, llm.config().hiddenSize()), projector);
        return ModelFolder.of(
                checkpoint,
                vision,
                adapter,
                llm,
                pictures,
                new ImagePrompt.Placeholder(checkpoint.imageTokenId(151_667), image, image, begin + image + end));
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

    private static InternVit.Config tower(Json json, Json config) {
        int hidden = json.positiveOr("hidden_size", 1024);
        int heads = json.positiveOr("num_attention_heads", 16);
        if (hidden % heads != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + hidden
                    + ", which is not divisible by num_attention_heads " + heads + ".");
        }
        int image = side(json, "image_size", 448);
        int patch = side(json, "patch_size", 14);
        if (image % patch != 0) {
            throw new CheckpointException(json.at("image_size") + " is " + image
                    + ", which is not made of whole patches of " + patch + " (patch_size).");
        }
        if (json.intOr("num_channels", 3) != 3) {
            throw new UnsupportedModelException(
                    json.at("num_channels") + " is " + json.intOr("num_channels", 3) + "; only 3 (RGB) is supported.");
        }
        String norm = json.stringOr("norm_type", "layer_norm");
        if (!norm.equals("layer_norm") && !norm.equals("rms_norm")) {
            throw new UnsupportedModelException(
                    json.at("norm_type") + " is '" + norm + "'; supported are layer_norm and rms_norm.");
        }
        int layers = json.positiveOr("num_hidden_layers", 24);
        int layer = layer(config, layers);
        return new InternVit.Config(
                hidden,
                json.positiveOr("intermediate_size", 4096),
                layers,
                heads,
                image,
                patch,
                VisionConfigReader.activation(json, "gelu"),
                json.epsilonOr("layer_norm_eps", 1e-6),
                json.booleanOr("attention_bias", false),
                json.booleanOr("use_qk_norm", false),
                norm.equals("rms_norm"),
                json.booleanOr("use_absolute_position_embeddings", true),
                layer < 0 ? layers + 1 + layer : layer,
                layer == -1 && !json.booleanOr("use_mean_pooling", true));
    }

    private static int layer(Json config, int layers) {
        int layer = config.intOr("vision_feature_layer", -1);
        if (layer < -layers - 1 || layer > layers) {
            throw new CheckpointException(config.at("vision_feature_layer") + " is " + layer + ", but the encoder has "
                    + layers + " layers: " + (-layers - 1) + " to " + layers + " are possible.");
        }
        return layer;
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

    /** Stretched to whole tiles; of more than one tile the whole, stretched to one, comes last. */
    private static final class Tiles implements Pictures {
        /** Of any picture; published models have 12 at most. */
        private static final int MOST = 1000;

        private final int tile;
        private final int patches;
        private final int least;
        private final int most;
        private final Resampler.Filter filter;
        private final Normaliser normaliser;

        /** @param patches visual tokens of a tile */
        Tiles(Json json, int tile, int patches) {
            this.tile = tile;
            this.patches = patches;
            // The reference cuts pictures whatever crop_to_patches of the file says.
            least = json.positiveOr("min_patches", 1);
            most = json.positiveOr("max_patches", 12);
            if (least > most || most > MOST) {
                throw new CheckpointException(json.at("min_patches") + " is " + least + " and max_patches is " + most
                        + "; tiles must be at least 1, at most " + MOST + ", and no fewer at most than at least.");
            }
            Json size = json.isObject("size") ? json.object("size") : null;
            int height = size == null ? json.positiveOr("size", 384) : size.requiredPositive("height");
            int width = size == null ? height : size.requiredPositive("width");
            if (height != tile || width != tile) {
                throw new CheckpointException(json.at("size") + " makes tiles of " + width + " x " + height
                        + " pixels, but the encoder's image_size is " + tile
                        + "; the files belong to different models.");
            }
            filter = PreprocessorConfigReader.filter(json, 3);
            normaliser = PreprocessorConfigReader.normaliser(json, true);
        }

        private Tiles(Tiles like, int most) {
            tile = like.tile;
            patches = like.patches;
            least = like.least;
            this.most = most;
            filter = like.filter;
            normaliser = like.normaliser;
        }

        @Override
        public Tiles atMost(int visualTokens) {
            // More than one tile come with the whole.
            int tiles = Math.max(visualTokens / patches - 1, 1);
            if (visualTokens < patches || tiles < least) {
                throw new UnsupportedModelException("maxVisualTokens(" + visualTokens + ") was asked for, but "
                        + (least == 1 ? "one tile, which is" : least + " tiles (min_patches) and the whole, which are")
                        + " the least of a picture, has " + (least == 1 ? 1 : least + 1) * (long) patches + ".");
            }
            return new Tiles(this, Math.min(most, tiles));
        }

        @Override
        public Normaliser normaliser() {
            return normaliser;
        }

        @Override
        public String description() {
            return "stretched to " + least + " to " + most + " tiles of " + tile + " pixels, and the whole";
        }

        @Override
        public String toString() {
            return description() + ", " + filter;
        }

        @Override
        public PicturePlan plan(Size picture) {
            Size grid = grid(picture);
            Size whole = new Size(tile, tile);
            List<PicturePlan.Resizing> resizings = new ArrayList<>();
            List<PicturePlan.View> views = new ArrayList<>();
            resizings.add(PicturePlan.Resizing.of(
                    picture, new Size(grid.width() * tile, grid.height() * tile), filter));
            TokenLayout.Builder layout = TokenLayout.builder(patches);
            for (int row = 0; row < grid.height(); row++) {
                for (int column = 0; column < grid.width(); column++) {
                    layout.view(views.size());
                    views.add(new PicturePlan.View(0, whole, -column * tile, -row * tile, row, column));
                }
            }
            if (views.size() > 1) {
                layout.view(views.size());
                resizings.add(PicturePlan.Resizing.of(picture, whole, filter));
                views.add(new PicturePlan.View(1, whole, 0, 0, 0, 0));
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
            if (most == 1) {
                return best;
            }
            for (int tiles = least; tiles <= most; tiles++) {
                for (int across = 1; across <= tiles; across++) {
                    int down = tiles / across;
                    if (across * down != tiles) {
                        continue;
                    }
                    double difference = Math.abs(ratio - (double) across / down);
                    if (difference < nearest
                            || difference == nearest && area > 0.5 * tile * tile * across * down) {
                        nearest = difference;
                        best = new Size(across, down);
                    }
                }
            }
            return best;
        }
    }
}

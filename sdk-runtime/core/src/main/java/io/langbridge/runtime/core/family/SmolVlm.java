package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * SmolVLM, SmolVLM2 and Idefics3: SigLIP to its end, neighbouring patches side by side in one visual token, Llama.
 * Pictures are cut into tiles with marks between them, the whole comes last.
 */
final class SmolVlm implements Family {
    private static final FeatureSelection LAST = new FeatureSelection(-1, true);
    private static final String CONNECTOR = "modality_projection.proj";

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList(
                "SmolVLMForConditionalGeneration", "smolvlm", "Idefics3ForConditionalGeneration", "idefics3"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        VisionConfig tower = tower(checkpoint.configOf("vision_config"));
        int side = tower.patchesPerSide();
        int scale = config.positiveOr("scale_factor", 2);
        if (side % scale != 0) {
            throw new CheckpointException(config.at("scale_factor") + " is " + scale + ", which does not divide the "
                    + side + " patches along the side of a tile.");
        }
        LlmPart llm = checkpoint.llm();
        int hidden = llm.config().hiddenSize();
        AdapterConfig.Connector connector = new AdapterConfig.Connector(
                "pixel shuffle",
                tower.hiddenSize(),
                hidden,
                net -> net.linear(
                        net.pixelShuffle(net.input("features", side * side, tower.hiddenSize()), scale),
                        CONNECTOR,
                        hidden,
                        false));
        Tiles pictures = new Tiles(checkpoint.preprocessor(), tower.imageSize(), side * side / (scale * scale));
        VisionPart vision = VisionPart.toTheEnd(tower, checkpoint, pictures);
        AdapterPart adapter = AdapterPart.ofFamily(connector, checkpoint.part(CONNECTOR + ".weight"));
        // The number is Idefics3Config's default.
        return ModelFolder.of(checkpoint, vision, adapter, llm, pictures, checkpoint.placeholder(128_257, "<image>"));
    }

    private static VisionConfig tower(Json json) {
        return VisionConfigReader.checked(
                new VisionConfig(
                        VisionConfig.Kind.SIGLIP,
                        json.positiveOr("hidden_size", 1152),
                        json.positiveOr("intermediate_size", 3072),
                        json.positiveOr("num_hidden_layers", 12),
                        json.positiveOr("num_attention_heads", 16),
                        json.positiveOr("image_size", 224),
                        json.positiveOr("patch_size", 32),
                        VisionConfigReader.activation(json, "gelu_pytorch_tanh"),
                        json.epsilonOr("layer_norm_eps", 1e-6),
                        LAST.layers(),
                        LAST.patches()),
                json);
    }

    /** Resized to a longest edge, then to whole tiles; the whole is made of that, as in the reference. */
    private static final class Tiles implements Pictures {
        private static final int LARGEST = 4096;
        private static final String MARK = "<fake_token_around_image>";

        private final int tile;
        private final int patches;
        private final boolean splits;
        /** Length of the longest edge, or 0 if the picture stays as it is. */
        private final int longest;

        /** Visual tokens of a picture. */
        private final int most;

        private final Resampler.Filter filter;
        private final Normaliser normaliser;

        Tiles(Json json, int tile, int patches) {
            this.tile = tile;
            this.patches = patches;
            most = Integer.MAX_VALUE;
            splits = json.booleanOr("do_image_splitting", true);
            longest = json.booleanOr("do_resize", true) ? edge(json, "size", 4 * 364) : 0;
            int max = edge(json, "max_image_size", 364);
            if (max != tile) {
                throw new UnsupportedModelException(json.at("max_image_size") + " is " + max
                        + ", but the encoder's image_size is " + tile + "; only tiles of that size are supported.");
            }
            filter = PreprocessorConfigReader.filter(json, 1);
            normaliser = PreprocessorConfigReader.normaliser(json, false);
        }

        private Tiles(Tiles like, int most) {
            tile = like.tile;
            patches = like.patches;
            splits = like.splits;
            longest = like.longest;
            filter = like.filter;
            normaliser = like.normaliser;
            this.most = most;
        }

        @Override
        public Tiles atMost(int visualTokens) {
            if (visualTokens < patches) {
                throw new UnsupportedModelException("maxVisualTokens(" + visualTokens
                        + ") was asked for, but one tile, which is the least of a picture, has " + patches + ".");
            }
            return new Tiles(this, visualTokens);
        }

        private static int edge(Json json, String key, int absent) {
            Json size = json.isObject(key) ? json.object(key) : null;
            if (size != null && !size.has("longest_edge")) {
                throw new UnsupportedModelException(
                        json.at(key) + " has the keys " + size.keys() + "; supported is longest_edge.");
            }
            return size == null ? absent : size.requiredPositive("longest_edge");
        }

        @Override
        public Normaliser normaliser() {
            return normaliser;
        }

        @Override
        public String description() {
            return splits
                    ? "tiles of " + tile + " pixels, the longest edge of " + longest + ", and the whole"
                            + (most == Integer.MAX_VALUE ? "" : ", at most " + most + " visual tokens")
                    : "stretched to " + tile + " pixels";
        }

        @Override
        public String toString() {
            return description() + ", " + filter;
        }

        @Override
        public PicturePlan plan(Size picture) {
            Size whole = new Size(tile, tile);
            int edge = longest;
            Size resized = edge == 0 ? picture : bounded(toLongest(picture, edge));
            Size tiled = splits ? wholeTiles(resized) : whole;
            while (!tiled.equals(whole) && visualTokens(tiled) > most) {
                edge = (Math.max(resized.width(), resized.height()) - 1) / tile * tile;
                resized = bounded(toLongest(picture, edge));
                tiled = wholeTiles(resized);
            }
            List<PicturePlan.Resizing> steps = new ArrayList<>();
            steps.add(PicturePlan.Resizing.of(picture, resized, filter));
            List<PicturePlan.View> views = new ArrayList<>();
            TokenLayout.Builder layout = TokenLayout.builder(patches);
            steps.add(new PicturePlan.Resizing(0, Resampler.Job.of(resized, tiled, filter)));
            if (tiled.equals(whole)) {
                views.add(new PicturePlan.View(1, whole, 0, 0, 0, 0));
            } else {
                for (int row = 0; row < tiled.height() / tile; row++) {
                    for (int column = 0; column < tiled.width() / tile; column++) {
                        String mark = MARK + "<row_" + (row + 1) + "_col_" + (column + 1) + ">";
                        layout.words(row > 0 && column == 0 ? "\n" + mark : mark)
                                .view(views.size());
                        views.add(new PicturePlan.View(1, whole, -column * tile, -row * tile, row, column));
                    }
                }
                layout.words("\n\n" + MARK + "<global-img>");
                steps.add(new PicturePlan.Resizing(1, Resampler.Job.of(tiled, whole, filter)));
                views.add(new PicturePlan.View(2, whole, 0, 0, 0, 0));
            }
            if (views.size() == 1) {
                layout.words(MARK + "<global-img>");
            }
            layout.view(views.size() - 1).words(MARK);
            return new PicturePlan(picture, steps, views, layout.build());
        }

        /** Of the tiles and the whole. */
        private long visualTokens(Size tiled) {
            return ((long) tiled.width() / tile * (tiled.height() / tile) + 1) * patches;
        }

        private static Size toLongest(Size picture, int longest) {
            double ratio = (double) picture.width() / picture.height();
            if (picture.width() >= picture.height()) {
                return new Size(longest, Math.max(1, even((int) (longest / ratio))));
            }
            return new Size(Math.max(1, even((int) (longest * ratio))), longest);
        }

        private static int even(int edge) {
            return edge + edge % 2;
        }

        private static Size bounded(Size size) {
            double ratio = (double) size.width() / size.height();
            if (size.width() >= size.height() && size.width() > LARGEST) {
                return new Size(LARGEST, Math.max(1, (int) (LARGEST / ratio)));
            }
            if (size.height() > LARGEST) {
                return new Size(Math.max(1, (int) (LARGEST * ratio)), LARGEST);
            }
            return size;
        }

        private Size wholeTiles(Size size) {
            double ratio = (double) size.width() / size.height();
            if (size.width() >= size.height()) {
                int width = upToTiles(size.width());
                return new Size(width, upToTiles((int) (width / ratio)));
            }
            int height = upToTiles(size.height());
            return new Size(upToTiles((int) (height * ratio)), height);
        }

        private int upToTiles(int edge) {
            return Math.max(1, (edge + tile - 1) / tile) * tile;
        }
    }
}

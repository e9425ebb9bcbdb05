package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.Patches;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * LFM2-VL and LFM2.5-VL: SigLIP 2 at the picture's own shape, neighbouring patches side by side in one visual token,
 * LFM2. Large pictures are cut into tiles with marks between them, the whole comes last and at its own shape.
 */
final class Lfm2Vl implements Family {
    /** Of the projector's norm. */
    private static final float NORM_EPSILON = 1e-5f;

    @Override
    public Set<String> names() {
        return new HashSet<>(Arrays.asList("Lfm2VlForConditionalGeneration", "lfm2_vl", "lfm2-vl"));
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        Json config = checkpoint.config();
        VisionConfig tower = tower(checkpoint.configOf("vision_config"));
        LlmPart llm = checkpoint.llm();
        Views pictures = new Views(checkpoint.preprocessor(), tower, config.positiveOr("downsample_factor", 2));
        VisionPart vision = new VisionPart(
                null,
                "SigLIP 2 tower with " + tower.numHiddenLayers() + " layers of size " + tower.hiddenSize()
                        + ", patches of " + tower.patchSize(),
                Vit.ofPatches(tower),
                VisionPart.strip(checkpoint.weights()),
                tiling -> pictures,
                checkpoint.folder(),
                Collections.emptyList());
        AdapterPart adapter = AdapterPart.ofFamily(
                connector(config, tower.hiddenSize(), llm.config().hiddenSize()), checkpoint.part("linear_1.weight"));
        ImagePrompt prompt =
                new ImagePrompt.Placeholder(checkpoint.imageTokenId(396), checkpoint.token("image_token", "<image>"));
        return ModelFolder.of(checkpoint, vision, adapter, llm, pictures, prompt);
    }

    private static AdapterConfig.Connector connector(Json config, int width, int hidden) {
        int factor = config.positiveOr("downsample_factor", 2);
        int inner = config.positiveOr("projector_hidden_size", 2560);
        boolean bias = config.booleanOr("projector_bias", true);
        boolean norm = config.booleanOr("projector_use_layernorm", true);
        DecoderConfigReader.refuseUnsupported(config, "projector_hidden_act", "gelu");
        return new AdapterConfig.Connector("pixel unshuffle", width, hidden, net -> {
            Net.Value cells = net.joined(net.input(Projector.FEATURES, Net.ANY, width), factor * factor);
            Net.Value x = norm ? net.layerNorm(cells, "layer_norm", NORM_EPSILON) : cells;
            x = net.activation(Activation.GELU, net.linear(x, "linear_1", inner, bias));
            return net.linear(x, "linear_2", hidden, bias);
        });
    }

    /** Its {@code image_size} is that of a picture which has one patch for each position of the table. */
    private static VisionConfig tower(Json json) {
        String type = json.stringOr("model_type", "siglip2_vision_model");
        if (!type.equals("siglip2_vision_model")) {
            throw new UnsupportedModelException(json.at("model_type") + " is '" + type
                    + "'; the encoder of LFM2-VL is supported as siglip2_vision_model.");
        }
        int positions = json.positiveOr("num_patches", 256);
        int side = (int) Math.sqrt(positions);
        if (side * side != positions) {
            throw new CheckpointException(json.at("num_patches") + " is " + positions + ", which is no square number.");
        }
        int patch = json.positiveOr("patch_size", 16);
        VisionConfig base = VisionConfigReader.read(json, VisionConfig.Kind.SIGLIP, new FeatureSelection(-1, true));
        return new VisionConfig(
                base.kind(),
                base.hiddenSize(),
                base.intermediateSize(),
                base.numHiddenLayers(),
                base.numAttentionHeads(),
                side * patch,
                patch,
                base.hiddenAct(),
                base.layerNormEps(),
                base.selectLayers(),
                base.selectPatches());
    }

    /**
     * At its own shape within a range of visual tokens; one that is far larger becomes tiles of the grid whose shape is
     * closest, and the whole.
     */
    static final class Views implements Pictures {
        private static final Set<String> PROCESSORS =
                new HashSet<>(Arrays.asList("Lfm2VlImageProcessor", "Lfm2VlImageProcessorFast"));

        private final VisionConfig tower;
        private final Patches patches;
        /** Pixels along the side of a visual token. */
        private final int block;

        private final int tile;
        private final int minTiles;
        private final int maxTiles;
        private final boolean thumbnail;
        private final int minTokens;
        private final int maxTokens;
        /** Patches that a view may have, whose number grows without bounds where a picture is but a line. */
        private final int maxPatches;

        private final double tolerance;
        private final Resampler.Filter filter;
        private final Normaliser normaliser;

        Views(Json json, VisionConfig tower, int factor) {
            this.tower = tower;
            String processor = json.string("image_processor_type");
            if (processor != null && !PROCESSORS.contains(processor)) {
                throw new UnsupportedModelException(json.at("image_processor_type") + " is '" + processor
                        + "'; supported is Lfm2VlImageProcessor.");
            }
            patches = new Patches(
                    GridPictures.same(json, "encoder_patch_size", 16, tower.patchSize()),
                    GridPictures.same(json, "downsample_factor", 2, factor),
                    true);
            block = patches.size() * patches.together();
            boolean splits = json.booleanOr("do_image_splitting", true);
            minTiles = splits ? json.positiveOr("min_tiles", 2) : 1;
            maxTiles = splits ? json.positiveOr("max_tiles", 10) : 1;
            thumbnail = json.booleanOr("use_thumbnail", true);
            minTokens = json.positiveOr("min_image_tokens", 64);
            maxTokens = json.positiveOr("max_image_tokens", 256);
            tolerance = DecoderConfigReader.positiveOr(json, "max_pixels_tolerance", 2);
            tile = json.positiveOr("tile_size", 512);
            if (tile % block != 0) {
                throw new UnsupportedModelException(json.at("tile_size") + " is " + tile
                        + ", no multiple of a visual token's " + block + " pixels (encoder_patch_size times"
                        + " downsample_factor); only whole visual tokens are supported.");
            }
            int ofTile = splits ? tile / patches.size() * (tile / patches.size()) : 0;
            maxPatches = Math.max(ofTile, maxTokens * factor * factor);
            if (minTiles > maxTiles || minTokens > maxTokens) {
                throw new CheckpointException(json.source() + " asks for " + minTiles + " to " + maxTiles
                        + " tiles (min_tiles, max_tiles) and for " + minTokens + " to " + maxTokens
                        + " visual tokens (min_image_tokens, max_image_tokens); the first number of each must not be"
                        + " the larger.");
            }
            filter = PreprocessorConfigReader.filter(json, 2);
            normaliser = PreprocessorConfigReader.normaliser(json, false);
        }

        private Views(Views like, int minTiles, int maxTiles, int maxTokens) {
            tower = like.tower;
            patches = like.patches;
            block = like.block;
            tile = like.tile;
            thumbnail = like.thumbnail;
            minTokens = Math.min(like.minTokens, Math.max(1, maxTokens / 4));
            maxPatches = like.maxPatches;
            tolerance = like.tolerance;
            filter = like.filter;
            normaliser = like.normaliser;
            this.minTiles = minTiles;
            this.maxTiles = maxTiles;
            this.maxTokens = maxTokens;
        }

        /** With as many tiles as are possible beside the whole, or else the whole alone. */
        @Override
        public Views atMost(int visualTokens) {
            int whole = Math.min(maxTokens, visualTokens);
            int tiles = (visualTokens - (thumbnail ? whole : 0)) / (tile / block * (tile / block));
            int most = Math.min(tiles, maxTiles);
            return most < minTiles ? new Views(this, 1, 1, whole) : new Views(this, minTiles, most, whole);
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
            return "at its own shape, " + minTokens + " to " + maxTokens + " visual tokens"
                    + (maxTiles == 1 ? "" : ", or up to " + maxTiles + " tiles of " + tile + " pixels")
                    + (maxTiles == 1 || !thumbnail ? "" : " and the whole");
        }

        @Override
        public String toString() {
            return description() + ", " + minTiles + " tiles at least, from " + tolerance + " times as many pixels on, "
                    + filter;
        }

        @Override
        public PicturePlan plan(Size picture) {
            Size whole = GridPictures.within(picture, block, block, pixels(minTokens), pixels(maxTokens));
            long ofWhole = (long) whole.width() / patches.size() * (whole.height() / patches.size());
            if (ofWhole > maxPatches) {
                throw new ImageException("The picture has " + picture.width() + " x " + picture.height()
                        + " pixels, which at this shape become " + ofWhole + " patches, more than the " + maxPatches
                        + " that this model takes; cut it into parts");
            }
            Size grid = isLarge(picture) && maxTiles > 1 ? grid(picture) : new Size(1, 1);
            List<PicturePlan.Resizing> steps = new ArrayList<>();
            List<PicturePlan.View> views = new ArrayList<>();
            List<String> marks = new ArrayList<>();
            if (!grid.equals(new Size(1, 1))) {
                Size square = new Size(tile, tile);
                Size all = new Size(grid.width() * tile, grid.height() * tile);
                for (int row = 0; row < grid.height(); row++) {
                    for (int column = 0; column < grid.width(); column++) {
                        views.add(new PicturePlan.View(0, square, -column * tile, -row * tile, row, column));
                        marks.add("<|img_row_" + (row + 1) + "_col_" + (column + 1) + "|>");
                    }
                }
                steps.add(PicturePlan.Resizing.of(picture, all, filter));
            }
            if (views.isEmpty() || thumbnail) {
                marks.add(views.isEmpty() ? "" : "<|img_thumbnail|>");
                views.add(new PicturePlan.View(steps.size(), whole, 0, 0, 0, 0));
                steps.add(PicturePlan.Resizing.of(picture, whole, filter));
            }
            return new PicturePlan(picture, steps, views, layout(views, marks));
        }

        private TokenLayout layout(List<PicturePlan.View> views, List<String> marks) {
            List<Size> grids = new ArrayList<>();
            for (PicturePlan.View view : views) {
                grids.add(new Size(view.size().width() / block, view.size().height() / block));
            }
            TokenLayout.Builder layout = TokenLayout.builder(grids);
            for (int view = 0; view < views.size(); view++) {
                layout.words((view == 0 ? "<|image_start|>" : "") + marks.get(view))
                        .view(view);
            }
            return layout.words("<|image_end|>").build();
        }

        private long pixels(int tokens) {
            return (long) tokens * block * block;
        }

        private boolean isLarge(Size picture) {
            long across = Math.max(patches.size(), (long) Math.rint((double) picture.width() / block) * block);
            long down = Math.max(patches.size(), (long) Math.rint((double) picture.height() / block) * block);
            return across * down > pixels(maxTokens) * tolerance;
        }

        /**
         * Columns and rows of the grid whose shape is closest to the picture's, of the numbers of tiles that are
         * possible; the larger one of two as close if the picture has more than half of its pixels.
         */
        private Size grid(Size picture) {
            double shape = (double) picture.width() / picture.height();
            double area = (double) picture.width() * picture.height();
            double closest = Double.POSITIVE_INFINITY;
            Size best = new Size(1, 1);
            for (int tiles = minTiles; tiles <= maxTiles; tiles++) {
                for (int columns = 1; columns <= tiles; columns++) {
                    if (tiles % columns != 0) {
                        continue;
                    }
                    int rows = tiles / columns;
                    double difference = Math.abs(shape - (double) columns / rows);
                    boolean fills = area > 0.5 * tile * tile * columns * rows;
                    if (difference < closest || difference == closest && fills) {
                        closest = difference;
                        best = new Size(columns, rows);
                    }
                }
            }
            return best;
        }

        /**
         * The table of positions is stretched or shrunk to the view's grid, with a triangle as wide as a step of it.
         */
        @Override
        public Map<String, FloatTensor> inputs(Size view) {
            int rows = view.height() / patches.size();
            int columns = view.width() / patches.size();
            int side = tower.patchesPerSide();
            float[][] down = shares(rows, side);
            float[][] across = shares(columns, side);
            int[] row = patches.rows(rows, columns);
            int[] column = patches.columns(rows, columns);
            FloatTensor all = FloatTensor.allocate(1, row.length, side * side);
            FloatBuffer target = all.data();
            for (int patch = 0; patch < row.length; patch++) {
                for (float above : down[row[patch]]) {
                    for (float beside : across[column[patch]]) {
                        target.put(above * beside);
                    }
                }
            }
            return Collections.singletonMap(GridVit.POSITION_SHARE, all);
        }

        /** How much of each of {@code side} positions every one of so many places has. */
        private static float[][] shares(int places, int side) {
            double step = (double) side / places;
            double reach = Math.max(1, step);
            float[][] shares = new float[places][side];
            for (int place = 0; place < places; place++) {
                double centre = (place + 0.5) * step - 0.5;
                double sum = 0;
                for (int i = 0; i < side; i++) {
                    sum += Math.max(0, 1 - Math.abs(i - centre) / reach);
                }
                for (int i = 0; i < side; i++) {
                    shares[place][i] = (float) (Math.max(0, 1 - Math.abs(i - centre) / reach) / sum);
                }
            }
            return shares;
        }
    }
}

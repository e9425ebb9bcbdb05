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
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Pictures at their own shape for a {@link GridVit}: each side becomes a multiple of a block, and the whole stays
 * within a range of pixels.
 */
final class GridPictures implements Pictures {
    private static final Set<String> PROCESSORS = new HashSet<>(Arrays.asList(
            "Qwen2VLImageProcessor",
            "Qwen2VLImageProcessorFast",
            "Qwen2VLImageProcessorPil",
            "Qwen2_5_VLImageProcessor"));

    /** A picture longer than so many times its width is refused, as the reference does. */
    private static final int LARGEST_RATIO = 200;

    private final GridVitConfig config;
    private final Patches patches;
    private final int block;
    private final int minPixels;
    private final int maxPixels;
    private final Resampler.Filter filter;
    private final Normaliser normaliser;

    /**
     * Reads the preprocessor's configuration.
     *
     * @throws CheckpointException if it belongs to another tower
     * @throws UnsupportedModelException if it asks for something else than resizing
     */
    GridPictures(Json json, GridVitConfig config) {
        this.config = config;
        String processor = json.string("image_processor_type");
        if (processor != null && !PROCESSORS.contains(processor)) {
            throw new UnsupportedModelException(
                    json.at("image_processor_type") + " is '" + processor + "'; supported is Qwen2VLImageProcessor.");
        }
        patches = new Patches(
                same(json, "patch_size", 14, config.patchSize()), same(json, "merge_size", 2, config.mergeSize()));
        block = config.patchSize() * config.mergeSize();
        if (!json.booleanOr("do_resize", true)) {
            throw new UnsupportedModelException(json.at("do_resize") + " is false; pictures must be resized to whole"
                    + " blocks of " + block + " pixels.");
        }
        Json size = json.isObject("size") ? json.object("size") : null;
        minPixels = pixels(json, size, "min_pixels", "shortest_edge", 56 * 56);
        maxPixels = pixels(json, size, "max_pixels", "longest_edge", 28 * 28 * 1280);
        if (minPixels > maxPixels || maxPixels < block * block) {
            throw new CheckpointException(json.source() + " allows pictures of " + minPixels + " to " + maxPixels
                    + " pixels, among which no whole block of " + block + " x " + block + " fits.");
        }
        filter = PreprocessorConfigReader.filter(json, 3);
        normaliser = PreprocessorConfigReader.normaliser(json, true);
    }

    private GridPictures(GridPictures like, int minPixels, int maxPixels) {
        config = like.config;
        patches = like.patches;
        block = like.block;
        filter = like.filter;
        normaliser = like.normaliser;
        this.minPixels = minPixels;
        this.maxPixels = maxPixels;
    }

    @Override
    public GridPictures atMost(int visualTokens) {
        int most = (int) Math.min(Integer.MAX_VALUE, (long) visualTokens * block * block);
        // Enlarging a small picture goes up to whole blocks, which must not go beyond the most.
        return new GridPictures(this, Math.min(minPixels, most / 4), most);
    }

    static int same(Json json, String key, int absent, int wanted) {
        int value = json.positiveOr(key, absent);
        if (value != wanted) {
            throw new CheckpointException(json.at(key) + " is " + value + ", but the encoder's is " + wanted
                    + "; the files belong to different models.");
        }
        return value;
    }

    /** Files before transformers 4.52 say it by its name, later ones as edges, though it is pixels all the same. */
    private static int pixels(Json json, @Nullable Json size, String key, String edge, int absent) {
        if (json.has(key) || size == null) {
            return json.positiveOr(key, absent);
        }
        if (!size.has(edge) && !size.has(key)) {
            throw new UnsupportedModelException(json.at("size") + " has the keys " + size.keys()
                    + "; supported are shortest_edge and longest_edge, in pixels of the whole picture.");
        }
        return size.has(edge) ? size.requiredPositive(edge) : size.requiredPositive(key);
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
        return "at its own shape, in blocks of " + block + " pixels, " + minPixels + " to " + maxPixels
                + " pixels in all";
    }

    @Override
    public String toString() {
        return description() + ", " + filter;
    }

    @Override
    public PicturePlan plan(Size picture) {
        return plan(picture, resized(picture), block, filter);
    }

    /** A picture as one view of this size, a visual token for each of its blocks. */
    static PicturePlan plan(Size picture, Size size, int block, Resampler.Filter filter) {
        TokenLayout layout = TokenLayout.builder(size.height() / block, size.width() / block)
                .view(0)
                .build();
        return new PicturePlan(
                picture,
                Collections.singletonList(PicturePlan.Resizing.of(picture, size, filter)),
                Collections.singletonList(new PicturePlan.View(0, size, 0, 0, 0, 0)),
                layout);
    }

    /** To the nearest blocks, and if that is too large or too small, as far as is allowed at the same shape. */
    Size resized(Size picture) {
        int width = picture.width();
        int height = picture.height();
        if ((double) Math.max(width, height) / Math.min(width, height) > LARGEST_RATIO) {
            throw new ImageException("The picture has " + width + " x " + height + " pixels, so one side is more than "
                    + LARGEST_RATIO + " times the other, which this model does not take; cut it into parts");
        }
        return within(picture, block, 0, minPixels, maxPixels);
    }

    /**
     * To the nearest blocks, at least {@code least} pixels along each side, and if that is not within the range, as far
     * as is allowed at the same shape.
     */
    static Size within(Size picture, int block, int least, long minPixels, long maxPixels) {
        int width = picture.width();
        int height = picture.height();
        // Half to even, as the reference rounds.
        long across = Math.max(least, (long) Math.rint((double) width / block) * block);
        long down = Math.max(least, (long) Math.rint((double) height / block) * block);
        if (across * down > maxPixels) {
            double scale = Math.sqrt((double) ((long) width * height) / maxPixels);
            across = Math.max(block, (long) Math.floor(width / scale / block) * block);
            down = Math.max(block, (long) Math.floor(height / scale / block) * block);
        } else if (across * down < minPixels) {
            double scale = Math.sqrt(minPixels / (double) ((long) width * height));
            across = (long) Math.ceil(width * scale / block) * block;
            down = (long) Math.ceil(height * scale / block) * block;
        }
        return new Size(Math.toIntExact(across), Math.toIntExact(down));
    }

    @Override
    public Map<String, FloatTensor> inputs(Size view) {
        int rows = view.height() / config.patchSize();
        int columns = view.width() / config.patchSize();
        int[] row = patches.rows(rows, columns);
        int[] column = patches.columns(rows, columns);
        Map<String, FloatTensor> inputs = new LinkedHashMap<>();
        float[] frequencies =
                new Rope(config.ropeTheta(), null).inverseFrequencies(config.hiddenSize() / config.numHeads() / 2);
        addAngles(inputs, frequencies, row, frequencies, column);
        if (config.positionsPerSide() > 0) {
            addPositions(inputs, row, rows, column, columns);
        }
        if (config.cellsPerWindow() > 0) {
            addWindows(inputs, view.height() / block, view.width() / block);
        }
        return inputs;
    }

    /** Angles of some frequencies by one place of each patch, and then of some by another. */
    static void addAngles(
            Map<String, FloatTensor> inputs, float[] ofFirst, int[] first, float[] ofSecond, int[] second) {
        int angles = ofFirst.length + ofSecond.length;
        FloatTensor cos = FloatTensor.allocate(1, first.length, angles);
        FloatTensor sin = FloatTensor.allocate(1, first.length, angles);
        FloatBuffer cosines = cos.data();
        FloatBuffer sines = sin.data();
        for (int patch = 0; patch < first.length; patch++) {
            for (int i = 0; i < angles; i++) {
                float angle =
                        i < ofFirst.length ? first[patch] * ofFirst[i] : second[patch] * ofSecond[i - ofFirst.length];
                cosines.put((float) Math.cos(angle));
                sines.put((float) Math.sin(angle));
            }
        }
        inputs.put(GridVit.COS, cos);
        inputs.put(GridVit.SIN, sin);
    }

    /** The table is stretched over the grid corner to corner, and read between its rows in both directions. */
    private void addPositions(Map<String, FloatTensor> inputs, int[] row, int rows, int[] column, int columns) {
        int side = config.positionsPerSide();
        FloatTensor[] corners = new FloatTensor[GridVit.CORNERS];
        for (int corner = 0; corner < corners.length; corner++) {
            corners[corner] = FloatTensor.allocate(1, row.length, 1);
            inputs.put(GridVit.POSITION + "." + corner, corners[corner]);
        }
        FloatTensor share = FloatTensor.allocate(1, row.length, GridVit.CORNERS);
        for (int patch = 0; patch < row.length; patch++) {
            float y = stretched(row[patch], rows, side);
            float x = stretched(column[patch], columns, side);
            for (int corner = 0; corner < GridVit.CORNERS; corner++) {
                int top = (int) y + corner / 2;
                int left = (int) x + corner % 2;
                float down = 1 - Math.abs(y - top);
                float across = 1 - Math.abs(x - left);
                int at = Math.min(top, side - 1) * side + Math.min(left, side - 1);
                corners[corner].data().put(patch, at);
                share.data().put(patch * GridVit.CORNERS + corner, down * across);
            }
        }
        inputs.put(GridVit.POSITION_SHARE, share);
    }

    /** In float32, as the reference computes it. */
    private static float stretched(int place, int places, int side) {
        return (float) (place * (side - 1)) / Math.max(1, places - 1);
    }

    /** Windows lie side by side from the top left; those at the right and at the bottom may be smaller. */
    private void addWindows(Map<String, FloatTensor> inputs, int rows, int columns) {
        int cells = config.cellsPerWindow();
        int ofCell = config.mergeSize() * config.mergeSize();
        int room = cells * cells * ofCell;
        int windows = (rows + cells - 1) / cells * ((columns + cells - 1) / cells);
        FloatTensor patchesOf = FloatTensor.allocate(1, windows * room, 1);
        FloatTensor places = FloatTensor.allocate(1, rows * columns * ofCell, 1);
        FloatTensor bias = FloatTensor.allocate(1, windows * room, room);
        FloatBuffer hidden = bias.data();
        float[] line = new float[room];
        int window = 0;
        for (int top = 0; top < rows; top += cells) {
            for (int left = 0; left < columns; left += cells) {
                int used = 0;
                for (int row = top; row < Math.min(rows, top + cells); row++) {
                    for (int column = left; column < Math.min(columns, left + cells); column++) {
                        for (int i = 0; i < ofCell; i++) {
                            int patch = (row * columns + column) * ofCell + i;
                            int place = window * room + used++;
                            patchesOf.data().put(place, patch);
                            places.data().put(patch, place);
                        }
                    }
                }
                Arrays.fill(line, 0, used, 0);
                Arrays.fill(line, used, room, Float.NEGATIVE_INFINITY);
                for (int i = 0; i < room; i++) {
                    hidden.put(line);
                }
                window++;
            }
        }
        inputs.put(GridVit.WINDOW_PATCHES, patchesOf);
        inputs.put(GridVit.WINDOW_PLACES, places);
        inputs.put(GridVit.WINDOW_BIAS, bias);
    }
}

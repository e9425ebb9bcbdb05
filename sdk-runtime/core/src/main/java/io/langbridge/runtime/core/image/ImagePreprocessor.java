package io.langbridge.runtime.core.image;

import io.langbridge.CheckpointException;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.runtime.core.config.PreprocessorConfig;
import io.langbridge.runtime.core.config.Tiling;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.spi.RgbPixels;
import io.langbridge.spi.RowSink;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns pictures into the tiles a vision encoder was trained on: pad or tile, resize, crop, scale, normalise, in the
 * order and with the rounding of the reference. Immutable and safe for use by several threads.
 */
public final class ImagePreprocessor {
    private static final byte[] BLACK = new byte[3];

    private final PreprocessorConfig config;
    private final Tiling tiling;
    private final int tileSize;
    private final Resampler.Filter filter;
    private final byte[] paddingColour;

    /** What each of the 256 byte values becomes, per channel. */
    private final float[][] normalised;

    /**
     * Checks that the configuration makes tiles of the size the encoder reads.
     *
     * @param tileSize {@code image_size} of the vision encoder, in pixels
     * @throws CheckpointException if the configuration makes another size, or asks for something unknown
     */
    public ImagePreprocessor(PreprocessorConfig config, Tiling tiling, int tileSize) {
        this.config = config;
        this.tiling = tiling;
        this.tileSize = tileSize;
        this.filter = switch (config.resample()) {
            case 2 -> Resampler.Filter.BILINEAR;
            case 3 -> Resampler.Filter.BICUBIC;
            default ->
                throw new CheckpointException("preprocessor_config.json asks for resample = " + config.resample()
                        + "; supported are 2 (bilinear) and 3 (bicubic)");
        };
        checkSizes(config, tiling, tileSize);
        float[] mean = channels("image_mean", config.imageMean());
        float[] std = channels("image_std", config.imageStd());
        this.paddingColour = tiling instanceof Tiling.Pad ? paddingColour(config.imageMean()) : BLACK;
        this.normalised = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            normalised[channel] = normalised(config.rescaleFactor(), mean, std, channel);
        }
    }

    /**
     * Makes the tiles while the picture is decoded, so that a large one needs little memory.
     *
     * @throws ImageException if the picture cannot be decoded
     */
    public PreparedImage prepare(Image image) {
        Resizing resizing = new Resizing();
        image.rows(resizing);
        return resizing.prepared();
    }

    /** Makes the tiles and what is needed to put their features together again. */
    public PreparedImage prepare(RgbPixels picture) {
        return new PreparedImage(normalise(tiles(picture)), grid(size(picture)));
    }

    /**
     * The tiles as bytes, before scaling and normalising: the whole picture first, then its parts row by row. Each is
     * {@code image_size} wide and high.
     */
    public List<RgbPixels> tiles(RgbPixels picture) {
        Resizing resizing = new Resizing();
        resizing.begin(picture.width(), picture.height(), 1);
        byte[] row = new byte[3 * picture.width()];
        for (int y = 0; y < picture.height(); y++) {
            picture.copyRow(y, 0, picture.width(), row, 0);
            resizing.row(y, row, 0);
        }
        return resizing.tiles();
    }

    /** Resizes a picture to all the sizes that are needed, row by row. */
    private final class Resizing implements RowSink {
        private final List<Resampler> resamplers = new ArrayList<>();
        private Tiling.@Nullable Size picture;

        @Override
        public void begin(int width, int height, int orientation) {
            Tiling.Size upright = orientation >= 5 ? new Tiling.Size(height, width) : new Tiling.Size(width, height);
            picture = upright;
            for (Resampler.Job job : jobs(upright)) {
                resamplers.add(new Resampler(job, orientation));
            }
        }

        @Override
        public void row(int y, byte[] rgb, int offset) {
            for (Resampler resampler : resamplers) {
                resampler.row(y, rgb, offset);
            }
        }

        List<RgbPixels> tiles() {
            List<RgbPixels> resized = new ArrayList<>();
            for (Resampler resampler : resamplers) {
                resized.add(resampler.result());
            }
            return cut(begun(), resized);
        }

        PreparedImage prepared() {
            return new PreparedImage(normalise(tiles()), grid(begun()));
        }

        private Tiling.Size begun() {
            if (picture == null) {
                throw new IllegalStateException("The picture has not begun");
            }
            return picture;
        }
    }

    private List<Resampler.Job> jobs(Tiling.Size picture) {
        if (!(tiling instanceof Tiling.AnyResolution anyResolution)) {
            return Collections.singletonList(resizeAndCrop(picture));
        }
        // LLaVA resizes with PIL's own default here, whatever the preprocessor's filter is.
        Resampler.Filter fit =
                anyResolution.convention() == Tiling.Convention.LLAVA ? Resampler.Filter.BICUBIC : filter;
        Tiling.Size fitted = fitted(picture, bestResolution(picture, anyResolution.resolutions()));
        return Arrays.asList(
                Resampler.Job.of(picture, new Tiling.Size(tileSize, tileSize), fit),
                Resampler.Job.of(picture, fitted, fit));
    }

    private List<RgbPixels> cut(Tiling.Size picture, List<RgbPixels> resized) {
        return tiling instanceof Tiling.AnyResolution anyResolution
                ? anyResolutionTiles(
                        resized.get(0), resized.get(1), bestResolution(picture, anyResolution.resolutions()))
                : Collections.singletonList(cropped(picture, resized.get(0)));
    }

    /** How a picture of this size is cut, without touching a pixel: tells the number of visual tokens beforehand. */
    public TileGrid grid(Tiling.Size picture) {
        if (tiling instanceof Tiling.AnyResolution anyResolution) {
            Tiling.Size resolution = bestResolution(picture, anyResolution.resolutions());
            return new TileGrid(
                    picture,
                    resolution.width() / tileSize,
                    resolution.height() / tileSize,
                    anyResolution.convention(),
                    anyResolution.merge());
        }
        return TileGrid.whole(picture);
    }

    /**
     * What of the picture each tile shows, in pixels of the picture, the whole picture first. A tile leaves the picture
     * where that is padded.
     */
    public List<Explanation.Area> areas(Tiling.Size picture) {
        if (!(tiling instanceof Tiling.AnyResolution anyResolution)) {
            int side = Math.max(picture.width(), picture.height());
            boolean pads = tiling instanceof Tiling.Pad;
            Tiling.Size canvas = pads ? new Tiling.Size(side, side) : picture;
            // The same divisions as in padded(..) and resizeAndCrop(..).
            int left = pads ? (side - picture.width()) / 2 : 0;
            int top = pads ? (side - picture.height()) / 2 : 0;
            Tiling.Size resized = resizedSize(canvas.width(), canvas.height());
            Tiling.Size crop = config.crop() == null ? resized : config.crop();
            double x = (double) canvas.width() / resized.width();
            double y = (double) canvas.height() / resized.height();
            int cropLeft = Math.floorDiv(resized.width() - crop.width(), 2);
            int cropTop = Math.floorDiv(resized.height() - crop.height(), 2);
            return Collections.singletonList(new Explanation.Area(
                    cropLeft * x - left,
                    cropTop * y - top,
                    (cropLeft + crop.width()) * x - left,
                    (cropTop + crop.height()) * y - top));
        }
        List<Explanation.Area> areas = new ArrayList<>();
        areas.add(new Explanation.Area(0, 0, picture.width(), picture.height()));
        Tiling.Size resolution = bestResolution(picture, anyResolution.resolutions());
        Tiling.Size fitted = fitted(picture, resolution);
        double x = (double) picture.width() / fitted.width();
        double y = (double) picture.height() / fitted.height();
        // Whole pixels, as in anyResolutionTiles(..).
        int shiftX = (resolution.width() - fitted.width()) / 2;
        int shiftY = (resolution.height() - fitted.height()) / 2;
        double left = shiftX * x;
        double top = shiftY * y;
        Explanation.Area whole =
                new Explanation.Area(-left, -top, resolution.width() * x - left, resolution.height() * y - top);
        int rows = resolution.height() / tileSize;
        int columns = resolution.width() / tileSize;
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                areas.add(whole.cell(row, column, rows, columns));
            }
        }
        return areas;
    }

    /**
     * The resolution that keeps most of the picture's pixels, and among those the one that wastes least; the first one
     * of equals.
     */
    public static Tiling.Size bestResolution(Tiling.Size picture, List<Tiling.Size> resolutions) {
        Tiling.Size best = resolutions.get(0);
        long bestEffective = -1;
        long bestWasted = 0;
        for (Tiling.Size resolution : resolutions) {
            double scale = Math.min(
                    (double) resolution.width() / picture.width(), (double) resolution.height() / picture.height());
            long scaled = (long) (int) (picture.width() * scale) * (int) (picture.height() * scale);
            long effective = Math.min(scaled, (long) picture.width() * picture.height());
            long wasted = (long) resolution.width() * resolution.height() - effective;
            if (effective > bestEffective || (effective == bestEffective && wasted < bestWasted)) {
                best = resolution;
                bestEffective = effective;
                bestWasted = wasted;
            }
        }
        return best;
    }

    /** The size of the picture after it was fitted into {@code resolution} with its aspect ratio. */
    public static Tiling.Size fitted(Tiling.Size picture, Tiling.Size resolution) {
        double scaleWidth = (double) resolution.width() / picture.width();
        double scaleHeight = (double) resolution.height() / picture.height();
        if (scaleWidth < scaleHeight) {
            int height = (int) Math.ceil(picture.height() * scaleWidth);
            return new Tiling.Size(resolution.width(), Math.min(height, resolution.height()));
        }
        int width = (int) Math.ceil(picture.width() * scaleHeight);
        return new Tiling.Size(Math.min(width, resolution.width()), resolution.height());
    }

    private List<RgbPixels> anyResolutionTiles(RgbPixels whole, RgbPixels fitted, Tiling.Size resolution) {
        List<RgbPixels> tiles = new ArrayList<>();
        tiles.add(whole);
        int left = (resolution.width() - fitted.width()) / 2;
        int top = (resolution.height() - fitted.height()) / 2;
        for (int y = 0; y < resolution.height(); y += tileSize) {
            for (int x = 0; x < resolution.width(); x += tileSize) {
                tiles.add(new Canvas(fitted, tileSize, tileSize, left - x, top - y, BLACK).toPixels());
            }
        }
        return tiles;
    }

    private Resampler.Job resizeAndCrop(Tiling.Size picture) {
        boolean pads = tiling instanceof Tiling.Pad;
        int side = Math.max(picture.width(), picture.height());
        Tiling.Size canvas = pads ? new Tiling.Size(side, side) : picture;
        Tiling.Size resized = resizedSize(canvas.width(), canvas.height());
        Tiling.Size crop = config.crop() == null ? resized : config.crop();
        return new Resampler.Job(
                picture,
                canvas,
                pads ? (side - picture.width()) / 2 : 0,
                pads ? (side - picture.height()) / 2 : 0,
                paddingColour,
                resized,
                Math.max(0, Math.floorDiv(resized.width() - crop.width(), 2)),
                Math.max(0, Math.floorDiv(resized.height() - crop.height(), 2)),
                new Tiling.Size(Math.min(crop.width(), resized.width()), Math.min(crop.height(), resized.height())),
                filter);
    }

    /** Fills up what the crop has beyond the resized picture. */
    private RgbPixels cropped(Tiling.Size picture, RgbPixels resized) {
        int side = Math.max(picture.width(), picture.height());
        Tiling.Size canvas = tiling instanceof Tiling.Pad ? new Tiling.Size(side, side) : picture;
        Tiling.Size whole = resizedSize(canvas.width(), canvas.height());
        Tiling.Size crop = config.crop() == null ? whole : config.crop();
        RgbPixels cut = resized;
        if (cut.width() != crop.width() || cut.height() != crop.height()) {
            int left = Math.max(0, -Math.floorDiv(whole.width() - crop.width(), 2));
            int top = Math.max(0, -Math.floorDiv(whole.height() - crop.height(), 2));
            cut = new Canvas(cut, crop.width(), crop.height(), left, top, BLACK).toPixels();
        }
        if (cut.width() != tileSize || cut.height() != tileSize) {
            throw new CheckpointException("preprocessor_config.json turns a picture of " + canvas.width() + " x "
                    + canvas.height() + " into " + cut.width() + " x " + cut.height() + " pixels, but image_size of the"
                    + " vision encoder is " + tileSize + "; set size and crop_size to " + tileSize);
        }
        return cut;
    }

    private Tiling.Size resizedSize(int width, int height) {
        PreprocessorConfig.Resize resize = config.resize();
        if (resize instanceof PreprocessorConfig.ShortestEdge shortest) {
            long edge = shortest.pixels();
            return width <= height
                    ? new Tiling.Size((int) edge, Math.toIntExact(edge * height / width))
                    : new Tiling.Size(Math.toIntExact(edge * width / height), (int) edge);
        }
        return resize instanceof PreprocessorConfig.Stretch stretch ? stretch.size() : new Tiling.Size(width, height);
    }

    private FloatTensor normalise(List<RgbPixels> tiles) {
        FloatTensor pixels = FloatTensor.allocate(tiles.size(), 3, tileSize, tileSize);
        FloatBuffer target = pixels.data();
        byte[] row = new byte[3 * tileSize];
        float[] values = new float[tileSize];
        for (RgbPixels tile : tiles) {
            for (int channel = 0; channel < 3; channel++) {
                float[] table = normalised[channel];
                for (int y = 0; y < tileSize; y++) {
                    tile.copyRow(y, 0, tileSize, row, 0);
                    for (int x = 0; x < tileSize; x++) {
                        values[x] = table[row[3 * x + channel] & 0xff];
                    }
                    target.put(values);
                }
            }
        }
        return pixels;
    }

    /** Scaled in double and rounded once, then normalised in float32: the order of roundings shows in the bits. */
    private static float[] normalised(
            @Nullable Double factor, float @Nullable [] mean, float @Nullable [] std, int channel) {
        float[] table = new float[256];
        for (int value = 0; value < 256; value++) {
            float scaled = factor == null ? value : (float) (value * factor);
            table[value] = mean == null || std == null ? scaled : (scaled - mean[channel]) / std[channel];
        }
        return table;
    }

    private static float @Nullable [] channels(String key, @Nullable List<Double> values) {
        if (values == null) {
            return null;
        }
        if (values.size() != 3) {
            throw new CheckpointException("preprocessor_config.json: " + key + " has " + values.size()
                    + " values, not one for each of R, G, B");
        }
        return new float[] {
            values.get(0).floatValue(),
            values.get(1).floatValue(),
            values.get(2).floatValue()
        };
    }

    private static byte[] paddingColour(@Nullable List<Double> mean) {
        if (mean == null) {
            throw new CheckpointException("image_aspect_ratio 'pad' pads with image_mean, but preprocessor_config.json"
                    + " has none; add image_mean, three values for R, G, B");
        }
        byte[] colour = new byte[3];
        for (int channel = 0; channel < 3; channel++) {
            colour[channel] = (byte) (int) (mean.get(channel) * 255);
        }
        return colour;
    }

    private static void checkSizes(PreprocessorConfig config, Tiling tiling, int tileSize) {
        Tiling.Size square = new Tiling.Size(tileSize, tileSize);
        Tiling.Size made = config.crop();
        if (made == null && config.resize() instanceof PreprocessorConfig.Stretch stretch) {
            made = stretch.size();
        }
        if (made == null
                && tiling instanceof Tiling.Pad
                && config.resize() instanceof PreprocessorConfig.ShortestEdge shortest) {
            made = new Tiling.Size(shortest.pixels(), shortest.pixels());
        }
        if (made != null && !made.equals(square)) {
            throw new CheckpointException("preprocessor_config.json makes tiles of " + made.width() + " x "
                    + made.height() + " pixels (crop_size or size), but image_size of the vision encoder is " + tileSize
                    + "; the preprocessor belongs to another encoder");
        }
        if (config.resize() instanceof PreprocessorConfig.ShortestEdge shortest) {
            checkShortestEdge(shortest.pixels(), tiling, tileSize);
        }
        if (tiling instanceof Tiling.AnyResolution anyResolution) {
            if (anyResolution.resolutions().isEmpty()) {
                throw new CheckpointException("image_grid_pinpoints is empty, but image_aspect_ratio is 'anyres'; list"
                        + " the resolutions a picture may be fitted into");
            }
            for (Tiling.Size resolution : anyResolution.resolutions()) {
                checkResolution(resolution, tileSize);
            }
        }
    }

    private static void checkShortestEdge(int pixels, Tiling tiling, int tileSize) {
        if (pixels <= 0) {
            throw new CheckpointException(
                    "preprocessor_config.json: shortest_edge is " + pixels + ", but must be positive");
        }
        // The reference resizes every tile once more, which changes nothing only if the sizes are equal.
        if (tiling instanceof Tiling.AnyResolution && pixels != tileSize) {
            throw new CheckpointException("preprocessor_config.json: shortest_edge is " + pixels + ", but tiles"
                    + " (image_aspect_ratio 'anyres') must have image_size " + tileSize + " of the vision encoder");
        }
    }

    private static void checkResolution(Tiling.Size resolution, int tileSize) {
        if (resolution.width() <= 0
                || resolution.height() <= 0
                || resolution.width() % tileSize != 0
                || resolution.height() % tileSize != 0) {
            throw new CheckpointException("image_grid_pinpoints has a resolution of " + resolution.width() + " x "
                    + resolution.height() + " pixels, which cannot be cut into tiles of image_size " + tileSize
                    + " of the vision encoder; it belongs to another encoder");
        }
    }

    private static Tiling.Size size(RgbPixels picture) {
        return new Tiling.Size(picture.width(), picture.height());
    }
}

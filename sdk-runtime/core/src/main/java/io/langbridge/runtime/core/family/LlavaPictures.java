package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pictures as CLIP, SigLIP, LLaVA and LLaVA-NeXT take them: one tile, cropped, stretched or padded to a square, or the
 * whole picture and a grid of tiles.
 */
public final class LlavaPictures implements Pictures {
    private static final byte[] BLACK = new byte[3];

    private final PreprocessorConfig config;
    private final Tiling tiling;
    private final int tileSize;
    private final int patches;
    private final Resampler.Filter filter;
    private final byte[] paddingColour;
    private final Normaliser normaliser;

    /** Visual tokens of a picture in tiles. */
    private final int most;

    /**
     * Checks that the configuration makes tiles of the size the encoder reads.
     *
     * @param tileSize {@code image_size} of the vision encoder, in pixels
     * @param patches visual tokens of a tile
     * @throws CheckpointException if the configuration makes another size, or asks for something unknown
     */
    public LlavaPictures(PreprocessorConfig config, Tiling tiling, int tileSize, int patches) {
        this(config, tiling, tileSize, patches, Integer.MAX_VALUE);
    }

    private LlavaPictures(PreprocessorConfig config, Tiling tiling, int tileSize, int patches, int most) {
        this.most = most;
        this.config = config;
        this.tiling = tiling;
        this.tileSize = tileSize;
        this.patches = patches;
        this.filter = switch (config.resample()) {
            case 2 -> Resampler.Filter.BILINEAR;
            case 3 -> Resampler.Filter.BICUBIC;
            default ->
                throw new CheckpointException("preprocessor_config.json asks for resample = " + config.resample()
                        + "; supported are 2 (bilinear) and 3 (bicubic)");
        };
        checkSizes(config, tiling, tileSize);
        if (tiling instanceof Tiling.AnyResolution any && any.merge() != Tiling.Merge.FLAT) {
            TileGrid.requireSquare(any.merge(), patches);
        }
        this.normaliser = new Normaliser(config.rescaleFactor(), config.imageMean(), config.imageStd());
        this.paddingColour = tiling instanceof Tiling.Pad ? paddingColour(config.imageMean()) : BLACK;
    }

    /** Of the resolutions only those remain that cost a picture no more. */
    @Override
    public Pictures atMost(int visualTokens) {
        if (!(tiling instanceof Tiling.AnyResolution any)) {
            return Pictures.super.atMost(visualTokens);
        }
        int least = any.resolutions().stream().mapToInt(this::most).min().orElse(0);
        if (visualTokens < least) {
            throw new UnsupportedModelException("maxVisualTokens(" + visualTokens + ") was asked for, but the whole"
                    + " picture and the smallest of the grids (image_grid_pinpoints) have up to " + least + ".");
        }
        return new LlavaPictures(config, tiling, tileSize, patches, visualTokens);
    }

    /** Visual tokens of a picture that fills this resolution and is not shrunk, which none exceeds. */
    private int most(Size resolution) {
        Tiling.AnyResolution any = (Tiling.AnyResolution) tiling;
        Tiling.AnyResolution whole = new Tiling.AnyResolution(any.resolutions(), any.convention(), any.merge());
        return grid(resolution, whole, resolution).layout(patches).tokens();
    }

    @Override
    public Normaliser normaliser() {
        return normaliser;
    }

    @Override
    public boolean needsNewline() {
        return tiling.needsNewline();
    }

    @Override
    public String description() {
        if (tiling instanceof Tiling.AnyResolution any) {
            return "dynamic resolution, " + any.resolutions().size() + " grids, tiles merged "
                    + any.merge().name().toLowerCase(Locale.ROOT)
                    + (any.maxTiles() == 0 ? "" : ", shrunk to " + any.maxTiles())
                    + (most == Integer.MAX_VALUE ? "" : ", at most " + most + " visual tokens");
        }
        return tiling instanceof Tiling.Pad ? "padded to a square" : "as preprocessor_config.json says";
    }

    @Override
    public String toString() {
        return tiling + (most == Integer.MAX_VALUE ? "" : ", at most " + most);
    }

    @Override
    public PicturePlan plan(Size picture) {
        if (!(tiling instanceof Tiling.AnyResolution any)) {
            return oneTile(picture, grid(picture).layout(patches));
        }
        // LLaVA resizes with PIL's own default here, whatever the preprocessor's filter is.
        Resampler.Filter fit = any.convention() == Tiling.Convention.LLAVA ? Resampler.Filter.BICUBIC : filter;
        Size resolution = bestResolution(picture, allowed(any, picture));
        TokenLayout layout = grid(picture, any, resolution).layout(patches);
        Size fitted = fitted(picture, resolution);
        Size tile = new Size(tileSize, tileSize);
        int left = (resolution.width() - fitted.width()) / 2;
        int top = (resolution.height() - fitted.height()) / 2;
        List<PicturePlan.View> views = new ArrayList<>();
        views.add(new PicturePlan.View(0, tile, 0, 0, 0, 0));
        for (int y = 0; y < resolution.height(); y += tileSize) {
            for (int x = 0; x < resolution.width(); x += tileSize) {
                views.add(new PicturePlan.View(1, tile, left - x, top - y, y / tileSize, x / tileSize));
            }
        }
        List<PicturePlan.Resizing> resizings = Arrays.asList(
                PicturePlan.Resizing.of(picture, tile, fit), PicturePlan.Resizing.of(picture, fitted, fit));
        return new PicturePlan(picture, resizings, views, layout);
    }

    /** How a picture of this size is cut. */
    public TileGrid grid(Size picture) {
        if (tiling instanceof Tiling.AnyResolution any) {
            return grid(picture, any, bestResolution(picture, allowed(any, picture)));
        }
        return TileGrid.whole(picture);
    }

    private TileGrid grid(Size picture, Tiling.AnyResolution any, Size resolution) {
        return new TileGrid(
                picture,
                resolution.width() / tileSize,
                resolution.height() / tileSize,
                any.convention(),
                any.merge(),
                any.maxTiles());
    }

    private List<Size> allowed(Tiling.AnyResolution any, Size picture) {
        return most == Integer.MAX_VALUE
                ? any.resolutions()
                : any.resolutions().stream()
                        .filter(resolution ->
                                grid(picture, any, resolution).layout(patches).tokens() <= most)
                        .collect(Collectors.toList());
    }

    private PicturePlan oneTile(Size picture, TokenLayout layout) {
        boolean pads = tiling instanceof Tiling.Pad;
        int side = Math.max(picture.width(), picture.height());
        Size canvas = pads ? new Size(side, side) : picture;
        Size resized = resizedSize(canvas.width(), canvas.height());
        Size crop = config.crop() == null ? resized : config.crop();
        if (crop.width() != tileSize || crop.height() != tileSize) {
            throw new CheckpointException("preprocessor_config.json turns a picture of " + canvas.width() + " x "
                    + canvas.height() + " into " + crop.width() + " x " + crop.height() + " pixels, but image_size of"
                    + " the vision encoder is " + tileSize + "; set size and crop_size to " + tileSize);
        }
        // What the crop has beyond the resized picture is black.
        int left = Math.floorDiv(resized.width() - crop.width(), 2);
        int top = Math.floorDiv(resized.height() - crop.height(), 2);
        Resampler.Job job = new Resampler.Job(
                picture,
                canvas,
                pads ? (side - picture.width()) / 2 : 0,
                pads ? (side - picture.height()) / 2 : 0,
                paddingColour,
                resized,
                Math.max(0, left),
                Math.max(0, top),
                new Size(Math.min(crop.width(), resized.width()), Math.min(crop.height(), resized.height())),
                filter);
        PicturePlan.View view = new PicturePlan.View(0, crop, Math.max(0, -left), Math.max(0, -top), 0, 0);
        PicturePlan.Resizing resizing = new PicturePlan.Resizing(PicturePlan.PICTURE, job);
        return new PicturePlan(picture, Collections.singletonList(resizing), Collections.singletonList(view), layout);
    }

    /**
     * The resolution that keeps most of the picture's pixels, and among those the one that wastes least; the first one
     * of equals.
     */
    public static Size bestResolution(Size picture, List<Size> resolutions) {
        Size best = resolutions.get(0);
        long bestEffective = -1;
        long bestWasted = 0;
        for (Size resolution : resolutions) {
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
    public static Size fitted(Size picture, Size resolution) {
        double scaleWidth = (double) resolution.width() / picture.width();
        double scaleHeight = (double) resolution.height() / picture.height();
        if (scaleWidth < scaleHeight) {
            int height = (int) Math.ceil(picture.height() * scaleWidth);
            return new Size(resolution.width(), Math.min(height, resolution.height()));
        }
        int width = (int) Math.ceil(picture.width() * scaleHeight);
        return new Size(Math.min(width, resolution.width()), resolution.height());
    }

    private Size resizedSize(int width, int height) {
        PreprocessorConfig.Resize resize = config.resize();
        if (resize instanceof PreprocessorConfig.ShortestEdge shortest) {
            long edge = shortest.pixels();
            return width <= height
                    ? new Size((int) edge, Math.toIntExact(edge * height / width))
                    : new Size(Math.toIntExact(edge * width / height), (int) edge);
        }
        return resize instanceof PreprocessorConfig.Stretch stretch ? stretch.size() : new Size(width, height);
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
        Size square = new Size(tileSize, tileSize);
        Size made = config.crop();
        if (made == null && config.resize() instanceof PreprocessorConfig.Stretch stretch) {
            made = stretch.size();
        }
        if (made == null
                && tiling instanceof Tiling.Pad
                && config.resize() instanceof PreprocessorConfig.ShortestEdge shortest) {
            made = new Size(shortest.pixels(), shortest.pixels());
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
            for (Size resolution : anyResolution.resolutions()) {
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

    private static void checkResolution(Size resolution, int tileSize) {
        if (resolution.width() <= 0
                || resolution.height() <= 0
                || resolution.width() % tileSize != 0
                || resolution.height() % tileSize != 0) {
            throw new CheckpointException("image_grid_pinpoints has a resolution of " + resolution.width() + " x "
                    + resolution.height() + " pixels, which cannot be cut into tiles of image_size " + tileSize
                    + " of the vision encoder; it belongs to another encoder");
        }
    }
}

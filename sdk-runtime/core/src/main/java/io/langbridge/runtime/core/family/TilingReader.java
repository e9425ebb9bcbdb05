package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Size;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads how pictures become tiles. */
final class TilingReader {
    private static final String PINPOINTS = "image_grid_pinpoints";

    /** {@code anyres}, or with a number of tiles that grids are shrunk to. */
    private static final Pattern ANY_RESOLUTION = Pattern.compile("anyres(?:_max_([1-9][0-9]{0,3}))?");

    /** The authors' grids from so many tiles across and down to so many. */
    private static final Pattern RANGE =
            Pattern.compile("\\(([1-9][0-9]?)x([1-9][0-9]?)\\).*\\(([1-9][0-9]?)x([1-9][0-9]?)\\)");

    private TilingReader() {}

    /**
     * {@code image_aspect_ratio}, {@code image_grid_pinpoints} and {@code mm_patch_merge_type} of the authors.
     *
     * @param imageSize of a tile in pixels, which grids may be counted in; 0 if it is not known
     */
    static Tiling ofAuthors(Json config, int imageSize) {
        String aspect = config.stringOr("image_aspect_ratio", "square");
        String mergeType = config.stringOr("mm_patch_merge_type", "flat");
        Tiling.Merge merge = switch (mergeType) {
            case "flat" -> Tiling.Merge.FLAT;
            case "spatial" -> Tiling.Merge.SPATIAL;
            case "spatial_unpad" -> Tiling.Merge.SPATIAL_UNPAD;
            default ->
                throw new UnsupportedModelException(config.at("mm_patch_merge_type") + " is '" + mergeType
                        + "'; supported are flat, spatial and spatial_unpad.");
        };
        return switch (aspect) {
            case "square", "pad" -> {
                if (merge == Tiling.Merge.SPATIAL_UNPAD) {
                    // The reference would append one newline to the only tile; no published model is like this.
                    throw new UnsupportedModelException(config.at("mm_patch_merge_type")
                            + " is 'spatial_unpad', which is supported only with image_aspect_ratio 'anyres', not '"
                            + aspect + "'.");
                }
                yield aspect.equals("pad") ? new Tiling.Pad() : new Tiling.Plain();
            }
            default -> {
                Matcher any = ANY_RESOLUTION.matcher(aspect);
                if (!any.matches()) {
                    throw new UnsupportedModelException(config.at("image_aspect_ratio") + " is '" + aspect
                            + "'; supported are square, pad, anyres and anyres_max_N.");
                }
                yield new Tiling.AnyResolution(
                        ofAuthorsGrids(config, imageSize), Tiling.Convention.LLAVA, merge, tiles(any));
            }
        };
    }

    private static int tiles(Matcher anyResolution) {
        String tiles = anyResolution.group(1);
        return tiles == null ? 0 : Integer.parseInt(tiles);
    }

    private static List<Size> ofAuthorsGrids(Json config, int imageSize) {
        Matcher range = config.isString(PINPOINTS) ? RANGE.matcher(config.requiredString(PINPOINTS)) : null;
        if (range == null || !range.find()) {
            return pairs(config, false);
        }
        if (imageSize == 0) {
            throw new UnsupportedModelException(config.at(PINPOINTS) + " counts grids in tiles, but nothing says how"
                    + " large those are: mm_vision_tower names no encoder that is known by its name; write the"
                    + " resolutions in pixels.");
        }
        return grids(
                Integer.parseInt(range.group(1)),
                Integer.parseInt(range.group(3)),
                Integer.parseInt(range.group(2)),
                Integer.parseInt(range.group(4)),
                imageSize);
    }

    /** Every grid, those of one width together and the narrow ones first. */
    private static List<Size> grids(int acrossFrom, int acrossTo, int downFrom, int downTo, int imageSize) {
        List<Size> grids = new ArrayList<>();
        for (int across = acrossFrom; across <= acrossTo; across++) {
            for (int down = downFrom; down <= downTo; down++) {
                grids.add(new Size(across * imageSize, down * imageSize));
            }
        }
        return grids;
    }

    /** LLaVA-OneVision in transformers: as LLaVA-NeXT, large grids are shrunk. */
    static Tiling ofOneVision(Json config, Json preprocessor) {
        String aspect = config.stringOr("vision_aspect_ratio", "anyres_max_9");
        Matcher any = ANY_RESOLUTION.matcher(aspect);
        if (!any.matches() || tiles(any) == 0) {
            throw new UnsupportedModelException(
                    config.at("vision_aspect_ratio") + " is '" + aspect + "'; only anyres_max_N is supported.");
        }
        List<Size> resolutions = new ArrayList<>();
        if (config.has(PINPOINTS) || preprocessor.has(PINPOINTS)) {
            resolutions = pairs(config.has(PINPOINTS) ? config : preprocessor, true);
        } else {
            // The default of LlavaOnevisionConfig.
            for (int down = 1; down <= 6; down++) {
                for (int across = 1; across <= 6; across++) {
                    resolutions.add(new Size(across * 384, down * 384));
                }
            }
        }
        return new Tiling.AnyResolution(resolutions, Tiling.Convention.HF, Tiling.Merge.SPATIAL_UNPAD, tiles(any));
    }

    /** LLaVA-NeXT in transformers: pinpoints as (height, width). */
    static Tiling ofNext(Json config, Json preprocessor) {
        List<Size> resolutions;
        if (config.has(PINPOINTS)) {
            resolutions = pairs(config, true);
        } else if (preprocessor.has(PINPOINTS)) {
            resolutions = pairs(preprocessor, true);
        } else {
            // The default of LlavaNextConfig.
            resolutions = new ArrayList<>();
            resolutions.add(new Size(672, 336));
            resolutions.add(new Size(336, 672));
            resolutions.add(new Size(672, 672));
            resolutions.add(new Size(336, 1008));
            resolutions.add(new Size(1008, 336));
        }
        return new Tiling.AnyResolution(resolutions, Tiling.Convention.HF, Tiling.Merge.SPATIAL_UNPAD);
    }

    /** Every resolution must be cut into whole tiles. */
    static void requireWholeTiles(Tiling tiling, int imageSize, Json config) {
        if (tiling instanceof Tiling.AnyResolution any) {
            for (Size size : any.resolutions()) {
                if (size.width() % imageSize != 0 || size.height() % imageSize != 0) {
                    throw new CheckpointException(config.at(PINPOINTS) + " has " + size.width() + " x " + size.height()
                            + ", which is not made of whole tiles of " + imageSize + ".");
                }
            }
        }
    }

    private static List<Size> pairs(Json config, boolean heightFirst) {
        Json json = config;
        if (config.isString(PINPOINTS)) {
            // Some files have the text of a Python list of tuples.
            String list = config.requiredString(PINPOINTS).replace('(', '[').replace(')', ']');
            json = Json.parse(
                    ("{\"" + PINPOINTS + "\":" + list + "}").getBytes(StandardCharsets.UTF_8), config.at(PINPOINTS));
        }
        List<List<Long>> lists = json.longLists(PINPOINTS);
        List<Size> sizes = new ArrayList<>();
        for (List<Long> pair : lists) {
            if (pair.size() != 2 || pair.stream().anyMatch(n -> n < 1 || n > 1_000_000)) {
                throw new CheckpointException(
                        config.at(PINPOINTS) + " must be pairs of sizes in pixels, not " + pair + ".");
            }
            int first = pair.get(0).intValue();
            int second = pair.get(1).intValue();
            sizes.add(heightFirst ? new Size(second, first) : new Size(first, second));
        }
        if (sizes.isEmpty()) {
            throw new CheckpointException(config.at(PINPOINTS) + " is empty.");
        }
        return sizes;
    }
}

package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Size;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads how pictures become tiles. */
final class TilingReader {
    private static final String PINPOINTS = "image_grid_pinpoints";

    private TilingReader() {}

    /** {@code image_aspect_ratio}, {@code image_grid_pinpoints} and {@code mm_patch_merge_type} of the authors. */
    static Tiling ofAuthors(Json config) {
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
            case "anyres" -> new Tiling.AnyResolution(pairs(config, false), Tiling.Convention.LLAVA, merge);
            default ->
                throw new UnsupportedModelException(config.at("image_aspect_ratio") + " is '" + aspect
                        + "'; supported are square, pad and anyres.");
        };
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

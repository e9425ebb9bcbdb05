package io.langbridge.runtime.core.family;

import io.langbridge.runtime.core.image.Size;
import java.util.List;

/** How a picture of any shape becomes square tiles. */
public sealed interface Tiling {
    /** Whether rows of tiles end with {@code image_newline}. */
    default boolean needsNewline() {
        return this instanceof AnyResolution any && any.merge() == Merge.SPATIAL_UNPAD;
    }

    /** One tile, cropped or stretched as {@code preprocessor_config.json} says. */
    record Plain() implements Tiling {}

    /** One tile, after padding to a square with the mean colour ({@code image_aspect_ratio: pad}, LLaVA 1.5). */
    record Pad() implements Tiling {}

    /**
     * The whole picture as one tile, then the picture in a grid of tiles ({@code image_aspect_ratio: anyres},
     * LLaVA-NeXT).
     *
     * @param resolutions what the picture may be fitted into, in the order of the file, which decides ties
     * @param convention whose rounding to follow
     * @param merge how the tiles' visual tokens become one sequence
     * @param maxTiles of {@code anyres_max_N}: a grid without its padding that has more visual tokens than so many
     *     tiles (and a tenth of a side) is shrunk to as many; 0 if it never is
     */
    record AnyResolution(List<Size> resolutions, Convention convention, Merge merge, int maxTiles) implements Tiling {
        public AnyResolution {
            resolutions = List.copyOf(resolutions);
        }

        /** Never shrunk. */
        public AnyResolution(List<Size> resolutions, Convention convention, Merge merge) {
            this(resolutions, convention, merge, 0);
        }
    }

    /** Two programs read the same keys differently. */
    enum Convention {
        /** transformers: pinpoints are (height, width), cuts are {@code int(round(x, 7))}. */
        HF,
        /** LLaVA: pinpoints are (width, height), cuts are {@code int(x)}. */
        LLAVA
    }

    /** {@code mm_patch_merge_type}. */
    enum Merge {
        /** Tile after tile, no newline. */
        FLAT,
        /** One grid, padding kept, no newline. */
        SPATIAL,
        /** One grid without the padding, {@code image_newline} after every row. */
        SPATIAL_UNPAD
    }
}

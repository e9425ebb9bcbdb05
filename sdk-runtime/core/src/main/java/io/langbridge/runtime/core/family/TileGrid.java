package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * How one picture was cut: tile 0 is the whole picture, then come {@code tilesAcross x tilesDown} tiles, row by row.
 * Immutable.
 *
 * @param picture size of the picture before anything was done to it
 * @param tilesAcross tiles beside each other, 0 if there is only the whole picture
 * @param tilesDown tiles below each other, 0 if there is only the whole picture
 * @param convention whose rounding decides which patches are padding
 * @param merge how the tiles' visual tokens become one sequence
 * @param maxTiles what a grid without padding is shrunk to if it has more, see {@link Tiling.AnyResolution}; 0 if never
 */
public record TileGrid(
        Size picture, int tilesAcross, int tilesDown, Tiling.Convention convention, Tiling.Merge merge, int maxTiles) {
    /** From here on a grid is shrunk, by side. */
    private static final double LARGE = 1.1;

    /** A grid that is never shrunk. */
    public TileGrid(Size picture, int tilesAcross, int tilesDown, Tiling.Convention convention, Tiling.Merge merge) {
        this(picture, tilesAcross, tilesDown, convention, merge, 0);
    }

    /** The whole picture as the only tile, without a newline: plain and padded pictures. */
    public static TileGrid whole(Size picture) {
        return new TileGrid(picture, 0, 0, Tiling.Convention.HF, Tiling.Merge.FLAT);
    }

    /** All tiles, with the whole picture. */
    public int tiles() {
        return 1 + tilesAcross * tilesDown;
    }

    /**
     * The order of this picture's visual tokens.
     *
     * @param patches visual tokens of one tile
     * @throws CheckpointException if they must form a square and do not
     */
    public TokenLayout layout(int patches) {
        boolean unpad = merge == Tiling.Merge.SPATIAL_UNPAD;
        TokenLayout.Builder layout = TokenLayout.builder(patches).view(0);
        if (tiles() == 1) {
            return (unpad ? layout.add(TokenLayout.NEWLINE) : layout).build();
        }
        if (merge == Tiling.Merge.FLAT) {
            for (int tile = 1; tile < tiles(); tile++) {
                layout.view(tile);
            }
            return layout.build();
        }
        int side = requireSquare(merge, patches);
        Range rows = keptRows(side);
        Range columns = keptColumns(side);
        double ratio = unpad && maxTiles > 0
                ? Math.sqrt((double) rows.size() * columns.size() / ((double) maxTiles * side * side))
                : 1;
        if (ratio > LARGE) {
            addShrunk(layout, side, rows, columns, ratio);
            return layout.build();
        }
        for (int row = rows.from(); row < rows.to(); row++) {
            for (int column = columns.from(); column < columns.to(); column++) {
                layout.add(source(side, row, column));
            }
            if (unpad) {
                layout.add(TokenLayout.NEWLINE);
            }
        }
        return layout.build();
    }

    /** A cell of the tiles' common grid. */
    private int source(int side, int row, int column) {
        int tile = 1 + row / side * tilesAcross + column / side;
        return (tile * side + row % side) * side + column % side;
    }

    /** Each visual token is made of the four cells around its middle, by how near they are. */
    private void addShrunk(TokenLayout.Builder layout, int side, Range rows, Range columns, double ratio) {
        int down = Math.max(1, wholes(rows.size(), ratio));
        int across = Math.max(1, wholes(columns.size(), ratio));
        for (int row = 0; row < down; row++) {
            Between y = Between.of(row, rows, down);
            for (int column = 0; column < across; column++) {
                Between x = Between.of(column, columns, across);
                layout.add(
                        new int[] {
                            source(side, y.first, x.first),
                            source(side, y.first, x.second),
                            source(side, y.second, x.first),
                            source(side, y.second, x.second)
                        },
                        new float[] {
                            (1 - y.share) * (1 - x.share),
                            (1 - y.share) * x.share,
                            y.share * (1 - x.share),
                            y.share * x.share
                        });
            }
            layout.add(TokenLayout.NEWLINE);
        }
    }

    /**
     * How often {@code part} goes into {@code all}; a quotient rounded up to a whole number is one less, as Python has
     * it.
     */
    private static int wholes(int all, double part) {
        return (int) Math.rint((all - all % part) / part);
    }

    /** Two cells and how much of the second, in float32 as the reference computes it. */
    private record Between(int first, int second, float share) {
        static Between of(int index, Range range, int count) {
            float scale = (float) range.size() / count;
            float middle = Math.max(0, scale * (index + 0.5f) - 0.5f);
            int first = Math.min((int) middle, range.size() - 1);
            int second = Math.min(first + 1, range.size() - 1);
            return new Between(range.from() + first, range.from() + second, middle - first);
        }
    }

    /** The side of the square that the visual tokens of a tile form. */
    static int requireSquare(Tiling.Merge merge, int patches) {
        int side = (int) Math.round(Math.sqrt(patches));
        if (side * side != patches) {
            throw new CheckpointException("mm_patch_merge_type " + merge + " puts tiles together as squares, but "
                    + patches + " visual tokens per tile are not a square; use mm_vision_select_feature 'patch' and not"
                    + " 'cls_patch', or mm_patch_merge_type 'flat'");
        }
        return side;
    }

    /**
     * The rows of the tiles' common patch grid that show the picture and not only its padding.
     *
     * @param patchesPerSide of one tile
     */
    public Range keptRows(int patchesPerSide) {
        int across = tilesAcross * patchesPerSide;
        int down = tilesDown * patchesPerSide;
        if (merge != Tiling.Merge.SPATIAL_UNPAD || !isWiderThanGrid(across, down)) {
            return new Range(0, down);
        }
        return centred(cut(picture.height() * ((double) across / picture.width())), down);
    }

    /**
     * The columns of the tiles' common patch grid that show the picture and not only its padding. Can be none at all if
     * the picture is very thin.
     *
     * @param patchesPerSide of one tile
     */
    public Range keptColumns(int patchesPerSide) {
        int across = tilesAcross * patchesPerSide;
        int down = tilesDown * patchesPerSide;
        if (merge != Tiling.Merge.SPATIAL_UNPAD || tilesDown == 0 || isWiderThanGrid(across, down)) {
            return new Range(0, across);
        }
        return centred(cut(picture.width() * ((double) down / picture.height())), across);
    }

    private boolean isWiderThanGrid(int across, int down) {
        return (double) picture.width() / picture.height() > (double) across / down;
    }

    /** The same amount goes at both ends, so an odd rest stays. */
    private static Range centred(int kept, int all) {
        int padding = (all - kept) / 2;
        return new Range(padding, all - padding);
    }

    private int cut(double patches) {
        return switch (convention) {
            case HF ->
                new BigDecimal(patches).setScale(7, RoundingMode.HALF_EVEN).intValue();
            case LLAVA -> (int) patches;
        };
    }

    /**
     * Positions in a row.
     *
     * @param from the first
     * @param to after the last; equals {@code from} if there are none
     */
    public record Range(int from, int to) {
        /** How many they are. */
        public int size() {
            return to - from;
        }
    }
}

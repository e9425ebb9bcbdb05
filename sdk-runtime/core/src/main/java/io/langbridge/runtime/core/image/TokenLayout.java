package io.langbridge.runtime.core.image;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.config.Tiling;
import java.util.Arrays;

/**
 * Which patch of which tile each visual token of a picture comes from, in the order in which the language model sees
 * them. Immutable.
 */
public final class TokenLayout {
    /** What {@link #source} gives for a visual token that is the {@code image_newline}. */
    public static final int NEWLINE = -1;

    private final int patches;
    private final int[] sources;

    private TokenLayout(int patches, int[] sources) {
        this.patches = patches;
        this.sources = sources;
    }

    static TokenLayout of(TileGrid grid, int patches) {
        boolean unpad = grid.merge() == Tiling.Merge.SPATIAL_UNPAD;
        if (grid.tiles() == 1) {
            int[] sources = consecutive(unpad ? patches + 1 : patches);
            if (unpad) {
                sources[patches] = NEWLINE;
            }
            return new TokenLayout(patches, sources);
        }
        if (grid.merge() == Tiling.Merge.FLAT) {
            return new TokenLayout(patches, consecutive(Math.multiplyExact(grid.tiles(), patches)));
        }
        int side = (int) Math.round(Math.sqrt(patches));
        if (side * side != patches) {
            throw new CheckpointException("mm_patch_merge_type " + grid.merge()
                    + " puts tiles together as squares, but " + patches
                    + " visual tokens per tile are not a square; use mm_vision_select_feature 'patch' and not"
                    + " 'cls_patch', or mm_patch_merge_type 'flat'");
        }
        TileGrid.Range rows = grid.keptRows(side);
        TileGrid.Range columns = grid.keptColumns(side);
        int[] sources = Arrays.copyOf(consecutive(patches), patches + rows.size() * (columns.size() + (unpad ? 1 : 0)));
        int at = patches;
        for (int row = rows.from(); row < rows.to(); row++) {
            for (int column = columns.from(); column < columns.to(); column++) {
                int tile = 1 + row / side * grid.tilesAcross() + column / side;
                sources[at++] = (tile * side + row % side) * side + column % side;
            }
            if (unpad) {
                sources[at++] = NEWLINE;
            }
        }
        return new TokenLayout(patches, sources);
    }

    private static int[] consecutive(int count) {
        int[] sources = new int[count];
        for (int i = 0; i < count; i++) {
            sources[i] = i;
        }
        return sources;
    }

    /** Number of visual tokens. */
    public int tokens() {
        return sources.length;
    }

    /** Visual tokens of one tile before they are merged. */
    public int patches() {
        return patches;
    }

    /**
     * Where a visual token comes from.
     *
     * @param token 0 to {@link #tokens()}, exclusive
     * @return {@code tile * patches + patch}, patches counted row by row from the top left, or {@link #NEWLINE}
     */
    public int source(int token) {
        return sources[token];
    }

    /** True if any visual token is the newline, so that merging needs its vector. */
    public boolean needsNewline() {
        for (int source : sources) {
            if (source == NEWLINE) {
                return true;
            }
        }
        return false;
    }
}

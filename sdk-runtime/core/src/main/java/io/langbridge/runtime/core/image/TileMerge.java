package io.langbridge.runtime.core.image;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.config.Tiling;
import io.langbridge.runtime.core.engine.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Puts the visual tokens of a picture's tiles into one sequence, as {@code mm_patch_merge_type} says. */
public final class TileMerge {
    private TileMerge() {}

    /**
     * Copies the visual tokens that are kept into their order, with newlines between them.
     *
     * @param visualTokens {@code [tiles, patches, d]}, the whole picture first
     * @param newline {@code image_newline} of the checkpoint, {@code [d]}, or null if it has none
     * @return {@code [n, d]}; shares the values with {@code visualTokens} if there is one tile and no newline
     * @throws CheckpointException if a newline is needed and missing or of the wrong size
     */
    public static FloatTensor merge(FloatTensor visualTokens, float @Nullable [] newline, TileGrid grid) {
        int[] shape = visualTokens.shape();
        if (shape.length != 3 || shape[0] != grid.tiles()) {
            throw new IllegalArgumentException("Visual tokens of " + grid.tiles()
                    + " tiles are needed, [tiles, patches, d], not " + Arrays.toString(shape));
        }
        int patches = shape[1];
        int d = shape[2];
        TokenLayout layout = grid.layout(patches);
        if (layout.needsNewline()) {
            checkNewline(newline, d);
        } else if (grid.merge() == Tiling.Merge.FLAT) {
            return visualTokens.reshape(layout.tokens(), d);
        }
        FloatTensor merged = FloatTensor.allocate(layout.tokens(), d);
        FloatTensor flat = visualTokens.reshape(shape[0] * patches, d);
        FloatBuffer to = merged.data();
        for (int token = 0; token < layout.tokens(); token++) {
            int source = layout.source(token);
            if (source == TokenLayout.NEWLINE) {
                to.put(newline);
            } else {
                to.put(flat.rows(source, source + 1).data());
            }
        }
        return merged;
    }

    private static void checkNewline(float @Nullable [] newline, int d) {
        if (newline == null) {
            throw new CheckpointException("mm_patch_merge_type 'spatial_unpad' ends every row with the vector"
                    + " image_newline, but the checkpoint has no such tensor; take it from the checkpoint of the same"
                    + " language model");
        }
        if (newline.length != d) {
            throw new CheckpointException("image_newline has " + newline.length + " values, but the language model's"
                    + " embeddings have " + d + "; image_newline belongs to one language model and does not move to"
                    + " another");
        }
    }
}

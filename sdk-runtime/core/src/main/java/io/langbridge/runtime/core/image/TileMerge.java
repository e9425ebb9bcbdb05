package io.langbridge.runtime.core.image;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Puts the visual tokens of a picture's views into one sequence. */
public final class TileMerge {
    private TileMerge() {}

    /**
     * Copies the visual tokens that are kept into their order, with newlines between them.
     *
     * @param visualTokens {@code [views, patches, d]}, or {@code [1, patches of all views, d]} where they have
     *     different numbers of them
     * @param newline {@code image_newline} of the checkpoint, {@code [d]}, or null if it has none
     * @return {@code [n, d]}; shares the values with {@code visualTokens} if they are in order already
     * @throws CheckpointException if a newline is needed and missing or of the wrong size
     */
    public static FloatTensor merge(FloatTensor visualTokens, float @Nullable [] newline, PicturePlan plan) {
        int[] shape = visualTokens.shape();
        TokenLayout layout = plan.layout();
        int views = plan.views().size();
        if (shape.length != 3 || shape[0] != 1 && shape[0] != views || shape[0] * shape[1] != layout.first(views)) {
            throw new IllegalArgumentException("Visual tokens of " + views + " tiles are needed, " + layout.first(views)
                    + " in all, not " + Arrays.toString(shape));
        }
        int d = shape[2];
        FloatTensor flat = visualTokens.reshape(shape[0] * shape[1], d);
        if (layout.needsNewline()) {
            checkNewline(newline, d);
        } else if (inOrder(layout, shape[0] * shape[1])) {
            return flat;
        }
        FloatTensor merged = FloatTensor.allocate(layout.tokens(), d);
        FloatBuffer to = merged.data();
        for (int token = 0; token < layout.tokens(); token++) {
            int source = layout.source(token);
            if (source == TokenLayout.NEWLINE) {
                to.put(newline);
            } else if (layout.parts(token) == 1) {
                to.put(flat.rows(source, source + 1).data());
            } else {
                to.put(mixed(flat, layout, token));
            }
        }
        return merged;
    }

    private static float[] mixed(FloatTensor patches, TokenLayout layout, int token) {
        float[] sum = new float[patches.size(1)];
        for (int part = 0; part < layout.parts(token); part++) {
            int source = layout.source(token, part);
            float share = layout.share(token, part);
            FloatBuffer row = patches.rows(source, source + 1).data();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += share * row.get(row.position() + i);
            }
        }
        return sum;
    }

    private static boolean inOrder(TokenLayout layout, int rows) {
        if (layout.mixes()) {
            return false;
        }
        for (int token = 0; token < layout.tokens(); token++) {
            if (layout.source(token) != token) {
                return false;
            }
        }
        return layout.tokens() == rows;
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

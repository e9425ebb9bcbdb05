package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A vision encoder with its weights. Safe for use by several threads; closing waits for what runs. */
public interface VisionNetwork extends AutoCloseable {
    VisionConfig config();

    /**
     * Features of the configured layer, without the class token if the configuration selects patches.
     *
     * @param pixels {@code [tiles, 3, image_size, image_size]}
     * @return {@code [tiles, patches, hidden]}
     */
    FloatTensor features(FloatTensor pixels);

    /** How many tiles to hand over at a time: between two such calls a picture can be given up. */
    default int tilesAtOnce() {
        return 1;
    }

    /**
     * Runs the whole tower and keeps every intermediate result, for verification and analysis. Slow: it may open a
     * second graph.
     *
     * @param pixels {@code [tiles, 3, image_size, image_size]}
     */
    Trace trace(FloatTensor pixels);

    @Override
    void close();

    /**
     * Every intermediate result of one run.
     *
     * @param hiddenStates {@code [tiles, tokens, hidden]} each; 0 is the input of the first layer, n the output of
     *     layer n
     * @param lastHiddenState CLIP: the last of them; SigLIP: after {@code post_layernorm}
     * @param poolerOutput {@code [tiles, hidden]}, or null where the checkpoint has no pooling head
     */
    record Trace(
            List<FloatTensor> hiddenStates,
            FloatTensor lastHiddenState,
            @Nullable FloatTensor poolerOutput) {}
}

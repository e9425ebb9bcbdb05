package io.langbridge.contract;

import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A prompt as a decoder gets it.
 *
 * @param embeds {@code [tokens, input_width]}
 * @param positions {@code [axes][tokens]}; null if tokens stand one behind the other
 */
@SuppressWarnings("ArrayRecordComponent")
record Given(FloatTensor embeds, int @Nullable [][] positions) {
    Given(FloatTensor embeds) {
        this(embeds, null);
    }

    int tokens() {
        return embeds.size(0);
    }

    FloatBuffer prefill(DecoderSession session) {
        if (positions != null) {
            session.place(positions);
        }
        return session.prefill(embeds);
    }
}

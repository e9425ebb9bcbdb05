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
 * @param ahead for each token how many behind it it sees; null if none sees any
 */
@SuppressWarnings("ArrayRecordComponent")
record Given(FloatTensor embeds, int @Nullable [][] positions, int @Nullable [] ahead) {
    Given(FloatTensor embeds) {
        this(embeds, null, null);
    }

    int tokens() {
        return embeds.size(0);
    }

    FloatBuffer prefill(DecoderSession session) {
        if (positions != null) {
            session.place(positions);
        }
        if (ahead != null) {
            session.lookAhead(ahead);
        }
        return session.prefill(embeds);
    }
}

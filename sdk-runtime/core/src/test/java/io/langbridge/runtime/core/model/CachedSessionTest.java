package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CachedSessionTest {
    /** Mixes one more token into what is kept of those before, so that it cannot be taken out again. */
    private static float mixed(float state, float token) {
        return (state * 31 + token) % 8191;
    }

    private static float after(long... prompt) {
        float state = 0;
        for (long token : prompt) {
            state = mixed(state, (float) token);
        }
        return state;
    }

    /** Keeps one number of all tokens; goes back to copies of it only. */
    private static final class Recurrent implements DecoderSession {
        private final TreeMap<Integer, Float> marks = new TreeMap<>();
        private final FloatTensor logits = FloatTensor.allocate(1);
        private float state;
        private int length;
        private int computed;

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return 1000;
        }

        @Override
        public FloatBuffer prefill(FloatTensor inputsEmbeds) {
            for (float token : inputsEmbeds.toArray()) {
                step((int) token);
            }
            return logits.data();
        }

        @Override
        public FloatBuffer step(int tokenId) {
            state = mixed(state, tokenId);
            length++;
            computed++;
            logits.data().put(0, state);
            return logits.data();
        }

        @Override
        public void mark() {
            marks.put(length, state);
        }

        @Override
        public int rewind(int wanted) {
            assertThat(wanted).isBetween(0, length);
            if (wanted < length) {
                marks.tailMap(wanted, false).clear();
                length = marks.isEmpty() ? 0 : marks.lastKey();
                state = marks.isEmpty() ? 0 : marks.lastEntry().getValue();
            }
            return length;
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    private static final class Network extends UnweightedNetwork {
        private final Recurrent session = new Recurrent();

        @Override
        public DecoderSession open(int capacity) {
            return session;
        }
    }

    private final Network network = new Network();
    private final CachedSession cached =
            CachedSession.prepare(null, new long[0], 100, 1000, new SharedDecoder(network, 1, 0));

    /** What a generation does with a prompt; returns how much of it was there. */
    private int run(long... prompt) {
        int kept = cached.rewind(prompt);
        int[] rest = Arrays.stream(prompt, kept, prompt.length)
                .mapToInt(Math::toIntExact)
                .toArray();
        FloatBuffer logits = cached.session.prefill(network.embed(rest));
        cached.holds(prompt);
        assertThat(logits.get(0)).isEqualTo(after(prompt));
        return kept;
    }

    private void say(int token) {
        cached.session.step(token);
        cached.holds(cached.with(token));
    }

    @Test
    void theNextTurnGoesOnWhereTheLastOneEnded() {
        assertThat(run(1, 2, 3)).isZero();
        say(4);
        cached.turnEnds();
        assertThat(run(1, 2, 3, 4, 5, 6)).isEqualTo(4);
        assertThat(network.session.computed).isEqualTo(6);
    }

    @Test
    void whatCannotBeCutIsComputedAgainFromTheLastMarkBefore() {
        run(1, 2, 3);
        cached.turnEnds();
        run(1, 2, 3, 4, 5);
        say(6);
        cached.turnEnds();
        assertThat(run(1, 2, 3, 4, 7)).isEqualTo(3); // they part at 4
        assertThat(run(1, 2, 3, 4, 7)).isEqualTo(3); // no mark since; the last position runs for its logits
        assertThat(run(1, 2, 8)).isZero();
    }

    @Test
    void afterAFailureNothingIsTakenForGranted() {
        run(1, 2, 3);
        cached.turnEnds();
        cached.session.step(4);
        cached.forget();
        cached.turnEnds();
        assertThat(run(1, 2, 3, 4, 5)).isZero();
    }

    @Test
    void anySequenceOfTurnsGivesWhatEachPromptGivesAlone() {
        Random random = new Random(6);
        int reused = 0;
        for (int i = 0; i < 2000; i++) {
            long[] prompt = new long[1 + random.nextInt(12)];
            for (int k = 0; k < prompt.length; k++) {
                prompt[k] = random.nextInt(8) == 0 ? 2 : 1;
            }
            reused += run(prompt);
            for (int k = random.nextInt(3); k > 0; k--) {
                say(1);
            }
            if (random.nextBoolean()) {
                cached.turnEnds();
            }
        }
        assertThat(reused).isPositive();
    }
}

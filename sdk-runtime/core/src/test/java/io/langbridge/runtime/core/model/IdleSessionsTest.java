package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class IdleSessionsTest {
    private static final int LIMIT = 4096;

    /** Holds nothing but its length. */
    private final class Session implements DecoderSession {
        private final int capacity;
        private int length;
        private boolean closed;

        Session(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public FloatBuffer prefill(FloatTensor inputsEmbeds) {
            length += inputsEmbeds.size(0);
            return inputsEmbeds.data();
        }

        @Override
        public FloatBuffer step(int tokenId) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int rewind(int position) {
            assertThat(closed).isFalse();
            length = position;
            return length;
        }

        @Override
        public void takeOver(DecoderSession other, int known) {
            if (failsToMove) {
                throw new UnsupportedOperationException("no way back");
            }
            length = other.length();
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }

    private final class Network extends UnweightedNetwork {
        @Override
        public DecoderSession open(int capacity) {
            if (open == room) {
                throw new InsufficientMemoryException("no memory");
            }
            open++;
            return new Session(capacity);
        }
    }

    private int open;
    private int room = Integer.MAX_VALUE;
    private boolean failsToMove;
    private final Network network = new Network();
    private final SharedDecoder decoder = new SharedDecoder(network, 1, 0, this::spare);
    private IdleSessions sessions = keeping(8, Long.MAX_VALUE, positions -> positions);

    private void spare() {
        sessions.clear();
    }

    private IdleSessions keeping(int most, long budget, IntToLongFunction bytes) {
        return new IdleSessions(decoder, LIMIT, most, budget, bytes);
    }

    /** So many words of a text, and then others. */
    private static long[] prompt(int common, int text, int length) {
        return LongStream.range(0, length)
                .map(i -> i < common ? i : 1000L * text + i)
                .toArray();
    }

    /** What a request does; returns how much of the prompt was there. */
    private int ask(long... prompt) {
        CachedSession session = sessions.take(prompt, prompt.length + 1);
        int kept = session.rewind(prompt);
        session.session.prefill(network.embed(new int[prompt.length - kept]));
        session.holds(prompt);
        sessions.giveBack(session);
        return kept;
    }

    @Test
    void aShortPromptDoesNotTakeALongPrefixAwayWhileThereIsRoom() {
        assertThat(ask(prompt(20, 1, 2000))).isZero();
        assertThat(ask(prompt(20, 2, 30))).isZero();
        assertThat(ask(prompt(20, 1, 2000))).isEqualTo(1999);
        assertThat(open).isEqualTo(2);

        sessions.close();
        sessions = keeping(1, Long.MAX_VALUE, positions -> positions);
        assertThat(ask(prompt(20, 1, 2000))).isZero();
        assertThat(ask(prompt(20, 2, 30))).isEqualTo(20);
        assertThat(open).isEqualTo(1);
    }

    @Test
    void whatASessionHasForAnyNumberOfPositionsIsCounted() {
        sessions = keeping(8, 2 * 10_256, positions -> 10_000 + positions);
        for (int i = 1; i <= 4; i++) {
            assertThat(ask(prompt(0, i, 200))).isZero();
            assertThat(open).isEqualTo(Math.min(i, 2));
        }
        assertThat(ask(prompt(0, 3, 200))).isEqualTo(199);
    }

    @Test
    void oneThatCouldNotBeMovedBackIsNotTaken() {
        CachedSession session = sessions.take(prompt(0, 1, 100), 101);
        session.session.prefill(network.embed(new int[100]));
        session.session.moveTo(new Session(256));
        session.holds(prompt(0, 1, 100));
        sessions.giveBack(session);
        failsToMove = true;
        session.session.moveBack();
        assertThat(open).isZero();
        assertThat(ask(prompt(0, 1, 100))).isZero();
        assertThat(open).isEqualTo(1);
    }

    @Test
    void whatIsKeptGoesWhereAChatHasNoMemory() {
        room = 2;
        ask(prompt(0, 1, 100));
        ask(prompt(0, 2, 100));
        IdleSessions chat = keeping(1, Long.MAX_VALUE, positions -> positions);
        CachedSession session = chat.take(prompt(0, 3, 100), 101);
        assertThat(open).isEqualTo(1);
        chat.giveBack(session);
        List<IdleSessions> all = List.of(chat, sessions);
        all.forEach(IdleSessions::close);
        assertThat(open).isZero();
    }
}

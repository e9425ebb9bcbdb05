package io.langbridge.runtime.training;

import io.langbridge.runtime.core.image.TokenLayout;
import java.util.Arrays;
import java.util.List;

/**
 * What the language model sees of a record, position by position, and what it should learn.
 *
 * @param ids token ids; {@link #VISUAL} where a visual token stands
 * @param learnt which positions are to be predicted
 * @param sources for each visual token {@code tile * patches + patch} within this record, or
 *     {@link TokenLayout#NEWLINE}
 */
@SuppressWarnings("ArrayRecordComponent")
record TokenSequence(int[] ids, boolean[] learnt, int[] sources) {
    static final int VISUAL = -1;

    /** Collects a sequence. Not thread-safe. */
    static final class Builder {
        private int[] ids = new int[256];
        private boolean[] learnt = new boolean[256];
        private int[] sources = new int[256];
        private int length;
        private int visual;

        /** Appends tokens. */
        Builder add(int[] tokens, boolean learn) {
            reserve(tokens.length);
            System.arraycopy(tokens, 0, ids, length, tokens.length);
            Arrays.fill(learnt, length, length + tokens.length, learn);
            length += tokens.length;
            return this;
        }

        /** Appends a picture whose first tile is number {@code tile} of the record. */
        Builder add(TokenLayout layout, int tile) {
            reserve(layout.tokens());
            Arrays.fill(ids, length, length + layout.tokens(), VISUAL);
            Arrays.fill(learnt, length, length + layout.tokens(), false);
            for (int i = 0; i < layout.tokens(); i++) {
                int source = layout.source(i);
                sources[visual++] = source == TokenLayout.NEWLINE ? source : tile * layout.patches() + source;
            }
            length += layout.tokens();
            return this;
        }

        private void reserve(int more) {
            if (length + more > ids.length) {
                int capacity = Math.max(2 * ids.length, length + more);
                ids = Arrays.copyOf(ids, capacity);
                learnt = Arrays.copyOf(learnt, capacity);
                sources = Arrays.copyOf(sources, capacity);
            }
        }

        /** Cut off after {@code longest} positions, as LLaVA does. */
        TokenSequence build(int longest) {
            int kept = Math.min(length, longest);
            int visualKept = 0;
            for (int i = 0; i < kept; i++) {
                visualKept += ids[i] == VISUAL ? 1 : 0;
            }
            return new TokenSequence(
                    Arrays.copyOf(ids, kept), Arrays.copyOf(learnt, kept), Arrays.copyOf(sources, visualKept));
        }
    }

    /** How many positions are learnt; the first has none before it that could predict it. */
    int answers() {
        int count = 0;
        for (int i = 1; i < learnt.length; i++) {
            count += learnt[i] ? 1 : 0;
        }
        return count;
    }

    static int answers(List<TokenSequence> sequences) {
        return sequences.stream().mapToInt(TokenSequence::answers).sum();
    }
}

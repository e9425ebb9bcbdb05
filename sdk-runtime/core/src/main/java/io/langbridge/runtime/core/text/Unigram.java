package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntPredicate;

/**
 * A unigram language model: of all ways to cut a word into tokens, the one whose scores have the largest sum. Time
 * grows with the word times the length of the longest token.
 */
final class Unigram implements TokenModel {
    private static final int NONE = Vocabulary.NONE;
    /** By how much an unknown character is worse than the worst token. */
    private static final double UNKNOWN_PENALTY = 10;

    private final Path file;
    private final double[] scores;
    private final int unknown;
    private final double unknownScore;
    private final boolean byteFallback;
    private final IntPredicate hidden;
    private final int[] fallbacks = new int[256];
    private final boolean covering;
    private final byte[] unknownToken;

    /** Edges of the tree of tokens: node and byte, by hash; the node they lead to beside them. */
    private long[] keys = new long[1024];

    private int[] targets = new int[1024];
    private int nodes = 1;
    /** The token that ends at a node, plus one. */
    private int[] tokens = new int[1024];

    /**
     * @param scores by id
     * @param unknown id for what no token covers, or {@link Vocabulary#NONE}
     * @param hidden tokens that stand for something else than their characters, so that no text becomes them
     */
    Unigram(Path file, Vocabulary vocabulary, double[] scores, int unknown, boolean byteFallback, IntPredicate hidden) {
        this.file = file;
        this.scores = scores;
        this.unknown = unknown;
        this.byteFallback = byteFallback;
        this.hidden = hidden;
        unknownScore = Arrays.stream(scores).min().orElse(0) - UNKNOWN_PENALTY;
        byte[] bytes = new byte[vocabulary.longest()];
        for (int id = 0; id < scores.length; id++) {
            if (vocabulary.has(id)) {
                insert(bytes, vocabulary.copy(id, bytes, 0), id);
            }
        }
        boolean all = byteFallback;
        for (int b = 0; b < 256; b++) {
            fallbacks[b] = vocabulary.modelId(String.format(Locale.ROOT, "<0x%02X>", b));
            all &= fallbacks[b] != NONE;
        }
        covering = all;
        unknownToken = unknown == NONE ? new byte[0] : Arrays.copyOf(bytes, vocabulary.copy(unknown, bytes, 0));
    }

    @Override
    public boolean coversAllText() {
        return covering;
    }

    private void insert(byte[] bytes, int length, int id) {
        int node = 0;
        for (int i = 0; i < length; i++) {
            long key = key(node, bytes[i]);
            int slot = slot(key);
            if (targets[slot] == 0) {
                if (nodes == tokens.length) {
                    tokens = Arrays.copyOf(tokens, 2 * nodes);
                }
                keys[slot] = key;
                targets[slot] = nodes++;
                node = nodes - 1;
                if (2 * nodes > keys.length) {
                    grow();
                }
            } else {
                node = targets[slot];
            }
        }
        if (length > 0) {
            tokens[node] = id + 1;
        }
    }

    private static long key(int node, byte b) {
        return (long) node << 8 | b & 0xFF;
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        int slot = (int) (key * 0x9E3779B97F4A7C15L >>> 36) & mask;
        while (targets[slot] != 0 && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldTargets = targets;
        keys = new long[2 * oldKeys.length];
        targets = new int[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldTargets[i] != 0) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                targets[slot] = oldTargets[i];
            }
        }
    }

    @Override
    public PreTokenizer.Words into(Ids ids, boolean asText) {
        return new Encoder(ids, asText);
    }

    private final class Encoder implements PreTokenizer.Words {
        private final Ids ids;
        private final boolean asText;
        private byte[] utf8 = new byte[64];
        /** The best way to every byte: where its last token starts (plus one), which it is, and the sum so far. */
        private int[] starts = new int[64];

        private int[] last = new int[64];
        private double[] sums = new double[64];
        private int[] path = new int[64];

        Encoder(Ids ids, boolean asText) {
            this.ids = ids;
            this.asText = asText;
        }

        @Override
        public void word(String text, int start, int end) {
            if (ids.isFull()) {
                return;
            }
            int length = 0;
            ensure(3 * (end - start));
            for (int i = start; i < end; ) {
                int c = text.codePointAt(i);
                length += Utf8.write(c, utf8, length);
                i += Character.charCount(c);
            }
            Arrays.fill(starts, 0, length + 1, 0);
            sums[0] = 0;
            search(length);
            emit(length);
        }

        private void ensure(int length) {
            if (length >= starts.length) {
                utf8 = new byte[length + 1];
                starts = new int[length + 1];
                last = new int[length + 1];
                sums = new double[length + 1];
                path = new int[length + 1];
            }
        }

        private void search(int length) {
            long steps = 0;
            for (int at = 0; at < length; ) {
                int character = Utf8.characterAt(utf8, at, length);
                boolean single = false;
                int node = 0;
                for (int i = at; i < length; i++) {
                    node = targets[slot(key(node, utf8[i]))];
                    steps++;
                    if (node == 0) {
                        break;
                    }
                    if (tokens[node] != 0 && !(asText && hidden.test(tokens[node] - 1))) {
                        reach(at, i + 1, tokens[node] - 1, scores[tokens[node] - 1]);
                        single |= i + 1 == at + character;
                    }
                }
                if (!single) {
                    if (unknown == NONE) {
                        throw new CheckpointException(
                                file + " has no 'model.unk_id', and a text needs it. Download the" + " file again.");
                    }
                    reach(at, at + character, unknown, unknownScore);
                }
                at += character;
            }
            ids.steps(steps);
        }

        private void reach(int from, int to, int id, double score) {
            double sum = sums[from] + score;
            if (starts[to] == 0 || sum > sums[to]) {
                starts[to] = from + 1;
                last[to] = id;
                sums[to] = sum;
            }
        }

        private void emit(int length) {
            int n = 0;
            for (int at = length; at > 0; at = starts[at] - 1) {
                path[n++] = at;
            }
            while (n > 0) {
                int end = path[--n];
                int start = starts[end] - 1;
                if (last[end] != unknown) {
                    ids.add(last[end]);
                    continue;
                }
                // Unknown characters in a row are one token, or all of them bytes.
                while (n > 0 && last[path[n - 1]] == unknown) {
                    end = path[--n];
                }
                emitUnknown(start, end);
            }
        }

        private boolean isUnknownToken(int start, int end) {
            return Arrays.equals(unknownToken, Arrays.copyOfRange(utf8, start, end));
        }

        private void emitUnknown(int start, int end) {
            // The name of the unknown token may stand in a text, too.
            boolean known = byteFallback && (asText || !isUnknownToken(start, end));
            for (int i = start; known && i < end; i++) {
                known = fallbacks[utf8[i] & 0xFF] != NONE;
            }
            if (!known) {
                ids.add(unknown);
                return;
            }
            for (int i = start; i < end; i++) {
                ids.add(fallbacks[utf8[i] & 0xFF]);
            }
        }
    }
}

package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Byte-pair encoding: a word begins as characters (or bytes), and the pair that stands first in the list of merges is
 * joined, until none is left. A queue holds the pairs, so a word of n characters costs n log n steps whatever it is.
 */
final class BytePairs implements TokenModel {
    private static final int NONE = Vocabulary.NONE;
    private static final int CACHED_WORDS = 1 << 13;
    private static final int CACHED_LENGTH = 48;

    /** What the file says beside vocabulary and merges. */
    record Options(
            @Nullable String unknown,
            boolean fuseUnknown,
            boolean byteFallback,
            boolean ignoreMerges,
            String prefix,
            String suffix) {}

    /** A word that was met. Another thread sees all of it or nothing. */
    private record Known(String word, int[] ids) {}

    private final Path file;
    private final Vocabulary vocabulary;
    private final Options options;
    private final PairTable pairs = new PairTable();
    private final IntPredicate hidden;
    /** What is made of the pair of each rank. */
    private int[] merged = new int[64];

    private int merges;
    /** Tokens that no text may become, and the pair each is made of. */
    private final Map<Integer, int[]> hiddenParts = new HashMap<>();

    private boolean bytes;
    private boolean hidesSome;
    private boolean covering;
    /** Of the 128 ASCII characters, or of all bytes. */
    private int[] singles = new int[0];

    private final int[] fallbacks = new int[256];
    private final @Nullable Known[] cache = new Known[CACHED_WORDS];
    private byte[] scratch = new byte[64];

    /** @param hidden tokens that stand for something else than their characters, so that no text becomes them */
    BytePairs(Path file, Vocabulary vocabulary, Options options, IntPredicate hidden) {
        this.file = file;
        this.vocabulary = vocabulary;
        this.options = options;
        this.hidden = hidden;
    }

    /** Adds the merge of the next rank. */
    void merge(byte[] left, int leftLength, byte[] right, int rightLength) {
        int a = vocabulary.modelId(left, 0, leftLength);
        int b = vocabulary.modelId(right, 0, rightLength);
        int cut = utf8Length(options.prefix);
        if (a == NONE || b == NONE || cut > rightLength || cut < rightLength && (right[cut] & 0xC0) == 0x80) {
            throw wrongMerge("two parts that are tokens");
        }
        int length = leftLength + rightLength - cut;
        if (scratch.length < length) {
            scratch = new byte[2 * length];
        }
        System.arraycopy(left, 0, scratch, 0, leftLength);
        System.arraycopy(right, cut, scratch, leftLength, rightLength - cut);
        int whole = vocabulary.modelId(scratch, 0, length);
        if (whole == NONE) {
            throw wrongMerge("parts that make a token");
        }
        if (merges == merged.length) {
            merged = Arrays.copyOf(merged, 2 * merges);
        }
        merged[merges] = whole;
        if (hidden.test(whole)) {
            hiddenParts.putIfAbsent(whole, new int[] {a, b});
        }
        pairs.put(a, b, merges++);
    }

    private CheckpointException wrongMerge(String wanted) {
        return new CheckpointException(file + ": 'model.merges[" + merges + "]' is not " + wanted
                + " of the vocabulary. Download the file again.");
    }

    private static int utf8Length(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /**
     * Ends the list of merges.
     *
     * @param byteLevel whether words are to be read as {@link ByteLevel} writes them
     * @return false if they have to be written like that, because characters have no simple meaning here
     */
    boolean finish(boolean byteLevel) {
        byte[] character = new byte[4];
        boolean whole = options.prefix.isEmpty() && options.suffix.isEmpty() && !options.byteFallback;
        int[] ofBytes = new int[256];
        boolean allBytes = true;
        for (int b = 0; b < 256; b++) {
            ofBytes[b] = vocabulary.modelId(character, 0, Utf8.write(ByteLevel.charOf(b), character, 0));
            allBytes &= ofBytes[b] != NONE;
            String name = String.format(Locale.ROOT, "<0x%02X>", b);
            fallbacks[b] = vocabulary.modelId(name);
        }
        hidesSome = options.ignoreMerges || !hiddenParts.isEmpty();
        bytes = byteLevel && whole && (allBytes || options.unknown == null);
        covering = bytes && allBytes
                || options.byteFallback && Arrays.stream(fallbacks).allMatch(id -> id != NONE);
        singles = ofBytes;
        if (!bytes) {
            singles = new int[128];
            for (int c = 0; c < 128; c++) {
                singles[c] = vocabulary.modelId(character, 0, Utf8.write(c, character, 0));
            }
        }
        scratch = new byte[0];
        return bytes == byteLevel;
    }

    @Override
    public boolean coversAllText() {
        return covering;
    }

    @Override
    public PreTokenizer.Words into(Ids ids, boolean asText) {
        return new Encoder(ids, asText);
    }

    private final class Encoder implements PreTokenizer.Words {
        private final Ids ids;
        private final boolean asText;
        private final LongHeap queue = new LongHeap();
        private int[] symbols = new int[64];
        private int[] next = new int[64];
        private int[] previous = new int[64];
        private int size;
        private byte[] utf8 = new byte[64];

        Encoder(Ids ids, boolean asText) {
            this.ids = ids;
            this.asText = asText && hidesSome;
        }

        @Override
        public void word(String text, int start, int end) {
            if (ids.isFull()) {
                return;
            }
            int length = end - start;
            ids.steps(length);
            // Whole words are looked up differently where they are read as text.
            if (length > CACHED_LENGTH || asText) {
                encode(text, start, end);
                emitAll();
                return;
            }
            int hash = 0;
            for (int i = start; i < end; i++) {
                hash = 31 * hash + text.charAt(i);
            }
            int slot = (hash * 0x9E3779B1) >>> 32 - 13;
            Known known = cache[slot];
            if (known == null || known.word.length() != length || !text.regionMatches(start, known.word, 0, length)) {
                encode(text, start, end);
                known = new Known(text.substring(start, end), collect());
                cache[slot] = known;
            }
            for (int id : known.ids) {
                emit(id);
            }
        }

        /** Leaves the tokens of a word as a chain that begins with the first symbol. */
        private void encode(String text, int start, int end) {
            size = 0;
            if (options.ignoreMerges) {
                int whole = whole(text, start, end);
                if (whole != NONE && !(asText && hidden.test(whole))) {
                    add(whole);
                    link();
                    return;
                }
            }
            if (bytes) {
                addBytes(text, start, end);
            } else {
                addCharacters(text, start, end);
            }
            link();
            mergeAll();
        }

        private int whole(String text, int start, int end) {
            int length = 0;
            for (int i = start; i < end; ) {
                int c = text.codePointAt(i);
                i += Character.charCount(c);
                if (length + 12 > utf8.length) {
                    utf8 = Arrays.copyOf(utf8, 2 * utf8.length);
                }
                if (bytes) {
                    byte[] plain = new byte[4];
                    int n = Utf8.write(c, plain, 0);
                    for (int b = 0; b < n; b++) {
                        length += Utf8.write(ByteLevel.charOf(plain[b] & 0xFF), utf8, length);
                    }
                } else {
                    length += Utf8.write(c, utf8, length);
                }
                if (length > vocabulary.longest()) {
                    return NONE;
                }
            }
            return vocabulary.modelId(utf8, 0, length);
        }

        private void addBytes(String text, int start, int end) {
            for (int i = start; i < end; ) {
                int c = text.charAt(i);
                if (c < 0x80) {
                    i++;
                    addKnown(singles[c]);
                    continue;
                }
                c = text.codePointAt(i);
                i += Character.charCount(c);
                int length = Utf8.write(c, utf8, 0);
                for (int b = 0; b < length; b++) {
                    addKnown(singles[utf8[b] & 0xFF]);
                }
            }
        }

        private void addKnown(int id) {
            if (id != NONE) {
                add(id);
            }
        }

        private void addCharacters(String text, int start, int end) {
            int unknown = NONE;
            for (int i = start; i < end; ) {
                int c = text.codePointAt(i);
                int after = i + Character.charCount(c);
                boolean first = i == start;
                int id = symbol(c, first, after == end);
                i = after;
                if (id != NONE) {
                    unknown = addPending(unknown);
                    add(id);
                } else if (!options.byteFallback || !addFallback(spelled(c, first, after == end))) {
                    if (options.unknown != null) {
                        if (!options.fuseUnknown) {
                            unknown = addPending(unknown);
                        }
                        unknown = unknown(options.unknown);
                    }
                }
            }
            addPending(unknown);
        }

        /** Unknown characters wait for the next known one: bytes go before them, as in the reference. */
        private int addPending(int unknown) {
            addKnown(unknown);
            return NONE;
        }

        private int symbol(int c, boolean first, boolean last) {
            if (!first && !options.prefix.isEmpty() || last && !options.suffix.isEmpty()) {
                return vocabulary.modelId(spelled(c, first, last));
            }
            return c < 128 ? singles[c] : vocabulary.modelId(utf8, 0, Utf8.write(c, utf8, 0));
        }

        /** A character as the vocabulary writes it at this place of a word. */
        private String spelled(int c, boolean first, boolean last) {
            return (first ? "" : options.prefix) + new String(Character.toChars(c)) + (last ? options.suffix : "");
        }

        private boolean addFallback(String spelled) {
            byte[] spelledBytes = spelled.getBytes(StandardCharsets.UTF_8);
            for (byte b : spelledBytes) {
                if (fallbacks[b & 0xFF] == NONE) {
                    return false;
                }
            }
            for (byte b : spelledBytes) {
                add(fallbacks[b & 0xFF]);
            }
            return true;
        }

        private void add(int symbol) {
            if (size == symbols.length) {
                int more = size + (size >> 1);
                symbols = Arrays.copyOf(symbols, more);
                next = new int[more];
                previous = new int[more];
            }
            symbols[size++] = symbol;
        }

        private void link() {
            for (int i = 0; i < size; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < size ? i + 1 : NONE;
            }
        }

        private void mergeAll() {
            queue.clear();
            for (int i = 0; i + 1 < size; i++) {
                offer(i, i + 1);
            }
            long steps = size;
            while (!queue.isEmpty()) {
                long top = queue.pop();
                steps++;
                int at = (int) top;
                int rank = (int) (top >>> 32);
                int right = symbols[at] == NONE ? NONE : next[at];
                // The pair may have been joined with others since it was put into the queue.
                if (right == NONE || pairs.rank(symbols[at], symbols[right]) != rank) {
                    continue;
                }
                symbols[at] = merged[rank];
                symbols[right] = NONE;
                next[at] = next[right];
                if (next[at] != NONE) {
                    previous[next[at]] = at;
                    offer(at, next[at]);
                }
                if (previous[at] != NONE) {
                    offer(previous[at], at);
                }
            }
            ids.steps(steps);
        }

        private void offer(int left, int right) {
            int rank = pairs.rank(symbols[left], symbols[right]);
            if (rank != PairTable.NONE) {
                // First by rank, then from the left.
                queue.push((long) rank << 32 | left);
            }
        }

        private int[] collect() {
            Ids word = new Ids(Integer.MAX_VALUE);
            for (int i = size == 0 ? NONE : 0; i != NONE; i = next[i]) {
                word.add(symbols[i]);
            }
            return word.toArray();
        }

        private void emitAll() {
            for (int i = size == 0 ? NONE : 0; i != NONE; i = next[i]) {
                emit(symbols[i]);
            }
        }

        private void emit(int id) {
            int[] parts = asText ? hiddenParts.get(id) : null;
            if (parts == null) {
                ids.add(id);
            } else {
                emit(parts[0]);
                emit(parts[1]);
            }
        }
    }

    private int unknown(String token) {
        int id = vocabulary.modelId(token);
        if (id == NONE) {
            throw new CheckpointException(file + ": 'model.unk_token' is " + Shown.text(token)
                    + ", which is not in the vocabulary, and a text needs it. Download the file again.");
        }
        return id;
    }
}

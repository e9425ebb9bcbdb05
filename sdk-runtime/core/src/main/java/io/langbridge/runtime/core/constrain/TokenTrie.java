package io.langbridge.runtime.core.constrain;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The tokens of a vocabulary by the bytes they write, as a tree that lies flat, depth first: behind a node stand those
 * below it. Without tokens that write nothing, such as special ones. Immutable.
 */
final class TokenTrie {
    /** By node: its byte, how deep it is (1 for the first byte), where the nodes below it end. */
    final byte[] bytes;

    final int[] depths;
    final int[] ends;
    /** By node: a token that ends there, or -1. */
    final int[] tokens;
    /** By token: another one that writes the same bytes, or -1. */
    final int[] same;

    final int deepest;

    /** Ids of tokens by the number of their bytes, from few to many; and those bytes. */
    private final int[] byLength;

    private final byte[][] texts;

    private TokenTrie(
            byte[] bytes,
            int[] depths,
            int[] ends,
            int[] tokens,
            int[] same,
            int deepest,
            List<Token> sorted,
            int limit) {
        this.bytes = bytes;
        this.depths = depths;
        this.ends = ends;
        this.tokens = tokens;
        this.same = same;
        this.deepest = deepest;
        texts = new byte[limit][];
        Arrays.fill(texts, new byte[0]);
        sorted.forEach(token -> texts[token.id()] = token.bytes());
        byLength = sorted.stream()
                .sorted(Comparator.comparingInt(token -> token.bytes().length))
                .mapToInt(Token::id)
                .toArray();
    }

    /** The tokens of more than so many bytes. */
    int[] longerThan(int length) {
        int low = 0;
        int high = byLength.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (texts[byLength[middle]].length > length) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return Arrays.copyOfRange(byLength, low, byLength.length);
    }

    /** What a token writes; nothing for one that is left out. */
    byte[] text(int id) {
        return texts[id];
    }

    private record Token(byte[] bytes, int id) {}

    /**
     * Reads a vocabulary.
     *
     * @throws UnsupportedModelException if what a token writes depends on those around it
     */
    static TokenTrie of(Tokenizer tokenizer) {
        if (!tokenizer.concatenates()) {
            throw new UnsupportedModelException("The tokenizer's decoder puts blanks between tokens or takes text away,"
                    + " so that answers cannot be held to a schema or a pattern with this model; ask without one");
        }
        byte[][] texts = new byte[tokenizer.vocabularySize()][];
        for (int id = 0; id < texts.length; id++) {
            byte[] bytes = tokenizer.bytesOf(id);
            texts[id] = isText(tokenizer, id, bytes) ? bytes : new byte[0];
        }
        return of(texts);
    }

    /** From what each id writes, nothing for one that is left out. */
    static TokenTrie of(byte[][] texts) {
        List<Token> tokens = new ArrayList<>();
        for (int id = 0; id < texts.length; id++) {
            if (texts[id].length > 0) {
                tokens.add(new Token(texts[id], id));
            }
        }
        tokens.sort(TokenTrie::compare);
        return of(tokens, texts.length);
    }

    private static int compare(Token a, Token b) {
        int common = common(a.bytes(), b.bytes());
        if (common < Math.min(a.bytes().length, b.bytes().length)) {
            return Integer.compare(a.bytes()[common] & 0xFF, b.bytes()[common] & 0xFF);
        }
        int compared = Integer.compare(a.bytes().length, b.bytes().length);
        return compared != 0 ? compared : Integer.compare(a.id(), b.id());
    }

    /** How many bytes at the start are the same. */
    private static int common(byte[] a, byte[] b) {
        int n = 0;
        while (n < a.length && n < b.length && a[n] == b[n]) {
            n++;
        }
        return n;
    }

    /** Special tokens and markers write nothing in an answer; of added tokens blanks alone are text. */
    private static boolean isText(Tokenizer tokenizer, int id, byte[] bytes) {
        if (tokenizer.isSpecial(id)) {
            return false;
        }
        if (!tokenizer.isAdded(id)) {
            return true;
        }
        for (byte b : bytes) {
            if (b != ' ' && b != '\n' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private static TokenTrie of(List<Token> sorted, int limit) {
        int capacity = sorted.stream().mapToInt(token -> token.bytes().length).sum();
        byte[] bytes = new byte[capacity];
        int[] depths = new int[capacity];
        int[] ends = new int[capacity];
        int[] tokens = new int[capacity];
        int[] same = new int[limit];
        Arrays.fill(same, -1);
        int deepest = 0;
        int size = 0;
        int[] open = new int
                [1
                        + sorted.stream()
                                .mapToInt(token -> token.bytes().length)
                                .max()
                                .orElse(0)];
        byte[] before = {};
        for (Token token : sorted) {
            byte[] text = token.bytes();
            int common = common(before, text);
            if (common == text.length) {
                int node = open[text.length];
                same[token.id()] = tokens[node];
                tokens[node] = token.id();
                continue;
            }
            for (int depth = before.length; depth > common; depth--) {
                ends[open[depth]] = size;
            }
            for (int i = common; i < text.length; i++) {
                bytes[size] = text[i];
                depths[size] = i + 1;
                tokens[size] = -1;
                open[i + 1] = size++;
            }
            tokens[size - 1] = token.id();
            deepest = Math.max(deepest, text.length);
            before = text;
        }
        for (int depth = before.length; depth > 0; depth--) {
            ends[open[depth]] = size;
        }
        return new TokenTrie(
                Arrays.copyOf(bytes, size),
                Arrays.copyOf(depths, size),
                Arrays.copyOf(ends, size),
                Arrays.copyOf(tokens, size),
                same,
                deepest,
                sorted,
                limit);
    }

    /** The node of a byte below another, or -1; {@code -1} stands for the root. */
    int child(int node, byte b) {
        int end = node < 0 ? bytes.length : ends[node];
        for (int i = node + 1; i < end; i = ends[i]) {
            if (bytes[i] == b) {
                return i;
            }
        }
        return -1;
    }
}

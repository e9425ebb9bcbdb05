package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.family.Positions;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What enters the decoder, position by position: tokens, and visual tokens of pictures. */
final class Prompt {
    private final List<Segment> segments = new ArrayList<>();
    private int length;
    private int visualTokens;

    private sealed interface Segment {
        int length();
    }

    private record Tokens(int[] ids) implements Segment {
        @Override
        public int length() {
            return ids.length;
        }
    }

    /** Visual tokens of a picture from the {@code first} on. */
    private record Visual(long serial, int first, int columns, FloatTensor tokens) implements Segment {
        @Override
        public int length() {
            return tokens.size(0);
        }
    }

    /** Appends tokens. */
    void add(int[] ids) {
        append(new Tokens(ids));
    }

    /**
     * Appends a picture.
     *
     * @param serial the picture's, see {@link EncodedPicture#serial}
     * @param tokens {@code [n, llm_hidden]}
     * @param words ids of the layout's words
     */
    void add(long serial, FloatTensor tokens, TokenLayout layout, List<int[]> words) {
        int from = 0;
        for (int i = 0; i < words.size(); i++) {
            int to = layout.words().get(i).before();
            addVisual(serial, layout, tokens, from, to);
            add(words.get(i));
            from = to;
        }
        addVisual(serial, layout, tokens, from, tokens.size(0));
    }

    private void addVisual(long serial, TokenLayout layout, FloatTensor tokens, int from, int to) {
        if (to > from) {
            append(new Visual(serial, from, layout.columns(), tokens.rows(from, to)));
            visualTokens += to - from;
        }
    }

    private void append(Segment segment) {
        segments.add(segment);
        length += segment.length();
    }

    /** Number of positions. */
    int length() {
        return length;
    }

    /** Positions that came from pictures. */
    int visualTokens() {
        return visualTokens;
    }

    /** Where the words behind the last picture begin; 0 if there is no picture. */
    int behindPictures() {
        int at = 0;
        int behind = 0;
        for (Segment segment : segments) {
            at += segment.length();
            behind = segment instanceof Visual ? at : behind;
        }
        return behind;
    }

    /**
     * Names what stands at every position, so that two prompts can be compared: a token's id, or for visual token i of
     * a picture a negative number of its own.
     */
    long[] keys() {
        long[] keys = new long[length];
        int at = 0;
        for (Segment segment : segments) {
            for (int i = 0; i < segment.length(); i++) {
                keys[at++] = segment instanceof Visual visual
                        ? -(visual.serial() << Integer.SIZE | visual.first() + i)
                        : ((Tokens) segment).ids()[i];
            }
        }
        return keys;
    }

    /**
     * Ids of all positions.
     *
     * @param image stands for each visual token
     */
    int[] ids(int image) {
        int[] ids = new int[length];
        Arrays.fill(ids, image);
        int at = 0;
        for (Segment segment : segments) {
            if (segment instanceof Tokens tokens) {
                System.arraycopy(tokens.ids(), 0, ids, at, tokens.ids().length);
            }
            at += segment.length();
        }
        return ids;
    }

    /**
     * Where the positions from {@code from} on stand.
     *
     * @return {@code [axes][length - from]}
     */
    int[][] positions(int from, Positions positions) {
        List<Positions.Segment> stretches = new ArrayList<>();
        for (Segment segment : segments) {
            int columns = segment instanceof Visual visual ? visual.columns() : 0;
            stretches.add(new Positions.Segment(segment.length(), columns));
        }
        int[][] all = positions.of(stretches);
        for (int axis = 0; axis < all.length; axis++) {
            all[axis] = Arrays.copyOfRange(all[axis], from, length);
        }
        return all;
    }

    /**
     * How many positions behind it each from {@code from} on sees, where visual tokens that follow each other see each
     * other.
     *
     * @param words whether words do too
     */
    int[] ahead(int from, boolean words) {
        long[] keys = keys();
        int[] ahead = new int[length - from];
        for (int i = length - 2; i >= from; i--) {
            boolean sees = words || keys[i] < 0 && keys[i + 1] < 0;
            ahead[i - from] = sees ? ahead[i + 1 - from] + 1 : 0;
        }
        return ahead;
    }

    /**
     * Input embeddings of the positions from {@code from} on.
     *
     * @return {@code [length - from, input_width]}
     */
    FloatTensor embeddings(int from, DecoderNetwork decoder) {
        int hidden = decoder.config().inputWidth();
        FloatTensor embeddings = FloatTensor.allocate(length - from, hidden);
        FloatBuffer target = embeddings.data();
        int start = 0;
        for (Segment segment : segments) {
            int skip = Math.min(segment.length(), Math.max(0, from - start));
            if (skip < segment.length()) {
                FloatTensor rows = segment instanceof Tokens tokens
                        ? decoder.embed(Arrays.copyOfRange(tokens.ids(), skip, tokens.ids().length))
                        : decoder.embed(((Visual) segment).tokens().rows(skip, segment.length()));
                target.put(rows.data());
            }
            start += segment.length();
        }
        return embeddings;
    }
}

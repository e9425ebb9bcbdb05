package io.langbridge.runtime.core.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Which patch of which view each visual token of a picture comes from, in the order in which the language model sees
 * them, and the words between them. Immutable.
 */
public final class TokenLayout {
    /** What {@link #source} gives for a visual token that is the {@code image_newline}. */
    public static final int NEWLINE = -1;

    private final int patches;
    private final int rows;
    private final int columns;
    private final int[] sources;
    private final List<Words> words;

    /**
     * Words of the prompt among the visual tokens of a picture.
     *
     * @param before index of the visual token in front of which they stand; the number of visual tokens for the end
     * @param text special tokens and what is between them, so that its ids do not depend on what is around it
     */
    public record Words(int before, String text) {}

    private TokenLayout(Builder builder) {
        patches = builder.patches;
        rows = builder.rows;
        columns = builder.columns;
        sources = Arrays.copyOf(builder.sources, builder.count);
        words = Collections.unmodifiableList(new ArrayList<>(builder.words));
    }

    /**
     * Puts a layout together from its beginning.
     *
     * @param patches visual tokens of one view: a square of them, maybe behind a class token
     */
    public static Builder builder(int patches) {
        int side = (int) Math.sqrt(patches);
        return new Builder(patches, side, side);
    }

    /** Puts the layout of views together whose visual tokens are a grid. */
    public static Builder builder(int rows, int columns) {
        return new Builder(rows * columns, rows, columns);
    }

    /** Number of visual tokens. */
    public int tokens() {
        return sources.length;
    }

    /** Visual tokens of one view before they are put in order. */
    public int patches() {
        return patches;
    }

    /** Rows of visual tokens in one view. */
    public int rows() {
        return rows;
    }

    /** Columns of visual tokens in one view. */
    public int columns() {
        return columns;
    }

    /**
     * Where a visual token comes from.
     *
     * @param token 0 to {@link #tokens()}, exclusive
     * @return {@code view * patches + patch}, patches counted row by row from the top left, or {@link #NEWLINE}
     */
    public int source(int token) {
        return sources[token];
    }

    /** In the order of their places. */
    public List<Words> words() {
        return words;
    }

    /** True if any visual token is the newline, so that merging needs its vector. */
    public boolean needsNewline() {
        return Arrays.stream(sources).anyMatch(source -> source == NEWLINE);
    }

    /** Puts a layout together. */
    public static final class Builder {
        private final int patches;
        private final int rows;
        private final int columns;
        private final List<Words> words = new ArrayList<>();
        private int[] sources = new int[64];
        private int count;

        private Builder(int patches, int rows, int columns) {
            this.patches = patches;
            this.rows = rows;
            this.columns = columns;
        }

        /** One patch, {@code view * patches + patch}, or {@link #NEWLINE}. */
        public Builder add(int source) {
            if (count == sources.length) {
                sources = Arrays.copyOf(sources, Math.multiplyExact(2, count));
            }
            sources[count++] = source;
            return this;
        }

        /** All patches of a view. */
        public Builder view(int view) {
            for (int patch = 0; patch < patches; patch++) {
                add(view * patches + patch);
            }
            return this;
        }

        /** Words in front of what is added next. */
        public Builder words(String text) {
            words.add(new Words(count, text));
            return this;
        }

        /** The layout. */
        public TokenLayout build() {
            return new TokenLayout(this);
        }
    }
}

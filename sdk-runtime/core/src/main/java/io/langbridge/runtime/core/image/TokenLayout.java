package io.langbridge.runtime.core.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which patch of which view each visual token of a picture comes from, or which patches it is mixed of, in the order in
 * which the language model sees them, and the words between them. Immutable.
 */
public final class TokenLayout {
    /** What {@link #source} gives for a visual token that is the {@code image_newline}. */
    public static final int NEWLINE = -1;

    private final int patches;
    private final int rows;
    private final int columns;
    /** Of each view, if they differ. */
    private final List<Size> grids;

    private final int[] sources;
    private final List<Words> words;
    /** By the token. */
    private final Map<Integer, Mixture> mixtures;

    private static final class Mixture {
        final int[] sources;
        final float[] shares;

        Mixture(int[] sources, float[] shares) {
            this.sources = sources.clone();
            this.shares = shares.clone();
        }
    }

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
        grids = builder.grids;
        sources = Arrays.copyOf(builder.sources, builder.count);
        words = Collections.unmodifiableList(new ArrayList<>(builder.words));
        mixtures = new HashMap<>(builder.mixtures);
    }

    /**
     * Puts a layout together from its beginning.
     *
     * @param patches visual tokens of one view: a square of them, maybe behind a class token
     */
    public static Builder builder(int patches) {
        int side = (int) Math.sqrt(patches);
        return new Builder(patches, side, side, Collections.emptyList());
    }

    /** Puts the layout of views together whose visual tokens are a grid. */
    public static Builder builder(int rows, int columns) {
        return new Builder(rows * columns, rows, columns, Collections.emptyList());
    }

    /** Puts the layout of views together whose visual tokens are a grid each, of as many columns and rows. */
    public static Builder builder(List<Size> grids) {
        Size first = grids.get(0);
        return new Builder(
                first.width() * first.height(),
                first.height(),
                first.width(),
                Collections.unmodifiableList(new ArrayList<>(grids)));
    }

    /** Number of visual tokens. */
    public int tokens() {
        return sources.length;
    }

    /** Visual tokens of one view before they are put in order; of the first, if views differ. */
    public int patches() {
        return patches;
    }

    /** Rows of visual tokens in one view; in the first, if views differ. */
    public int rows() {
        return rows;
    }

    /** Columns of visual tokens in one view; in the first, if views differ. */
    public int columns() {
        return columns;
    }

    /** Rows of visual tokens in a view. */
    public int rows(int view) {
        return grids.isEmpty() ? rows : grids.get(view).height();
    }

    /** Columns of visual tokens in a view. */
    public int columns(int view) {
        return grids.isEmpty() ? columns : grids.get(view).width();
    }

    /** How many visual tokens the views in front of one have. */
    public int first(int view) {
        return first(view, patches, grids);
    }

    private static int first(int view, int patches, List<Size> grids) {
        if (grids.isEmpty()) {
            return view * patches;
        }
        return grids.stream()
                .limit(view)
                .mapToInt(grid -> grid.width() * grid.height())
                .sum();
    }

    /** The view that a {@link #source} lies in. */
    public int view(int source) {
        if (grids.isEmpty()) {
            return source / patches;
        }
        int view = 0;
        while (view + 1 < grids.size() && source >= first(view + 1)) {
            view++;
        }
        return view;
    }

    /**
     * Where a visual token comes from, of a mixture where most of it does.
     *
     * @param token 0 to {@link #tokens()}, exclusive
     * @return {@link #first} of its view and the patch, counted row by row from the top left, or {@link #NEWLINE}
     */
    public int source(int token) {
        return sources[token];
    }

    /** Whether some visual tokens are mixed of several patches. */
    public boolean mixes() {
        return !mixtures.isEmpty();
    }

    /** How many patches a visual token is mixed of; 1 if it is one of them, or the newline. */
    public int parts(int token) {
        Mixture mixture = mixtures.get(token);
        return mixture == null ? 1 : mixture.sources.length;
    }

    /** One of the patches that a visual token is mixed of, as {@link #source(int)} counts them. */
    public int source(int token, int part) {
        Mixture mixture = mixtures.get(token);
        return mixture == null ? sources[token] : mixture.sources[part];
    }

    /** How much of that patch is in it; the shares of a visual token add up to 1. */
    public float share(int token, int part) {
        Mixture mixture = mixtures.get(token);
        return mixture == null ? 1 : mixture.shares[part];
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
        private final List<Size> grids;
        private final List<Words> words = new ArrayList<>();
        private final Map<Integer, Mixture> mixtures = new HashMap<>();
        private int[] sources = new int[64];
        private int count;

        private Builder(int patches, int rows, int columns, List<Size> grids) {
            this.grids = grids;
            this.patches = patches;
            this.rows = rows;
            this.columns = columns;
        }

        /** One patch, as {@link #source} counts them, or {@link #NEWLINE}. */
        public Builder add(int source) {
            if (count == sources.length) {
                sources = Arrays.copyOf(sources, Math.multiplyExact(2, count));
            }
            sources[count++] = source;
            return this;
        }

        /** A mixture of several patches. */
        public Builder add(int[] of, float[] shares) {
            int most = 0;
            for (int i = 1; i < of.length; i++) {
                most = shares[i] > shares[most] ? i : most;
            }
            mixtures.put(count, new Mixture(of, shares));
            return add(of[most]);
        }

        /** All patches of a view. */
        public Builder view(int view) {
            int end = TokenLayout.first(view + 1, patches, grids);
            for (int source = TokenLayout.first(view, patches, grids); source < end; source++) {
                add(source);
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

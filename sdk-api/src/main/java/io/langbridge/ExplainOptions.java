package io.langbridge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * What an {@link Explanation} shows. Immutable.
 *
 * <pre>{@code
 * ExplainOptions dogs = ExplainOptions.builder().wordsPerPatch(3).word("dog").build();
 * Explanation.ImageWord dog = model.explain(encoded, dogs).word("dog").orElseThrow();
 * }</pre>
 *
 * @since 0.1
 */
public final class ExplainOptions {
    private static final int MOST_PER_PATCH = 100;
    private static final int MOST_OF_PICTURE = 1000;
    private static final ExplainOptions DEFAULTS = builder().build();

    private final Explanation.Measure measure;
    private final int wordsPerPatch;
    private final int imageWords;
    private final boolean byMagnitude;
    private final boolean raw;
    private final List<String> words;

    private ExplainOptions(Builder builder) {
        this.measure = builder.measure;
        this.wordsPerPatch = builder.wordsPerPatch;
        this.imageWords = builder.imageWords;
        this.byMagnitude = builder.byMagnitude;
        this.raw = builder.raw;
        this.words = Collections.unmodifiableList(new ArrayList<>(builder.words));
    }

    /**
     * The defaults.
     *
     * @return coefficients, the 8 words of each patch that set it apart most, nothing on empty ground, heat maps for the
     *     100 strongest words of the picture
     */
    public static ExplainOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Starts from {@link #defaults()}.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that starts from these options.
     *
     * @return a builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.measure = measure;
        builder.wordsPerPatch = wordsPerPatch;
        builder.imageWords = imageWords;
        builder.byMagnitude = byMagnitude;
        builder.raw = raw;
        builder.words.addAll(words);
        return builder;
    }

    /** {@return what the values of the words are} */
    public Explanation.Measure measure() {
        return measure;
    }

    /** {@return words of each patch} */
    public int wordsPerPatch() {
        return wordsPerPatch;
    }

    /** {@return most words of the picture, without those asked for by name} */
    public int imageWords() {
        return imageWords;
    }

    /** {@return whether a large negative value counts as strong} */
    public boolean byMagnitude() {
        return byMagnitude;
    }

    /** {@return whether words are ranked by their values alone, on every patch} */
    public boolean raw() {
        return raw;
    }

    /** {@return words asked for by name, unmodifiable} */
    public List<String> words() {
        return words;
    }

    @Override
    public String toString() {
        return "ExplainOptions[" + measure + ", " + wordsPerPatch + " words per patch, " + imageWords
                + " of the picture" + (byMagnitude ? ", by magnitude" : "") + (raw ? ", raw" : "") + (words.isEmpty() ? "" : ", " + words)
                + "]";
    }

    /** Collects the options. Not thread-safe. */
    public static final class Builder {
        private Explanation.Measure measure = Explanation.Measure.COEFFICIENT;
        private int wordsPerPatch = 8;
        private int imageWords = 100;
        private boolean byMagnitude;
        private boolean raw;
        private final List<String> words = new ArrayList<>();

        private Builder() {}

        /**
         * What the values of the words are; default is {@link Explanation.Measure#COEFFICIENT}.
         *
         * @param measure the measure
         * @return this builder
         */
        public Builder measure(Explanation.Measure measure) {
            this.measure = Objects.requireNonNull(measure, "measure");
            return this;
        }

        /**
         * How many words of each patch to keep; default 8.
         *
         * @param count 1 to 100
         * @return this builder
         */
        public Builder wordsPerPatch(int count) {
            wordsPerPatch = within("wordsPerPatch", count, 1, MOST_PER_PATCH);
            return this;
        }

        /**
         * How many words of the whole picture to keep with their heat maps; default 100. A picture of several tiles is
         * computed once more for them, unless this is 0 and no word is asked for.
         *
         * @param count 0 to 1000
         * @return this builder
         */
        public Builder imageWords(int count) {
            imageWords = within("imageWords", count, 0, MOST_OF_PICTURE);
            return this;
        }

        /**
         * Which words are strong: those with the largest strengths, as in the reference's visualisation, or those with
         * the largest absolute ones, so that words a patch is made of with a minus sign show too. Default false.
         *
         * @param byMagnitude true to compare absolute values
         * @return this builder
         */
        public Builder byMagnitude(boolean byMagnitude) {
            this.byMagnitude = byMagnitude;
            return this;
        }

        /**
         * Ranks words by their values alone and gives those of every patch, as the reference's visualisation does.
         * Default false: then what is common to the whole picture counts for less, so that words come first which set
         * a patch apart ({@link Explanation.Weight#strength()}), and patches of empty ground have no words
         * ({@link Explanation.Patch#words()}). The values are the same either way.
         *
         * @param raw true to take values as they are
         * @return this builder
         */
        public Builder raw(boolean raw) {
            this.raw = raw;
            return this;
        }

        /**
         * Asks for the heat map of a word, however weak it is.
         *
         * @param text as {@link Explanation.Word#text()} shows it; every token shown so is taken ("dog" both inside and
         *     at the start of a word)
         * @return this builder
         */
        public Builder word(String text) {
            words.add(Objects.requireNonNull(text, "text"));
            return this;
        }

        /**
         * Makes the options.
         *
         * @return the options
         */
        public ExplainOptions build() {
            return new ExplainOptions(this);
        }

        private static int within(String name, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(name + " must be from " + least + " to " + most + ", not " + value);
            }
            return value;
        }
    }
}

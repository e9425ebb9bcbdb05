package io.langbridge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Which words the patches of a picture are made of, as {@link VisionLanguageModel#explain} gives them. Immutable and
 * safe for use by several threads.
 *
 * <pre>{@code
 * for (Explanation.Patch patch : model.explain(encoded, ExplainOptions.defaults()).patches()) {
 *     for (Explanation.Weight word : patch.words()) {
 *         System.out.printf("%d,%d %s %.3f%n", patch.row(), patch.column(), word.word().text(), word.value());
 *     }
 * }
 * }</pre>
 *
 * <p>What it does not say: why the language model answers as it does. It shows what the adapter hands over.
 *
 * @since 0.1
 */
public final class Explanation {
    private final int width;
    private final int height;
    private final Measure measure;
    private final boolean probabilities;
    private final List<Tile> tiles;
    private final List<Patch> patches;
    private final List<ImageWord> words;

    /**
     * Made by a runtime.
     *
     * @param width of the picture in pixels
     * @param height of the picture in pixels
     * @param measure what the values are
     * @param probabilities whether the values of a patch are not negative and those of the whole vocabulary sum to one
     * @param tiles in order
     * @param patches in the order of tile, row, column
     * @param words strongest first
     */
    public Explanation(
            int width,
            int height,
            Measure measure,
            boolean probabilities,
            List<Tile> tiles,
            List<Patch> patches,
            List<ImageWord> words) {
        this.width = width;
        this.height = height;
        this.measure = measure;
        this.probabilities = probabilities;
        this.tiles = Collections.unmodifiableList(new ArrayList<>(tiles));
        this.patches = Collections.unmodifiableList(new ArrayList<>(patches));
        this.words = Collections.unmodifiableList(new ArrayList<>(words));
        for (ImageWord word : words) {
            if (word.values.length != patches.size()) {
                throw new IllegalArgumentException("The heat map of '" + word.word.text() + "' has "
                        + word.values.length + " values for " + patches.size() + " patches");
            }
        }
    }

    /** {@return width of the picture in pixels, upright} */
    public int width() {
        return width;
    }

    /** {@return height of the picture in pixels, upright} */
    public int height() {
        return height;
    }

    /** {@return what the values of the words are} */
    public Measure measure() {
        return measure;
    }

    /**
     * Whether the values are probabilities: only those of an adapter with a softmax are.
     *
     * @return true if no value is negative and those of all words of a patch sum to one
     */
    public boolean areProbabilities() {
        return probabilities;
    }

    /**
     * The tiles the encoder saw.
     *
     * @return the whole picture first, then, with dynamic resolution, its parts row by row; unmodifiable
     */
    public List<Tile> tiles() {
        return tiles;
    }

    /**
     * All patches that reach the language model, one for each visual token but {@code image_newline}. With dynamic
     * resolution, patches that show only padding are left out, as the model leaves them out.
     *
     * @return in the order of tile, row, column; unmodifiable
     */
    public List<Patch> patches() {
        return patches;
    }

    /**
     * The words of the whole picture with their heat maps: the strongest, and those asked for.
     *
     * @return strongest first, unmodifiable
     */
    public List<ImageWord> words() {
        return words;
    }

    /**
     * Finds a word of the picture.
     *
     * @param text as {@link Word#text()} shows it
     * @return the strongest with this text, if it is among {@link #words()}; those asked for always are
     */
    public Optional<ImageWord> word(String text) {
        return words.stream().filter(word -> word.word.text().equals(text)).findFirst();
    }

    @Override
    public String toString() {
        return "Explanation[" + measure + ", " + patches.size() + " patches in " + tiles.size() + " tiles, "
                + words.size() + " words]";
    }

    /** What the value of a word in a patch is. */
    public enum Measure {
        /**
         * The factor with which the word's embedding goes into the visual token, as the projector gives it. Only
         * LangBridge adapters have them. They can be negative and do not sum to one, except after a softmax.
         */
        COEFFICIENT,
        /**
         * The cosine between the visual token and the word's embedding, over the whole vocabulary of the language
         * model: the view of the reference's visualisation. Any adapter has them, from -1 to 1. The token need not be
         * made of these words.
         */
        COSINE
    }

    /**
     * A word: one token of the language model, which may be only a part of a word.
     *
     * @param id in the language model, or -1 if it does not have it
     * @param token as the tokenizer's vocabulary writes it
     * @param text as people read it, without the space in front. What cannot be seen is written out: line breaks and
     *     tabs as {@code \n}, {@code \r}, {@code \t}, other invisible characters as {@code \{U+200B}}, bytes that are
     *     no whole character as {@code \xE2}, a backslash as {@code \\}, further spaces at an end as U+2423
     */
    public record Word(int id, String token, String text) {
        /**
         * Makes a word.
         *
         * @param id in the language model, or -1
         * @param token as the vocabulary writes it
         * @param text as people read it
         */
        public Word {
            Objects.requireNonNull(token, "token");
            Objects.requireNonNull(text, "text");
        }
    }

    /**
     * A word in a patch.
     *
     * @param word the word
     * @param value see {@link Explanation#measure()}
     * @param strength what words are ranked by: the value less half of the mean that it has in the patches of the
     *     picture, so that a word which all of them have counts for less than one that sets this patch apart; the value
     *     itself with {@link ExplainOptions#raw()}; its absolute value with {@link ExplainOptions#byMagnitude()}
     */
    public record Weight(Word word, float value, float strength) {
        /**
         * A word that is as strong as its value says.
         *
         * @param word the word
         * @param value see {@link Explanation#measure()}
         */
        public Weight(Word word, float value) {
            this(word, value, value);
        }
    }

    /**
     * A part of the picture, in pixels of the picture from its top left corner. It leaves the picture where that was
     * padded.
     *
     * @param left edge
     * @param top edge
     * @param right edge
     * @param bottom edge
     */
    public record Area(double left, double top, double right, double bottom) {
        /**
         * One cell of a grid over this area.
         *
         * @param row from 0 at the top
         * @param column from 0 at the left
         * @param rows of the grid
         * @param columns of the grid
         * @return the cell
         */
        public Area cell(int row, int column, int rows, int columns) {
            double x = (right - left) / columns;
            double y = (bottom - top) / rows;
            return new Area(left + x * column, top + y * row, left + x * (column + 1), top + y * (row + 1));
        }
    }

    /**
     * A part of the picture that the encoder saw at once: a square, or all of it at its own shape.
     *
     * @param index 0 is the whole picture, then its parts row by row
     * @param row of this tile among the parts, 0 at the top; 0 for the whole picture
     * @param column of this tile among the parts, 0 at the left; 0 for the whole picture
     * @param patchRows rows of patches
     * @param patchColumns columns of patches
     * @param area what of the picture it shows
     */
    public record Tile(int index, int row, int column, int patchRows, int patchColumns, Area area) {}

    /**
     * A patch: what one visual token stands for.
     *
     * @param tile its tile's {@link Tile#index()}
     * @param row in the tile, 0 at the top
     * @param column in the tile, 0 at the left
     * @param area what of the picture it shows
     * @param words its strongest words, strongest first. None if nothing lies on it: if the encoder sees there what it
     *     sees of a picture that is white, gray or black all over. That can be told where every visual token stands for
     *     one patch of the encoder, and is not with {@link ExplainOptions#raw()}
     */
    public record Patch(int tile, int row, int column, Area area, List<Weight> words) {
        /**
         * Makes a patch.
         *
         * @param tile its tile's index
         * @param row in the tile
         * @param column in the tile
         * @param area what of the picture it shows
         * @param words strongest first; copied
         */
        public Patch {
            words = Collections.unmodifiableList(new ArrayList<>(words));
        }
    }

    /** A word of the whole picture with its heat map. Immutable. */
    public static final class ImageWord {
        private final Word word;
        private final double strength;
        private final int strongIn;
        private final float[] values;

        /**
         * Made by a runtime.
         *
         * @param word the word
         * @param strength see {@link #strength()}
         * @param strongIn see {@link #strongIn()}
         * @param values one for each patch; copied
         */
        public ImageWord(Word word, double strength, int strongIn, float[] values) {
            this.word = word;
            this.strength = strength;
            this.strongIn = strongIn;
            this.values = values.clone();
        }

        /** {@return the word} */
        public Word word() {
            return word;
        }

        /**
         * How much of the picture it is: the sum of its {@linkplain Weight#strength() strengths} in the patches that
         * have it among their strongest words, divided by the number of all patches.
         *
         * @return 0 if no patch has it among its strongest
         */
        public double strength() {
            return strength;
        }

        /** {@return number of patches that have it among their strongest words} */
        public int strongIn() {
            return strongIn;
        }

        /**
         * The heat map: its value in a patch, whether it is among the strongest there or not.
         *
         * @param patch index into {@link Explanation#patches()}
         * @return see {@link Explanation#measure()}
         */
        public float value(int patch) {
            return values[patch];
        }

        @Override
        public String toString() {
            return "ImageWord[" + word.text() + ", strength " + strength + ", strong in " + strongIn + " patches]";
        }
    }
}

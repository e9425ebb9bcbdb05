package io.langbridge.runtime.core.explain;

import io.langbridge.CheckpointException;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.ReadableText;
import io.langbridge.runtime.core.text.Spelling;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Says which words the patches of a picture are made of. The coefficients of one tile are in memory at a time. Safe for
 * use by several threads.
 */
public final class Explainer {
    /** How much of what a word has in the whole picture is taken off; with all of it, a large thing hides itself. */
    private static final double COMMON = 0.5;

    private static final Strongest NONE = new Strongest(0, false);

    private final AdapterNetwork adapter;
    private final Tokenizer tokenizer;
    private final Embeddings embeddings;
    private final BinaryOperator<FloatTensor> product;
    private final @Nullable Supplier<SharedVocabulary.Transfer> vocabulary;
    private final Function<Image, FloatTensor> encoder;
    private SharedVocabulary.@Nullable Transfer known;
    private @Nullable Ground ground;

    /**
     * Explains the visual tokens of one adapter in words of one language model.
     *
     * @param tokenizer of the language model
     * @param embeddings of the language model
     * @param product {@code [m, d]} and {@code [n, d]} to {@code [m, n]}: the first times the second transposed
     * @param vocabulary finds the adapter's shared vocabulary in the language model, asked once; null if there is none
     * @param encoder gives the features of a picture, {@code [tiles, patches, mm_hidden]}; asked for a few small ones,
     *     once
     */
    public Explainer(
            AdapterNetwork adapter,
            Tokenizer tokenizer,
            Embeddings embeddings,
            BinaryOperator<FloatTensor> product,
            @Nullable Supplier<SharedVocabulary.Transfer> vocabulary,
            Function<Image, FloatTensor> encoder) {
        this.adapter = adapter;
        this.tokenizer = tokenizer;
        this.embeddings = embeddings;
        this.product = product;
        this.vocabulary = vocabulary;
        this.encoder = encoder;
    }

    /**
     * Explains a picture.
     *
     * @param features {@code [tiles, patches, mm_hidden]}, or {@code [1, patches of all tiles, mm_hidden]}
     * @param plan how it was cut
     * @throws UnsupportedModelException if coefficients are asked for and the adapter has none
     * @throws CheckpointException if there is no shared vocabulary, or a coefficient is not a number
     * @throws PromptException if a word asked for is not in the vocabulary
     */
    public Explanation explain(FloatTensor features, PicturePlan plan, ExplainOptions options) {
        Words words = options.measure() == Explanation.Measure.COSINE
                ? new AllWords(tokenizer, embeddings.rows())
                : new SharedWords(tokenizer, transfer());
        int[] asked = words.find(options.words());
        Scores scores = words instanceof AllWords all
                ? new Cosines(features, all, options)
                : new Coefficients(features, options);

        List<Explanation.Area> areas = plan.areas();
        TokenLayout layout = plan.layout();
        List<Place> places = places(layout);
        BitSet empty = options.raw() ? new BitSet() : empty(features, places, layout);
        Strongest[] strongest = new Strongest[places.size()];
        Map<Integer, Tally> tallies = new HashMap<>();
        try {
            scores.begin(places);
            // From the end, where the last tile is still in memory.
            for (int i = strongest.length - 1; i >= 0; i--) {
                Strongest found = empty.get(i) ? NONE : scores.strongest(places.get(i));
                strongest[i] = found;
                for (int rank = 0; rank < found.size(); rank++) {
                    tallies.computeIfAbsent(found.index(rank), index -> new Tally())
                            .add(found.strength(rank));
                }
            }
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "The " + adapter.config().type() + " adapter gives numbers that are none ("
                            + e.getMessage() + ", measured as " + options.measure()
                            + "); its weights, the encoder's or the embeddings are damaged, or training went wrong",
                    e);
        }
        int[] columns = columns(tallies, options.imageWords(), asked);
        float[][] values = new float[columns.length][places.size()];
        scores.values(places, columns, values);

        List<Explanation.ImageWord> imageWords = new ArrayList<>();
        for (int i = 0; i < columns.length; i++) {
            Tally tally = tallies.getOrDefault(columns[i], new Tally());
            imageWords.add(new Explanation.ImageWord(
                    words.word(columns[i]), tally.sum / Math.max(1, places.size()), tally.patches, values[i]));
        }
        return new Explanation(
                plan.picture().width(),
                plan.picture().height(),
                options.measure(),
                adapter.config() instanceof AdapterConfig.LangBridge langBridge
                        && langBridge.softmax()
                        && options.measure() == Explanation.Measure.COEFFICIENT,
                tiles(plan, areas),
                patches(places, layout, strongest, areas, words),
                imageWords);
    }

    /** The places on which nothing lies, where that can be told: where each has features of its own. */
    private BitSet empty(FloatTensor features, List<Place> places, TokenLayout layout) {
        BitSet empty = new BitSet();
        if (features.size(1) == layout.patches()) {
            Ground known = ground(layout.patches() - layout.rows() * layout.columns());
            float[] row = new float[features.size(2)];
            FloatBuffer rows = features.data();
            for (int i = 0; i < places.size(); i++) {
                Place place = places.get(i);
                ((Buffer) rows).position((place.tile * layout.patches() + place.token) * row.length);
                rows.get(row);
                empty.set(i, known.is(row));
            }
        }
        return empty;
    }

    private synchronized Ground ground(int classTokens) {
        if (ground == null) {
            ground = Ground.of(encoder, classTokens);
        }
        return ground;
    }

    private synchronized SharedVocabulary.Transfer transfer() {
        AdapterConfig config = adapter.config();
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            throw new UnsupportedModelException("An adapter of type " + config.type() + " is not made of words, only"
                    + " LangBridge adapters (mm_vocab) are; which words its visual tokens are near to is shown by"
                    + " ExplainOptions.builder().measure(Explanation.Measure.COSINE)");
        }
        if (vocabulary == null) {
            throw new CheckpointException("There is no shared vocabulary beside the LangBridge adapter, so its "
                    + langBridge.mmVocabSize()
                    + " columns have no names; name the file: Adapter.langBridge(projector, vocabulary)");
        }
        if (known == null) {
            known = vocabulary.get();
        }
        return known;
    }

    /**
     * Where a patch is: tile, patch among those of the tile, and position among the visual tokens of the tile and of
     * all tiles.
     */
    private record Place(int tile, int patch, int token, int source) {}

    /** The patches that become visual tokens, in the order of tile, row, column. */
    private static List<Place> places(TokenLayout layout) {
        // The class token, where the adapter was trained with it, comes first and is no patch.
        int classTokens = layout.patches() - layout.rows() * layout.columns();
        BitSet kept = new BitSet();
        for (int token = 0; token < layout.tokens(); token++) {
            for (int part = 0; part < layout.parts(token); part++) {
                if (layout.source(token, part) != TokenLayout.NEWLINE) {
                    kept.set(layout.source(token, part));
                }
            }
        }
        List<Place> places = new ArrayList<>();
        for (int source = kept.nextSetBit(0); source >= 0; source = kept.nextSetBit(source + 1)) {
            int tile = layout.view(source);
            int token = source - layout.first(tile);
            if (token >= classTokens) {
                places.add(new Place(tile, token - classTokens, token, source));
            }
        }
        return places;
    }

    /** The strongest words of the picture and those asked for, strongest first. */
    private static int[] columns(Map<Integer, Tally> tallies, int most, int[] asked) {
        List<Integer> ranked = new ArrayList<>(tallies.keySet());
        ranked.sort((a, b) -> compare(tallies, a, b));
        List<Integer> chosen = new ArrayList<>(ranked.subList(0, Math.min(most, ranked.size())));
        for (int column : asked) {
            if (!chosen.contains(column)) {
                chosen.add(column);
            }
        }
        chosen.sort((a, b) -> compare(tallies, a, b));
        return chosen.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int compare(Map<Integer, Tally> tallies, int a, int b) {
        int bySum = Double.compare(tallies.getOrDefault(b, Tally.NONE).sum, tallies.getOrDefault(a, Tally.NONE).sum);
        return bySum != 0 ? bySum : Integer.compare(a, b);
    }

    private static final class Tally {
        static final Tally NONE = new Tally();

        private double sum;
        private int patches;

        void add(float strength) {
            sum += strength;
            patches++;
        }
    }

    private static List<Explanation.Tile> tiles(PicturePlan plan, List<Explanation.Area> areas) {
        List<Explanation.Tile> tiles = new ArrayList<>();
        for (int tile = 0; tile < areas.size(); tile++) {
            PicturePlan.View view = plan.views().get(tile);
            tiles.add(new Explanation.Tile(
                    tile,
                    view.row(),
                    view.column(),
                    plan.layout().rows(tile),
                    plan.layout().columns(tile),
                    areas.get(tile)));
        }
        return tiles;
    }

    private static List<Explanation.Patch> patches(
            List<Place> places,
            TokenLayout layout,
            Strongest[] strongest,
            List<Explanation.Area> areas,
            Words words) {
        List<Explanation.Patch> patches = new ArrayList<>();
        for (int i = 0; i < places.size(); i++) {
            Place place = places.get(i);
            Strongest found = strongest[i];
            List<Explanation.Weight> weights = new ArrayList<>();
            for (int rank = 0; rank < found.size(); rank++) {
                weights.add(new Explanation.Weight(
                        words.word(found.index(rank)), found.value(rank), found.strength(rank)));
            }
            int rows = layout.rows(place.tile);
            int columns = layout.columns(place.tile);
            int row = place.patch / columns;
            int column = place.patch % columns;
            patches.add(new Explanation.Patch(
                    place.tile, row, column, areas.get(place.tile).cell(row, column, rows, columns), weights));
        }
        return patches;
    }

    /** How strong each word is in a patch. */
    private interface Scores {
        /** Called first: looks at all places of the picture. */
        void begin(List<Place> places);

        /** Called in the order of the places from the last to the first. */
        Strongest strongest(Place place);

        /** Values of some words in all places; {@code values[i][j]} is of {@code columns[i]} in place {@code j}. */
        void values(List<Place> places, int[] columns, float[][] values);
    }

    private final class Coefficients implements Scores {
        private final FloatTensor features;
        private final ExplainOptions options;
        private final float[] row;
        private float @Nullable [] common;
        private int tileInMemory = -1;
        private @Nullable FloatTensor ofTile;

        Coefficients(FloatTensor features, ExplainOptions options) {
            this.features = features;
            this.options = options;
            this.row = new float[((AdapterConfig.LangBridge) adapter.config()).mmVocabSize()];
        }

        private FloatBuffer of(Place place) {
            if (tileInMemory != place.tile || ofTile == null) {
                ofTile = null;
                ofTile = adapter.coefficients(features.rows(place.tile, place.tile + 1));
                tileInMemory = place.tile;
            }
            FloatBuffer values = ofTile.data();
            ((Buffer) values).position(place.token * row.length);
            return values;
        }

        @Override
        public void begin(List<Place> places) {
            if (options.raw()) {
                return;
            }
            double[] sums = new double[row.length];
            for (Place place : places) {
                of(place).get(row);
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += row[i];
                }
            }
            common = new float[sums.length];
            for (int i = 0; i < sums.length; i++) {
                common[i] = (float) (COMMON * sums[i] / places.size());
            }
        }

        @Override
        public Strongest strongest(Place place) {
            of(place).get(row);
            Strongest strongest = new Strongest(options.wordsPerPatch(), options.byMagnitude());
            strongest.offer(row, common, row.length, 0);
            return strongest;
        }

        @Override
        public void values(List<Place> places, int[] columns, float[][] values) {
            if (columns.length == 0) {
                return;
            }
            for (int j = 0; j < places.size(); j++) {
                of(places.get(j)).get(row);
                for (int i = 0; i < columns.length; i++) {
                    values[i][j] = row[columns[i]];
                }
            }
        }
    }

    private final class Cosines implements Scores {
        private final FloatTensor tokens;
        private final Nearest nearest;
        private final ExplainOptions options;
        private Strongest[] found = {};

        Cosines(FloatTensor features, AllWords words, ExplainOptions options) {
            FloatTensor visual = adapter.visualTokens(features);
            this.tokens = embedded(visual.reshape(visual.size(0) * visual.size(1), visual.size(2)));
            this.nearest = new Nearest(embeddings, words.known, product);
            this.options = options;
        }

        /** What takes the place of embeddings, without what enters the language model behind them. */
        private FloatTensor embedded(FloatTensor visual) {
            if (visual.size(1) == embeddings.width()) {
                return visual;
            }
            FloatTensor first = FloatTensor.allocate(visual.size(0), embeddings.width());
            FloatBuffer target = first.data();
            for (int i = 0; i < visual.size(0); i++) {
                FloatBuffer row = visual.rows(i, i + 1).data();
                ((Buffer) row).limit(embeddings.width());
                target.put(row);
            }
            return first;
        }

        @Override
        public void begin(List<Place> places) {
            found = nearest.of(tokens, options.raw() ? 0 : COMMON, options.wordsPerPatch(), options.byMagnitude());
        }

        @Override
        public Strongest strongest(Place place) {
            return found[place.source];
        }

        @Override
        public void values(List<Place> places, int[] columns, float[][] values) {
            float[][] cosines = nearest.cosines(tokens, columns);
            for (int i = 0; i < columns.length; i++) {
                for (int j = 0; j < places.size(); j++) {
                    Place place = places.get(j);
                    values[i][j] = cosines[i][place.source];
                }
            }
        }
    }

    /** Names of what is scored. */
    private abstract static class Words {
        private final Map<Integer, Explanation.Word> made = new HashMap<>();

        abstract int size();

        abstract Explanation.@Nullable Word make(int index);

        final Explanation.Word word(int index) {
            Explanation.Word word = made.get(index);
            if (word == null) {
                word = make(index);
                if (word == null) {
                    throw new AssertionError("Row " + index + " has no token");
                }
                made.put(index, word);
            }
            return word;
        }

        final int[] find(List<String> texts) {
            if (texts.isEmpty()) {
                return new int[0];
            }
            BitSet found = new BitSet();
            List<String> missing = new ArrayList<>(texts);
            for (int index = 0; index < size(); index++) {
                Explanation.Word word = make(index);
                if (word != null && texts.contains(word.text())) {
                    found.set(index);
                    missing.remove(word.text());
                }
            }
            if (!missing.isEmpty()) {
                throw new PromptException("Not among the " + size() + " words of the vocabulary: " + missing
                        + ". Words are single tokens, as Explanation.Word.text() shows them; a longer word may have to be"
                        + " asked for by a part of it");
            }
            return found.stream().toArray();
        }
    }

    /** The columns of a LangBridge adapter. */
    private static final class SharedWords extends Words {
        private final Tokenizer tokenizer;
        private final List<String> tokens;
        private final int[] ids;
        private final Spelling spelling;

        SharedWords(Tokenizer tokenizer, SharedVocabulary.Transfer transfer) {
            this.tokenizer = tokenizer;
            this.tokens = transfer.tokens();
            this.ids = transfer.idsOrMinusOne();
            Spelling own = Spelling.of(tokens);
            this.spelling = own == null ? tokenizer.spelling() : own;
        }

        @Override
        int size() {
            return ids.length;
        }

        @Override
        Explanation.Word make(int index) {
            String token = tokens.get(index);
            byte[] bytes = ids[index] >= 0 ? tokenizer.bytesOf(ids[index]) : spelling.bytesOf(token);
            return new Explanation.Word(ids[index], token, ReadableText.of(bytes));
        }
    }

    /** The rows of the language model's embeddings that have a token; models often have more rows. */
    private static final class AllWords extends Words {
        private final Tokenizer tokenizer;
        private final BitSet known = new BitSet();
        private final int rows;

        AllWords(Tokenizer tokenizer, int rows) {
            this.tokenizer = tokenizer;
            this.rows = rows;
            for (int id = 0; id < rows; id++) {
                known.set(id, tokenizer.tokenOf(id) != null);
            }
        }

        @Override
        int size() {
            return rows;
        }

        @Override
        Explanation.@Nullable Word make(int index) {
            String token = tokenizer.tokenOf(index);
            return token == null ? null : new Explanation.Word(index, token, ReadableText.of(tokenizer.bytesOf(index)));
        }
    }
}

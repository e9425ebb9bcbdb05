package io.langbridge.demoworld;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

/**
 * Whether the words of patches name what lies on them, and claim nothing where nothing lies, in scenes that the model
 * has never seen. Each way of explaining is one row.
 */
final class WordScores {
    /** So many of the strongest words are looked at. */
    static final List<Integer> RANKS = List.of(1, 3, 10);

    private static final int MOST = 10;
    private static final int OF_PICTURE = 20;
    private static final Set<String> CLAIMS = claims();

    /** The shares of one way to explain, each of {@link #RANKS}, and of the scenes of one seed. */
    record Row(List<Evaluation.Score> named, List<Evaluation.Score> claimed, Evaluation.Score ofPicture) {
        static Row none() {
            Evaluation.Score zero = new Evaluation.Score(0, 0);
            List<Evaluation.Score> zeros = Collections.nCopies(RANKS.size(), zero);
            return new Row(new ArrayList<>(zeros), new ArrayList<>(zeros), zero);
        }
    }

    private final Map<String, List<Row>> rows = new LinkedHashMap<>();

    private WordScores() {}

    /**
     * Explains pictures in every way that the model's adapter allows.
     *
     * @param seeds of the scenes; ones that training did not use
     * @param scenes how many of each seed
     * @param progress told how many scenes are done
     */
    static WordScores of(VisionLanguageModel model, List<Long> seeds, int scenes, IntConsumer progress) {
        WordScores scores = new WordScores();
        int done = 0;
        for (long seed : seeds) {
            Map<String, Row> ofSeed = new LinkedHashMap<>();
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < scenes; i++) {
                Scene scene = Scene.random(random);
                EncodedImage picture = model.encode(Painter.image(scene));
                for (Explanation.Measure measure : Explanation.Measure.values()) {
                    for (boolean raw : new boolean[] {true, false}) {
                        explain(model, picture, scene, measure, raw, ofSeed);
                    }
                }
                progress.accept(++done);
            }
            ofSeed.forEach((name, row) ->
                    scores.rows.computeIfAbsent(name, n -> new ArrayList<>()).add(row));
        }
        return scores;
    }

    private static void explain(
            VisionLanguageModel model,
            EncodedImage picture,
            Scene scene,
            Explanation.Measure measure,
            boolean raw,
            Map<String, Row> rows) {
        Explanation explanation;
        try {
            explanation = model.explain(
                    picture,
                    ExplainOptions.builder()
                            .measure(measure)
                            .raw(raw)
                            .wordsPerPatch(MOST)
                            .imageWords(OF_PICTURE)
                            .build());
        } catch (UnsupportedModelException e) {
            return; // its adapter is not made of words
        }
        String name = measure.name().toLowerCase(Locale.ROOT) + (raw ? ", raw" : "");
        Row old = rows.computeIfAbsent(name, n -> Row.none());
        rows.put(name, scored(explanation, scene, old));
    }

    private static Row scored(Explanation explanation, Scene scene, Row row) {
        int side = explanation.tiles().get(0).patchColumns();
        PatchMap map = new PatchMap(scene, side);
        for (Explanation.Patch patch : explanation.patches()) {
            int number = patch.row() * side + patch.column();
            int item = map.item(number);
            if (item >= 0) {
                count(patch, names(scene.items().get(item)), row.named);
            } else if (map.isEmpty(number)) {
                count(patch, CLAIMS, row.claimed);
            }
        }
        Set<String> ofPicture = explanation.words().stream()
                .limit(OF_PICTURE)
                .map(word -> word.word().text())
                .collect(Collectors.toSet());
        Evaluation.Score found = row.ofPicture;
        for (Item item : scene.items()) {
            for (Set<String> ofItem : List.of(colour(item), figure(item))) {
                found = found.plus(ofItem.stream().anyMatch(ofPicture::contains));
            }
        }
        return new Row(row.named, row.claimed, found);
    }

    private static void count(Explanation.Patch patch, Set<String> names, List<Evaluation.Score> scores) {
        for (int i = 0; i < scores.size(); i++) {
            scores.set(
                    i,
                    scores.get(i)
                            .plus(patch.words().stream()
                                    .limit(RANKS.get(i))
                                    .anyMatch(weight ->
                                            names.contains(weight.word().text()))));
        }
    }

    /** The words that name an item's colour or figure; of a character also the character. */
    static Set<String> names(Item item) {
        Set<String> names = new HashSet<>(colour(item));
        names.addAll(figure(item));
        return names;
    }

    private static Set<String> colour(Item item) {
        return item.colour() == Colour.GRAY ? Set.of("gray", "grey") : Set.of(item.colour().word());
    }

    private static Set<String> figure(Item item) {
        Set<String> names = new HashSet<>();
        if (item.figure().isCharacter()) {
            names.add(String.valueOf(item.character()));
        } else {
            names.add(item.figure().word());
            names.addAll(item.figure().synonyms());
        }
        return names;
    }

    /** All words that name a thing of this world, or its colour. */
    private static Set<String> claims() {
        Set<String> claims = new HashSet<>(Set.of("grey"));
        for (Colour colour : Colour.values()) {
            claims.add(colour.word());
        }
        for (Figure figure : Figure.values()) {
            claims.add(figure.word());
            claims.addAll(figure.synonyms());
        }
        for (char c = 'A'; c <= 'Z'; c++) {
            claims.add(String.valueOf(c));
        }
        for (char c = '0'; c <= '9'; c++) {
            claims.add(String.valueOf(c));
        }
        return claims;
    }

    /** The rows of each seed, by how was explained. */
    Map<String, List<Row>> rows() {
        return rows;
    }

    /** A line for each way to explain: mean of the seeds, in brackets lowest and highest. */
    String table() {
        StringBuilder table = new StringBuilder("| |");
        RANKS.forEach(rank -> table.append(" named within ").append(rank).append(" |"));
        RANKS.forEach(rank -> table.append(" ground claims within ").append(rank).append(" |"));
        table.append(" of the picture's things, among its ").append(OF_PICTURE).append(" |\n|---|");
        table.append("---|".repeat(2 * RANKS.size() + 1)).append('\n');
        rows.forEach((name, all) -> {
            table.append("| ").append(name).append(" |");
            for (int i = 0; i < RANKS.size(); i++) {
                int rank = i;
                table.append(cell(all.stream().map(row -> row.named.get(rank)).toList()));
            }
            for (int i = 0; i < RANKS.size(); i++) {
                int rank = i;
                table.append(cell(all.stream().map(row -> row.claimed.get(rank)).toList()));
            }
            table.append(cell(all.stream().map(Row::ofPicture).toList())).append('\n');
        });
        return table.toString();
    }

    private static String cell(List<Evaluation.Score> scores) {
        double[] shares =
                scores.stream().mapToDouble(score -> 100 * score.share()).sorted().toArray();
        double mean = scores.stream().mapToDouble(Evaluation.Score::share).average().orElse(0) * 100;
        return String.format(Locale.ROOT, " %.1f (%.1f, %.1f) |", mean, shares[0], shares[shares.length - 1]);
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        rows.forEach((name, all) -> {
            JsonArray seeds = new JsonArray();
            for (Row row : all) {
                JsonObject seed = new JsonObject();
                for (int i = 0; i < RANKS.size(); i++) {
                    seed.addProperty("named_" + RANKS.get(i), row.named.get(i).share());
                    seed.addProperty("claimed_" + RANKS.get(i), row.claimed.get(i).share());
                }
                seed.addProperty("of_picture", row.ofPicture.share());
                seed.addProperty("patches", row.named.get(0).of());
                seed.addProperty("ground", row.claimed.get(0).of());
                seeds.add(seed);
            }
            json.add(name, seeds);
        });
        return json;
    }
}

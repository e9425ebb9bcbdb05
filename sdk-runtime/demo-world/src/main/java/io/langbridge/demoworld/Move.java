package io.langbridge.demoworld;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.runtime.training.NewAdapter;
import io.langbridge.runtime.training.Training;
import io.langbridge.runtime.training.TrainingExample;
import io.langbridge.runtime.training.TrainingResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What is left of an adapter in front of a language model that has never seen a picture: moved as it is, moved in
 * closed form, and after a little training. {@code A} and {@code B} are language models that know text only.
 */
@Command(
        name = "move",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Moves adapters to a language model that has learnt from text alone, in many ways. Stopped and"
                + " started again, it goes on with what is missing. Takes hours.")
final class Move implements Callable<Integer> {
    /** What to try, in this order. */
    private enum Part {
        /** The model's adapter, as it is and through maps between embeddings. */
        CLOSED_FORM,
        /** Adapters fitted to words on patches; no language model is asked. */
        LABELS,
        /** Adapters that a language model aligned which had only read. */
        STAGE_1,
        /** The moved adapter alone is trained in front of B on a few pictures, again and again. */
        FEW,
        /** The same with a new adapter. */
        FEW_NEW,
        /** Adapter and language model are tuned a little, from different starts. */
        TUNED,
        /** One adapter in front of two language models by turns. */
        JOINT
    }

    private static final int ROUNDS = 8;
    private static final int STRONGEST = 8;
    private static final long SEEN_SEED = 3_000_017;

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, description = "Folder for all that is made.")
    private Path out;

    @Option(
            names = "--model",
            required = true,
            description = "Folder of a trained model: encoder, adapter, and llm, which was tuned with the adapter.")
    private Path model;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is trained.")
    private long seed;

    @Option(
            names = "--seeds",
            split = ",",
            defaultValue = "1000003,1000033,1000037",
            description = "Of the scenes to measure on; ones not used in training.")
    private List<Long> seeds;

    @Option(names = "--scenes", defaultValue = "100", description = "Pictures of each seed, six questions each.")
    private int scenes;

    @Option(names = "--length", defaultValue = "1", description = "Of learning from text, as for train.")
    private double length;

    @Option(
            names = "--steps",
            defaultValue = "300",
            description = "Updates of an adapter in front of a language model that stays as it is, 16 records each.")
    private int steps;

    @Option(
            names = "--updates",
            split = ",",
            defaultValue = "150,300,600,1200",
            description = "Of adapter and language model where both are tuned, 8 records each; a training for each.")
    private List<Integer> updates;

    @Option(names = "--labelled", defaultValue = "512", description = "Pictures to fit words of notes to.")
    private int labelled;

    @Option(
            names = "--pictures",
            split = ",",
            defaultValue = "512,64,8",
            description = "How many few pictures are, eight questions each.")
    private List<Integer> pictures;

    @Option(names = "--parts", split = ",", description = "${COMPLETION-CANDIDATES}; by default all, in this order.")
    private List<Part> parts = List.of(Part.values());

    private final List<JsonObject> results = new ArrayList<>();
    private Recipe texts;
    private Recipe recipe;
    private Encoder encoder;
    private Adapter adapter;
    private Llm home;
    private Llm b;
    /** What words of notes are fitted to, and what lies behind the first layer there. */
    private Seen notes;

    private double[][] latent;

    @Override
    public Integer call() throws IOException {
        Path file = results();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                results.add(JsonParser.parseString(line).getAsJsonObject());
            }
        }
        texts = new Recipe(out, seed, length, Train::progress);
        recipe = new Recipe(out, seed, 1, Train::progress);
        encoder = Recipe.asUsed(Encoder.of(model.resolve("encoder")));
        adapter = Adapter.langBridge(model.resolve("adapter"));
        home = Llm.of(model.resolve("llm"));
        b = texts.text(LlmFolder.B);
        for (Part part : parts) {
            switch (part) {
                case CLOSED_FORM -> closedForm();
                case LABELS -> labels();
                case STAGE_1 -> stage1();
                case FEW -> few();
                case FEW_NEW -> few("nothing", training -> training.newAdapter(Recipe.mlp()));
                case TUNED -> tuned();
                case JOINT -> joint();
            }
        }
        print();
        return 0;
    }

    private Path results() {
        return out.resolve("move.jsonl");
    }

    private void closedForm() throws IOException {
        told("B", b);
        row("model's adapter, at home", home, adapter);
        moved("model's adapter", adapter, home, true);
        Adapter mlp = recipe.align("mlp-at-home", encoder, Recipe.mlp(), home, steps);
        row("MLP, stage 1 in front of the model's, at home", home, mlp);
        moved("MLP, stage 1 in front of the model's", mlp, home, false);
    }

    /** Moves an adapter to B through maps that are fitted to the tokens that both language models have. */
    private void moved(String name, Adapter source, Llm from, boolean all) throws IOException {
        AdapterLayers layers = AdapterLayers.read(source);
        SharedTokens shared = SharedTokens.all(from, b);
        AdapterLayers tokens = layers;
        if (source instanceof LangBridgeAdapter) {
            SharedTokens words = SharedTokens.of(from, b, source.path().resolve("vocabulary.json"));
            LinearMap mixture = LinearMap.mixture(words.to());
            tokens = layers.then(LinearMap.mixture(words.from()));
            double[][] coefficients = seen(source, 32).through(layers.write(folder(name, "coefficients")));
            row(name + ", its words", b, layers.then(mixture));
            row(name + ", its words, as long as words", b, layers.then(asWords(mixture, coefficients, shared)));
            if (all) {
                AdapterLayers positive = layers.above(0);
                row(
                        name + ", its words, none below 0",
                        b,
                        positive.then(asWords(
                                mixture, seen(source, 32).through(positive.write(folder(name, "positive"))), shared)));
                double threshold = threshold(coefficients);
                AdapterLayers strongest = layers.beyond(threshold);
                row(
                        name + ", its strongest words",
                        b,
                        strongest.then(asWords(
                                mixture,
                                seen(source, 32).through(strongest.write(folder(name, "strongest"))),
                                shared)));
                double warmth = length(coefficients, same(coefficients)) / Math.sqrt(coefficients[0].length) / 2;
                int width = coefficients[0].length;
                LinearMap cooled = LinearMap.mixture(AdapterLayers.diagonal(width, 1 / warmth));
                row(
                        name + ", softmax of its words",
                        b,
                        layers.then(cooled)
                                .write(folder(name, "softmax"), source.path().resolve("vocabulary.json"), true));
            }
        }
        double[][] seen = seen(source, 32).through(tokens.write(folder(name, "tokens")));
        double atHome = length(seen, same(seen)) / length(shared.from(), shared.counts());
        spec.commandLine().getOut().printf(Locale.ROOT, "%s: %.1f times as long as words at home%n", name, atHome);
        for (Map.Entry<String, LinearMap> map : maps(shared, all).entrySet()) {
            LinearMap asWords = asWords(map.getValue(), seen, shared);
            double explained = map.getValue().explained(shared.from(), shared.to(), shared.counts());
            spec.commandLine().getOut().printf(Locale.ROOT, "%s explains %.3f%n", map.getKey(), explained);
            row(name + ", " + map.getKey(), b, tokens.then(asWords));
            if (all && map.getKey().equals("ridge by counts")) {
                row(name + ", " + map.getKey() + ", as long as at home", b, tokens.then(asWords.times(atHome)));
            }
        }
    }

    private static Map<String, LinearMap> maps(SharedTokens shared, boolean all) {
        double[][] from = shared.from();
        double[][] to = shared.to();
        LinearMap ridge = LinearMap.leastSquares(from, to, shared.counts(), 0.1, true);
        Map<String, LinearMap> maps = new LinkedHashMap<>();
        maps.put("ridge by counts", ridge);
        maps.put("procrustes by counts", LinearMap.procrustes(from, to, shared.counts()));
        if (all) {
            maps.put("pseudo-inverse", LinearMap.leastSquares(from, to, shared.present(), 0, false));
            maps.put("ridge", LinearMap.leastSquares(from, to, shared.present(), 0.1, true));
            maps.put("procrustes", LinearMap.procrustes(from, to, shared.present()));
            maps.put("rank 32", ridge.ofRank(32, from, shared.counts()));
            maps.put("rank 8", ridge.ofRank(8, from, shared.counts()));
        }
        return maps;
    }

    /** A map with a factor by which what it makes of tokens is as long as B's words, on average. */
    private static LinearMap asWords(LinearMap map, double[][] tokens, SharedTokens shared) {
        double[][] mapped = Arrays.stream(tokens).map(map::of).toArray(double[][]::new);
        return map.times(length(shared.to(), shared.counts()) / length(mapped, same(mapped)));
    }

    /** Root of the mean square of lengths. */
    private static double length(double[][] rows, double[] weights) {
        double sum = 0;
        for (int i = 0; i < rows.length; i++) {
            sum += weights[i]
                    * Arrays.stream(rows[i]).map(value -> value * value).sum();
        }
        return Math.sqrt(sum / Arrays.stream(weights).sum());
    }

    private static double[] same(double[][] rows) {
        double[] weights = new double[rows.length];
        Arrays.fill(weights, 1);
        return weights;
    }

    /** Beyond it lie as many of a patch's coefficients as are to stay, on average. */
    private static double threshold(double[][] coefficients) {
        double[] sizes = Arrays.stream(coefficients)
                .flatMapToDouble(Arrays::stream)
                .map(Math::abs)
                .sorted()
                .toArray();
        return sizes[sizes.length - STRONGEST * coefficients.length];
    }

    /** Adapters whose coefficients are fitted, in closed form, to the words that notes have for what is on a patch. */
    private void labels() throws IOException {
        Path vocabulary = adapter.path().resolve("vocabulary.json");
        LinearMap mixture =
                LinearMap.mixture(SharedTokens.of(home, b, vocabulary).to());
        for (NoteWords form : NoteWords.values()) {
            String name = "words of notes, " + form.name().toLowerCase(Locale.ROOT);
            row(name, b, fitted(form, home, vocabulary).then(mixture));
        }
        row(
                "words of notes, spelled, clear ones",
                b,
                fitted(NoteWords.SPELLED, home, vocabulary).above(0.5).then(mixture.times(2)));
    }

    /** Coefficients of the words of notes, from what lies behind the first layer of the model's adapter. */
    private AdapterLayers fitted(NoteWords form, Llm llm, Path vocabulary) throws IOException {
        AdapterLayers layers = AdapterLayers.read(adapter);
        if (notes == null) {
            notes = seen(adapter, labelled);
            latent = notes.through(layers.latent().write(folder("labels", "latent")));
        }
        double[][] words = form.coefficients(notes.scenes(), llm, vocabulary);
        return layers.withLast(LinearMap.leastSquares(latent, words, same(words), 1e-3, true));
    }

    /** Stage 1 of a new adapter, in front of a language model that has only read. */
    private Adapter aligned(String kind, NewAdapter adapter, Llm a) {
        return recipe.align("stage1-" + kind, encoder, adapter, a, steps);
    }

    private void stage1() throws IOException {
        Llm a = texts.text(LlmFolder.A);
        told("A", a);
        Path vocabulary = recipe.vocabulary(a, b);
        LinearMap mixture = LinearMap.mixture(SharedTokens.of(a, b, vocabulary).from());
        row(
                "A: words of notes, spelled",
                a,
                fitted(NoteWords.SPELLED, a, vocabulary).then(mixture));
        Map<String, NewAdapter> kinds = new LinkedHashMap<>();
        kinds.put("langbridge", Recipe.langBridge(vocabulary));
        kinds.put("softmax", Recipe.langBridge(vocabulary).softmax());
        kinds.put("mlp", Recipe.mlp());
        for (Map.Entry<String, NewAdapter> kind : kinds.entrySet()) {
            Adapter aligned = aligned(kind.getKey(), kind.getValue(), a);
            String name = "stage 1 in front of A, " + kind.getKey();
            row("A: " + name, a, aligned);
            if (kind.getKey().equals("softmax")) {
                row("B: " + name + ", its words", b, aligned);
            } else {
                moved("B: " + name, aligned, a, false);
            }
        }
        Adapter worded =
                fitted(NoteWords.AT_CENTRE, a, vocabulary).write(folder("labels", "langbridge"), vocabulary, false);
        Adapter aligned = recipe.aligning("stage1-worded", encoder, a, steps / 4)
                .adapter(worded)
                .data(Lessons.pictures(seed + 10, Recipe.QUESTIONS))
                .build()
                .run()
                .adapter();
        row("A: stage 1 in front of A, from words of notes", a, aligned);
        row("B: stage 1 in front of A, from words of notes", b, aligned);
    }

    /** An adapter with its words as B has them, to go on from; as long as they are at home, or as words. */
    private Adapter itsWords(String name, Adapter source, Llm from, boolean asWords) throws IOException {
        SharedTokens words = SharedTokens.of(from, b, source.path().resolve("vocabulary.json"));
        AdapterLayers layers = AdapterLayers.read(source);
        LinearMap mixture = LinearMap.mixture(words.to());
        if (asWords) {
            double[][] coefficients = seen(source, 32).through(layers.write(folder(name, "coefficients")));
            mixture = asWords(mixture, coefficients, SharedTokens.all(from, b));
        }
        return layers.then(mixture).write(folder(name, asWords ? "as words" : "as at home"));
    }

    private void few() throws IOException {
        Adapter asWords = itsWords("its words", adapter, home, true);
        few("its words, as long as words", training -> training.adapter(asWords));
    }

    private void few(String from, UnaryOperator<Training.Builder> start) throws IOException {
        Iterable<TrainingExample> all = Lessons.pictures(seed + 12, Recipe.QUESTIONS);
        for (int count : pictures) {
            String name = "B: adapter alone, from " + from + ", " + count + " pictures";
            if (!missing(name).isEmpty()) {
                Training.Builder training = recipe.aligning(name.replaceAll("\\W+", "-"), encoder, b, steps)
                        .data(first(all, count));
                row(name, b, start.apply(training).build().run().adapter());
            }
        }
    }

    private static List<TrainingExample> first(Iterable<TrainingExample> all, int count) {
        List<TrainingExample> some = new ArrayList<>();
        Iterator<TrainingExample> iterator = all.iterator();
        while (some.size() < count) {
            some.add(iterator.next());
        }
        return some;
    }

    private void tuned() throws IOException {
        tuned("its words", adapter, home);
        Llm a = texts.text(LlmFolder.A);
        Adapter aligned = aligned("langbridge", Recipe.langBridge(recipe.vocabulary(a, b)), a);
        tuned("words of stage 1 in front of A", aligned, a);
        SharedTokens shared = SharedTokens.all(home, b);
        SharedTokens vocabulary = SharedTokens.of(home, b, adapter.path().resolve("vocabulary.json"));
        AdapterLayers tokens = AdapterLayers.read(adapter).then(LinearMap.mixture(vocabulary.from()));
        double[][] seen = seen(adapter, 32).through(tokens.write(folder("tuned", "tokens")));
        LinearMap ridge = asWords(maps(shared, false).get("ridge by counts"), seen, shared);
        Adapter mapped = tokens.then(ridge).write(folder("tuned", "ridge"));
        tuned("ridge by counts", training -> training.adapter(mapped));
        tuned("nothing", training -> training.newAdapter(Recipe.mlp()));
    }

    private void tuned(String from, Adapter source, Llm llm) throws IOException {
        Adapter words = itsWords(from, source, llm, false);
        tuned(from, training -> training.adapter(words));
        Adapter asWords = itsWords(from, source, llm, true);
        tuned(from + ", as long as words", training -> training.adapter(asWords));
    }

    private void tuned(String from, UnaryOperator<Training.Builder> start) throws IOException {
        for (int count : updates) {
            String name = "B: tuned from " + from + ", " + count + " updates";
            if (!missing(name).isEmpty()) {
                Training.Builder training = recipe.tuning(name.replaceAll("\\W+", "-"), encoder, b, count);
                TrainingResult tuned = start.apply(training).build().run();
                row(name, tuned.llm(), tuned.adapter());
            }
        }
    }

    private void joint() throws IOException {
        Llm a = texts.text(LlmFolder.A);
        Recipe other = new Recipe(out.resolve("third"), seed + 1000, length, Train::progress);
        Llm third = other.text(LlmFolder.A);
        told("a third", third);
        Adapter joint = null;
        for (int round = 0; round < ROUNDS; round++) {
            Training.Builder training = recipe.aligning(
                            "joint-" + round, encoder, round % 2 == 0 ? a : third, steps / 2)
                    .data(Lessons.pictures(seed + 100 + round, Recipe.QUESTIONS));
            joint = (joint == null
                            ? training.newAdapter(Recipe.langBridge(other.vocabulary(a, third, b)))
                            : training.adapter(joint))
                    .build()
                    .run()
                    .adapter();
        }
        row("A: in front of A and a third by turns", a, joint);
        row("a third: in front of A and a third by turns", third, joint);
        row("B: in front of A and a third by turns, moved", b, joint);
    }

    private Seen seen(Adapter source, int count) {
        return new Seen(encoder, source, SEEN_SEED, count, out.resolve("cache"));
    }

    private Path folder(String name, String what) {
        return out.resolve("adapters").resolve((name + " " + what).replaceAll("\\W+", "-"));
    }

    private void row(String name, Llm llm, AdapterLayers layers) throws IOException {
        row(name, llm, layers.write(folder("row", name)));
    }

    private void row(String name, Llm llm, Adapter moved) throws IOException {
        measure(name, llm, moved, (model, number) -> Evaluation.of(model, number, scenes, done -> {}));
    }

    /** Without a picture, a language model's text alone is asked: about a scene that it is told, and about none. */
    private void told(String name, Llm llm) throws IOException {
        Adapter nothing = AdapterLayers.read(adapter).then(nothing(llm)).write(folder("told", name));
        measure(
                name + ": told in words",
                llm,
                nothing,
                (model, number) -> Evaluation.told(model, number, scenes, true));
        measure(
                name + ": told nothing",
                llm,
                nothing,
                (model, number) -> Evaluation.told(model, number, scenes, false));
    }

    private LinearMap nothing(Llm llm) {
        SharedTokens shared = SharedTokens.all(home, llm);
        int coefficients =
                SharedVocabulary.read(adapter.path().resolve("vocabulary.json")).size();
        return LinearMap.nothing(coefficients, shared.to(), shared.counts());
    }

    private List<Long> missing(String name) {
        return seeds.stream()
                .filter(number -> results.stream()
                        .noneMatch(result -> result.get("row").getAsString().equals(name)
                                && result.get("seed").getAsLong() == number))
                .toList();
    }

    /** Asks what has not been asked yet. */
    private void measure(String name, Llm llm, Adapter moved, BiFunction<VisionLanguageModel, Long, Evaluation> asking)
            throws IOException {
        List<Long> missing = missing(name);
        if (missing.isEmpty()) {
            return;
        }
        try (VisionLanguageModel asked = VisionLanguageModel.builder()
                .encoder(encoder)
                .adapter(
                        moved instanceof LangBridgeAdapter langBridge
                                ? langBridge.missingTokens(MissingTokens.DROP)
                                : moved)
                .llm(llm)
                .withoutCache()
                .build()) {
            for (long number : missing) {
                Evaluation evaluation = asking.apply(asked, number);
                JsonObject result = new JsonObject();
                result.addProperty("row", name);
                result.addProperty("seed", number);
                evaluation.json().entrySet().forEach(entry -> result.add(entry.getKey(), entry.getValue()));
                Files.writeString(results(), result + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                results.add(result);
            }
        }
    }

    /** All questions: mean, lowest and highest of the seeds; each kind: mean. In per cent. */
    private void print() {
        PrintWriter console = spec.commandLine().getOut();
        Map<String, List<JsonObject>> rows = new LinkedHashMap<>();
        results.forEach(result -> rows.computeIfAbsent(result.get("row").getAsString(), name -> new ArrayList<>())
                .add(result));
        List<String> kinds = Arrays.stream(Question.Kind.values())
                .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                .toList();
        console.println("| | all | " + String.join(" | ", kinds) + " |");
        console.println("|---|---|" + "---|".repeat(kinds.size()));
        rows.forEach((name, all) -> {
            DoubleSummaryStatistics overall = shares(all, "all");
            console.printf(
                    Locale.ROOT,
                    "| %s | %.1f (%.1f, %.1f) |",
                    name,
                    overall.getAverage(),
                    overall.getMin(),
                    overall.getMax());
            kinds.forEach(kind ->
                    console.printf(Locale.ROOT, " %.0f |", shares(all, kind).getAverage()));
            console.println();
        });
        console.flush();
    }

    private static DoubleSummaryStatistics shares(List<JsonObject> results, String key) {
        return results.stream()
                .filter(result -> result.has(key))
                .mapToDouble(result -> 100 * result.get(key).getAsDouble())
                .summaryStatistics();
    }
}

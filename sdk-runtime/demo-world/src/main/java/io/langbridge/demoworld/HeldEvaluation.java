package io.langbridge.demoworld;

import com.google.gson.JsonObject;
import io.langbridge.AnswerException;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.demoworld.Evaluation.Score;
import io.langbridge.demoworld.Question.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What it costs or gains to hold answers to a form. One item of a picture as a record, all items as a list, beside free
 * answers to the same question; and questions whose answer is chosen among labels, with how well the probabilities are
 * calibrated.
 */
final class HeldEvaluation {
    private static final int BINS = 10;
    private static final int QUESTIONS = 6;
    private static final int MOST_TOKENS = 300;

    private static final List<String> COLOURS =
            Arrays.stream(Colour.values()).map(Colour::word).collect(Collectors.toList());
    private static final List<String> NOUNS = nouns();
    private static final Pattern SENTENCE = Pattern.compile("(?:small|medium|large) (" + any(COLOURS) + ") ("
            + any(NOUNS) + ") (?:in the|on the|at the) (" + any(Place.ASKED) + ")");

    /** The form of the descriptions that the model has learnt. */
    static final String DESCRIPTION = "There is " + item() + "((, " + item() + "){0,3} and " + item() + ")?\\.";

    private static final String THING = "{\"type\": \"object\", \"required\": [\"colour\", \"shape\", \"place\"],"
            + " \"properties\": {\"colour\": {\"enum\": " + quoted(COLOURS) + "}, \"shape\": {\"enum\": "
            + quoted(NOUNS)
            + "}, \"place\": {\"enum\": " + quoted(Place.ASKED) + "}}}";
    private static final String THINGS =
            "{\"type\": \"array\", \"minItems\": 1, \"maxItems\": 5, \"items\": " + THING + "}";

    private final Map<String, Score> scores = new LinkedHashMap<>();
    private final Map<String, List<double[]>> choices = new LinkedHashMap<>(); // by kind: confidence, and 1 if right
    private double totals;

    /** What is known of an item by its description. */
    record Thing(String colour, String shape, String place) implements Comparable<Thing> {
        static Thing of(Scene scene, Item item) {
            return new Thing(item.colour().word(), item.noun(), Place.cell(scene, item));
        }

        static Thing of(Object json) {
            Map<?, ?> members = (Map<?, ?>) json;
            return new Thing(
                    (String) members.get("colour"), (String) members.get("shape"), (String) members.get("place"));
        }

        @Override
        public int compareTo(Thing other) {
            return toString().compareTo(other.toString());
        }
    }

    private HeldEvaluation() {}

    private static List<String> nouns() {
        List<String> nouns = new ArrayList<>();
        for (Figure figure : Figure.values()) {
            if (!figure.isCharacter()) {
                nouns.add(figure.word());
            }
        }
        characters().forEach(nouns::add);
        return nouns;
    }

    private static Stream<String> characters() {
        return Stream.concat(
                Scene.LETTERS.chars().mapToObj(c -> Figure.LETTER.word() + " " + (char) c),
                "0123456789".chars().mapToObj(c -> Figure.DIGIT.word() + " " + (char) c));
    }

    private static String any(List<String> words) {
        return String.join("|", words);
    }

    private static String item() {
        return "an? (small|medium|large) (" + any(COLOURS) + ") (" + any(NOUNS)
                + ") (in the middle|on the (left|right)|at" + " the ((top|bottom)( left| right)?))";
    }

    private static String quoted(List<String> words) {
        return words.stream().collect(Collectors.joining("\", \"", "[\"", "\"]"));
    }

    /**
     * Asks a model.
     *
     * @param seed of the scenes; one that training did not use
     * @param scenes to describe
     * @param questions to choose an answer of
     * @param progress told how many scenes and questions are done
     */
    static HeldEvaluation of(VisionLanguageModel model, long seed, int scenes, int questions, IntConsumer progress) {
        HeldEvaluation evaluation = new HeldEvaluation();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < scenes; i++) {
            Scene scene = Scene.random(random);
            EncodedImage picture = model.encode(Painter.image(scene));
            evaluation.describe(model, picture, scene);
            while (scene.items().size() != 1) {
                scene = Scene.random(random);
            }
            evaluation.single(model, model.encode(Painter.image(scene)), scene);
            progress.accept(i + 1);
        }
        for (int done = 0; done < questions; ) {
            Scene scene = Scene.random(random);
            EncodedImage picture = model.encode(Painter.image(scene));
            for (Question question : Wording.questions(scene, random, QUESTIONS)) {
                List<String> labels = labels(question);
                if (!labels.isEmpty() && done < questions) {
                    evaluation.choose(model, picture, question, labels);
                    progress.accept(scenes + ++done);
                }
            }
        }
        return evaluation;
    }

    private void count(String what, boolean right) {
        scores.merge(what, new Score(right ? 1 : 0, 1), (old, added) -> old.plus(right));
    }

    private static String ask(
            VisionLanguageModel model, EncodedImage picture, String question, GenerationOptions.Builder options) {
        return model.answer(request(picture, question, options)).text().strip();
    }

    private static Request request(EncodedImage picture, String question, GenerationOptions.Builder options) {
        return Request.builder()
                .image(picture)
                .text(question)
                .options(options.maxNewTokens(MOST_TOKENS).build())
                .build();
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.greedy().toBuilder();
    }

    private void describe(VisionLanguageModel model, EncodedImage picture, Scene scene) {
        List<Thing> there =
                scene.items().stream().map(item -> Thing.of(scene, item)).collect(Collectors.toList());
        String question = "Describe the picture.";
        compare("list, free", there, things(ask(model, picture, question, greedy())));
        compare("list, pattern", there, things(ask(model, picture, question, greedy().pattern(DESCRIPTION))));
        compare("list, schema", there, json(model, picture, question, THINGS));
    }

    /** The items that a description names. */
    static List<Thing> things(String description) {
        List<Thing> things = new ArrayList<>();
        for (Matcher matcher = SENTENCE.matcher(description); matcher.find(); ) {
            things.add(new Thing(matcher.group(1), matcher.group(2), matcher.group(3)));
        }
        return things;
    }

    private static List<Thing> json(VisionLanguageModel model, EncodedImage picture, String question, String schema) {
        try {
            Object json = model.answer(request(picture, question, greedy().jsonSchema(schema)))
                    .json();
            return (json instanceof List<?> list ? list : List.of(json))
                    .stream().map(Thing::of).collect(Collectors.toList());
        } catch (AnswerException e) {
            return List.of(); // ran out of tokens
        }
    }

    private void compare(String how, List<Thing> there, List<Thing> said) {
        count(how + ": number of things", there.size() == said.size());
        count(
                how + ": colours and shapes",
                sorted(there.stream().map(thing -> thing.colour() + " " + thing.shape()))
                        .equals(sorted(said.stream().map(thing -> thing.colour() + " " + thing.shape()))));
        count(how + ": places too", sorted(there.stream()).equals(sorted(said.stream())));
    }

    private static <T> List<T> sorted(Stream<T> things) {
        return things.sorted().collect(Collectors.toList());
    }

    private void single(VisionLanguageModel model, EncodedImage picture, Scene scene) {
        Thing there = Thing.of(scene, scene.items().get(0));
        fields(
                "record, free",
                there,
                new Thing(
                        ask(model, picture, "What colour is it?", greedy()),
                        ask(model, picture, "What shape is it?", greedy()),
                        ask(model, picture, "Where is it?", greedy())));
        fields(
                "record, chosen",
                there,
                new Thing(
                        model.choose(request(picture, "What colour is it?", greedy()), COLOURS)
                                .best(),
                        model.choose(request(picture, "What shape is it?", greedy()), NOUNS)
                                .best(),
                        model.choose(request(picture, "Where is it?", greedy()), Place.ASKED)
                                .best()));
        List<Thing> read = json(model, picture, "What is in the picture?", THING);
        fields("record, schema", there, read.isEmpty() ? new Thing("", "", "") : read.get(0));
    }

    private void fields(String how, Thing there, Thing said) {
        count(how + ": colour", there.colour().equals(said.colour()));
        count(how + ": shape", there.shape().equals(said.shape()));
        count(how + ": place", there.place().equals(said.place()));
        count(how + ": all three", there.equals(said));
    }

    /** All answers that a question of its kind may have; none where they are not a handful. */
    private static List<String> labels(Question question) {
        return switch (question.kind()) {
            case COLOUR -> COLOURS;
            case FIGURE -> NOUNS;
            case COUNT_ALL, COUNT_COLOUR, COUNT_FIGURE -> List.of("0", "1", "2", "3", "4", "5");
            case WHERE -> Place.ASKED;
            case CHARACTER ->
                characters().map(name -> name.substring(name.length() - 1)).collect(Collectors.toList());
            case EXISTS, RELATION_CHECK -> List.of("yes", "no");
            case SIZE -> question.answer().length() <= 3 ? List.of("yes", "no") : List.of();
            case RELATION ->
                List.of("left", "right", "above", "below").contains(question.answer())
                        ? List.of("left", "right", "above", "below")
                        : List.of();
            case WHAT, AT, DESCRIBE -> List.of();
        };
    }

    private void choose(VisionLanguageModel model, EncodedImage picture, Question question, List<String> labels) {
        Choice choice = model.choose(request(picture, question.text(), greedy()), labels);
        boolean right = choice.best().equals(question.answer());
        double confidence = choice.probabilities().get(choice.best());
        Kind kind = question.kind();
        String name = "choose, " + kind.name().toLowerCase(Locale.ROOT);
        count(name, right);
        count("choose, all", right);
        count(
                "choose, all, free answers",
                ask(model, picture, question.text(), greedy()).equals(question.answer()));
        for (String key : List.of(name, "choose, all")) {
            choices.computeIfAbsent(key, k -> new ArrayList<>()).add(new double[] {confidence, right ? 1 : 0});
        }
        totals += choice.total();
    }

    /**
     * How far confidence and share of right answers are apart, in ten bins of confidence, each counted by its size.
     *
     * @param choices confidence, and 1 if it was right
     */
    static double calibrationError(List<double[]> choices) {
        double[] confidence = new double[BINS];
        double[] right = new double[BINS];
        for (double[] choice : choices) {
            int bin = Math.min(BINS - 1, (int) (choice[0] * BINS));
            confidence[bin] += choice[0];
            right[bin] += choice[1];
        }
        double error = 0;
        for (int i = 0; i < BINS; i++) {
            error += Math.abs(confidence[i] - right[i]);
        }
        return error / choices.size();
    }

    Map<String, Score> scores() {
        return scores;
    }

    /** A line for each figure. */
    String table() {
        StringBuilder table = new StringBuilder();
        new TreeMap<>(scores).forEach((name, score) -> {
            List<double[]> chosen = choices.get(name);
            table.append(String.format(
                    Locale.ROOT,
                    "%-36s %6.2f %%  %6d of %6d%s%n",
                    name,
                    100 * score.share(),
                    score.right(),
                    score.of(),
                    chosen == null
                            ? ""
                            : String.format(Locale.ROOT, "  calibration error %.4f", calibrationError(chosen))));
        });
        return table.toString();
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        scores.forEach((name, score) -> json.addProperty(name, score.share()));
        List<double[]> all = choices.get("choose, all");
        json.addProperty("calibration error", calibrationError(all));
        json.addProperty("one of the labels", totals / all.size());
        return json;
    }
}

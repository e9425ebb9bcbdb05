package io.langbridge.demoworld;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.demoworld.Question.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** How well a model answers questions about scenes it has never seen, kind by kind. */
final class Evaluation {
    /** How many of how many. */
    record Score(int right, int of) {
        Score plus(boolean isRight) {
            return new Score(right + (isRight ? 1 : 0), of + 1);
        }

        double share() {
            return of == 0 ? 0 : (double) right / of;
        }
    }

    /** An answer that was wrong. */
    record Miss(Question question, String answer) {}

    private static final int QUESTIONS = 6;
    /** No right answer has so many tokens. */
    private static final GenerationOptions OPTIONS =
            GenerationOptions.greedy().toBuilder().maxNewTokens(128).build();

    private static final Score NONE = new Score(0, 0);
    private static final Pattern ITEM = Pattern.compile("(small|medium|large) [a-z]+ (?:(?:letter|digit) \\w|[a-z]+)");

    private final Map<Kind, Score> kinds = new EnumMap<>(Kind.class);
    private final List<Miss> misses = new ArrayList<>();

    private Evaluation() {}

    /**
     * Asks a model.
     *
     * @param seed of the scenes; one that training did not use
     * @param scenes how many
     * @param progress told how many scenes are done
     */
    static Evaluation of(VisionLanguageModel model, long seed, int scenes, IntConsumer progress) {
        return of(model, seed, scenes, Shown::square, progress);
    }

    /** A scene and its picture. */
    record Shown(Scene scene, Image picture) {
        static Shown square(SplittableRandom random) {
            Scene scene = Scene.random(random);
            return new Shown(scene, Painter.image(scene));
        }
    }

    /**
     * Asks a model about pictures of some kind.
     *
     * @param show makes the next one
     */
    static Evaluation of(
            VisionLanguageModel model,
            long seed,
            int scenes,
            Function<SplittableRandom, Shown> show,
            IntConsumer progress) {
        Evaluation evaluation = new Evaluation();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < scenes; i++) {
            Shown shown = show.apply(random);
            Scene scene = shown.scene();
            EncodedImage picture = model.encode(shown.picture());
            for (Question question : Wording.questions(scene, random, QUESTIONS)) {
                evaluation.ask(model, picture, question);
            }
            progress.accept(i + 1);
        }
        return evaluation;
    }

    /**
     * Asks about the same scenes as {@link #of(VisionLanguageModel, long, int, IntConsumer)}, told in words instead, or
     * not at all.
     */
    static Evaluation told(VisionLanguageModel model, long seed, int scenes, boolean told) {
        Evaluation evaluation = new Evaluation();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < scenes; i++) {
            Scene scene = Scene.random(random);
            String words = told ? TextLessons.told(scene, new SplittableRandom(i)) + "\n" : "";
            for (Question question : Wording.questions(scene, random, QUESTIONS)) {
                evaluation.ask(model, Request.builder().text(words + question.text()), question);
            }
        }
        return evaluation;
    }

    /**
     * Asks a model about pictures of whatever origin.
     *
     * @param folder what {@link Draw} writes: pictures and a file of questions, each answer with its kind
     * @param progress told how many pictures are done
     * @throws IOException if the file cannot be read or is not such a file
     */
    static Evaluation of(VisionLanguageModel model, Path folder, IntConsumer progress) throws IOException {
        Evaluation evaluation = new Evaluation();
        Path file = folder.resolve(Draw.FILE);
        try {
            int done = 0;
            for (JsonElement element :
                    JsonParser.parseString(Files.readString(file)).getAsJsonArray()) {
                JsonObject entry = element.getAsJsonObject();
                EncodedImage picture =
                        model.encode(Image.of(folder.resolve(entry.get("image").getAsString())));
                JsonArray turns = entry.getAsJsonArray("conversations");
                for (int i = 0; i < turns.size(); i += 2) {
                    JsonObject answer = turns.get(i + 1).getAsJsonObject();
                    String text = turns.get(i).getAsJsonObject().get("value").getAsString();
                    Kind kind = Kind.valueOf(answer.get("kind").getAsString().toUpperCase(Locale.ROOT));
                    evaluation.ask(
                            model,
                            picture,
                            new Question(
                                    kind,
                                    text.replace("<image>", "").strip(),
                                    answer.get("value").getAsString()));
                }
                progress.accept(++done);
            }
        } catch (JsonParseException | IllegalArgumentException | IllegalStateException | NullPointerException e) {
            throw new IOException(file + " is not what draw writes: " + e.getMessage(), e);
        }
        return evaluation;
    }

    private void ask(VisionLanguageModel model, EncodedImage picture, Question question) {
        ask(model, Request.builder().image(picture).text(question.text()), question);
    }

    private void ask(VisionLanguageModel model, Request.Builder asked, Question question) {
        String answer = model.answer(asked.options(OPTIONS).build()).text().strip();
        boolean right = isRight(question, answer);
        kinds.merge(question.kind(), NONE.plus(right), (old, added) -> old.plus(right));
        if (!right) {
            misses.add(new Miss(question, answer));
        }
    }

    /** Exactly the answer; of a description exactly the items, in any order. */
    static boolean isRight(Question question, String answer) {
        return question.kind() == Kind.DESCRIBE
                ? items(question.answer()).equals(items(answer))
                : question.answer().equals(answer);
    }

    /** The items that a description names, sorted: "large red circle", .. */
    private static List<String> items(String description) {
        Matcher matcher = ITEM.matcher(description);
        return matcher.results().map(result -> result.group()).sorted().collect(Collectors.toList());
    }

    Score overall() {
        return kinds.values().stream()
                .reduce(NONE, (one, two) -> new Score(one.right() + two.right(), one.of() + two.of()));
    }

    Map<Kind, Score> kinds() {
        return kinds;
    }

    List<Miss> misses() {
        return misses;
    }

    /** A line for each kind and one for all. */
    String table() {
        StringBuilder table = new StringBuilder();
        kinds.forEach((kind, score) -> table.append(line(kind.name().toLowerCase(Locale.ROOT), score)));
        table.append(line("all", overall()));
        return table.toString();
    }

    private static String line(String name, Score score) {
        return String.format(
                Locale.ROOT, "%-18s %6.2f %%  %6d of %6d%n", name, 100 * score.share(), score.right(), score.of());
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        kinds.forEach((kind, score) -> json.addProperty(kind.name().toLowerCase(Locale.ROOT), score.share()));
        json.addProperty("all", overall().share());
        json.addProperty("questions", overall().of());
        return json;
    }
}

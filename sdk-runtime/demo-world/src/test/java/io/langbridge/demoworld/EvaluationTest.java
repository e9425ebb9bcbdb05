package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.Answer;
import io.langbridge.EncodedImage;
import io.langbridge.Explanation;
import io.langbridge.FinishReason;
import io.langbridge.VisionLanguageModel;
import io.langbridge.demoworld.Question.Kind;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final int SCENES = 150;

    @Test
    void scoresAreThoseOfTheAnswers() {
        Evaluation evaluation = Evaluation.of(model("yes", "red"), 8, SCENES, done -> {});

        SplittableRandom random = new SplittableRandom(8);
        int yes = 0;
        int asked = 0;
        int red = 0;
        int patches = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = Scene.random(random);
            PatchMap map = new PatchMap(scene, 8);
            for (int patch = 0; patch < 64; patch++) {
                int item = map.item(patch);
                patches += item >= 0 ? 1 : 0;
                red += item >= 0 && scene.items().get(item).colour() == Colour.RED ? 1 : 0;
            }
            for (Question question : Wording.questions(scene, random, 6)) {
                yes += question.answer().equals("yes") ? 1 : 0;
                asked++;
            }
        }
        assertEquals(new Evaluation.Score(yes, asked), evaluation.overall());
        assertEquals(new Evaluation.Score(red, patches), evaluation.patches());
        assertEquals(0, evaluation.kinds().get(Kind.COLOUR).right());
        assertEquals(asked - yes, evaluation.misses().size());
        assertTrue(evaluation.json().get("exists").getAsDouble() > 0.3);
        assertTrue(evaluation.table().contains(String.format("%d of %6d", yes, asked)), evaluation.table());
    }

    @Test
    void aDescriptionIsRightIfItNamesTheItemsInAnyOrder() {
        Question question = new Question(
                Kind.DESCRIBE,
                "Describe the picture.",
                "There is a large red circle at the top and a small gray letter A on the left.");
        assertTrue(Evaluation.isRight(question, "a small gray letter A and a large red circle."));
        assertFalse(Evaluation.isRight(question, "a small gray letter B and a large red circle."));
        assertFalse(Evaluation.isRight(question, "a large red circle."));
        assertFalse(Evaluation.isRight(question, "a large red circle, a large red circle and a small gray letter A."));
    }

    @Test
    void drawnPicturesAreAskedAboutAgain(@TempDir Path folder) throws IOException {
        assertEquals(0, Main.commandLine().execute("draw", "--out", folder.toString(), "--count", "20", "--seed", "8"));

        Evaluation evaluation = Evaluation.of(model("no", "red"), folder, done -> {});

        assertEquals(80, evaluation.overall().of());
        assertTrue(evaluation.overall().right() > 0);
        assertEquals(0, evaluation.patches().of(), "what lies on foreign patches is not known");

        Files.writeString(folder.resolve("data.json"), "[{\"image\": \"000000.png\"}]");
        IOException error =
                assertThrows(IOException.class, () -> Evaluation.of(model("no", "red"), folder, done -> {}));
        assertTrue(error.getMessage().contains("data.json is not what draw writes"), error.getMessage());
    }

    /** A model that always says the same. */
    private static VisionLanguageModel model(String says, String sees) {
        ClassLoader loader = EvaluationTest.class.getClassLoader();
        Object picture =
                Proxy.newProxyInstance(loader, new Class<?>[] {EncodedImage.class}, (proxy, method, arguments) -> 1);
        Duration none = Duration.ZERO;
        Answer answer = new Answer(
                "",
                says,
                new int[0],
                FinishReason.STOP_TOKEN,
                new Answer.Usage(1, 1, 0, 1),
                new Answer.Timings(none, none, none, none, none));
        Explanation explanation = explanation(sees);
        return (VisionLanguageModel) Proxy.newProxyInstance(
                loader,
                new Class<?>[] {VisionLanguageModel.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "encode" -> picture;
                    case "answer" -> answer;
                    case "explain" -> explanation;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    private static Explanation explanation(String word) {
        Explanation.Area all = new Explanation.Area(0, 0, 1, 1);
        List<Explanation.Weight> words = List.of(new Explanation.Weight(new Explanation.Word(0, word, word), 1));
        List<Explanation.Patch> patches = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            patches.add(new Explanation.Patch(0, i / 8, i % 8, all.cell(i / 8, i % 8, 8, 8), words));
        }
        return new Explanation(
                1,
                1,
                Explanation.Measure.COEFFICIENT,
                false,
                List.of(new Explanation.Tile(0, 0, 0, 8, 8, all)),
                patches,
                List.of());
    }
}

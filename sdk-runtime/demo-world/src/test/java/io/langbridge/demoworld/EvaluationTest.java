package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.Answer;
import io.langbridge.EncodedImage;
import io.langbridge.FinishReason;
import io.langbridge.VisionLanguageModel;
import io.langbridge.demoworld.Question.Kind;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final int SCENES = 150;

    @Test
    void scoresAreThoseOfTheAnswers() {
        Evaluation evaluation = Evaluation.of(model("yes"), 8, SCENES, done -> {});

        SplittableRandom random = new SplittableRandom(8);
        int yes = 0;
        int asked = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = Scene.random(random);
            for (Question question : Wording.questions(scene, random, 6)) {
                yes += question.answer().equals("yes") ? 1 : 0;
                asked++;
            }
        }
        assertEquals(new Evaluation.Score(yes, asked), evaluation.overall());
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

        Evaluation evaluation = Evaluation.of(model("no"), folder, done -> {});

        assertEquals(80, evaluation.overall().of());
        assertTrue(evaluation.overall().right() > 0);

        Files.writeString(folder.resolve("data.json"), "[{\"image\": \"000000.png\"}]");
        IOException error =
                assertThrows(IOException.class, () -> Evaluation.of(model("no"), folder, done -> {}));
        assertTrue(error.getMessage().contains("data.json is not what draw writes"), error.getMessage());
    }

    /** A model that always says the same. */
    private static VisionLanguageModel model(String says) {
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
        return (VisionLanguageModel) Proxy.newProxyInstance(
                loader,
                new Class<?>[] {VisionLanguageModel.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "encode" -> picture;
                    case "answer" -> answer;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}

package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WordScoresTest {
    private static final int SCENES = 60;

    /** A model that names the same words on every patch, "red" second, and of coefficients knows nothing. */
    private static VisionLanguageModel sayingRed() {
        ClassLoader loader = WordScoresTest.class.getClassLoader();
        Object picture =
                Proxy.newProxyInstance(loader, new Class<?>[] {EncodedImage.class}, (proxy, method, arguments) -> 1);
        return (VisionLanguageModel) Proxy.newProxyInstance(
                loader, new Class<?>[] {VisionLanguageModel.class}, (proxy, method, arguments) -> switch (
                        method.getName()) {
                    case "encode" -> picture;
                    case "explain" -> explanation((ExplainOptions) arguments[1]);
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    private static Explanation explanation(ExplainOptions options) {
        if (options.measure() == Explanation.Measure.COEFFICIENT) {
            throw new UnsupportedModelException("An MLP is not made of words");
        }
        Explanation.Area all = new Explanation.Area(0, 0, 1, 1);
        List<Explanation.Weight> words = List.of(
                new Explanation.Weight(new Explanation.Word(0, "please", "please"), 2),
                new Explanation.Weight(new Explanation.Word(1, "red", "red"), 1));
        List<Explanation.Patch> patches = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            patches.add(new Explanation.Patch(0, i / 8, i % 8, all.cell(i / 8, i % 8, 8, 8), words));
        }
        List<Explanation.ImageWord> ofPicture =
                List.of(new Explanation.ImageWord(words.get(1).word(), 1, 64, new float[64]));
        Explanation.Tile tile = new Explanation.Tile(0, 0, 0, 8, 8, all);
        return new Explanation(1, 1, options.measure(), false, List.of(tile), patches, ofPicture);
    }

    @Test
    void sharesAreThoseOfTheWords() {
        WordScores scores = WordScores.of(sayingRed(), List.of(8L, 9L), SCENES, done -> {});

        SplittableRandom random = new SplittableRandom(8);
        int things = 0;
        int red = 0;
        int empty = 0;
        int names = 0;
        int redNames = 0;
        for (int i = 0; i < SCENES; i++) {
            Scene scene = Scene.random(random);
            PatchMap map = new PatchMap(scene, 8);
            for (int patch = 0; patch < 64; patch++) {
                int item = map.item(patch);
                things += item >= 0 ? 1 : 0;
                red += item >= 0 && scene.items().get(item).colour() == Colour.RED ? 1 : 0;
                empty += map.isEmpty(patch) ? 1 : 0;
            }
            for (Item item : scene.items()) {
                names += 2; // a colour and a figure
                redNames += item.colour() == Colour.RED ? 1 : 0;
            }
        }
        assertFalse(scores.rows().containsKey("coefficient"));
        WordScores.Row first = scores.rows().get("cosine").get(0);
        assertEquals(
                List.of(score(0, things), score(red, things), score(red, things)),
                first.named(),
                "within 1, 3 and 10");
        assertEquals(List.of(score(0, empty), score(empty, empty), score(empty, empty)), first.claimed());
        assertEquals(score(redNames, names), first.ofPicture());
        assertEquals(2, scores.rows().get("cosine, raw").size());
        assertTrue(scores.table().contains("| cosine, raw | 0.0 (0.0, 0.0) |"), scores.table());
        assertEquals(
                100,
                100 * scores.json().getAsJsonArray("cosine").get(1).getAsJsonObject().get("claimed_3").getAsDouble());
    }

    private static Evaluation.Score score(int right, int of) {
        return new Evaluation.Score(right, of);
    }

    @Test
    void aPatchThatAnItemTouchesIsNotEmpty() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < SCENES; i++) {
            PatchMap map = new PatchMap(Scene.random(random), 8);
            for (int patch = 0; patch < map.size(); patch++) {
                assertFalse(map.isEmpty(patch) && map.item(patch) >= 0);
            }
        }
    }
}

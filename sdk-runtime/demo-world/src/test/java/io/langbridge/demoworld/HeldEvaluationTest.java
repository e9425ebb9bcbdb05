package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.demoworld.HeldEvaluation.Thing;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class HeldEvaluationTest {
    @Test
    void aDescriptionHasTheFormThatItIsHeldToAndNamesEveryItem() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 200; i++) {
            Scene scene = Scene.random(random);
            String description = Wording.describe(scene);
            assertTrue(Pattern.matches(HeldEvaluation.DESCRIPTION, description), description);
            List<Thing> there = new ArrayList<>();
            scene.items().forEach(item -> there.add(Thing.of(scene, item)));
            List<Thing> said = HeldEvaluation.things(description);
            there.sort(null);
            said.sort(null);
            assertEquals(there, said);
        }
    }

    @Test
    void calibrationErrorIsHowFarConfidenceAndShareAreApart() {
        List<double[]> choices = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            choices.add(new double[] {0.95, 1}); // 0.05 apart
            choices.add(new double[] {0.65, i < 8 ? 1 : 0}); // 0.15 apart, the other way
            choices.add(new double[] {1, 1});
        }
        assertEquals((10 * 0.15 + Math.abs(20 - 19.5)) / 30, HeldEvaluation.calibrationError(choices), 1e-9);
    }
}

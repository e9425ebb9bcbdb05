package io.langbridge.demoworld;

import io.langbridge.Message;
import io.langbridge.runtime.training.TrainingExample;
import java.util.Iterator;
import java.util.SplittableRandom;
import java.util.function.Function;

/** What is learnt from: scenes without end, each from a random source of its own. The same seed gives the same ones. */
final class Lessons {
    private Lessons() {}

    /** One record about a scene. */
    private interface Lesson {
        TrainingExample of(String number, Scene scene, SplittableRandom random);
    }

    /** Pictures whose patches are labelled, for an encoder. */
    static Iterable<TrainingExample> patches(long seed) {
        return endless(
                seed,
                random -> random.nextInt(4) == 0 ? Scene.ofAnyShape(random) : Scene.crowded(random),
                (number, scene, random) -> TrainingExample.caption(
                        "patches " + number, Painter.image(scene), PatchLessons.caption(scene)));
    }

    /** Scenes told in words, and questions about them, for a language model that has never seen a picture. */
    static Iterable<TrainingExample> texts(long seed, int questions) {
        return endless(seed, Scene::random, (number, scene, random) -> {
            Message.Part told = new Message.Text(TextLessons.told(scene, random) + "\n");
            return TextLessons.talk("text " + number, told, Wording.lessons(scene, random, questions));
        });
    }

    /** Pictures of scenes, and questions about them. */
    static Iterable<TrainingExample> pictures(long seed, int questions) {
        return endless(
                seed,
                Scene::ofAnyShape,
                (number, scene, random) -> TextLessons.talk(
                        "picture " + number,
                        new Message.ImagePart(Painter.image(scene)),
                        Wording.lessons(scene, random, questions)));
    }

    private static Iterable<TrainingExample> endless(
            long seed, Function<SplittableRandom, Scene> scenes, Lesson lesson) {
        return () -> new Iterator<>() {
            private final SplittableRandom random = new SplittableRandom(seed);
            private int number;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public TrainingExample next() {
                SplittableRandom own = random.split();
                return lesson.of(String.valueOf(number++), scenes.apply(own), own);
            }
        };
    }
}

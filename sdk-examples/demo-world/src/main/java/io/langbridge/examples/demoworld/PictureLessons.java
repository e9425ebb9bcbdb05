package io.langbridge.examples.demoworld;

import io.langbridge.Message;
import io.langbridge.runtime.training.TrainingExample;
import java.util.Iterator;
import java.util.SplittableRandom;

/** Pictures of scenes, and questions about them. */
final class PictureLessons implements Iterable<TrainingExample> {
    private final long seed;
    private final int questions;

    PictureLessons(long seed, int questions) {
        this.seed = seed;
        this.questions = questions;
    }

    @Override
    public Iterator<TrainingExample> iterator() {
        SplittableRandom random = new SplittableRandom(seed);
        return new Iterator<>() {
            private int number;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public TrainingExample next() {
                SplittableRandom own = random.split();
                Scene scene = Scene.random(own);
                return TextLessons.talk(
                        "picture " + number++,
                        new Message.Picture(Painter.image(scene)),
                        Wording.questions(scene, own, questions));
            }
        };
    }
}

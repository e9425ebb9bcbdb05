package io.langbridge.demoworld;

import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.training.TrainingExample;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Scenes told in words, and questions about them: what a language model learns that has never seen a picture. A quarter
 * of the scenes is told in sentences, the others in notes.
 */
final class TextLessons {
    private static final List<String> ROWS =
            List.of("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth");
    private static final List<String> COLUMNS = List.of("one", "two", "three", "four", "five", "six", "seven", "eight");

    private TextLessons() {}

    /** A conversation: what it is about, then question after question. */
    static TrainingExample talk(String name, Message.Part about, List<Question> questions) {
        List<Message> messages = new ArrayList<>();
        for (Question question : questions) {
            Message.Part asked = new Message.Text(question.text());
            messages.add(new Message(Role.USER, messages.isEmpty() ? List.of(about, asked) : List.of(asked)));
            messages.add(new Message(Role.ASSISTANT, List.of(new Message.Text(question.answer()))));
        }
        return new TrainingExample(name, messages);
    }

    /** The whole scene in one of both forms. */
    static String told(Scene scene, SplittableRandom random) {
        return random.nextInt(4) == 0 ? Wording.story(scene, random) : notes(scene);
    }

    /**
     * Item after item, the words of each close together as a patch will show them: size, colour, what it is, and the
     * row and the column of its centre on the encoder's grid.
     */
    private static String notes(Scene scene) {
        return scene.items().stream()
                .sorted(Comparator.comparingInt(item -> PatchMap.centre(item, EncoderFolder.GRID)))
                .map(TextLessons::note)
                .collect(Collectors.joining(", "));
    }

    /** An item's words in notes: "small red circle first three". */
    static String note(Item item) {
        int side = EncoderFolder.GRID;
        int centre = PatchMap.centre(item, side);
        return item.fullName() + " " + ROWS.get(centre / side) + " " + COLUMNS.get(centre % side);
    }

    /** Plain texts, to learn a tokenizer from. */
    static List<String> texts(long seed, int count) {
        List<String> texts = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < count; i++) {
            Scene scene = Scene.random(random);
            texts.add(told(scene, random));
            for (Question question : Wording.questions(scene, random, 4)) {
                texts.add(question.text());
                texts.add(question.answer());
            }
        }
        return texts;
    }
}

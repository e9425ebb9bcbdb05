package io.langbridge.examples.demoworld;

import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.training.TrainingExample;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Scenes told in words, and questions about them: what a language model learns that has never seen a picture. Half of
 * the scenes are told in sentences, half as a map: one word for every patch, row by row.
 */
final class TextLessons {
    private static final String NOTHING = ".";

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
        return random.nextBoolean() ? Wording.story(scene, random) : map(scene, random);
    }

    /**
     * At the centre of an item stands what it is, on its other patches its colour and its size. So a model that reads
     * this knows what a patch is, long before it is shown one.
     */
    private static String map(Scene scene, SplittableRandom random) {
        PatchMap map = new PatchMap(scene, EncoderFolder.GRID);
        int[] told = new int[scene.items().size()];
        StringBuilder text = new StringBuilder();
        for (int patch = 0; patch < map.size(); patch++) {
            text.append(patch == 0 ? "" : " ");
            int number = map.item(patch);
            if (number < 0) {
                text.append(NOTHING);
                continue;
            }
            Item item = scene.items().get(number);
            if (patch == map.centre(number)) {
                text.append(item.figure().isCharacter() ? String.valueOf(item.character()) : item.noun());
            } else {
                boolean colour = told[number] == 0 || told[number] > 1 && random.nextInt(3) > 0;
                told[number]++;
                text.append(colour ? item.colour().word() : item.size().word());
            }
        }
        return text.toString();
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

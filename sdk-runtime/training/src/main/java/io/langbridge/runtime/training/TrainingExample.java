package io.langbridge.runtime.training;

import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.Message.Role;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One record to learn from: a conversation as it should go. Immutable; a picture is read when it is needed.
 *
 * <pre>{@code
 * TrainingExample.caption("000123", Image.of(Path.of("000123.jpg")), "a red bus at a stop");
 * TrainingExample.question("000124", Image.of(Path.of("000124.jpg")), "How many birds are there?", "Three.");
 * }</pre>
 *
 * @param name says in messages which record it is
 * @param messages users' and assistant's turns in alternation, perhaps after a system message, the last one an answer
 * @since 0.1
 */
public record TrainingExample(String name, List<Message> messages) {
    /**
     * Checks and copies.
     *
     * @param name see the record
     * @param messages see the record
     * @throws TrainingDataException if the turns do not alternate, there is no answer, an answer is empty, or a picture
     *     was encoded before
     */
    public TrainingExample {
        messages = Collections.unmodifiableList(new ArrayList<>(messages));
        List<Message> turns = messages;
        if (!turns.isEmpty() && turns.get(0).role() == Role.SYSTEM) {
            turns = turns.subList(1, turns.size());
        }
        for (int i = 0; i < turns.size(); i++) {
            Role expected = i % 2 == 0 ? Role.USER : Role.ASSISTANT;
            if (turns.get(i).role() != expected) {
                throw new TrainingDataException("Record " + name + ": turn " + (i + 1) + " is the "
                        + turns.get(i).role()
                        + "'s, but the turns of user and assistant must alternate, the user's first");
            }
            for (Message.Part part : turns.get(i).parts()) {
                if (part instanceof Message.EncodedImagePart) {
                    throw new TrainingDataException("Record " + name
                            + " has a picture that was encoded before; give the picture itself (Message.ImagePart)");
                }
                if (expected == Role.ASSISTANT
                        && part instanceof Message.Text text
                        && text.text().isBlank()) {
                    throw new TrainingDataException("Record " + name + ": the answer in turn " + (i + 1)
                            + " is empty; there is nothing to learn");
                }
            }
        }
        if (turns.isEmpty() || turns.size() % 2 != 0) {
            throw new TrainingDataException("Record " + name + " has " + turns.size()
                    + " turns; it needs a user's turn and an answer, or several of such pairs");
        }
    }

    /**
     * A picture and what is on it.
     *
     * @param name says in messages which record it is
     * @param image the picture
     * @param caption its description
     * @return the record
     */
    public static TrainingExample caption(String name, Image image, String caption) {
        return new TrainingExample(
                name,
                List.of(
                        new Message(Role.USER, List.of(new Message.ImagePart(image))),
                        new Message(Role.ASSISTANT, List.of(new Message.Text(caption)))));
    }

    /**
     * A question about a picture.
     *
     * @param name says in messages which record it is
     * @param image the picture
     * @param question what is asked
     * @param answer what should be answered
     * @return the record
     */
    public static TrainingExample question(String name, Image image, String question, String answer) {
        return new TrainingExample(
                name,
                List.of(
                        new Message(Role.USER, List.of(new Message.ImagePart(image), new Message.Text(question))),
                        new Message(Role.ASSISTANT, List.of(new Message.Text(answer)))));
    }

    /** Pictures of all turns, in order. */
    List<Image> images() {
        List<Image> images = new ArrayList<>();
        for (Message message : messages) {
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.ImagePart picture) {
                    images.add(picture.image());
                }
            }
        }
        return images;
    }
}

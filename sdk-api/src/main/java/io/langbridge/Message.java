package io.langbridge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * One turn of a conversation. Immutable.
 *
 * @param role who speaks
 * @param parts what is said, in order; pictures only in the user's turns, {@link Answered} only alone and only in the
 *     assistant's
 * @since 0.1
 */
public record Message(Role role, List<Part> parts) {
    /**
     * Checks and copies.
     *
     * @param role see the record
     * @param parts see the record
     * @throws NullPointerException if the role or a part is null
     * @throws IllegalArgumentException if the user says and shows nothing, or a part is not allowed for the role
     */
    public Message {
        Objects.requireNonNull(role, "role");
        parts = Collections.unmodifiableList(new ArrayList<>(Objects.requireNonNull(parts, "parts")));
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("A message needs at least one part");
        }
        boolean says = false;
        for (int i = 0; i < parts.size(); i++) {
            Part part = Objects.requireNonNull(parts.get(i), "parts[" + i + "]");
            says |= !(part instanceof Text words) || !words.text().trim().isEmpty();
            if (part instanceof Answered) {
                if (role != Role.ASSISTANT || parts.size() > 1) {
                    throw new IllegalArgumentException("An answer of the model is a whole turn of the assistant, not "
                            + (role == Role.ASSISTANT ? "one of " + parts.size() + " parts" : "one of the " + role));
                }
            } else if (role != Role.USER && !(part instanceof Text)) {
                throw new IllegalArgumentException("Only the user can show a picture, not " + role);
            }
        }
        if (role == Role.USER && !says) {
            throw new IllegalArgumentException(
                    "The user's turn is empty: it needs words that are not only blanks, or a picture");
        }
    }

    /**
     * A turn of the assistant whose words come from elsewhere: from a database, another model or a person. Markers that
     * models write in their answers, such as {@code <think>}, keep their meaning if the tokenizer does not call them
     * special; tokens that open or close a turn are text.
     *
     * @param text what was said
     * @return the message
     */
    public static Message assistant(String text) {
        return new Message(Role.ASSISTANT, Collections.singletonList(new Text(text)));
    }

    /**
     * A turn of the assistant as the model gave it.
     *
     * @param answer see {@link Answered}
     * @return the message
     */
    public static Message assistant(Answer answer) {
        return new Message(Role.ASSISTANT, Collections.singletonList(new Answered(answer)));
    }

    /** {@return the words of all parts, one after the other; pictures add nothing} */
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Part part : parts) {
            if (part instanceof Text words) {
                text.append(words.text());
            } else if (part instanceof Answered answered) {
                text.append(answered.answer().text());
            }
        }
        return text.toString();
    }

    /** Who speaks. */
    public enum Role {
        /** Instructions that hold for the whole conversation; only as the first message. */
        SYSTEM,
        /** The one who asks. */
        USER,
        /** The model. */
        ASSISTANT
    }

    /** A piece of a message. */
    public sealed interface Part permits Text, Answered, ImagePart, EncodedImagePart {}

    /**
     * Words, taken literally: markup such as {@code <image>} or {@code <|im_end|>} in them has no effect, also where
     * two texts of a message make it up together. In the assistant's turns see {@link #assistant(String)}.
     *
     * @param text the words
     */
    public record Text(String text) implements Part {
        /**
         * Checks.
         *
         * @param text see the record
         */
        public Text {
            Objects.requireNonNull(text, "text");
        }
    }

    /**
     * An answer that goes back into the prompt with the tokens it was made of, as a chat does it: special tokens that
     * are part of it keep their meaning, and what only looks like one stays text. The KV cache is reused as far as the
     * chat template leaves the answer as it is; many drop earlier thinking. If a model with another tokenizer gave the
     * answer, its text counts as {@link #assistant(String)}.
     *
     * @param answer what the model said
     */
    public record Answered(Answer answer) implements Part {
        /**
         * Checks.
         *
         * @param answer see the record
         */
        public Answered {
            Objects.requireNonNull(answer, "answer");
        }
    }

    /**
     * A picture, encoded when the request is answered.
     *
     * @param image the picture
     */
    public record ImagePart(Image image) implements Part {
        /**
         * Checks.
         *
         * @param image see the record
         */
        public ImagePart {
            Objects.requireNonNull(image, "image");
        }
    }

    /**
     * A picture that was encoded before.
     *
     * @param image the picture
     */
    public record EncodedImagePart(EncodedImage image) implements Part {
        /**
         * Checks.
         *
         * @param image see the record
         */
        public EncodedImagePart {
            Objects.requireNonNull(image, "image");
        }
    }
}

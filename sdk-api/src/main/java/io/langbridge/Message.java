package io.langbridge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One turn of a conversation. Immutable.
 *
 * @param role who speaks
 * @param parts what is said, in order; pictures only in the user's turns
 * @since 0.1
 */
public record Message(Role role, List<Part> parts) {
    /**
     * Checks and copies.
     *
     * @param role see the record
     * @param parts see the record
     */
    public Message {
        parts = Collections.unmodifiableList(new ArrayList<>(parts));
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("A message needs at least one part");
        }
        if (role != Role.USER) {
            for (Part part : parts) {
                if (!(part instanceof Text)) {
                    throw new IllegalArgumentException("Only the user can show a picture, not " + role);
                }
            }
        }
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
    public sealed interface Part permits Text, Picture, EncodedPicture {}

    /**
     * Words, taken literally: markup such as {@code <image>} or {@code <|im_end|>} in them has no effect.
     *
     * @param text the words
     */
    public record Text(String text) implements Part {}

    /**
     * A picture, encoded when the request is answered.
     *
     * @param image the picture
     */
    public record Picture(Image image) implements Part {}

    /**
     * A picture that was encoded before.
     *
     * @param image the picture
     */
    public record EncodedPicture(EncodedImage image) implements Part {}
}

package io.langbridge.runtime.core.image;

/**
 * How a family of models takes pictures. Immutable; whatever it would refuse of its configuration, it refuses when it
 * is made. {@link Object#toString} says all that the result depends on, {@link #description} what users want to know.
 */
public interface Pictures {
    /** What becomes of a picture of this size; touches no pixel. */
    PicturePlan plan(Size picture);

    /** How bytes become what the encoder reads. */
    Normaliser normaliser();

    /** Whether plans have places for {@code image_newline}, which then must be there. */
    default boolean needsNewline() {
        return false;
    }

    /** A few words for people. */
    String description();
}

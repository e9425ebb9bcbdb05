package io.langbridge.runtime.core.image;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a family of models takes pictures. Immutable; whatever it would refuse of its configuration, it refuses when it
 * is made. {@link Object#toString} says all that the result depends on, {@link #description} what users want to know.
 */
public interface Pictures {
    /** What becomes of a picture of this size; touches no pixel. */
    PicturePlan plan(Size picture);

    /** How bytes become what the encoder reads. */
    Normaliser normaliser();

    /** How the encoder's patches are cut; null if it takes views as they are and cuts them itself. */
    default @Nullable Patches patches() {
        return null;
    }

    /**
     * What an encoder of patches reads beside the pixels of a view.
     *
     * @param view its size
     * @return by name, {@code [1, rows, width]} each
     */
    default Map<String, FloatTensor> inputs(Size view) {
        return Collections.emptyMap();
    }

    /**
     * The same with at most so many visual tokens for a picture, as far as the family's rules allow.
     *
     * @throws UnsupportedModelException if every picture has as many as it has
     */
    default Pictures atMost(int visualTokens) {
        throw new UnsupportedModelException("maxVisualTokens(" + visualTokens + ") was asked for, but this model gives"
                + " pictures as many visual tokens as its encoder has patches (" + description() + "); leave it out");
    }

    /** Whether plans have places for {@code image_newline}, which then must be there. */
    default boolean needsNewline() {
        return false;
    }

    /** A few words for people. */
    String description();
}

package io.langbridge.runtime.core.image;

import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A picture as the vision encoder reads it.
 *
 * @param inputs by the names that the encoder's network has for them, normalised pixels among them
 * @param plan how the views lie in the picture
 */
public record PreparedImage(Map<String, FloatTensor> inputs, PicturePlan plan) {
    /** {@code [views, 3, height, width]}, or {@code [1, patches, values]} of an encoder that reads patches. */
    public FloatTensor pixels() {
        return Objects.requireNonNull(inputs.get(Net.PIXEL_VALUES));
    }

    /** The inputs of some of the views. */
    public Map<String, FloatTensor> views(int from, int to) {
        Map<String, FloatTensor> views = new LinkedHashMap<>();
        inputs.forEach((name, values) -> views.put(name, values.rows(from, to)));
        return views;
    }
}

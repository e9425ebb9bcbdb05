package io.langbridge.runtime.core.image;

import io.langbridge.runtime.core.tensor.FloatTensor;

/**
 * A picture as the vision encoder reads it.
 *
 * @param pixels {@code [views, 3, height, width]}, normalised
 * @param plan how the views lie in the picture
 */
public record PreparedImage(FloatTensor pixels, PicturePlan plan) {}

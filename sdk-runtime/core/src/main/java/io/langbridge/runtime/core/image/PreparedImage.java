package io.langbridge.runtime.core.image;

import io.langbridge.runtime.core.engine.FloatTensor;

/**
 * A picture as the vision encoder reads it.
 *
 * @param pixels {@code [tiles, 3, image_size, image_size]}, normalised
 * @param grid how the tiles lie in the picture
 */
public record PreparedImage(FloatTensor pixels, TileGrid grid) {}

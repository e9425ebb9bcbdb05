package io.langbridge;

/**
 * A picture after the vision encoder: encode once, ask often. Holds the features in memory (2.3 MB for one tile of
 * CLIP-L/14-336) and nothing else, so there is nothing to close. Immutable and safe for use by several threads.
 *
 * <p>Made by {@link VisionLanguageModel#encode}; usable with every model that has the same encoder. Not meant to be
 * implemented by users.
 *
 * @since 0.1
 */
public interface EncodedImage {
    /** {@return width of the picture in pixels, upright} */
    int width();

    /** {@return height of the picture in pixels, upright} */
    int height();

    /** {@return tiles the encoder saw: 1, or with dynamic resolution the whole picture and its parts} */
    int tiles();
}

package io.langbridge;

/**
 * How a picture that is not square is brought to the encoder's square.
 *
 * @since 0.1
 */
public enum ImageFit {
    /** Padded with the mean colour, nothing is cut off ({@code image_aspect_ratio: pad}, LLaVA 1.5 and LangBridge). */
    PAD,
    /** As {@code preprocessor_config.json} says: CLIP cuts the longer side off, SigLIP stretches. */
    PREPROCESSOR
}

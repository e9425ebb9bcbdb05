package io.langbridge.runtime.core.family;

import io.langbridge.runtime.core.image.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code preprocessor_config.json} of CLIP, SigLIP, LLaVA and LLaVA-NeXT, steps in the order they are applied.
 *
 * @param resize what the picture is resized to, or null if it is not
 * @param resample 2 bilinear, 3 bicubic, as PIL numbers them
 * @param crop size of the centre crop, or null if there is none
 * @param rescaleFactor bytes are multiplied by this, usually 1/255; null if they are not
 * @param imageMean per channel R, G, B; null together with {@code imageStd} if there is no normalisation
 * @param imageStd per channel R, G, B
 */
public record PreprocessorConfig(
        @Nullable Resize resize,
        int resample,
        @Nullable Size crop,
        @Nullable Double rescaleFactor,
        @Nullable List<Double> imageMean,
        @Nullable List<Double> imageStd) {

    /** What {@code size} means. */
    public sealed interface Resize {}

    /** {@code shortest_edge}: the shorter edge gets this length, the other one keeps the aspect ratio. */
    public record ShortestEdge(int pixels) implements Resize {}

    /** {@code height} and {@code width}: stretched to exactly this. */
    public record Stretch(Size size) implements Resize {}
}

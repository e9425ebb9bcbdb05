package io.langbridge.runtime.core.image;

import io.langbridge.CheckpointException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What each of the 256 byte values becomes, per channel. Immutable. */
public final class Normaliser {
    private final float[][] tables = new float[3][256];

    /**
     * Scaled in double and rounded once, then normalised in float32: the order of roundings shows in the bits.
     *
     * @param rescaleFactor bytes are multiplied by this, usually 1/255; null if they are not
     * @param imageMean per channel R, G, B; null together with {@code imageStd} if there is no normalisation
     * @param imageStd per channel R, G, B
     * @throws CheckpointException if there are not three values each
     */
    public Normaliser(
            @Nullable Double rescaleFactor, @Nullable List<Double> imageMean, @Nullable List<Double> imageStd) {
        float[] mean = channels("image_mean", imageMean);
        float[] std = channels("image_std", imageStd);
        for (int channel = 0; channel < 3; channel++) {
            for (int value = 0; value < 256; value++) {
                float scaled = rescaleFactor == null ? value : (float) (value * rescaleFactor);
                tables[channel][value] = mean == null || std == null ? scaled : (scaled - mean[channel]) / std[channel];
            }
        }
    }

    /** Values of a channel by the byte; not to be changed. */
    float[] table(int channel) {
        return tables[channel];
    }

    private static float @Nullable [] channels(String key, @Nullable List<Double> values) {
        if (values == null) {
            return null;
        }
        if (values.size() != 3) {
            throw new CheckpointException("preprocessor_config.json: " + key + " has " + values.size()
                    + " values, not one for each of R, G, B");
        }
        return new float[] {
            values.get(0).floatValue(),
            values.get(1).floatValue(),
            values.get(2).floatValue()
        };
    }
}

package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;

/**
 * Cosine and sine of the rotary embedding's angles, {@code [positions, head_dim / 2]}. Immutable once made.
 *
 * @param cos cosines
 * @param sin sines
 */
record Rotation(FloatTensor cos, FloatTensor sin) {
    /** Angles are multiplied in float32, as the reference does: at high positions this is visible in the result. */
    static Rotation of(DecoderConfig config, int positions) {
        float[] frequencies = config.rope().inverseFrequencies(config.headDim());
        FloatTensor cos = FloatTensor.allocate(positions, frequencies.length);
        FloatTensor sin = FloatTensor.allocate(positions, frequencies.length);
        FloatBuffer cosines = cos.data();
        FloatBuffer sines = sin.data();
        for (int position = 0; position < positions; position++) {
            for (float frequency : frequencies) {
                float angle = position * frequency;
                cosines.put((float) Math.cos(angle));
                sines.put((float) Math.sin(angle));
            }
        }
        return new Rotation(cos, sin);
    }

    int positions() {
        return cos.size(0);
    }

    void bind(Bindings bindings) {
        bindings.input(OnnxNet.COS, cos, positions(), cos.size(1));
        bindings.input(OnnxNet.SIN, sin, positions(), sin.size(1));
    }
}

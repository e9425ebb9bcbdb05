package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiConsumer;

/** Writes a safetensors file of small random values. */
final class RandomWeights {
    private final Random random = new Random(7);
    private BiConsumer<String, float[]> edit = (name, values) -> {};
    private final DType dtype;
    private final SafetensorsWriter writer = new SafetensorsWriter();

    /** {@code dtype} is F32 or BF16. */
    RandomWeights(DType dtype) {
        this.dtype = dtype;
    }

    /** Changes the values of every tensor that is added from now on. */
    RandomWeights editedBy(BiConsumer<String, float[]> editor) {
        edit = editor;
        return this;
    }

    RandomWeights add(String name, long... shape) {
        int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        // Norm weights are around one.
        float centre = name.contains("norm") && name.endsWith(".weight") ? 1f : 0f;
        ByteBuffer bytes = ByteBuffer.allocate(count * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = centre + (float) random.nextGaussian() * 0.3f;
        }
        edit.accept(name, values);
        for (int i = 0; i < count; i++) {
            float value = values[i];
            if (dtype == DType.F32) {
                bytes.putFloat(value);
            } else {
                bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
            }
        }
        bytes.rewind();
        writer.add(name, dtype, channel -> WeightFile.writeFully(channel, bytes.duplicate()), shape);
        return this;
    }

    Weights writeTo(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        return Checkpoints.open(writer.write(file));
    }

    /** Gaussian values. */
    static float[] values(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}

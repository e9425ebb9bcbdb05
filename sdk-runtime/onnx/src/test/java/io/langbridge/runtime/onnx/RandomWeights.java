package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
    private final StringBuilder header = new StringBuilder("{");
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

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
        header.append(header.length() > 1 ? "," : "")
                .append('"')
                .append(name)
                .append("\":{\"dtype\":\"")
                .append(dtype)
                .append("\",\"shape\":")
                .append(Arrays.toString(shape))
                .append(",\"data_offsets\":[")
                .append(data.size())
                .append(',')
                .append(data.size() + bytes.capacity())
                .append("]}");
        data.write(bytes.array(), 0, bytes.capacity());
        return this;
    }

    Weights writeTo(Path file) throws IOException {
        StringBuilder json = new StringBuilder(header).append('}');
        while (json.length() % 8 != 0) {
            json.append(' ');
        }
        ByteBuffer all = ByteBuffer.allocate(8 + json.length() + data.size()).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(json.length())
                .put(json.toString().getBytes(StandardCharsets.UTF_8))
                .put(data.toByteArray());
        Files.write(file, all.array());
        return Checkpoints.open(file);
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

package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/** Tensors with random values, and the safetensors file they are written to. */
final class RandomWeights {
    private final Random random = new Random(7);
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    /** Values around {@code centre} that every element type here holds exactly: multiples of 1/64 below 2. */
    RandomWeights add(String name, double centre, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] data = new float[count];
        for (int i = 0; i < count; i++) {
            data[i] = (float) centre + (random.nextInt(65) - 32) / 64f;
        }
        values.put(name, data);
        shapes.put(name, shape);
        return this;
    }

    float[] values(String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    boolean contains(String name) {
        return values.containsKey(name);
    }

    Weights open(Path folder) throws IOException {
        return open(folder, DType.F32, 0);
    }

    /**
     * Writes the file and opens it.
     *
     * @param misalignment bytes by which the tensors miss the alignment that writers usually keep
     */
    Weights open(Path folder, DType dtype, int misalignment) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long offset = 0;
        for (Map.Entry<String, float[]> tensor : values.entrySet()) {
            long end = offset + (long) tensor.getValue().length * dtype.bytes();
            header.append(header.length() == 1 ? "" : ",")
                    .append('"')
                    .append(tensor.getKey())
                    .append("\":{\"dtype\":\"")
                    .append(dtype)
                    .append("\",\"shape\":")
                    .append(java.util.Arrays.toString(shapes.get(tensor.getKey())))
                    .append(",\"data_offsets\":[")
                    .append(offset + "," + end)
                    .append("]}");
            offset = end;
        }
        header.append('}');
        while (header.length() % 8 != misalignment) {
            header.append(' ');
        }
        ByteBuffer file =
                ByteBuffer.allocate((int) (8 + header.length() + offset)).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length()).put(header.toString().getBytes(StandardCharsets.US_ASCII));
        for (float[] data : values.values()) {
            for (float value : data) {
                put(file, dtype, value);
            }
        }
        Path path = folder.resolve(dtype + "-" + misalignment + ".safetensors");
        Files.write(path, file.array());
        return Checkpoints.open(path);
    }

    private static void put(ByteBuffer file, DType dtype, float value) {
        switch (dtype) {
            case F32 -> file.putFloat(value);
            case F64 -> file.putDouble(value);
            case BF16 -> file.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
            case F16 -> file.putShort(half(value));
            default -> throw new IllegalArgumentException(dtype.toString());
        }
    }

    /** For values that fit exactly and are not subnormal. */
    private static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int exponent = (bits >>> 23 & 0xff) - 127 + 15;
        return (short) (value == 0 ? 0 : bits >>> 16 & 0x8000 | exponent << 10 | bits >>> 13 & 0x3ff);
    }
}

package io.langbridge.demoworld;

import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Random;

/** Random weights of a network that is to be trained, in a safetensors file. Not thread-safe. */
final class NewWeights {
    private final SafetensorsWriter writer = new SafetensorsWriter();
    private final Random random;

    NewWeights(long seed) {
        random = new Random(seed);
    }

    /** Values around zero. */
    NewWeights normal(String name, double deviation, int... shape) {
        FloatBuffer values = FloatBuffer.allocate(elements(shape));
        while (values.hasRemaining()) {
            values.put((float) (deviation * random.nextGaussian()));
        }
        return add(name, values, shape);
    }

    /** The weight of a linear layer, {@code [out, in]}; what comes out is as large as what goes in, times a factor. */
    NewWeights linear(String name, int out, int in, double factor) {
        return normal(name, factor / Math.sqrt(in), out, in);
    }

    /** The same value everywhere. */
    NewWeights constant(String name, float value, int... shape) {
        FloatBuffer values = FloatBuffer.allocate(elements(shape));
        while (values.hasRemaining()) {
            values.put(value);
        }
        return add(name, values, shape);
    }

    private NewWeights add(String name, FloatBuffer values, int... shape) {
        long[] sizes = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            sizes[i] = shape[i];
        }
        values.flip();
        writer.add(name, values, sizes);
        return this;
    }

    private static int elements(int... shape) {
        int count = 1;
        for (int size : shape) {
            count *= size;
        }
        return count;
    }

    void write(Path file) {
        writer.write(file);
    }
}

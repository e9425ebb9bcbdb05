package io.langbridge.runtime.core.explain;

import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A tensor that lies in an array and not in a file. */
record ArrayTensor(float[] values, int rows, int width) implements StoredTensor {
    static ArrayTensor random(int rows, int width, long seed) {
        Random random = new Random(seed);
        float[] values = new float[rows * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return new ArrayTensor(values, rows, width);
    }

    FloatTensor tensor() {
        return FloatTensor.of(values, rows, width);
    }

    /** {@code a} times {@code b} transposed. */
    static FloatTensor product(FloatTensor a, FloatTensor b) {
        float[] left = a.toArray();
        float[] right = b.toArray();
        int m = a.size(0);
        int n = b.size(0);
        int k = a.size(1);
        float[] product = new float[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int x = 0; x < k; x++) {
                    sum += (double) left[i * k + x] * right[j * k + x];
                }
                product[i * n + j] = (float) sum;
            }
        }
        return FloatTensor.of(product, m, n);
    }

    @Override
    public String name() {
        return "model.embed_tokens.weight";
    }

    @Override
    public DType dtype() {
        return DType.F32;
    }

    @Override
    public long[] shape() {
        return new long[] {rows, width};
    }

    @Override
    public Path file() {
        return Paths.get("embeddings.safetensors");
    }

    @Override
    public @Nullable Long offset() {
        return null;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        target.put(values, (int) from, target.remaining());
    }
}

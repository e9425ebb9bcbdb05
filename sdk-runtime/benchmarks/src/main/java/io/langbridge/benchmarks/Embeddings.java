package io.langbridge.benchmarks;

import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random rows in place of a language model's embeddings, of which only the width matters here; in a temporary file that
 * goes when this is closed.
 *
 * @param matrix null unless the adapter is a LangBridge adapter
 */
record Embeddings(
        @Nullable Path file,
        @Nullable Weights weights,
        @Nullable VocabularyMatrix matrix) implements AutoCloseable {
    private static final float DEVIATION = 0.02f;

    /** As wide as the language model of the setup. */
    static Embeddings random(Setup setup, AdapterConfig config) throws IOException {
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            return new Embeddings(null, null, null);
        }
        try (LlmPart llm = LlmPart.open(setup.llm())) {
            return random(setup, langBridge.mmVocabSize(), llm.config().hiddenSize());
        }
    }

    static Embeddings random(Setup setup, int tokens, int width) throws IOException {
        Random random = new Random(8);
        FloatBuffer row = FloatBuffer.allocate(width);
        Path file = Files.createTempFile(setup.models(), "embeddings", ".safetensors");
        new SafetensorsWriter()
                .add(
                        "rows",
                        DType.F32,
                        channel -> {
                            for (int i = 0; i < tokens; i++) {
                                for (int k = 0; k < width; k++) {
                                    row.put(k, DEVIATION * (float) random.nextGaussian());
                                }
                                SafetensorsWriter.writeFloats(row.duplicate(), channel);
                            }
                        },
                        tokens,
                        width)
                .write(file);
        Weights weights = Checkpoints.open(file);
        return new Embeddings(file, weights, VocabularyMatrix.of(weights.get("rows")));
    }

    @Override
    public void close() throws IOException {
        if (weights != null && file != null) {
            weights.close();
            Files.delete(file);
        }
    }
}

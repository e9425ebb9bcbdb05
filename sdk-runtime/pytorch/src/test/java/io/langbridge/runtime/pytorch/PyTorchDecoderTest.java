package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.CheckpointException;
import io.langbridge.LangBridgeException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PyTorchDecoderTest {
    private static final int[] PROMPT = {3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32};

    @TempDir
    private Path folder;

    @BeforeAll
    static void requireNatives() {
        Tiny.requireNatives();
    }

    private static Stream<Arguments> variants() {
        return Stream.of(
                Arguments.of("plain", Tiny.decoder(false, false, 0, false)),
                Arguments.of("with biases and tied embeddings", Tiny.decoder(true, false, 0, true)),
                Arguments.of("with normed queries and keys", Tiny.decoder(false, true, 0, false)),
                Arguments.of("with a window on one layer", Tiny.decoder(false, false, 4, false)));
    }

    private DecoderNetwork open(LlamaConfig config) throws IOException {
        Weights weights = Tiny.weights(config).open(folder);
        return new PyTorchEngine().decoder(config, weights, Tiny.OPTIONS);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void logitsAreThoseOfPlainLoops(String name, LlamaConfig config) throws IOException {
        try (DecoderNetwork decoder = open(config)) {
            FloatTensor inputs = decoder.embed(PROMPT);
            double[] expected = new ReferenceDecoder(config, Tiny.weights(config)).logits(inputs);
            Tiny.assertClose(decoder.trace(inputs).logits().toArray(), expected);
            for (int chunk : new int[] {1, 2, 5, PROMPT.length}) {
                try (DecoderSession session = decoder.open(PROMPT.length)) {
                    for (int from = 0; from < PROMPT.length; from += chunk) {
                        int to = Math.min(PROMPT.length, from + chunk);
                        float[] logits = Tiny.copy(session.prefill(inputs.rows(from, to)));
                        Tiny.assertClose(logits, row(expected, to - 1, config));
                    }
                }
            }
            try (DecoderSession session = decoder.open(PROMPT.length)) {
                for (int i = 0; i < PROMPT.length; i++) {
                    Tiny.assertClose(Tiny.copy(session.step(PROMPT[i])), row(expected, i, config));
                }
            }
        }
    }

    private static double[] row(double[] logits, int token, LlamaConfig config) {
        return Arrays.copyOfRange(logits, token * config.vocabSize(), (token + 1) * config.vocabSize());
    }

    @ParameterizedTest(name = "{0}, {1} bytes off")
    @CsvSource({"F32, 0", "F32, 2", "BF16, 0", "BF16, 1", "F16, 0", "F16, 3", "F64, 0"})
    void weightsMayBeStoredInAnyTypeAndPlace(DType dtype, int misalignment) throws IOException {
        LlamaConfig config = Tiny.decoder(true, true, 0, false);
        RandomWeights values = Tiny.weights(config);
        try (Weights weights = values.open(folder, dtype, misalignment);
                DecoderNetwork decoder = new PyTorchEngine().decoder(config, weights, Tiny.OPTIONS)) {
            FloatTensor inputs = decoder.embed(PROMPT);
            double[] expected = new ReferenceDecoder(config, values).logits(inputs);
            Tiny.assertClose(decoder.trace(inputs).logits().toArray(), expected);
        }
    }

    @Test
    void embeddingsAreTheRowsOfTheTable() throws IOException {
        LlamaConfig config = Tiny.decoder(false, false, 0, false);
        try (DecoderNetwork decoder = open(config)) {
            float[] table = Tiny.weights(config).values("model.embed_tokens.weight");
            assertThat(decoder.embed(7, 2).rows(0, 1).toArray())
                    .isEqualTo(Arrays.copyOfRange(table, 7 * config.hiddenSize(), 8 * config.hiddenSize()));
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> decoder.embed(1, 50))
                    .withMessage("Token id 50 is not in the vocabulary of 50 entries");
        }
    }

    private static Stream<Sampler.Settings> settings() {
        return Stream.of(
                Sampler.Settings.GREEDY,
                new Sampler.Settings(0, 0, 1, 0, 1.3, 0),
                new Sampler.Settings(1, 0, 1, 0, 1, 1),
                new Sampler.Settings(0.7, 5, 1, 0, 1, 2),
                new Sampler.Settings(1.8, 0, 0.9, 0, 1.1, 3),
                new Sampler.Settings(1.5, 0, 1, 0.2, 0.9, 4),
                new Sampler.Settings(2.5, 40, 0.95, 0.05, 1.2, 5),
                new Sampler.Settings(1, 1000, 0.01, 0, 1, 6));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void tokensChosenWhereTheLogitsAreAreThoseTheSamplerChooses(Sampler.Settings settings) throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false));
                DecoderSession here = decoder.open(60);
                DecoderSession there = decoder.open(60)) {
            Sampler sampler = new Sampler(settings);
            Sampler same = new Sampler(settings);
            sampler.see(PROMPT);
            same.see(PROMPT);
            FloatTensor inputs = decoder.embed(PROMPT);
            int expected = sampler.next(here.prefill(inputs));
            int actual = there.prefill(inputs, same);
            for (int i = PROMPT.length; i < 60; i++) {
                assertThat(actual).isEqualTo(expected);
                assertThat(there.length()).isEqualTo(i);
                expected = sampler.next(here.step(expected));
                actual = there.step(actual, same);
            }
            assertThat(actual).isEqualTo(expected);
        }
    }

    @Test
    void logitsThatAreNotNumbersAreAnErrorWhereverTheTokenIsChosen() throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false));
                DecoderSession session = decoder.open(20)) {
            FloatTensor inputs = decoder.embed(PROMPT);
            inputs.data().put(0, Float.NaN);
            inputs.data().put(inputs.count() - 1, Float.POSITIVE_INFINITY);
            for (Sampler.Settings settings : settings().toList()) {
                assertThatExceptionOfType(LangBridgeException.class)
                        .isThrownBy(() -> session.prefill(inputs, new Sampler(settings)))
                        .withMessageStartingWith("The language model's scores are not numbers ([NaN, NaN");
                assertThat(session.length()).isZero();
            }
        }
    }

    @Test
    void aStepOfSeveralIsRefusedWithoutATrace() throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false));
                DecoderBatch batch = decoder.open(2, 2)) {
            batch.sequence(1).prefill(decoder.embed(1, 2));
            assertThatIllegalArgumentException().isThrownBy(() -> batch.step(1));
            assertThatIllegalStateException()
                    .isThrownBy(() -> batch.step(1, 1))
                    .withMessage("The cache holds 2 of at most 2 positions; there is no room for 1 more");
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> batch.step(Integer.MAX_VALUE, DecoderBatch.NONE));
            assertThat(batch.sequence(0).length()).isZero();
            batch.sequence(1).close();
            assertThatIllegalStateException().isThrownBy(() -> batch.step(1, 1));
            batch.step(1, DecoderBatch.NONE);
            assertThat(batch.sequence(0).length()).isEqualTo(1);
            assertThatIllegalArgumentException().isThrownBy(() -> decoder.open(0, 8));
        }
    }

    @Test
    void aRewoundCacheGoesOnAsIfNothingHadFollowed() throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 4, false));
                DecoderSession session = decoder.open(20)) {
            session.prefill(decoder.embed(PROMPT));
            float[] expected = Tiny.copy(session.step(1));
            session.step(2);
            session.step(3);
            session.rewind(PROMPT.length);
            assertThat(Tiny.copy(session.step(1))).isEqualTo(expected);
            assertThat(session.length()).isEqualTo(PROMPT.length + 1);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> session.rewind(14))
                    .withMessage("The cache holds 13 positions and cannot go back to 14");
        }
    }

    @Test
    void wrongShapesAndNumbersAreRefusedBeforeTheyReachNativeCode() throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false));
                DecoderSession session = decoder.open(2)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> session.prefill(FloatTensor.allocate(1, 23)))
                    .withMessage(
                            "Input embeddings must have the shape [tokens, 24] with at least one token, not [1, 23]");
            assertThatIllegalArgumentException().isThrownBy(() -> session.prefill(FloatTensor.allocate(0, 24)));
            assertThatIllegalArgumentException().isThrownBy(() -> decoder.trace(FloatTensor.allocate(24)));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> decoder.open(65))
                    .withMessage("capacity must be 1 to 64 (max_position_embeddings), not 65");
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> session.step(-1));
            assertThatIllegalStateException()
                    .isThrownBy(() -> session.prefill(FloatTensor.allocate(3, 24)))
                    .withMessage("The cache holds 0 of at most 2 positions; there is no room for 3 more");
            assertThat(session.length()).isZero();
        }
    }

    @Test
    void aMissingTensorIsNamed() throws IOException {
        LlamaConfig config = Tiny.decoder(false, false, 0, false);
        try (Weights weights = Tiny.weights(config).open(folder)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> new PyTorchEngine()
                            .decoder(Tiny.decoder(true, false, 0, false), weights, Tiny.OPTIONS)
                            .close())
                    .withMessageContaining("model.layers.0.self_attn.q_proj.bias");
        }
    }

    @Test
    void sessionsInEightThreadsGiveTheResultsOfOne() throws Exception {
        try (DecoderNetwork decoder = open(Tiny.decoder(true, true, 4, false))) {
            List<float[]> expected = new ArrayList<>();
            for (int first = 0; first < 8; first++) {
                expected.add(generate(decoder, first));
            }
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<float[]>> results = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    int first = i % 8;
                    results.add(threads.submit(() -> generate(decoder, first)));
                }
                for (int i = 0; i < 40; i++) {
                    assertThat(results.get(i).get()).isEqualTo(expected.get(i % 8));
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static float[] generate(DecoderNetwork decoder, int first) {
        try (DecoderSession session = decoder.open(40)) {
            float[] logits = Tiny.copy(session.prefill(decoder.embed(first, first + 1, first + 2)));
            for (int i = 0; i < 30; i++) {
                int best = 0;
                for (int k = 1; k < logits.length; k++) {
                    best = logits[k] > logits[best] ? k : best;
                }
                logits = Tiny.copy(session.step(best));
            }
            return logits;
        }
    }

    @Test
    void closingWaitsForWhatRunsAndEndsTheRest() throws Exception {
        DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            CountDownLatch running = new CountDownLatch(4);
            List<Future<?>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                results.add(threads.submit(() -> {
                    try (DecoderSession session = decoder.open(4)) {
                        while (true) {
                            session.step(1);
                            running.countDown();
                            session.rewind(0);
                        }
                    }
                }));
            }
            running.await();
            decoder.close();
            decoder.close();
            for (Future<?> result : results) {
                assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
                        .isThrownBy(result::get)
                        .withCause(new IllegalStateException("The tiny decoder is closed"));
            }
        } finally {
            threads.shutdownNow();
        }
        assertThatIllegalStateException().isThrownBy(() -> decoder.embed(1)).withMessage("The tiny decoder is closed");
        assertThatIllegalStateException().isThrownBy(() -> decoder.open(1));
    }

    @Test
    void aClosedSessionRefusesWork() throws IOException {
        try (DecoderNetwork decoder = open(Tiny.decoder(false, false, 0, false))) {
            DecoderSession session = decoder.open(2);
            session.close();
            session.close();
            assertThatIllegalStateException()
                    .isThrownBy(() -> session.step(1))
                    .withMessage("The decoder session is closed");
            assertThatIllegalStateException().isThrownBy(() -> session.rewind(0));
        }
    }
}

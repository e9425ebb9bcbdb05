package io.langbridge.runtime.onnx;

import static io.langbridge.runtime.onnx.Errors.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.Precision;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Qwen35Config;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxDecoderTest {
    private static final int HIDDEN = 24;
    private static final int VOCAB = 50;
    private static final int[] IDS = {3, 14, 15, 9, 2, 6, 5, 35, 8, 9, 7, 9, 32, 38, 46};

    private static final Path TASKS = Path.of("/proc/self/task");

    @TempDir
    Path folder;

    private EngineOptions options = new EngineOptions(1, false, Path.of("unset"));

    @BeforeEach
    void cacheInTemporaryFolder() {
        options = new EngineOptions(1, false, folder.resolve("cache"));
    }

    /** Three layers, four heads of eight over two key-value heads; the window applies to the second layer only. */
    private static LlamaConfig config(boolean biases, boolean qkNorm, int window, boolean tied) {
        return new LlamaConfig(
                "test",
                HIDDEN,
                40,
                3,
                4,
                2,
                8,
                VOCAB,
                64,
                1e-6f,
                new Rope(10000, null),
                biases,
                biases,
                biases,
                qkNorm,
                window,
                new boolean[] {false, window > 0, false},
                0,
                tied);
    }

    private Weights weights(LlamaConfig c, DType dtype) throws IOException {
        RandomWeights weights = new RandomWeights(dtype).add("model.embed_tokens.weight", VOCAB, HIDDEN);
        int queries = c.numAttentionHeads() * c.headDim();
        int keys = c.numKeyValueHeads() * c.headDim();
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            String layer = "model.layers." + i + ".";
            weights.add(layer + "input_layernorm.weight", HIDDEN);
            weights.add(layer + "post_attention_layernorm.weight", HIDDEN);
            linear(weights, layer + "self_attn.q_proj", HIDDEN, queries, c.qkvBias());
            linear(weights, layer + "self_attn.k_proj", HIDDEN, keys, c.qkvBias());
            linear(weights, layer + "self_attn.v_proj", HIDDEN, keys, c.qkvBias());
            linear(weights, layer + "self_attn.o_proj", queries, HIDDEN, c.outputBias());
            if (c.qkNorm()) {
                weights.add(layer + "self_attn.q_norm.weight", c.headDim());
                weights.add(layer + "self_attn.k_norm.weight", c.headDim());
            }
            linear(weights, layer + "mlp.gate_proj", HIDDEN, c.intermediateSize(), c.mlpBias());
            linear(weights, layer + "mlp.up_proj", HIDDEN, c.intermediateSize(), c.mlpBias());
            linear(weights, layer + "mlp.down_proj", c.intermediateSize(), HIDDEN, c.mlpBias());
        }
        weights.add("model.norm.weight", HIDDEN);
        if (!c.tieWordEmbeddings()) {
            weights.add("lm_head.weight", VOCAB, HIDDEN);
        }
        return weights.writeTo(folder.resolve("model.safetensors"));
    }

    private static void linear(RandomWeights weights, String layer, int in, int out, boolean bias) {
        weights.add(layer + ".weight", out, in);
        if (bias) {
            weights.add(layer + ".bias", out);
        }
    }

    private DecoderNetwork open(LlamaConfig config) throws IOException {
        return new OnnxEngine().decoder(config, weights(config, DType.F32), options);
    }

    private static double[][] reference(LlamaConfig config, Weights weights) {
        return new NaiveDecoder(config, weights).logits(IDS);
    }

    @Test
    void everyVariantEqualsTheReferenceStepByStep() throws IOException {
        for (LlamaConfig config :
                List.of(config(true, false, 0, true), config(false, true, 0, false), config(false, false, 4, false))) {
            Weights weights = weights(config, DType.F32);
            double[][] expected = reference(config, weights);
            try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options);
                    DecoderSession session = network.open(IDS.length)) {
                for (int i = 0; i < IDS.length; i++) {
                    assertClose(session.step(IDS[i]), expected[i]);
                }
            }
        }
    }

    /** Windows and matrices are updated in place, which the kernels must stand; rows of a matrix may be odd. */
    @Test
    void whatIsSummedUpIsTheSameStepByStepAndAtOnce() throws IOException {
        int[][] shapes = {{2, 1, 1, 8, 8}, {3, 2, 4, 6, 10}, {5, 1, 3, 5, 7}, {6, 2, 2, 64, 64}, {9, 1, 2, 8, 4}};
        for (int[] shape : shapes) {
            Qwen35Config config = new Qwen35Config(
                    HIDDEN,
                    40,
                    3,
                    new boolean[] {true, false, true},
                    4,
                    2,
                    8,
                    false,
                    new Rotary(new Rope(10_000, null), 4),
                    shape[1],
                    shape[2],
                    shape[3],
                    shape[4],
                    shape[0],
                    VOCAB,
                    64,
                    1e-6f,
                    true);
            RandomWeights weights = new RandomWeights(DType.F32);
            Inventory.of(config.network()).tensors().forEach(weights::add);
            try (Weights stored = weights.writeTo(folder.resolve("kernel" + shape[0] + ".safetensors"));
                    DecoderNetwork network = new OnnxEngine().decoder(config, stored, options);
                    DecoderSession session = network.open(IDS.length)) {
                float[] atOnce = copy(session.prefill(network.embed(IDS)));
                session.rewind(0);
                float[] last = {};
                for (int id : IDS) {
                    last = copy(session.step(id));
                }
                assertThat(last).containsExactly(atOnce, within(1e-4f));
            }
        }
    }

    private static float[] copy(FloatBuffer values) {
        float[] copy = new float[values.remaining()];
        values.duplicate().get(copy);
        return copy;
    }

    @Test
    void aPromptInPiecesGivesTheSameAsInOne() throws IOException {
        LlamaConfig config = config(false, false, 4, true);
        Weights weights = weights(config, DType.F32);
        double[][] expected = reference(config, weights);
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options);
                DecoderSession session = network.open(40)) {
            assertClose(session.prefill(network.embed(IDS)), expected[IDS.length - 1]);
            session.rewind(0);
            for (int from = 0; from < IDS.length; from += 5) {
                FloatBuffer logits = session.prefill(network.embed(Arrays.copyOfRange(IDS, from, from + 5)));
                assertClose(logits, expected[from + 4]);
            }
            assertThat(session.length()).isEqualTo(IDS.length);
        }
    }

    @Test
    void aCacheOfHalfThePrecisionCostsLittle() throws IOException {
        LlamaConfig config = config(true, true, 4, true);
        Weights weights = weights(config, DType.F32);
        double[][] expected = reference(config, weights);
        EngineOptions half = new EngineOptions(
                1, false, folder, Device.CPU, false, Precision.FULL, EngineOptions.PREFILL_CHUNK, true, List.of());
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, half);
                DecoderSession session = network.open(IDS.length)) {
            session.prefill(network.embed(Arrays.copyOf(IDS, 7)));
            for (int i = 7; i < IDS.length; i++) {
                FloatBuffer logits = session.step(IDS[i]);
                float[] values = new float[VOCAB];
                logits.get(values);
                assertThat(Errors.relative(values, expected[i])).isBetween(1e-5, 2e-3);
            }
        }
    }

    @Test
    void threadsStayOnTheProcessorsThatWereAskedFor() throws IOException {
        LlamaConfig config = config(false, false, 0, true);
        Weights weights = weights(config, DType.F32);
        EngineOptions pinned = new EngineOptions(
                2, false, folder, Device.CPU, false, Precision.FULL, EngineOptions.PREFILL_CHUNK, false, List.of(0));
        Set<String> before = pinnedThreads();
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, pinned);
                DecoderSession session = network.open(IDS.length)) {
            assertClose(session.prefill(network.embed(IDS)), reference(config, weights)[IDS.length - 1]);
            if (Files.isDirectory(TASKS) && Runtime.getRuntime().availableProcessors() > 1) {
                // A thread pins itself, when it runs for the first time.
                long start = System.nanoTime();
                Set<String> since = new HashSet<>();
                while (since.isEmpty() && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(1)) {
                    since.addAll(pinnedThreads());
                    since.removeAll(before);
                }
                assertThat(since).isNotEmpty();
            }
        }
    }

    private static boolean isPinned(Path task) {
        try {
            return Files.readAllLines(task.resolve("status")).contains("Cpus_allowed_list:\t0");
        } catch (IOException e) {
            return false; // it has just ended
        }
    }

    /** Threads of this process that run on processor 0 only, where the system tells. */
    private static Set<String> pinnedThreads() throws IOException {
        Set<String> pinned = new HashSet<>();
        if (Files.isDirectory(TASKS)) {
            try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
                for (Path task : tasks) {
                    if (isPinned(task)) {
                        pinned.add(task.getFileName().toString());
                    }
                }
            }
        }
        return pinned;
    }

    @Test
    void aLongPromptRunsInChunks() throws IOException {
        LlamaConfig config = config(false, false, 4, true);
        Weights weights = weights(config, DType.F32);
        EngineOptions inChunks =
                new EngineOptions(1, false, folder, Device.CPU, false, Precision.FULL, 4, false, List.of());
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, inChunks);
                DecoderSession session = network.open(IDS.length)) {
            assertClose(session.prefill(network.embed(IDS)), reference(config, weights)[IDS.length - 1]);
            assertThat(session.length()).isEqualTo(IDS.length);
        }
    }

    @Test
    void whatWasRewoundIsForgotten() throws IOException {
        LlamaConfig config = config(true, false, 0, true);
        Weights weights = weights(config, DType.F32);
        double[][] expected = reference(config, weights);
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options);
                DecoderSession session = network.open(40)) {
            session.prefill(network.embed(Arrays.copyOf(IDS, 6)));
            session.prefill(network.embed(1, 2, 3));
            session.rewind(6);
            assertThat(session.length()).isEqualTo(6);
            assertClose(session.step(IDS[6]), expected[6]);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> session.rewind(8))
                    .withMessage("The cache holds 7 positions and cannot go back to 8");
        }
    }

    @Test
    void sequencesRunTogetherWithCachesOfHalfThePrecision() throws IOException {
        for (LlamaConfig config : List.of(config(true, false, 4, true), config(false, true, 0, false))) {
            EngineOptions half = new EngineOptions(
                    1, false, folder, Device.CPU, false, Precision.FULL, EngineOptions.PREFILL_CHUNK, true, List.of());
            try (DecoderNetwork network = new OnnxEngine().decoder(config, weights(config, DType.F32), half);
                    DecoderBatch batch = network.open(3, IDS.length)) {
                for (int i = 0; i < 3; i++) {
                    batch.sequence(i).prefill(network.embed(Arrays.copyOfRange(IDS, i, 3 * i + 2)));
                }
                batch.step(7, DecoderBatch.NONE, 8);
                FloatTensor logits = batch.step(5, 6, 7);
                for (int i = 0; i < 3; i++) {
                    try (DecoderSession alone = network.open(IDS.length)) {
                        alone.prefill(network.embed(Arrays.copyOfRange(IDS, i, 3 * i + 2)));
                        if (i != 1) {
                            alone.step(7 + i / 2);
                        }
                        assertThat(Errors.relative(logits.rows(i, i + 1).toArray(), doubles(alone.step(5 + i))))
                                .isLessThan(1e-6);
                    }
                }
            }
        }
    }

    private static double[] doubles(FloatBuffer values) {
        double[] doubles = new double[values.limit()];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = values.get(i);
        }
        return doubles;
    }

    @Test
    void aStepOfSeveralIsRefusedWithoutATrace() throws IOException {
        try (DecoderNetwork network = open(config(false, false, 0, true));
                DecoderBatch batch = network.open(2, 2)) {
            batch.sequence(1).prefill(network.embed(1, 2));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> batch.step(1))
                    .withMessage("There are 2 sequences, but 1 tokens; one that sits out has -1 in place of a token");
            assertThatIllegalStateException()
                    .isThrownBy(() -> batch.step(1, 1))
                    .withMessage("The cache holds 2 of at most 2 positions; there is no room for 1 more");
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> batch.step(VOCAB, DecoderBatch.NONE));
            assertThat(batch.sequence(0).length()).isZero();
            batch.sequence(1).close();
            assertThatIllegalStateException().isThrownBy(() -> batch.step(1, 1));
            batch.step(1, DecoderBatch.NONE);
            assertThat(batch.sequence(0).length()).isEqualTo(1);
            assertThatIllegalArgumentException().isThrownBy(() -> network.open(0, 8));
            assertThatIllegalArgumentException().isThrownBy(() -> network.open(2, 65));
        }
    }

    @Test
    void traceGivesEveryPositionAndStartsWithTheEmbeddings() throws IOException {
        LlamaConfig config = config(false, true, 0, true);
        Weights weights = weights(config, DType.F32);
        double[][] expected = reference(config, weights);
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options)) {
            FloatTensor embeddings = network.embed(IDS);
            DecoderNetwork.Trace trace = network.trace(embeddings);
            double[] all =
                    Arrays.stream(expected).flatMapToDouble(Arrays::stream).toArray();
            assertClose(trace.logits().toArray(), all);
            assertThat(trace.hiddenStates()).hasSize(4);
            assertThat(trace.hiddenStates().get(0).toArray()).isEqualTo(embeddings.toArray());
            assertThat(trace.cacheKeys().shape()).containsExactly(3, 2, IDS.length, 8);
            assertThat(trace.cacheValues().shape()).containsExactly(3, 2, IDS.length, 8);
        }
    }

    @Test
    void logitsAreWrittenToTheSameMemoryEveryTime() throws IOException {
        try (DecoderNetwork network = open(config(false, false, 0, true));
                DecoderSession session = network.open(8)) {
            FloatBuffer first = session.step(1);
            float before = first.get(0);
            session.step(2);
            assertThat(first.isDirect()).isTrue();
            assertThat(first.get(0)).isNotEqualTo(before);
        }
    }

    @Test
    void bfloat16WeightsAreConvertedOnceAndGiveTheSame() throws IOException {
        LlamaConfig config = config(true, false, 0, true);
        Weights weights = weights(config, DType.BF16);
        double[][] expected = reference(config, weights);
        List<Path> written = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options);
                    DecoderSession session = network.open(IDS.length)) {
                assertClose(session.prefill(network.embed(IDS)), expected[IDS.length - 1]);
            }
            try (Stream<Path> files = Files.list(options.cacheDirectory())) {
                files.filter(file -> file.toString().endsWith(".bin")).forEach(written::add);
            }
        }
        assertThat(written).hasSize(2);
        assertThat(written.get(0)).isEqualTo(written.get(1));
    }

    @Test
    void sessionsSideBySideDoNotDisturbEachOther() throws Exception {
        LlamaConfig config = config(true, false, 0, true);
        Weights weights = weights(config, DType.F32);
        double[][] expected = reference(config, weights);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (DecoderNetwork network = new OnnxEngine().decoder(config, weights, options)) {
            List<Future<?>> runs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int capacity = IDS.length + i;
                runs.add(threads.submit(() -> {
                    try (DecoderSession session = network.open(capacity)) {
                        for (int t = 0; t < IDS.length; t++) {
                            assertClose(session.step(IDS[t]), expected[t]);
                        }
                    }
                }));
            }
            for (Future<?> run : runs) {
                run.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aFullCacheIsReportedAndStaysUsable() throws IOException {
        try (DecoderNetwork network = open(config(false, false, 0, true));
                DecoderSession session = network.open(3)) {
            session.prefill(network.embed(1, 2));
            assertThatIllegalStateException()
                    .isThrownBy(() -> session.prefill(network.embed(1, 2)))
                    .withMessage("The cache holds 2 of at most 3 positions; there is no room for 2 more");
            session.step(4);
            assertThatIllegalStateException().isThrownBy(() -> session.step(5));
            assertThat(session.length()).isEqualTo(3);
        }
    }

    @Test
    void wrongInputsAreRefusedByName() throws IOException {
        try (DecoderNetwork network = open(config(false, false, 0, true));
                DecoderSession session = network.open(8)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> session.prefill(FloatTensor.allocate(2, HIDDEN + 1)))
                    .withMessage(
                            "Input embeddings must have the shape [tokens, 24] with at least one token, not [2, 25]");
            assertThatIllegalArgumentException().isThrownBy(() -> session.prefill(FloatTensor.allocate(0, HIDDEN)));
            assertThatIllegalArgumentException().isThrownBy(() -> network.trace(FloatTensor.allocate(HIDDEN)));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> network.open(65))
                    .withMessage("capacity must be 1 to 64 (max_position_embeddings), not 65");
            assertThatIllegalArgumentException().isThrownBy(() -> network.open(0));
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> network.embed(VOCAB))
                    .withMessage("Token id 50 is not in the vocabulary of 50 entries");
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> session.step(-1));
            assertThat(session.length()).isZero();
        }
    }

    @Test
    void closedNetworksAndSessionsRefuseToRun() throws IOException {
        DecoderNetwork network = open(config(false, false, 0, true));
        FloatTensor embeddings = network.embed(1);
        DecoderSession closed = network.open(8);
        DecoderSession orphan = network.open(8);
        closed.close();
        closed.close();
        assertThatIllegalStateException().isThrownBy(() -> closed.step(1)).withMessage("The decoder session is closed");
        assertThatIllegalStateException().isThrownBy(() -> closed.rewind(0));
        network.close();
        network.close();
        assertThatIllegalStateException().isThrownBy(() -> orphan.step(1)).withMessageContaining("is closed");
        assertThatIllegalStateException().isThrownBy(() -> network.open(8));
        assertThatIllegalStateException().isThrownBy(() -> network.embed(1));
        assertThatIllegalStateException().isThrownBy(() -> network.trace(embeddings));
        orphan.close();
    }

    @Test
    void weightsOfAnotherModelAreRefused() throws IOException {
        Weights weights = weights(config(false, false, 0, true), DType.F32);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OnnxEngine().decoder(config(false, false, 0, false), weights, options))
                .withMessageContaining("lm_head.weight");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OnnxEngine().decoder(config(false, true, 0, true), weights, options))
                .withMessageContaining("q_norm");
    }

    @Test
    void headSizesTheKernelCannotRunAreRefused() throws IOException {
        LlamaConfig odd = new LlamaConfig(
                "odd",
                HIDDEN,
                40,
                1,
                2,
                2,
                12,
                VOCAB,
                64,
                1e-6f,
                new Rope(10000, null),
                false,
                false,
                false,
                false,
                0,
                new boolean[1],
                0,
                true);
        Weights weights = weights(odd, DType.F32);
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> new OnnxEngine().decoder(odd, weights, options))
                .withMessage("The odd decoder has head_dim 12; the ONNX engine runs multiples of 8");
    }
}

package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Device;
import io.langbridge.Precision;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What quantised decoders do to the logits, with and without channels that are far larger than the rest. */
class OnnxPrecisionTest {
    private static final int HIDDEN = 192;
    private static final int INNER = 448;
    private static final int LAYERS = 4;
    private static final int VOCAB = 400;
    private static final int TOKENS = 48;
    private static final int STEPS = 8;
    private static final List<Precision> QUANTISED = List.of(Precision.INT8, Precision.INT4);
    private static final LlamaConfig CONFIG = config(0);

    /** {@code window} is that of the second layer, or 0. */
    private static LlamaConfig config(int window) {
        boolean[] sliding = new boolean[LAYERS];
        sliding[1] = window > 0;
        return new LlamaConfig(
                "test",
                HIDDEN,
                INNER,
                LAYERS,
                6,
                2,
                32,
                VOCAB,
                128,
                1e-6f,
                new Rope(10000, null),
                true,
                false,
                false,
                false,
                window,
                sliding,
                0,
                false);
    }

    @TempDir
    Path folder;

    private EngineOptions options(Precision precision) {
        return new EngineOptions(2, false, folder.resolve("cache")).with(precision);
    }

    private Weights weights(String file, BiConsumer<String, float[]> edit) throws IOException {
        RandomWeights weights = new RandomWeights(DType.BF16)
                .editedBy((name, values) -> {
                    // As real networks are initialised, so that no layer drowns the others.
                    for (int i = 0; i < values.length && !name.contains("norm"); i++) {
                        values[i] *= 0.2f;
                    }
                    edit.accept(name, values);
                })
                .add("model.embed_tokens.weight", VOCAB, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            String layer = "model.layers." + i + ".";
            weights.add(layer + "input_layernorm.weight", HIDDEN)
                    .add(layer + "post_attention_layernorm.weight", HIDDEN)
                    .add(layer + "self_attn.q_proj.weight", 192, HIDDEN)
                    .add(layer + "self_attn.q_proj.bias", 192)
                    .add(layer + "self_attn.k_proj.weight", 64, HIDDEN)
                    .add(layer + "self_attn.k_proj.bias", 64)
                    .add(layer + "self_attn.v_proj.weight", 64, HIDDEN)
                    .add(layer + "self_attn.v_proj.bias", 64)
                    .add(layer + "self_attn.o_proj.weight", HIDDEN, 192)
                    .add(layer + "mlp.gate_proj.weight", INNER, HIDDEN)
                    .add(layer + "mlp.up_proj.weight", INNER, HIDDEN)
                    .add(layer + "mlp.down_proj.weight", HIDDEN, INNER);
        }
        return weights.add("model.norm.weight", HIDDEN)
                .add("lm_head.weight", VOCAB, HIDDEN)
                .writeTo(folder.resolve(file + ".safetensors"));
    }

    /** Root mean square of the relative errors of the logits, at the end of the prompt and after some steps. */
    private double error(Weights weights, FloatTensor prompt, Precision precision) {
        return error(weights, prompt, options(precision));
    }

    private double error(Weights weights, FloatTensor prompt, EngineOptions options) {
        try (DecoderNetwork exact = new OnnxEngine().decoder(CONFIG, weights, options(Precision.FULL));
                DecoderNetwork rough = new OnnxEngine().decoder(CONFIG, weights, options);
                DecoderSession a = exact.open(TOKENS + STEPS);
                DecoderSession b = rough.open(TOKENS + STEPS)) {
            double squares = Math.pow(difference(b.prefill(prompt), a.prefill(prompt)), 2);
            for (int step = 0; step < STEPS; step++) {
                squares += Math.pow(difference(b.step(37 * step), a.step(37 * step)), 2);
            }
            return Math.sqrt(squares / (STEPS + 1));
        }
    }

    private static double difference(FloatBuffer actual, FloatBuffer expected) {
        float[] values = new float[actual.limit()];
        actual.get(values);
        double[] exact = new double[values.length];
        for (int i = 0; i < exact.length; i++) {
            exact[i] = expected.get(i);
        }
        return Errors.relative(values, exact);
    }

    /** Two channels of the embeddings are {@code factor} times as large as the others. */
    private static FloatTensor prompt(float factor) {
        float[] values = RandomWeights.values(TOKENS * HIDDEN, 11);
        for (int i = 0; i < values.length; i++) {
            boolean outlier = i % HIDDEN == 5 || i % HIDDEN == 77;
            values[i] *= outlier ? 0.06f * factor : 0.06f;
        }
        return FloatTensor.of(values, TOKENS, HIDDEN);
    }

    /** Channels a hundred times larger where they leave a layer, and as much smaller where the next one reads them. */
    private static void plantInActivations(String name, float[] values) {
        scaleRow(name, values, "mlp.up_proj.weight", 9, HIDDEN, 100);
        scaleColumn(name, values, "mlp.down_proj.weight", 9, INNER, 0.01f);
        scaleRow(name, values, "self_attn.v_proj.weight", 40, HIDDEN, 100);
        scaleRow(name, values, "self_attn.v_proj.bias", 40, 1, 100);
        for (int head = 3; head < 6; head++) {
            scaleColumn(name, values, "self_attn.o_proj.weight", head * 32 + 8, 192, 0.01f);
        }
        scaleRow(name, values, "layernorm.weight", 21, 1, 100);
        for (String reader : List.of("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")) {
            scaleColumn(name, values, reader + ".weight", 21, HIDDEN, 0.01f);
        }
    }

    private static void scaleRow(String name, float[] values, String layer, int row, int width, float factor) {
        for (int i = 0; i < width && name.endsWith(layer); i++) {
            values[row * width + i] *= factor;
        }
    }

    private static void scaleColumn(String name, float[] values, String layer, int column, int width, float factor) {
        for (int i = column; i < values.length && name.endsWith(layer); i += width) {
            values[i] *= factor;
        }
    }

    /**
     * Some weights a hundred times larger. Not those of queries and keys: they would sharpen the attention, and then
     * the network itself answers more strongly to any error.
     */
    private static void plantInWeights(String name, float[] values) {
        Random random = new Random(name.hashCode());
        boolean chosen = name.endsWith("proj.weight") && !name.contains("q_proj") && !name.contains("k_proj");
        for (int i = 0; i < 6 && chosen; i++) {
            values[random.nextInt(values.length)] *= 100;
        }
    }

    @Test
    void outliersInActivationsCostNoAccuracy() throws IOException {
        for (Precision precision : QUANTISED) {
            double plain = error(weights("plain", (name, values) -> {}), prompt(1), precision);
            double planted = error(weights("planted", OnnxPrecisionTest::plantInActivations), prompt(1), precision);
            double inStream = error(weights("stream", (name, values) -> {}), prompt(100), precision);
            assertThat(plain).isBetween(1e-4, precision == Precision.INT8 ? 0.06 : 0.6);
            assertThat(planted).isLessThan(1.5 * plain);
            assertThat(inStream).isLessThan(1.5 * plain);
        }
    }

    @Test
    void outliersInWeightsCostNoAccuracy() throws IOException {
        for (Precision precision : QUANTISED) {
            double plain = error(weights("plain", (name, values) -> {}), prompt(1), precision);
            double planted = error(weights("planted", OnnxPrecisionTest::plantInWeights), prompt(1), precision);
            assertThat(planted).isLessThan(1.5 * plain);
        }
    }

    @Test
    void oneFormOrTwoCostAboutTheSame() throws IOException {
        Weights weights = weights("forms", (name, values) -> {});
        for (float factor : new float[] {1, 100}) {
            double two = error(weights, prompt(factor), options(Precision.INT8));
            double one = error(weights, prompt(factor), options(Precision.FULL).with(Precision.INT8, false));
            double small = error(weights, prompt(factor), options(Precision.INT4));
            double filled =
                    error(weights, prompt(factor), options(Precision.FULL).with(Precision.INT4, true));
            assertThat(one).isBetween(two / 2, 2 * two);
            assertThat(filled).isLessThan(1.1 * small);
        }
    }

    /** Their largest value is 0, by which rows are divided. */
    @Test
    void rowsOfZerosGiveNumbers() throws IOException {
        Weights weights = weights("zeros", (name, values) -> {});
        FloatTensor prompt = prompt(1);
        FloatTensor zeros = FloatTensor.allocate(TOKENS, HIDDEN);
        zeros.rows(TOKENS / 2, TOKENS)
                .data()
                .put(prompt.rows(TOKENS / 2, TOKENS).data());
        for (Boolean twoForms : new Boolean[] {true, false}) {
            assertThat(error(weights, zeros, options(Precision.FULL).with(Precision.INT8, twoForms)))
                    .isLessThan(0.1);
        }
    }

    /** Heads that come out of one product are rotated, cut into windows and cached as those of their own products. */
    @Test
    void chunksAndACacheOfHalfThePrecisionCostLittle() throws IOException {
        Weights weights = weights("plain", (name, values) -> {});
        FloatTensor prompt = prompt(1);
        EngineOptions whole = options(Precision.INT4);
        EngineOptions inChunks = new EngineOptions(
                2, false, whole.cacheDirectory(), Device.CPU, false, Precision.INT4, 7, false, List.of());
        EngineOptions half = new EngineOptions(
                2, false, whole.cacheDirectory(), Device.CPU, false, Precision.INT4, 7, true, List.of());
        try (DecoderNetwork a = new OnnxEngine().decoder(config(5), weights, whole);
                DecoderNetwork b = new OnnxEngine().decoder(config(5), weights, inChunks);
                DecoderNetwork c = new OnnxEngine().decoder(config(5), weights, half);
                DecoderNetwork unbounded = new OnnxEngine().decoder(CONFIG, weights, whole);
                DecoderSession expected = a.open(TOKENS + 1);
                DecoderSession chunked = b.open(TOKENS + 2);
                DecoderSession halved = c.open(TOKENS + 3);
                DecoderSession withoutWindow = unbounded.open(TOKENS + 1)) {
            assertThat(difference(chunked.prefill(prompt), expected.prefill(prompt)))
                    .isLessThan(1e-5);
            halved.prefill(prompt);
            withoutWindow.prefill(prompt);
            FloatBuffer logits = expected.step(7);
            assertThat(difference(chunked.step(7), logits)).isLessThan(1e-5);
            assertThat(difference(halved.step(7), logits)).isBetween(1e-6, 0.06);
            assertThat(difference(withoutWindow.step(7), logits)).isGreaterThan(0.2);
        }
    }

    /** It is multiplied in parts: each row must come out where it belongs. */
    @Test
    void aLargeWeightIsAsExactAsASmallOne() throws IOException {
        int in = 256;
        int out = 1000;
        Weights weights = new RandomWeights(DType.BF16).add("weight", out, in).writeTo(folder.resolve("l.safetensors"));
        FloatTensor x = FloatTensor.of(RandomWeights.values(in, 3), 1, in);
        FloatTensor exact = FloatTensor.allocate(1, out);
        FloatTensor rough = FloatTensor.allocate(1, out);
        product(weights, x, exact, Precision.FULL);
        for (Precision precision : QUANTISED) {
            product(weights, x, rough, precision);
            assertThat(difference(rough.data(), exact.data()))
                    .isBetween(1e-4, precision == Precision.INT8 ? 0.02 : 0.15);
        }
    }

    private void product(Weights weights, FloatTensor x, FloatTensor y, Precision precision) {
        StoredWeights stored = new StoredWeights("product", weights, precision);
        Products products = new Products(stored, weight -> false, name -> false, new Scratch());
        products.partBytes = 50_000; // so that there are 3 parts in 4 bits and 6 in 8, the last ones smaller
        stored.graph.input("x", OnnxGraph.Type.FLOAT, 1, x.size(1));
        products.product("x", "weight", null, x.size(1), y.size(1), "y", Change.NONE);
        stored.graph.output("y", OnnxGraph.Type.FLOAT, 1, y.size(1));
        try (LoadedGraph loaded = stored.load(options(precision));
                Bindings bindings = new Bindings()) {
            bindings.input("x", x, 1, x.size(1)).output("y", y, 1, y.size(1)).run(loaded);
        }
    }

    /** Behind GELU nearly all is above 0: the range of 8 bits must not be spent on as much below it. */
    @Test
    void activationsUseTheWholeRange() throws IOException {
        Weights weights = new RandomWeights(DType.F32)
                .add("0.weight", 512, 64)
                .add("0.bias", 512)
                .add("2.weight", 64, 512)
                .add("2.bias", 64)
                .writeTo(folder.resolve("mlp.safetensors"));
        AdapterConfig config = new AdapterConfig.Mlp(64, 512, 64, 2, true);
        FloatTensor features = FloatTensor.of(RandomWeights.values(32 * 64, 3), 1, 32, 64);
        try (AdapterNetwork exact = new OnnxEngine().adapter(config, weights, null, options(Precision.FULL));
                AdapterNetwork rough = new OnnxEngine().adapter(config, weights, null, options(Precision.INT8))) {
            assertThat(difference(
                            rough.visualTokens(features).data(),
                            exact.visualTokens(features).data()))
                    .isBetween(1e-4, 0.0135);
        }
    }

    @Test
    void eachPrecisionHasItsOwnFileAndTheSecondStartFindsIt() throws IOException {
        Weights weights = weights("plain", (name, values) -> {});
        for (int start = 0; start < 2; start++) {
            for (Precision precision : Precision.values()) {
                new OnnxEngine().decoder(CONFIG, weights, options(precision)).close();
            }
        }
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            // The checkpoint is bfloat16, so FULL is converted too; INT8 has two forms.
            assertThat(files.filter(file -> file.toString().endsWith(".bin"))).hasSize(4);
        }
    }

    @Test
    void quantisedNetworksAreRefusedBeyondTheCpu() throws IOException {
        EngineOptions onCuda = new EngineOptions(
                1, false, folder, Device.cuda(0), false, Precision.INT8, EngineOptions.PREFILL_CHUNK, false, List.of());
        Weights weights = new RandomWeights(DType.F32)
                .add("weight", 4, 4)
                .add("bias", 4)
                .writeTo(folder.resolve("a.safetensors"));
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> new OnnxEngine().adapter(new AdapterConfig.Linear(4, 4), weights, null, onCuda))
                .withMessageContaining("'onnx' has INT8 on the CPU only, not on cuda:0")
                .withMessageContaining("device(\"cpu\")");
    }
}

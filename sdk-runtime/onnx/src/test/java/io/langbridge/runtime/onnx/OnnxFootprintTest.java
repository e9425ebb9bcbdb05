package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.langbridge.Precision;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A decoder that is large beside a JVM, in processes of its own: what it is said to take, and what Linux says. */
class OnnxFootprintTest {
    private static final int CONTEXT = 512;
    private static final Path STATUS = Path.of("/proc/self/status");

    /** A small heap, so that garbage, which may fill it, cannot grow at will. */
    private static final int HEAP_MEGABYTES = 96;

    private static final long SLACK = (long) HEAP_MEGABYTES << 20;

    private static final LlamaConfig CONFIG = new LlamaConfig(
            "test",
            768,
            3072,
            6,
            12,
            12,
            64,
            8000,
            4096,
            1e-6f,
            new Rope(10000, null),
            false,
            false,
            false,
            false,
            0,
            new boolean[6],
            0,
            true);

    private static final AdapterConfig.LangBridge ADAPTER = new AdapterConfig.LangBridge(512, 2048, 19_200, false);
    private static final int PATCHES = 576;

    @TempDir
    private static Path folder;

    @Test
    void takesWhatItIsSaidToTake() throws Exception {
        assumeTrue(Files.isReadable(STATUS));
        RandomWeights random = new RandomWeights(DType.BF16);
        Inventory.of(CONFIG.network()).tensors().forEach(random::add);
        random.writeTo(folder.resolve("model.safetensors")).close();
        for (String asked : List.of("FULL false", "INT8 true", "INT8 false", "INT4 false", "INT4 true")) {
            Precision precision = precision(asked);
            Footprint said = new OnnxEngine()
                    .footprint(
                            Inventory.of(CONFIG.network()),
                            EngineOptions.PREFILL_CHUNK,
                            precision,
                            asked.endsWith("true"));
            long keys = Inventory.of(CONFIG.network()).states().stream()
                            .mapToLong(state -> state.values(CONTEXT))
                            .sum()
                    * Float.BYTES;
            long cached = said.weights() + Math.max(said.opening(), said.work() + keys);
            assertTaken(asked + ", first time", cached + said.converting(), measured(asked));
            assertTaken(asked + ", from cache", cached, measured(asked));
            long files = bytesIn(cache(folder, asked));
            long beside =
                    Inventory.of(CONFIG.network()).tensors().size() * (asked.endsWith("true") ? 200_000L : 100_000L);
            assertThat(said.weights())
                    .as("%s: of %d MiB in files, with what kernels hold beside them", asked, files >> 20)
                    .isBetween(files, files * 5 / 4 + beside);
        }
    }

    /** An adapter as large as a published one is for a small vocabulary, asked for the words of a picture. */
    @Test
    void explainingTakesWhatItIsSaidToTake() throws Exception {
        assumeTrue(Files.isReadable(STATUS));
        RandomWeights random = new RandomWeights(DType.F32);
        Inventory.of(Projector.coefficients(ADAPTER)).tensors().forEach(random::add);
        random.writeTo(folder.resolve("adapter.safetensors")).close();
        for (String asked : List.of("FULL explaining", "INT8 explaining")) {
            long said = Adapters.coefficientBytes(new OnnxEngine(), ADAPTER, PATCHES, precision(asked));
            measured(asked); // quantises
            assertTaken(asked, said, measured(asked));
        }
    }

    private static Path cache(Path where, String asked) {
        return where.resolve("cache " + asked);
    }

    private static long bytesIn(Path cache) throws IOException {
        long bytes = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(cache, "*.bin")) {
            for (Path file : files) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    private static Precision precision(String asked) {
        return Precision.valueOf(asked.substring(0, asked.indexOf(' ')));
    }

    private static void assertTaken(String what, long said, long taken) {
        assertThat(Math.abs(said - taken))
                .as("%s: said %d MiB, took %d MiB", what, said >> 20, taken >> 20)
                .isLessThan(said / 5 + SLACK);
    }

    /** Bytes by which the peak of a process grows. */
    private static long measured(String asked) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + HEAP_MEGABYTES + "m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OnnxFootprintTest.class.getName(),
                        folder.toString(),
                        asked)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).isZero();
        return Long.parseLong(lines.get(lines.size() - 1));
    }

    /** What such a process does: prints the growth. */
    public static void main(String[] args) throws IOException {
        Path where = Path.of(args[0]);
        EngineOptions options =
                new EngineOptions(2, false, cache(where, args[1])).with(precision(args[1]), args[1].endsWith("true"));
        OrtRuntime.environment();
        if (args[1].endsWith("explaining")) {
            explain(where, options);
            return;
        }
        long before = status("VmRSS:");
        try (Weights weights = Checkpoints.open(where.resolve("model.safetensors"));
                DecoderNetwork network = new OnnxEngine().decoder(CONFIG, weights, options);
                DecoderSession session = network.open(CONTEXT)) {
            session.prefill(FloatTensor.allocate(CONTEXT - 1, CONFIG.hiddenSize()));
            session.step(1);
            System.out.println(status("VmHWM:") - before);
        }
    }

    /** And that what was taken is given back. */
    private static void explain(Path where, EngineOptions options) throws IOException {
        long before = status("VmRSS:");
        try (Weights weights = Checkpoints.open(where.resolve("adapter.safetensors"));
                AdapterNetwork network = new OnnxEngine().adapter(ADAPTER, weights, null, options)) {
            network.coefficients(FloatTensor.allocate(1, PATCHES, ADAPTER.mmHiddenSize()));
            long peak = status("VmHWM:") - before;
            network.releaseCoefficients();
            long after = status("VmRSS:") - before;
            if (after > peak / 2 + SLACK) {
                throw new IllegalStateException("Of " + peak + " bytes " + after + " stay");
            }
            System.out.println(peak);
        }
    }

    private static long status(String key) throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(key)) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IllegalStateException("No " + key + " in " + STATUS);
    }
}

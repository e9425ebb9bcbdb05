package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;

/**
 * Phases {@code prefill} and {@code decode}, from embeddings: of one length, of several one after the other, and beside
 * somebody who takes a processor. Decoding is timed in pieces that are judged for noise one by one.
 */
final class DecoderSet {
    private static final int CHUNKS = 4;
    private static final int WARM_UP = 8;
    private static final double BYTES_PER_MIB = 1 << 20;
    private static final float EMBEDDING_DEVIATION = 0.02f;

    private DecoderSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (LlmPart part = LlmPart.open(setup.llm())) {
            Stopwatch loading = new Stopwatch();
            try (DecoderNetwork network = setup.engine().decoder(part.config(), part.weights(), setup.options());
                    DecoderSession session = network.open(setup.prompt + setup.gen + WARM_UP)) {
                double loadSeconds = loading.seconds();
                Double loadPeak = Host.peakMb();
                Host.resetPeak();
                FloatTensor prompt = setup.inputs(
                        EMBEDDING_DEVIATION, setup.prompt, part.config().hiddenSize());
                Run run = new Run(session, prompt);
                FloatTensor logits = copy(run.prefill());
                run.decode(WARM_UP);

                Measure prefill = new Measure(setup.reps, setup.patience);
                Measure decode = new Measure(setup.reps * CHUNKS / 2, setup.patience / CHUNKS);
                run.measure(setup, prefill, decode);
                Line line =
                        setup.line("prefill", "llm").put("prompt", setup.prompt).put("prefill_tok_s", prefill);
                setup.compare(logits, line);
                out.accept(line.rounded("load_s", loadSeconds)
                        .rounded("load_peak_rss_mb", loadPeak)
                        .rounded("peak_rss_mb", Host.peakMb())
                        .json());
                out.accept(setup.line("decode", "llm")
                        .put("prompt", setup.prompt)
                        .put("gen", setup.gen)
                        .put("decode_tok_s", decode)
                        .rounded("kv_mb_per_1000", mib(growing(part), setup.halfKvCache ? Short.BYTES : Float.BYTES))
                        .rounded("state_mb", mib(fixed(part), Float.BYTES))
                        .rounded("peak_rss_mb", Host.peakMb())
                        .json());
            }
        }
    }

    /** Phase {@code context}: one length after the other, each with the memory that it needed. */
    static void lengths(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (LlmPart part = LlmPart.open(setup.llm());
                DecoderNetwork network = setup.engine().decoder(part.config(), part.weights(), setup.options())) {
            double first = 0;
            for (int length : setup.lengths) {
                Host.resetPeak();
                FloatTensor prompt =
                        setup.random(EMBEDDING_DEVIATION, length, part.config().hiddenSize());
                try (DecoderSession session = network.open(length + setup.gen + WARM_UP)) {
                    Run run = new Run(session, prompt);
                    run.prefill();
                    run.decode(WARM_UP);
                    Measure prefill = new Measure(setup.reps, setup.patience);
                    Measure decode = new Measure(setup.reps * CHUNKS / 2, setup.patience / CHUNKS);
                    run.measure(setup, prefill, decode);
                    double speed = prefill.statistics().get("median").getAsDouble();
                    first = first == 0 ? speed : first;
                    out.accept(setup.line("context", "llm")
                            .put("prompt", length)
                            .put("gen", setup.gen)
                            .put("prefill_tok_s", prefill)
                            .rounded("token_to_first_length", first / speed)
                            .put("decode_tok_s", decode)
                            .rounded("peak_rss_mb", Host.peakMb())
                            .json());
                }
            }
        }
    }

    /** Phase {@code neighbour}: decoding alone and beside a thread that never waits, in turn. */
    static void beside(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (LlmPart part = LlmPart.open(setup.llm());
                DecoderNetwork network = setup.engine().decoder(part.config(), part.weights(), setup.options());
                DecoderSession session = network.open(setup.prompt + setup.gen + WARM_UP)) {
            Run run = new Run(
                    session,
                    setup.random(
                            EMBEDDING_DEVIATION, setup.prompt, part.config().hiddenSize()));
            run.steps(WARM_UP);
            double[] alone = new double[setup.reps];
            double[] speed = new double[setup.reps];
            double[] kept = new double[setup.reps];
            double[] worstAlone = new double[setup.reps];
            double[] worst = new double[setup.reps];
            for (int i = 0; i < setup.reps; i++) {
                Host.awaitQuiet(setup.patience);
                double[] quiet = run.steps(setup.gen);
                Spinner spinner = new Spinner();
                double[] disturbed;
                try {
                    disturbed = run.steps(setup.gen);
                } finally {
                    spinner.end();
                }
                alone[i] = speed(quiet);
                speed[i] = speed(disturbed);
                kept[i] = speed[i] / alone[i];
                worstAlone[i] = 1e3 * DoubleStream.of(quiet).max().orElse(0);
                worst[i] = 1e3 * DoubleStream.of(disturbed).max().orElse(0);
            }
            out.accept(setup.line("neighbour", "llm")
                    .put("prompt", setup.prompt)
                    .put("gen", setup.gen)
                    .put("alone_tok_s", alone)
                    .put("decode_tok_s", speed)
                    .put("kept", kept)
                    .put("worst_alone_ms", worstAlone)
                    .put("worst_step_ms", worst)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json());
        }
    }

    private static double speed(double[] seconds) {
        return seconds.length / DoubleStream.of(seconds).sum();
    }

    /** Keeps a processor busy until its end. */
    private static final class Spinner {
        private volatile boolean done;

        Spinner() {
            Thread thread = new Thread(
                    () -> {
                        while (!done) {
                            Thread.onSpinWait();
                        }
                    },
                    "neighbour");
            thread.setDaemon(true);
            thread.start();
        }

        void end() {
            done = true;
        }
    }

    /** What 1,000 positions add. */
    private static long growing(LlmPart part) {
        return part.states().stream()
                .mapToLong(state -> state.values(1000) - state.values(0))
                .sum();
    }

    /** What is kept whatever the length. */
    private static long fixed(LlmPart part) {
        return part.states().stream().mapToLong(state -> state.values(0)).sum();
    }

    private static double mib(long values, int bytes) {
        return values * bytes / BYTES_PER_MIB;
    }

    private static FloatTensor copy(FloatBuffer logits) {
        FloatTensor copy = FloatTensor.allocate(logits.remaining());
        copy.data().put(logits.duplicate());
        return copy;
    }

    /** A prompt and what follows it. */
    private static final class Run {
        private final DecoderSession session;
        private final FloatTensor prompt;
        private final Sampler greedy = new Sampler(Sampler.Settings.GREEDY);
        private int token;

        Run(DecoderSession session, FloatTensor prompt) {
            this.session = session;
            this.prompt = prompt;
        }

        FloatBuffer prefill() {
            session.rewind(0);
            FloatBuffer logits = session.prefill(prompt);
            token = greedy.next(logits);
            return logits;
        }

        void measure(Setup setup, Measure prefill, Measure decode) {
            int piece = Math.max(1, setup.gen / CHUNKS);
            for (int i = 0; i < 3 * setup.reps && !(prefill.enough() && decode.enough()); i++) {
                prefill.take(() -> {
                    Stopwatch time = new Stopwatch();
                    prefill();
                    return prompt.size(0) / time.seconds();
                });
                for (int c = 0; c < CHUNKS; c++) {
                    decode.take(() -> {
                        Stopwatch time = new Stopwatch();
                        decode(piece);
                        return piece / time.seconds();
                    });
                }
            }
        }

        /** Seconds of each step behind a prompt. */
        double[] steps(int tokens) {
            prefill();
            decode(WARM_UP);
            double[] seconds = new double[tokens];
            for (int i = 0; i < tokens; i++) {
                Stopwatch time = new Stopwatch();
                decode(1);
                seconds[i] = time.seconds();
            }
            return seconds;
        }

        void decode(int tokens) {
            for (int i = 0; i < tokens; i++) {
                token = session.step(token, greedy);
            }
        }
    }
}

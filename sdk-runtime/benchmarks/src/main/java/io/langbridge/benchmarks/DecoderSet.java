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

/** Phases {@code prefill} and {@code decode}. Decoding is timed in pieces that are judged for noise one by one. */
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
                int piece = Math.max(1, setup.gen / CHUNKS);
                for (int i = 0; i < 3 * setup.reps && !(prefill.enough() && decode.enough()); i++) {
                    prefill.take(() -> {
                        Stopwatch time = new Stopwatch();
                        run.prefill();
                        return setup.prompt / time.seconds();
                    });
                    for (int c = 0; c < CHUNKS; c++) {
                        decode.take(() -> {
                            Stopwatch time = new Stopwatch();
                            run.decode(piece);
                            return piece / time.seconds();
                        });
                    }
                }
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

        void decode(int tokens) {
            for (int i = 0; i < tokens; i++) {
                token = session.step(token, greedy);
            }
        }
    }
}

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.model.SharedDecoder;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Several who decode at a time, each behind a prompt of its own: {@code concurrency.N} is what all of N have together,
 * and the time to the first token of one more whose prompt comes while the others decode. They share the decoder as
 * requests to a model do.
 */
final class ConcurrencySet {
    private static final int[] CHATS = {1, 2, 4, 8, 16};
    private static final int WARM_UP = 4;
    private static final float EMBEDDING_DEVIATION = 0.02f;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Setup setup;
    private final SharedDecoder decoder;
    private final int width;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** One of them. */
    private final class Chat {
        private final FloatTensor prompt;
        private final DecoderSession session = decoder.open(setup.prompt + WARM_UP + setup.gen);
        private final Sampler greedy = new Sampler(Sampler.Settings.GREEDY);
        private int token;

        Chat(int number) {
            prompt = FloatTensor.allocate(setup.prompt, width);
            Random random = new Random(number);
            FloatBuffer values = prompt.data();
            while (values.hasRemaining()) {
                values.put(EMBEDDING_DEVIATION * (float) random.nextGaussian());
            }
        }

        /** In parts, as a request runs it; returns the time to the first token in milliseconds. */
        double prefill() {
            long start = System.nanoTime();
            session.rewind(0);
            int from = 0;
            while (setup.prompt - from > session.portion(setup.prompt - from)) {
                int end = from + session.portion(setup.prompt - from);
                session.fill(prompt.rows(from, end));
                from = end;
            }
            token = session.prefill(prompt.rows(from, setup.prompt), greedy);
            return (System.nanoTime() - start) / NANOS_PER_MILLI;
        }

        void decode(int tokens) {
            for (int i = 0; i < tokens; i++) {
                token = session.step(token, greedy);
            }
        }

        /** Goes on until told, from its prompt again where there is no room. */
        void decodeWhile(AtomicBoolean goesOn) {
            while (goesOn.get()) {
                if (session.length() == session.capacity()) {
                    session.rewind(setup.prompt);
                }
                decode(1);
            }
        }
    }

    private ConcurrencySet(Setup setup, SharedDecoder decoder, int width) {
        this.setup = setup;
        this.decoder = decoder;
        this.width = width;
    }

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (LlmPart part = LlmPart.open(setup.llm());
                DecoderNetwork network = setup.engine().decoder(part.config(), part.weights(), setup.options());
                SharedDecoder decoder = new SharedDecoder(network, CHATS[CHATS.length - 1], Long.MAX_VALUE)) {
            ConcurrencySet set =
                    new ConcurrencySet(setup, decoder, part.config().inputWidth());
            try {
                set.measure(out);
            } finally {
                set.threads.shutdownNow();
            }
        }
    }

    private void measure(Consumer<JsonObject> out) {
        List<Chat> chats = new ArrayList<>();
        Chat another = new Chat(CHATS[CHATS.length - 1]);
        for (int count : CHATS) {
            while (chats.size() < count) {
                Chat chat = new Chat(chats.size());
                chat.prefill();
                chats.add(chat);
            }
            Measure together = new Measure(setup.reps, setup.patience);
            while (!together.enough()) {
                all(chats, chat -> {
                    chat.session.rewind(setup.prompt);
                    chat.decode(WARM_UP);
                });
                together.take(() -> {
                    Stopwatch time = new Stopwatch();
                    all(chats, chat -> chat.decode(setup.gen));
                    return count * setup.gen / time.seconds();
                });
            }
            Measure firstToken = new Measure(setup.reps, setup.patience);
            beside(chats.subList(0, count - 1), () -> {
                while (!firstToken.enough()) {
                    firstToken.take(another::prefill);
                }
            });
            out.accept(setup.line("concurrency." + count, "llm")
                    .put("chats", count)
                    .put("prompt", setup.prompt)
                    .put("gen", setup.gen)
                    .put("first_token_ms", firstToken)
                    .put("total_tok_s", together)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json());
        }
        chats.forEach(chat -> chat.session.close());
        another.session.close();
    }

    private void all(List<Chat> chats, Consumer<Chat> what) {
        List<Future<?>> running = new ArrayList<>();
        chats.forEach(chat -> running.add(threads.submit(() -> what.accept(chat))));
        running.forEach(ConcurrencySet::await);
    }

    /** Does something while others decode. */
    private void beside(List<Chat> chats, Runnable what) {
        AtomicBoolean goesOn = new AtomicBoolean(true);
        List<Future<?>> running = new ArrayList<>();
        chats.forEach(chat -> running.add(threads.submit(() -> chat.decodeWhile(goesOn))));
        try {
            what.run();
        } finally {
            goesOn.set(false);
        }
        running.forEach(ConcurrencySet::await);
    }

    private static void await(Future<?> running) {
        try {
            running.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("A chat did not go on", e);
        }
    }
}

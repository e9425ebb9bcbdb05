package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.EncodedImage;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A long life. {@code soak} asks thousands of questions of every kind, greedy and sampled, in chats, of pictures
 * encoded before, and of streams that are given up; {@code soak.loads} loads and closes; {@code soak.storm} has sixteen
 * threads ask at once, with cancellations, time limits and closes of the whole model, and compares every answer. Lines
 * on the way tell resident memory, open files and threads; {@code grown} is relative to the first, and
 * {@code trimmed_mb} is what stays once the C library was asked to give back what it keeps.
 */
final class SoakSet {
    private static final int LINES = 10;
    private static final int THREADS = 16;
    private static final int QUESTIONS = 12;
    private static final int MOST_TOKENS = 24;

    private final Setup setup;
    private final Consumer<JsonObject> out;
    private final Image picture;

    private SoakSet(Setup setup, Consumer<JsonObject> out) throws IOException {
        this.setup = setup;
        this.out = out;
        picture = Image.of(Picture.in(setup.models()));
    }

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        SoakSet soak = new SoakSet(setup, out);
        soak.questions();
        soak.loads();
        soak.storm();
    }

    private void questions() throws IOException {
        try (VisionLanguageModel model = setup.model()) {
            Curve curve = new Curve("soak", "questions");
            for (int i = 1; i <= setup.questions; i++) {
                ask(model, picture, i);
                if (i % Math.max(1, setup.questions / LINES) == 0) {
                    curve.point(i, i == setup.questions);
                }
            }
        }
    }

    private void loads() throws IOException {
        Curve curve = new Curve("soak.loads", "loads");
        for (int i = 1; i <= setup.loads; i++) {
            try (VisionLanguageModel model = setup.model()) {
                ask(model, picture, i);
            }
            if (i % Math.max(1, setup.loads / LINES) == 0) {
                curve.point(i, i == setup.loads);
            }
        }
    }

    /** Lines of one phase. */
    private final class Curve {
        private final String phase;
        private final String counted;
        private @Nullable Double first;

        Curve(String phase, String counted) {
            this.phase = phase;
            this.counted = counted;
        }

        void point(int count, boolean last) {
            Double resident = Host.residentMb();
            first = first == null ? resident : first;
            Line line = setup.line(phase, "llm")
                    .put(counted, count)
                    .rounded("rss_mb", resident)
                    .rounded("grown", grown(first, resident))
                    .put("files", Host.openFiles())
                    .put("threads", Host.threads());
            if (last && Host.trim()) {
                line.rounded("trimmed_mb", Host.residentMb());
            }
            out.accept(line.json());
        }
    }

    private static @Nullable Double grown(@Nullable Double first, @Nullable Double now) {
        return first == null || now == null ? null : (Double) (now / first - 1);
    }

    private static void ask(VisionLanguageModel model, Image picture, int number) {
        GenerationOptions.Builder options =
                GenerationOptions.builder().stopTokens().maxNewTokens(8 + number % 9);
        if (number % 3 == 0) {
            options.temperature(1.2).topK(40).topP(0.9).repetitionPenalty(1.1).seed(number);
        } else {
            options.temperature(0).repetitionPenalty(1);
        }
        Request.Builder request =
                Request.builder().text("What is number " + number + "?").options(options.build());
        if (number % 5 == 0) {
            try (Chat chat = model.chat("Be brief.", options.build())) {
                chat.ask(picture, "What is number " + number + "?");
                chat.ask("Why?");
            }
        } else if (number % 7 == 0) {
            try (AnswerStream givenUp = model.stream(request.image(picture).build())) {
                givenUp.iterator().next();
            }
        } else if (number % 11 == 0) {
            EncodedImage seen = model.encode(picture);
            model.answer(request.image(seen).build());
        } else {
            model.answer(request.image(picture).build());
        }
    }

    /** The model of the moment; whoever closes it puts another in its place before. */
    private volatile @Nullable VisionLanguageModel current;

    private void storm() throws IOException {
        List<List<Integer>> right = new ArrayList<>();
        AtomicLong[] counts = {new AtomicLong(), new AtomicLong(), new AtomicLong(), new AtomicLong()};
        VisionLanguageModel model = setup.model();
        for (int i = 0; i < QUESTIONS; i++) {
            right.add(tokens(model.answer(request(i, null))));
        }
        current = model;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(setup.stormSeconds);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                while (System.nanoTime() < end) {
                    askOne(right, counts);
                }
            });
            thread.start();
            threads.add(thread);
        }
        long closes = 0;
        while (System.nanoTime() < end) {
            pause();
            VisionLanguageModel old = current;
            current = setup.model();
            if (old != null) {
                old.close();
                closes++;
            }
        }
        threads.forEach(SoakSet::join);
        VisionLanguageModel last = current;
        if (last != null) {
            last.close();
        }
        out.accept(setup.line("soak.storm", "llm")
                .put("threads_asking", THREADS)
                .put("seconds", setup.stormSeconds)
                .put("answers", counts[0].get())
                .put("wrong", counts[1].get())
                .put("errors", counts[2].get())
                .put("refused_by_close", counts[3].get())
                .put("closes", closes)
                .rounded("rss_mb", Host.residentMb())
                .put("files", Host.openFiles())
                .put("threads", Host.threads())
                .json());
    }

    private void askOne(List<List<Integer>> right, AtomicLong[] counts) {
        Random random = ThreadLocalRandom.current();
        int question = random.nextInt(right.size());
        VisionLanguageModel model = current;
        if (model == null) {
            return;
        }
        try {
            Answer answer;
            int kind = random.nextInt(4);
            if (kind == 0) {
                int pieces = random.nextInt(MOST_TOKENS);
                try (AnswerStream stream = model.stream(request(question, null))) {
                    for (int i = 0; i < pieces && stream.iterator().hasNext(); i++) {
                        stream.iterator().next();
                    }
                    stream.cancel();
                    answer = stream.answer();
                }
            } else if (kind == 1) {
                answer = model.answer(request(question, Duration.ofMillis(1 + random.nextInt(300))));
            } else {
                answer = model.answer(request(question, null));
            }
            List<Integer> said = tokens(answer);
            List<Integer> whole = right.get(question);
            boolean cut =
                    answer.finishReason() == FinishReason.TIMED_OUT || answer.finishReason() == FinishReason.CANCELLED;
            boolean same = said.equals(whole)
                    || cut && said.size() < whole.size() && said.equals(whole.subList(0, said.size()));
            counts[same ? 0 : 1].incrementAndGet();
        } catch (IllegalStateException e) {
            // Right only where the model was closed meanwhile.
            counts[model == current ? 2 : 3].incrementAndGet();
        } catch (RuntimeException e) {
            System.err.println(e);
            counts[2].incrementAndGet();
        }
    }

    private static List<Integer> tokens(Answer answer) {
        List<Integer> tokens = new ArrayList<>();
        for (int token : answer.tokenIds()) {
            tokens.add(token);
        }
        return tokens;
    }

    private Request request(int question, @Nullable Duration limit) {
        Request.Builder request = Request.builder()
                .image(picture)
                .text("What is number " + question + "?")
                .options(GenerationOptions.greedy().toBuilder()
                        .stopTokens()
                        .maxNewTokens(4 + question * 2 % MOST_TOKENS)
                        .build());
        return (limit == null ? request : request.timeout(limit)).build();
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(1500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

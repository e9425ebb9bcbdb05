package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Fifty who ask the bundled model at once, as in a service: how long they wait, how late a time limit and a
 * cancellation take effect, and what reading piece by piece costs beside taking the answer as a whole.
 */
final class ServiceSet {
    private static final int ASKING = 50;
    private static final int NEW_TOKENS = 64;
    private static final int ROUNDS = 21;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MOST = 0.99;

    private ServiceSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) {
        try (DemoModel demo = DemoModel.open();
                VisionLanguageModel free = setup.bundled(demo).build();
                VisionLanguageModel two =
                        setup.bundled(demo).maxConcurrentRequests(2).build()) {
            free.answer(request(0));
            two.answer(request(0));
            steps(free, setup, out);
            for (VisionLanguageModel model : List.of(free, two)) {
                String limit = model == two ? "2" : "none";
                List<Taken> whole = together(number -> take(model, request(number), 0));
                print(setup, "service.answer", limit, whole, out);
                double[] sorted = millis(whole);
                long half = (long) (sorted[sorted.length / 2] / 2 * NANOS_PER_MILLI);
                print(setup, "service.limited", limit, together(number -> take(model, request(number), half)), out);
                print(setup, "service.cancel", limit, together(number -> cancel(model, number, half)), out);
            }
        }
    }

    /** How long it took, how much of that was beyond its limit, and how it ended. */
    private record Taken(long nanos, long late, FinishReason reason) {}

    private interface Asking {
        Taken ask(int number) throws Exception;
    }

    private static Request request(int number) {
        int[] pixels = new int[64 * 64];
        Arrays.fill(pixels, 0xff000000 | number * 0x050301);
        return Request.builder()
                .image(Image.ofArgb(pixels, 64, 64))
                .text("What is it?")
                .options(GenerationOptions.greedy().toBuilder()
                        .stopTokens()
                        .maxNewTokens(NEW_TOKENS)
                        .build())
                .build();
    }

    private static Taken take(VisionLanguageModel model, Request request, long limitNanos) {
        Request limited = limitNanos == 0
                ? request
                : Request.builder()
                        .messages(request.messages())
                        .options(request.options())
                        .timeout(Duration.ofNanos(limitNanos))
                        .build();
        long start = System.nanoTime();
        Answer answer = model.answer(limited);
        long nanos = System.nanoTime() - start;
        boolean over = answer.finishReason() == FinishReason.TIMED_OUT;
        return new Taken(nanos, over ? nanos - limitNanos : 0, answer.finishReason());
    }

    /** Cancels after a while, from another thread. */
    private static Taken cancel(VisionLanguageModel model, int number, long afterNanos) throws Exception {
        AtomicLong cancelled = new AtomicLong();
        long start = System.nanoTime();
        try (AnswerStream stream = model.stream(request(number))) {
            Thread other = new Thread(() -> {
                for (long left = afterNanos; left > 0; left = afterNanos - (System.nanoTime() - start)) {
                    LockSupport.parkNanos(left);
                }
                cancelled.set(System.nanoTime());
                stream.cancel();
            });
            other.setDaemon(true);
            other.start();
            FinishReason reason = stream.answer().finishReason();
            long end = System.nanoTime();
            other.join();
            return new Taken(end - start, Math.max(0, end - cancelled.get()), reason);
        }
    }

    private static List<Taken> together(Asking asking) {
        ExecutorService threads = Executors.newFixedThreadPool(ASKING);
        try {
            List<Callable<Taken>> calls = new ArrayList<>();
            for (int i = 0; i < ASKING; i++) {
                int number = i;
                calls.add(() -> asking.ask(number));
            }
            List<Taken> taken = new ArrayList<>();
            for (Future<Taken> one : threads.invokeAll(calls)) {
                taken.add(one.get());
            }
            return taken;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            threads.shutdownNow();
        }
    }

    private static double[] millis(List<Taken> all) {
        return all.stream()
                .mapToDouble(taken -> taken.nanos() / NANOS_PER_MILLI)
                .sorted()
                .toArray();
    }

    private static void print(Setup setup, String phase, String limit, List<Taken> all, Consumer<JsonObject> out) {
        double[] took = millis(all);
        double[] late = all.stream()
                .filter(taken -> taken.late() > 0)
                .mapToDouble(taken -> taken.late() / NANOS_PER_MILLI)
                .sorted()
                .toArray();
        out.accept(line(setup, phase)
                .put("max_concurrent", limit)
                .put("requests", all.size())
                .put(
                        "whole",
                        all.stream()
                                .filter(taken -> taken.reason() == FinishReason.MAX_NEW_TOKENS)
                                .count())
                .rounded("p50_ms", quantile(took, 0.5))
                .rounded("p99_ms", quantile(took, MOST))
                .rounded("late_p50_ms", quantile(late, 0.5))
                .rounded("late_p99_ms", quantile(late, MOST))
                .json());
    }

    /** A token of a stream crosses to the thread that reads; those of an answer do not. */
    private static void steps(VisionLanguageModel model, Setup setup, Consumer<JsonObject> out) {
        double[] pieces = new double[ROUNDS];
        double[] wholes = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            wholes[i] = perToken(model.answer(request(i)).timings().decode().toNanos());
            try (AnswerStream stream = model.stream(request(i))) {
                Iterator<AnswerStream.Piece> each = stream.iterator();
                each.next();
                long begun = System.nanoTime();
                while (each.hasNext()) {
                    each.next();
                }
                pieces[i] = perToken(System.nanoTime() - begun);
            }
        }
        Arrays.sort(pieces);
        Arrays.sort(wholes);
        out.accept(line(setup, "service.step")
                .rounded("stream_ms", pieces[ROUNDS / 2])
                .rounded("answer_ms", wholes[ROUNDS / 2])
                .json());
    }

    private static double perToken(long nanos) {
        return nanos / NANOS_PER_MILLI / (NEW_TOKENS - 1);
    }

    private static Line line(Setup setup, String phase) {
        return setup.line(phase, "llm").put("model", "demo");
    }

    private static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(share * sorted.length) - 1];
    }
}

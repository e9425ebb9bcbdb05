package io.langbridge.contract;

import io.langbridge.FinishReason;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A program for one carrier thread: 200 virtual threads ask, and an empty one runs while the engine computes. */
public final class ManyVirtualThreads {
    private static final int ASKING = 200;

    private ManyVirtualThreads() {}

    /**
     * Runs it; status 0 if all went well.
     *
     * @param args a folder to write to
     */
    public static void main(String[] args) throws Exception {
        Method start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        Path scratch = Path.of(args[0]);
        CountingEngine engine = new CountingEngine();
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch emptyRan = new CountDownLatch(1);
        engine.meanwhile = () -> {
            computing.countDown();
            await(emptyRan);
        };
        AtomicInteger answered = new AtomicInteger();
        try (VisionLanguageModel model = LoadedElsewhere.load(scratch, engine)) {
            CountDownLatch asking = new CountDownLatch(ASKING);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < ASKING; i++) {
                Runnable ask = () -> {
                    asking.countDown();
                    Request request = LoadedElsewhere.request();
                    if (model.answer(request).finishReason() == FinishReason.MAX_NEW_TOKENS) {
                        answered.incrementAndGet();
                    }
                };
                threads.add((Thread) start.invoke(null, ask));
            }
            await(asking);
            await(computing);
            start.invoke(null, (Runnable) emptyRan::countDown);
            await(emptyRan);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        System.exit(answered.get() == ASKING ? 0 : 1);
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(5, TimeUnit.MINUTES)) {
                System.err.println("No virtual thread can run");
                Runtime.getRuntime().halt(2);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

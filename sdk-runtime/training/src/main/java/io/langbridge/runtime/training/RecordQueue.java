package io.langbridge.runtime.training;

import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.PromptException;
import io.langbridge.runtime.core.lifecycle.Opening;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Draws and prepares records on a thread of its own while earlier ones are learnt from, in the same order as without
 * it. Not thread-safe.
 */
final class RecordQueue implements AutoCloseable {
    /** A record that is being read when the training ends is waited for this long. */
    private static final int CLOSE_SECONDS = 60;

    private final ExampleSource source;
    private final Batches batches;
    private final int ahead;
    private final Deque<Future<@Nullable Drawn>> queue = new ArrayDeque<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread created = new Thread(task, "langbridge-training-records");
        created.setDaemon(true);
        return created;
    });

    /**
     * What became of a record.
     *
     * @param prepared null if it is a bad one
     * @param problem null if it is a good one
     * @param number how many were drawn up to this one
     * @param epoch passes through the data up to this one
     */
    record Drawn(
            Batches.@Nullable Prepared prepared, @Nullable LangBridgeException problem, long number, double epoch) {}

    /**
     * Creates a queue; nothing is drawn before the first {@link #next}.
     *
     * @param ahead how many records are prepared at most that were not asked for yet
     */
    RecordQueue(ExampleSource source, Batches batches, int ahead) {
        this.source = source;
        this.batches = batches;
        this.ahead = ahead;
    }

    /**
     * {@return the next record, or null if there is none left}
     *
     * @throws RuntimeException whatever the data throws that is not about one record
     */
    @Nullable
    Drawn next() {
        while (queue.size() <= ahead) {
            queue.add(thread.submit(this::draw));
        }
        try {
            return queue.remove().get();
        } catch (ExecutionException e) {
            throw Opening.failure(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainingException("The training was interrupted while it waited for its data");
        }
    }

    private @Nullable Drawn draw() {
        if (!source.hasNext()) {
            return null;
        }
        try {
            Batches.Prepared prepared = batches.prepare(source.next());
            return new Drawn(prepared, null, source.drawn(), source.epoch());
        } catch (TrainingDataException | ImageException | PromptException e) {
            return new Drawn(null, e, source.drawn(), source.epoch());
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.langbridge.runtime.core.lifecycle;

import java.util.Collections;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * Opens something in a thread of its own while the caller goes on. Closing it waits until that has ended and closes
 * what was opened, so that nothing stays open whichever side fails. Thread-safe.
 *
 * @param <T> what is opened
 */
public final class Opening<T> implements AutoCloseable {
    private final FutureTask<T> task;

    private Opening(FutureTask<T> task) {
        this.task = task;
    }

    /** Begins. */
    public static <T> Opening<T> of(Supplier<T> opener) {
        FutureTask<T> task = new FutureTask<>(opener::get);
        Thread thread = new Thread(task, "langbridge-opening");
        thread.setDaemon(true);
        thread.start();
        return new Opening<>(task);
    }

    /**
     * Waits for what is opened. It belongs to this object, which closes it. Being interrupted does not end the wait.
     *
     * @throws RuntimeException what opening it failed with; also an {@link Error}
     */
    public T get() {
        try {
            return result();
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    /**
     * {@return what a task that ran elsewhere failed with, to be thrown here}
     *
     * @throws Error if it was one
     */
    public static RuntimeException failure(ExecutionException e) {
        Throwable cause = e.getCause();
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException runtime ? runtime : new IllegalStateException(cause);
    }

    private T result() throws ExecutionException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits, and closes what was opened; a failure to open it is told by {@link #get} only. */
    @Override
    public void close() {
        T opened;
        try {
            opened = result();
        } catch (ExecutionException e) {
            return;
        }
        if (opened instanceof AutoCloseable closeable) {
            Closing.all(Collections.singletonList(closeable));
        }
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.lifecycle.Opening;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The threads that work for a model. Native code that ran in a virtual thread would hold its carrier, engines keep
 * state per thread that would stay in threads of the application, and an interrupt meant for the caller must not reach
 * files that others read. Tasks run in the order in which they came; idle threads end after a while. Thread-safe.
 */
final class EngineThreads implements AutoCloseable {
    private static final AtomicInteger MODELS = new AtomicInteger();
    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor pool;
    /** Tasks that were handed over and have not ended. */
    private final AtomicInteger pending = new AtomicInteger();

    EngineThreads(int threads) {
        Tasks tasks = new Tasks();
        pool =
                new ThreadPoolExecutor(
                        1,
                        threads,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        tasks,
                        new Factory(MODELS.incrementAndGet()),
                        tasks) {
                    @Override
                    protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
                        pending.decrementAndGet();
                    }
                };
        pool.allowCoreThreadTimeOut(true);
    }

    /** Has a task go to a thread that is idle, or to a new one, or wait if there may be none. */
    private final class Tasks extends LinkedBlockingQueue<Runnable> implements RejectedExecutionHandler {
        private static final long serialVersionUID = 1L;

        @Override
        public boolean offer(Runnable task) {
            return pending.get() <= pool.getPoolSize() && super.offer(task);
        }

        @Override
        public void rejectedExecution(Runnable task, ThreadPoolExecutor of) {
            if (of.isShutdown() || !super.offer(task) || of.isShutdown() && remove(task)) {
                throw new RejectedExecutionException("The model is closed");
            }
        }
    }

    /** Names threads, and keeps them free of the loader of whoever happened to ask first. */
    private static final class Factory implements ThreadFactory {
        private final int model;
        private final AtomicInteger made = new AtomicInteger();

        Factory(int model) {
            this.model = model;
        }

        @Override
        public Thread newThread(Runnable task) {
            return new Worker(task, "langbridge-" + model + "-" + made.incrementAndGet());
        }
    }

    private static final class Worker extends Thread {
        Worker(Runnable task, String name) {
            super(task, name);
            setDaemon(true);
            setContextClassLoader(EngineThreads.class.getClassLoader());
        }
    }

    /** Hands a task over; it sees the caller's context class loader. After {@link #close} it runs here. */
    <T> FutureTask<T> submit(Callable<T> work) {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        FutureTask<T> task = new FutureTask<>(() -> {
            Thread current = Thread.currentThread();
            ClassLoader before = current.getContextClassLoader();
            if (before == loader) {
                return work.call();
            }
            current.setContextClassLoader(loader);
            try {
                return work.call();
            } finally {
                current.setContextClassLoader(before);
            }
        });
        pending.incrementAndGet();
        try {
            pool.execute(task);
        } catch (RejectedExecutionException e) {
            pending.decrementAndGet();
            task.run(); // finds the model closed
        } catch (Error e) { // the system has no thread for it
            pool.remove(task);
            pending.decrementAndGet();
            throw e;
        }
        return task;
    }

    /** Takes a task back; false if it has begun. */
    boolean withdraw(FutureTask<?> task) {
        boolean taken = pool.remove(task);
        if (taken) {
            pending.decrementAndGet();
        }
        return taken;
    }

    /** Whether somebody waits for a thread. */
    boolean areWanted() {
        return !pool.getQueue().isEmpty();
    }

    /** Runs a task and waits for it. An interrupt does not end the wait; the caller stays interrupted. */
    <T> T call(Callable<T> work) {
        FutureTask<T> task = submit(work);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw Opening.failure(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Lets the threads end. */
    @Override
    public void close() {
        pool.shutdown();
    }
}

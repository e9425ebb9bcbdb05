package io.langbridge.runtime.pytorch;

import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.langbridge.InsufficientMemoryException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** A loaded TorchScript module. Safe for use by several threads; closing waits for what runs. */
final class TorchScript implements AutoCloseable {
    /** Settings that PyTorch keeps per thread: the number of computing threads last set, 0 if none of it is set yet. */
    private static final ThreadLocal<Integer> THREADS_SET = ThreadLocal.withInitial(() -> 0);

    private final String what;
    private final int threads;
    private final PtSymbolBlock module;
    /** Runs hold the read lock, so that closing, which takes the write lock, waits for them. */
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    private boolean closed;

    /**
     * Loads a source file of this package.
     *
     * @param what names the network in messages
     * @param file {@code decoder.py}
     * @param moduleClass the class in it that is a {@code Module}
     */
    TorchScript(String what, String file, String moduleClass, int threads) {
        this.what = what;
        this.threads = threads;
        TorchRuntime runtime = TorchRuntime.get();
        prepareThread();
        try {
            byte[] archive = TorchScriptArchive.of(file, moduleClass);
            module = JniUtils.loadModule(runtime.manager(), new ByteArrayInputStream(archive), false, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (EngineException e) {
            throw new PyTorchException("PyTorch cannot load the " + what + " from " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Runs a method.
     *
     * @return a value that the caller closes
     */
    IValue run(String method, IValue... arguments) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The " + what + " is closed");
            }
            prepareThread();
            return IValueUtils.runMethod(module, method, arguments);
        } catch (EngineException e) {
            throw translated(method, e);
        } finally {
            lock.readLock().unlock();
        }
    }

    private RuntimeException translated(String method, EngineException e) {
        String message = String.valueOf(e.getMessage());
        if (message.contains("out of memory")
                || message.contains("not enough memory")
                || message.contains("can't allocate memory")) {
            return new InsufficientMemoryException(
                    "PyTorch ran out of memory in the " + what + " (" + method + "): " + message, e);
        }
        return new PyTorchException("PyTorch failed to run the " + what + " (" + method + "): " + message, e);
    }

    /**
     * Without the graph optimizer the first call takes 10 ms instead of 100, and it gains nothing here: the work is in
     * large products.
     */
    private void prepareThread() {
        int set = THREADS_SET.get();
        if (set == threads) {
            return;
        }
        if (set == 0) {
            JniUtils.setGraphExecutorOptimize(false);
        }
        JniUtils.setNumThreads(threads);
        THREADS_SET.set(threads);
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                module.close();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}

package io.langbridge.runtime.pytorch;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

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
     * Loads a module.
     *
     * @param what names the network in messages
     */
    TorchScript(String what, Source source, int threads) {
        this(what, source, Map.of(), threads);
    }

    /**
     * Loads a module that works with others.
     *
     * @param parts by the names under which the module knows them
     */
    TorchScript(String what, Source source, Map<String, Source> parts, int threads) {
        this.what = what;
        this.threads = threads;
        TorchRuntime runtime = TorchRuntime.get();
        prepareThread();
        try {
            byte[] archive = TorchScriptArchive.of(source, parts);
            module = JniUtils.loadModule(runtime.manager(), new ByteArrayInputStream(archive), false, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (EngineException e) {
            throw new PyTorchException("PyTorch cannot load the " + what + ": " + e.getMessage(), e);
        }
    }

    /**
     * Runs a method.
     *
     * @return a value that the caller closes
     */
    IValue run(String method, IValue... arguments) {
        return whileOpen(() -> {
            prepareThread();
            try {
                return IValueUtils.runMethod(module, method, arguments);
            } catch (EngineException e) {
                throw translated(method, e);
            }
        });
    }

    /** Does something that closing waits for. */
    <T> T whileOpen(Supplier<T> action) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The " + what + " is closed");
            }
            return action.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Runs a method whose operations are recorded, so that it can differentiate.
     *
     * @param scope of the arguments; the result belongs to the scope of the first of them, or to this one
     * @param arguments tensors; several with names {@code w.name} are one dictionary
     */
    PtNDArray differentiate(Scope scope, String method, PtNDArray... arguments) {
        return whileOpen(() -> {
            prepareThread();
            NDList inputs = new NDList(arguments);
            PtNDArray name = scope.tensor(new int[1]);
            name.setName("module_method:" + method); // DJL's way to choose a method here
            inputs.add(name);
            boolean before = JniUtils.isGradMode();
            JniUtils.setGradMode(true); // per thread
            try {
                return (PtNDArray) IValueUtils.forward(module, inputs, true).singletonOrThrow();
            } catch (EngineException e) {
                throw translated(method, e);
            } finally {
                JniUtils.setGradMode(before);
            }
        });
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

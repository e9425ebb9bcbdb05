package io.langbridge.runtime.onnx;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A graph that few need, loaded when it is first asked for. Safe for use by several threads. */
final class LazyGraph implements AutoCloseable {
    private final String what;
    private final Supplier<LoadedGraph> loader;
    private @Nullable LoadedGraph graph;
    private boolean closed;

    /** {@code what} names it in messages. */
    LazyGraph(String what, Supplier<LoadedGraph> loader) {
        this.what = what;
        this.loader = loader;
    }

    synchronized LoadedGraph get() {
        if (closed) {
            throw new IllegalStateException("The " + what + " is closed");
        }
        if (graph == null) {
            graph = loader.get();
        }
        return graph;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (graph != null) {
            graph.close();
        }
    }
}

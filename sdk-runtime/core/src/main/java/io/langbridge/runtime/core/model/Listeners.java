package io.langbridge.runtime.core.model;

import io.langbridge.ModelListener;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners what happens, whatever they make of it. Thread-safe. */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);
    private static final AtomicLong REQUESTS = new AtomicLong();

    private final List<ModelListener> all;
    /** What was logged, by class and class of error: a listener that always fails must not fill a disk. */
    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /** Whether this thread is in a listener, which must not wait for what waits for it. */
    private final ThreadLocal<Boolean> telling = new ThreadLocal<>();

    Listeners(List<ModelListener> all) {
        this.all = all;
    }

    /** {@return a number for a request} */
    static long nextRequest() {
        return REQUESTS.incrementAndGet();
    }

    void tell(Consumer<ModelListener> event) {
        if (all.isEmpty()) {
            return;
        }
        Boolean before = telling.get();
        telling.set(true);
        try {
            for (ModelListener listener : all) {
                tell(listener, event);
            }
        } finally {
            if (before == null) {
                telling.remove();
            }
        }
    }

    /** A listener in another language may throw anything. */
    private void tell(ModelListener listener, Consumer<ModelListener> event) {
        try {
            event.accept(listener);
        } catch (Throwable e) {
            if (logged.add(listener.getClass().getName() + " " + e.getClass().getName())) {
                LOG.warn("A ModelListener failed; its answer goes on, and the same is not logged again", e);
            }
        }
    }

    /** Refuses calls that a listener makes. */
    void refuseIfTelling() {
        if (telling.get() != null) {
            throw new IllegalStateException("A ModelListener must not ask or close the model that calls it, which waits"
                    + " for the listener; hand the work to another thread");
        }
    }
}

package io.langbridge.testing;

import io.langbridge.ModelListener;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Tells listeners what happens, whatever they make of it. Thread-safe. */
final class Listeners {
    private static final System.Logger LOG = System.getLogger(Listeners.class.getName());
    private static final AtomicLong REQUESTS = new AtomicLong();

    private final List<ModelListener> all;
    private final Set<String> logged = ConcurrentHashMap.newKeySet();
    private final ThreadLocal<Boolean> telling = new ThreadLocal<>();

    Listeners(List<ModelListener> all) {
        this.all = all;
    }

    static long nextRequest() {
        return REQUESTS.incrementAndGet();
    }

    void tell(Consumer<ModelListener> event) {
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

    private void tell(ModelListener listener, Consumer<ModelListener> event) {
        try {
            event.accept(listener);
        } catch (Throwable e) {
            if (logged.add(listener.getClass().getName() + " " + e.getClass().getName())) {
                LOG.log(System.Logger.Level.WARNING, "A ModelListener failed; the same is not logged again", e);
            }
        }
    }

    void refuseIfTelling() {
        if (telling.get() != null) {
            throw new IllegalStateException("A ModelListener must not ask or close the model that calls it, which waits"
                    + " for the listener; hand the work to another thread");
        }
    }
}

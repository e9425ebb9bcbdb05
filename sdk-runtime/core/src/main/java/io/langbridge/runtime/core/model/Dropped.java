package io.langbridge.runtime.core.model;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frees what belongs to objects that callers dropped without closing them. {@code java.lang.ref.Cleaner} does so too,
 * but Android has it only from API 33 on. Thread-safe.
 */
final class Dropped implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Dropped.class);
    /** How soon the thread of a model that was itself dropped ends. */
    private static final long LOOK_MILLIS = 10_000;

    private final ReferenceQueue<Object> queue = new ReferenceQueue<>();
    private final Set<Watch> watched = ConcurrentHashMap.newKeySet();
    private @Nullable Thread thread;
    private boolean closed;

    /** Says what is to be done when an object is gone. */
    final class Watch extends PhantomReference<Object> {
        private final String what;
        private final Runnable free;

        private Watch(Object dropped, String what, Runnable free) {
            super(dropped, queue);
            this.what = what;
            this.free = free;
        }

        /** The object was closed in the usual way. */
        void end() {
            watched.remove(this);
        }

        private void free() {
            if (watched.remove(this)) {
                LOG.debug("{} was dropped without being closed", what);
                free.run();
            }
        }
    }

    /**
     * Watches an object.
     *
     * @param free must not refer to the object
     */
    Watch watch(Object object, String what, Runnable free) {
        Watch watch = new Watch(object, what, free);
        watched.add(watch);
        start();
        return watch;
    }

    private synchronized void start() {
        if (thread == null && !closed) {
            WeakReference<Dropped> owner = new WeakReference<>(this);
            ReferenceQueue<Object> gone = queue;
            Thread started = new Thread(() -> run(owner, gone), "langbridge-dropped");
            started.setDaemon(true);
            started.setContextClassLoader(Dropped.class.getClassLoader());
            started.start();
            thread = started;
        }
    }

    /** Ends with {@link #close}, or when the model itself is gone. */
    private static void run(WeakReference<Dropped> owner, ReferenceQueue<Object> gone) {
        try {
            while (owner.get() != null) {
                if (gone.remove(LOOK_MILLIS) instanceof Watch watch) {
                    free(watch);
                }
            }
        } catch (InterruptedException e) {
            LOG.trace("Closed");
        }
    }

    private static void free(Watch watch) {
        try {
            watch.free();
        } catch (RuntimeException | Error e) { // or nothing else would ever be freed
            LOG.warn("What was dropped cannot be freed", e);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (thread != null) {
            thread.interrupt();
        }
        watched.clear();
    }
}

package io.langbridge.runtime.core.lifecycle;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a half-built object has opened, so that all of it can be closed when the rest fails. Not thread-safe.
 */
public final class Closing {
    private final List<AutoCloseable> opened = new ArrayList<>();

    /** Remembers {@code resource} and returns it. */
    public <T extends AutoCloseable> T add(T resource) {
        opened.add(resource);
        return resource;
    }

    /** What was added, for the object that takes it over. */
    public List<AutoCloseable> opened() {
        return Collections.unmodifiableList(new ArrayList<>(opened));
    }

    /** Closes everything because of {@code failure}; what goes wrong meanwhile is attached to it. */
    public void closeAfter(Throwable failure) {
        try {
            all(opened);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Closes all, last first; the first error is thrown when the others are closed too. */
    public static void all(List<? extends AutoCloseable> resources) {
        @Nullable RuntimeException failure = null;
        for (int i = resources.size() - 1; i >= 0; i--) {
            try {
                resources.get(i).close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}

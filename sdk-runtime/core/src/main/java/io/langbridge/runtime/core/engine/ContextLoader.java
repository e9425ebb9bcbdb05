package io.langbridge.runtime.core.engine;

import java.util.function.Supplier;

/** For libraries that look for their parts with the thread's context class loader, whoever's thread it is. */
public final class ContextLoader {
    private ContextLoader() {}

    /** Does something with the loader of {@code type} as the context class loader. */
    public static <T> T of(Class<?> type, Supplier<T> action) {
        Thread current = Thread.currentThread();
        ClassLoader before = current.getContextClassLoader();
        current.setContextClassLoader(type.getClassLoader());
        try {
            return action.get();
        } finally {
            current.setContextClassLoader(before);
        }
    }
}

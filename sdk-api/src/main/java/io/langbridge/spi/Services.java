package io.langbridge.spi;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds implementations with {@link ServiceLoader}, wherever this library was loaded: first with the loader of the
 * service itself, which is the one of a fat jar or web application whatever thread asks, then with the thread's context
 * class loader. For runtimes, not for applications. Stateless.
 *
 * @since 0.1
 */
public final class Services {
    /** A loader that only fails is given up. */
    private static final int MOST_BROKEN = 100;

    private Services() {}

    /**
     * All implementations, those of the service's own loader first.
     *
     * @param <S> the service
     * @param service the service
     * @param lookup {@code loader -> ServiceLoader.load(Service.class, loader)}; it stands in the caller, whose module
     *     declares that it uses the service
     * @return one of each class; may be empty
     * @throws ServiceConfigurationError if one beside the service cannot be made; what other loaders offer is left out
     *     if it does not fit
     */
    public static <S> List<S> all(Class<S> service, Function<@Nullable ClassLoader, ServiceLoader<S>> lookup) {
        List<S> found = own(service, lookup);
        Set<String> known = new HashSet<>();
        for (S one : found) {
            known.add(one.getClass().getName());
        }
        for (S one : context(service, lookup)) {
            if (known.add(one.getClass().getName())) {
                found.add(one);
            }
        }
        return found;
    }

    /**
     * The implementations that the service's own loader sees. They live as long as the service and may be kept.
     *
     * @param <S> the service
     * @param service the service
     * @param lookup see {@link #all}
     * @return may be empty
     * @throws ServiceConfigurationError if one cannot be made
     */
    public static <S> List<S> own(Class<S> service, Function<@Nullable ClassLoader, ServiceLoader<S>> lookup) {
        List<S> found = new ArrayList<>();
        lookup.apply(service.getClassLoader()).forEach(found::add);
        return found;
    }

    /**
     * The implementations that the thread's context class loader sees. They may belong to an application that is
     * unloaded before the service is: do not keep them.
     *
     * @param <S> the service
     * @param service the service
     * @param lookup see {@link #all}
     * @return may be empty; those of another copy of the service are left out
     */
    public static <S> List<S> context(Class<S> service, Function<@Nullable ClassLoader, ServiceLoader<S>> lookup) {
        List<S> found = new ArrayList<>();
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        if (loader == null || loader == service.getClassLoader()) {
            return found;
        }
        Iterator<S> each = lookup.apply(loader).iterator();
        for (int broken = 0; broken < MOST_BROKEN; ) {
            try {
                if (!each.hasNext()) {
                    break;
                }
                found.add(each.next());
            } catch (ServiceConfigurationError e) {
                broken++; // of another copy of this library, or broken; the iterator has moved on
            }
        }
        return found;
    }

    /**
     * Says so where an implementation is there but not listed: jars were merged into one, and files of the same name
     * under {@code META-INF/services} were not.
     *
     * @param service the service
     * @param implementations names of classes that would be listed
     * @return a sentence with a space before it, or nothing
     */
    public static String unmerged(Class<?> service, String... implementations) {
        for (String name : implementations) {
            try {
                Class.forName(name, false, service.getClassLoader());
                return " The class " + name + " is there, but no file META-INF/services/" + service.getName()
                        + " names it: the jars were merged into one without merging their service files. Merge those"
                        + " too (Maven Shade: ServicesResourceTransformer; Gradle Shadow: mergeServiceFiles()), or"
                        + " keep the jars apart.";
            } catch (ClassNotFoundException | LinkageError e) {
                // Then it is not that.
            }
        }
        return "";
    }
}

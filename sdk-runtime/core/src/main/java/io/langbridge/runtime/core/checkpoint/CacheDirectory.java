package io.langbridge.runtime.core.checkpoint;

import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where programs of this user keep what they can make again, by the custom of each system. */
public final class CacheDirectory {
    private CacheDirectory() {}

    /** Not made yet, see {@link PrivateFolder#make}. */
    public static Path ofUser() {
        String system = property("os.name").toLowerCase(Locale.ROOT);
        String home = property("user.home");
        String xdg = System.getenv("XDG_CACHE_HOME");
        String local = System.getenv("LOCALAPPDATA");
        Path base;
        if (system.startsWith("windows") && local != null) {
            base = Paths.get(local);
        } else if (system.startsWith("mac")) {
            base = Paths.get(home, "Library", "Caches");
        } else if (xdg != null && !xdg.isEmpty()) {
            base = Paths.get(xdg);
        } else if (home.isEmpty() || home.equals("/") || home.equals("?")) {
            // Android has no home, and this is the app's own cache there; a container's user without a name has "?".
            return Paths.get(property("java.io.tmpdir"), "langbridge-" + property("user.name"));
        } else {
            base = Paths.get(home, ".cache");
        }
        return base.resolve("langbridge");
    }

    private static String property(String name) {
        @Nullable String value = System.getProperty(name);
        return value == null ? "" : value;
    }
}

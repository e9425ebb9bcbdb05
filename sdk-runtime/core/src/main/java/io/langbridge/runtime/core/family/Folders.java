package io.langbridge.runtime.core.family;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.jspecify.annotations.Nullable;

/** Follows the paths that a configuration names, but not away from the model; and tells what a folder is called. */
public final class Folders {
    private static final String CACHED = "models--";

    private Folders() {}

    /** The file {@code name} inside {@code folder}, or there the file of its last name; null if there is neither. */
    static @Nullable Path inside(Path folder, String name) {
        try {
            Path home = folder.toAbsolutePath().normalize();
            Path direct = home.resolve(name).normalize();
            if (direct.startsWith(home) && Files.exists(direct)) {
                return direct;
            }
            Path last = lastName(name);
            return last != null && Files.exists(home.resolve(last)) ? home.resolve(last) : null;
        } catch (InvalidPathException e) {
            return null; // text for another kind of file system
        }
    }

    /** The folder {@code name} inside or beside {@code folder}, as it stands or by its last name; null if not there. */
    static @Nullable Path insideOrBeside(Path folder, String name) {
        Path inside = inside(folder, name);
        Path parent = folder.toAbsolutePath().normalize().getParent();
        return inside != null || parent == null ? inside : inside(parent, name);
    }

    /**
     * What a snapshot in a Hugging Face cache is called on the hub, owner and name.
     *
     * @param folder absolute
     * @return null if it is no such snapshot
     */
    public static @Nullable String repository(Path folder) {
        Path snapshots = folder.getParent();
        Path model = snapshots == null ? null : snapshots.getParent();
        return snapshots == null
                        || model == null
                        || !last(snapshots).equals("snapshots")
                        || !last(model).startsWith(CACHED)
                ? null
                : last(model).substring(CACHED.length()).replace("--", "/");
    }

    /** The last name of a path. */
    public static String last(Path path) {
        Path name = path.getFileName();
        return name == null ? path.toString() : name.toString();
    }

    private static @Nullable Path lastName(String name) {
        Path last = Paths.get(name.replace('\\', '/')).normalize().getFileName();
        return last == null || last.toString().isEmpty() || last.toString().equals("..") ? null : last;
    }
}

package io.langbridge.runtime.core.family;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.jspecify.annotations.Nullable;

/** Follows the paths that a configuration names, but not away from the model. */
final class Folders {
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

    private static @Nullable Path lastName(String name) {
        Path last = Paths.get(name.replace('\\', '/')).normalize().getFileName();
        return last == null || last.toString().isEmpty() || last.toString().equals("..") ? null : last;
    }
}

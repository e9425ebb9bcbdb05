package io.langbridge.runtime.core.engine;

import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.CacheDirectory;
import io.langbridge.runtime.core.checkpoint.PrivateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an engine's native libraries need of a machine, and why they could not be loaded, in words that name the cause
 * and the next step. Without it a user reads of an artefact that is missing where a folder forbids execution.
 */
public final class NativeLibraries {
    private static final String TEMPORARY = "langbridge-natives-";
    private static final Path MAPS = Paths.get("/proc/self/maps");
    private static final Pattern MUSL = Pattern.compile("/(?:ld-musl-|libc\\.musl)[^/]*$");
    private static final Pattern GLIBC = Pattern.compile("/libc(?:-2\\.\\d+\\.so|\\.so\\.6)$");
    private static final Pattern RELEASE = Pattern.compile("GNU C Library [^\n]*version 2\\.(\\d+)");
    private static final Pattern NO_EXECUTION =
            Pattern.compile("(\\S+?): (?:failed to map segment|cannot enable executable|.*[Oo]peration not permitted)");

    private static final int IS_MUSL = -1;

    /** Packages whose classes a runtime made by jlink may lack, and the modules that hold them. */
    private static final String[][] MODULES = {
        {"java.awt.", "java.desktop"},
        {"java.beans.", "java.desktop"},
        {"java.lang.management.", "java.management"},
        {"java.net.http.", "java.net.http"},
        {"java.util.logging.", "java.logging"},
        {"javax.imageio.", "java.desktop"},
        {"javax.management.", "java.management"},
        {"javax.xml.", "java.xml"},
        {"org.w3c.dom.", "java.xml"},
        {"sun.misc.", "jdk.unsupported"},
    };

    /** Where a library is unpacked. */
    public enum Place {
        /** By ONNX Runtime itself. */
        TEMPORARY("the system property java.io.tmpdir", ", -Djava.io.tmpdir=FOLDER"),
        /** See {@link #folder()}. */
        CACHE("the cache directory", ", cacheDirectory(..)");

        private final String setting;
        private final String example;

        Place(String setting, String example) {
            this.setting = setting;
            this.example = example;
        }
    }

    private static volatile @Nullable Path cache = CacheDirectory.ofUser();

    private NativeLibraries() {}

    /**
     * Sets where libraries are unpacked from now on. They are loaded once in a process, so the first model decides.
     *
     * @param cacheDirectory where this process keeps what it makes, or null for a folder of its own that goes with it
     */
    public static void keepIn(@Nullable Path cacheDirectory) {
        cache = cacheDirectory;
    }

    /**
     * A folder to unpack libraries into that no other user can write to.
     *
     * @throws RuntimeUnavailableException if there is none
     */
    public static Path folder() {
        Path kept = cache;
        try {
            if (kept != null) {
                return PrivateFolder.make(PrivateFolder.make(kept).resolve("natives"));
            }
            return Files.createTempDirectory(TEMPORARY);
        } catch (IOException e) {
            throw new RuntimeUnavailableException(
                    "There is no place for native libraries: " + e + ". Set the cache directory"
                            + (kept == null ? " or the system property java.io.tmpdir" : "")
                            + " to a folder that can be written to.",
                    e);
        }
    }

    /**
     * Called when all that is needed has been unpacked: what does not lie in the cache goes when the process ends.
     *
     * @param folder from {@link #folder()}
     */
    public static void unpacked(Path folder) {
        if (!String.valueOf(folder.getFileName()).startsWith(TEMPORARY)) {
            return;
        }
        // Deleted in the opposite order, so what is in a folder goes before it.
        try (Stream<Path> all = Files.walk(folder)) {
            all.forEach(path -> path.toFile().deleteOnExit());
        } catch (IOException | UncheckedIOException e) {
            // Then something stays until the temporary folder is cleaned.
        }
    }

    /**
     * Makes sure, on Linux, that the C library is one that native libraries were linked against. Without this they fail
     * with names of symbols, or crash.
     *
     * @param what whose libraries, for the message
     * @param minor glibc 2.{@code minor} is the oldest that will do
     * @throws RuntimeUnavailableException if it is older, or musl
     */
    public static void requireGlibc(String what, int minor) {
        if (Files.isReadable(MAPS)) {
            requireGlibc(what, minor, MAPS);
        }
    }

    static void requireGlibc(String what, int minor, Path maps) {
        String needed = what + " needs glibc 2." + minor + " or later";
        Integer found = libcRelease(maps);
        if (found == null) {
            return; // then loading will tell
        }
        if (found == IS_MUSL) {
            throw new RuntimeUnavailableException(needed + ", but this Java runs on musl, as on Alpine Linux."
                    + " Use a Java for glibc on another distribution, such as Debian or Ubuntu.");
        }
        if (found < minor) {
            throw new RuntimeUnavailableException(needed + ", but this machine has 2." + found
                    + (found == 26 ? ", as Amazon Linux 2" : "")
                    + ". Use a newer distribution; Debian 11, Ubuntu 20.04, RHEL 9 and Amazon Linux 2023 will do.");
        }
    }

    /** The C library that this process uses, {@code glibc 2.36} or {@code musl}; null where that cannot be told. */
    public static @Nullable String libc() {
        Integer release = Files.isReadable(MAPS) ? libcRelease(MAPS) : null;
        if (release == null) {
            return null;
        }
        return release == IS_MUSL ? "musl" : "glibc 2." + release;
    }

    /** The 36 of glibc 2.36, {@link #IS_MUSL}, or null where that cannot be told. */
    private static @Nullable Integer libcRelease(Path maps) {
        try {
            for (String line : Files.readAllLines(maps, StandardCharsets.ISO_8859_1)) {
                if (MUSL.matcher(line).find()) {
                    return IS_MUSL;
                }
                if (GLIBC.matcher(line).find()) {
                    return release(Paths.get(line.substring(line.indexOf('/'))));
                }
            }
            return null;
        } catch (IOException e) {
            return null;
        }
    }

    /** The 36 of glibc 2.36, which the library says in its text; null if it does not. */
    private static @Nullable Integer release(Path library) throws IOException {
        Matcher matcher = RELEASE.matcher(new String(Files.readAllBytes(library), StandardCharsets.ISO_8859_1));
        return matcher.find() ? Integer.valueOf(matcher.group(1)) : null;
    }

    /**
     * Why loading failed.
     *
     * @param failure what the loading threw
     * @param place where the library is unpacked, by the setting that moves it
     * @param otherwise what to do if the cause is none of the known ones, usually which artefact to add
     * @return sentences with the cause and the next step
     */
    public static String cause(Throwable failure, Place place, String otherwise) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.toString() : root.getMessage();
        Matcher noExecution = NO_EXECUTION.matcher(message);
        if (noExecution.find()) {
            return noExecution.group(1) + " may not be executed: its folder is mounted noexec. Set " + place.setting
                    + " to a folder that allows execution" + place.example + ".";
        }
        if (message.startsWith("Illegal native access")) {
            return "Java was told to refuse native libraries (--illegal-native-access=deny). Start it with"
                    + " --enable-native-access=ALL-UNNAMED, or name the module in place of ALL-UNNAMED: " + message
                    + ".";
        }
        if (root instanceof IOException) {
            return "It cannot be unpacked: " + root + ". Free space there, or set " + place.setting
                    + " to a folder that can be written to" + place.example + ".";
        }
        String module = missingModule(root);
        if (module != null) {
            return "This Java lacks the class " + message.replace('/', '.') + " of the module " + module
                    + "; it was made by jlink without it. Add it: jlink --add-modules " + module + ".";
        }
        return message + ". " + otherwise;
    }

    /**
     * The module of the JDK whose class is missing.
     *
     * @return null if something else is the matter
     */
    public static @Nullable String missingModule(Throwable failure) {
        if (!(failure instanceof NoClassDefFoundError || failure instanceof ClassNotFoundException)) {
            return null;
        }
        String name = String.valueOf(failure.getMessage()).replace('/', '.');
        for (String[] module : MODULES) {
            if (name.startsWith(module[0])) {
                return module[1];
            }
        }
        return null;
    }
}

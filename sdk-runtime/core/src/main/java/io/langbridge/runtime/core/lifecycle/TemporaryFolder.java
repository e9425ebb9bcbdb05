package io.langbridge.runtime.core.lifecycle;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A folder for converted weights that are not kept; closing deletes it. */
public final class TemporaryFolder implements AutoCloseable {
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private final Path path;

    private TemporaryFolder(Path path) {
        this.path = path;
    }

    /** Makes one; the caller closes it. */
    public static TemporaryFolder make() {
        try {
            Path made = Files.createTempDirectory("langbridge-");
            OPEN.add(made);
            return new TemporaryFolder(made);
        } catch (IOException e) {
            throw new RuntimeUnavailableException(
                    "Converted weights need a temporary folder, which cannot be made: " + e
                            + ". Set the system property java.io.tmpdir to a folder that can be written to.",
                    e);
        }
    }

    /** Whether a folder is such a one. */
    public static boolean isOne(Path folder) {
        return OPEN.contains(folder);
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        List<Path> files;
        try (Stream<Path> list = Files.list(path)) {
            files = list.collect(Collectors.toList());
        }
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
        Files.deleteIfExists(path);
        OPEN.remove(path);
    }
}

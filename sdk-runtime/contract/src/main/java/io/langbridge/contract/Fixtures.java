package io.langbridge.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of reference results: the one bundled with this module, or the one that {@code -Dlangbridge.fixtures=DIR}
 * names. What is in it is found by walking, never by name.
 */
public final class Fixtures {
    /** First path elements, in the order in which data runs through a model. */
    static final List<String> AREAS = Collections.unmodifiableList(Arrays.asList(
            "images",
            "preprocessing",
            "vision",
            "adapter",
            "decoders",
            "scores",
            "end-to-end",
            "families",
            "tokenizers",
            "shared-vocabulary"));

    private static final String PROPERTY = "langbridge.fixtures";
    private static final Set<String> TOKENIZER_FILES = Collections.unmodifiableSet(
            new TreeSet<>(Arrays.asList("encode.json", "streaming.json", "chat.json", "template-features.json")));

    private final Path root;

    /**
     * A file that states what to check, and where it lies.
     *
     * @param area first element of the path
     * @param name path below the root, without {@code /case.json}
     */
    record Case(String area, String name, Path file) {}

    private Fixtures(Path root) {
        this.root = root;
    }

    /**
     * Opens the folder of the system property, or unpacks the bundled one.
     *
     * @param scratch see {@link #bundled}
     */
    static Fixtures open(Path scratch) {
        String named = System.getProperty(PROPERTY, "");
        return new Fixtures(named.isEmpty() ? bundled(scratch) : named(Path.of(named)));
    }

    private static Path named(Path folder) {
        List<Path> tried = new ArrayList<>();
        String start = System.getProperty("langbridge.root");
        if (folder.isAbsolute()) {
            tried.add(folder);
        } else if (start != null) {
            tried.add(Path.of(start).resolve(folder));
        } else {
            for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
                tried.add(at.resolve(folder));
            }
        }
        return tried.stream()
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(() ->
                        new AssertionError("-D" + PROPERTY + "=" + folder + " is not a folder; looked for " + tried));
    }

    /**
     * The cases that come with this module.
     *
     * @param scratch where a folder inside a jar is unpacked to, once
     */
    public static Path bundled(Path scratch) {
        URL readme = Objects.requireNonNull(Fixtures.class.getResource("/fixtures/README.md"), "fixtures");
        try {
            URI uri = readme.toURI();
            if (uri.getScheme().equals("file")) {
                return Objects.requireNonNull(Path.of(uri).getParent());
            }
            Path unpacked = scratch.resolve("fixtures");
            if (!Files.exists(unpacked)) {
                // Weights are mapped into memory, which needs real files.
                try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                    copy(jar.getPath("/fixtures"), unpacked);
                }
            }
            return unpacked;
        } catch (java.net.URISyntaxException | IOException e) {
            throw new AssertionError("The bundled fixtures cannot be unpacked from " + readme, e);
        }
    }

    /** Copies a file, or a folder with all that is in it. */
    static void copy(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(from)) {
            all = walk.toList();
        }
        Files.createDirectories(to.getParent());
        for (Path source : all) {
            Path target = to.resolve(from.relativize(source).toString());
            if (Files.isDirectory(source)) {
                Files.createDirectories(target);
            } else {
                Files.copy(source, target);
            }
        }
    }

    Path root() {
        return root;
    }

    Path images() {
        return root.resolve("images");
    }

    /** Every case of every area, also of areas nobody knows. */
    List<Case> cases() {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(Files::isRegularFile)
                    .map(root::relativize)
                    .sorted()
                    .map(this::caseOrNull)
                    .filter(Objects::nonNull)
                    .map(Objects::requireNonNull)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private @Nullable Case caseOrNull(Path relative) {
        String area = relative.getName(0).toString();
        String file = String.valueOf(relative.getFileName());
        String path = relative.toString().replace('\\', '/');
        if (file.equals("case.json") && relative.getNameCount() > 1) {
            return new Case(area, path.substring(0, path.length() - "/case.json".length()), root.resolve(relative));
        }
        boolean other =
                area.equals("tokenizers") && TOKENIZER_FILES.contains(file) || path.equals("images/images.json");
        return other ? new Case(area, path, root.resolve(relative)) : null;
    }

    /** Folders that belong to no area, or to one but hold no case: somebody forgot them, or this suite did. */
    List<String> strayFolders(List<Case> cases) {
        List<String> strays = new ArrayList<>();
        for (Path area : folders(root)) {
            String name = String.valueOf(area.getFileName());
            if (!AREAS.contains(name)) {
                strays.add(name);
            } else if (!name.equals("images")) {
                for (Path folder : folders(area)) {
                    if (cases.stream().noneMatch(found -> found.file().startsWith(folder))) {
                        strays.add(name + "/" + folder.getFileName());
                    }
                }
            }
        }
        return strays;
    }

    private static List<Path> folders(Path folder) {
        try (Stream<Path> list = Files.list(folder)) {
            return list.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

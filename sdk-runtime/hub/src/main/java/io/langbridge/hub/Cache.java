package io.langbridge.hub;

import io.langbridge.hub.Settings.Links;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of one model in the cache, laid out as Python's huggingface_hub does: {@code blobs/HASH},
 * {@code snapshots/COMMIT/PATH} with links to them, {@code refs/REVISION}, {@code trees/COMMIT.json}. Besides, in
 * {@code .langbridge}, which blobs were hashed here and have not changed since: Python looks at lengths only. Safe for
 * use by several threads and processes.
 */
final class Cache {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final String TAG = """
            Signature: 8a477f597d28d172789f06886806bc55
            # This folder holds downloads that can be had again. See https://bford.info/cachedir/
            """;
    /** The folders of a model, of Python or of this class, in the order in which they are removed. */
    private static final List<String> OWN = List.of("refs", "snapshots", "trees", ".no_exist", ".langbridge", "blobs");

    private static final int MAX_LISTING = 64 << 20;
    /** What was hashed where nothing can be written about it. */
    private static final Set<String> HASHED = ConcurrentHashMap.newKeySet();

    private final Path root;
    private final String folderName;
    private final Path folder;

    Cache(Path root, String repository) {
        this.root = root;
        this.folderName = "models--" + repository.replace("/", "--");
        this.folder = root.resolve(folderName);
    }

    Path folder() {
        return folder;
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /** Where a file of a snapshot lies. The path was checked when the listing was read. */
    Path pointer(String commit, String path) {
        return inside(snapshot(commit), path);
    }

    private static Path inside(Path folder, String name) {
        try {
            return folder.resolve(name);
        } catch (InvalidPathException e) {
            throw Names.unwritable(name, e);
        }
    }

    private Path ref(String revision) {
        return inside(folder.resolve("refs"), revision);
    }

    Path blob(String blob) {
        return folder.resolve("blobs").resolve(blob);
    }

    /** What has arrived of a blob. Not Python's name for that: a living process may be writing there. */
    Path partial(String blob) {
        return folder.resolve("blobs").resolve(blob + ".langbridge.incomplete");
    }

    Path lock(String blob) {
        return root.resolve(".locks").resolve(folderName).resolve(blob + ".lock");
    }

    /** The commit that a branch or tag stood for when it was last asked for; null if it never was. */
    @Nullable
    String commit(String revision) {
        Path ref = ref(revision);
        try {
            String commit = Files.isRegularFile(ref) && Files.size(ref) < 100
                    ? Files.readString(ref).strip()
                    : "";
            return Names.isCommit(commit) ? commit : null;
        } catch (IOException e) {
            LOG.debug("{} cannot be read: {}", ref, e.toString());
            return null;
        }
    }

    void rememberCommit(String revision, String commit) {
        if (!revision.equals(commit) && !commit.equals(commit(revision))) {
            remember(ref(revision), commit.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** The files of a commit; null if that is not known here. */
    @Nullable
    List<RepoFile> files(String commit) {
        Path listing = listing(commit);
        try {
            if (!Files.isRegularFile(listing) || Files.size(listing) > MAX_LISTING) {
                return null;
            }
            return Listing.ofCache(Files.readAllBytes(listing), "The listing " + listing);
        } catch (IOException | HubException e) {
            LOG.warn("{} is not used: {}", listing, e.getMessage());
            return null;
        }
    }

    void rememberFiles(String commit, List<RepoFile> files) {
        remember(listing(commit), Listing.forCache(files));
    }

    private Path listing(String commit) {
        return folder.resolve("trees").resolve(commit + ".json");
    }

    /** Writes something that only saves a question next time. */
    private void remember(Path file, byte[] bytes) {
        try {
            write(file, bytes);
        } catch (IOException e) {
            LOG.debug("{} cannot be written: {}", file, e.toString());
        }
    }

    private void write(Path file, byte[] bytes) throws IOException {
        Path temporary = temporary();
        try {
            Files.write(temporary, bytes);
            Files.createDirectories(file.getParent());
            replace(temporary, file);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** A name that nobody else has, on the same disk. */
    private Path temporary() throws IOException {
        return Files.createDirectories(ours()).resolve(UUID.randomUUID() + ".tmp");
    }

    private Path ours() {
        return folder.resolve(".langbridge");
    }

    static void replace(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Makes the folders, and tells tools for backups that they hold nothing worth keeping. */
    void create() throws IOException {
        Files.createDirectories(folder.resolve("blobs"));
        Path tag = root.resolve("CACHEDIR.TAG");
        if (!Files.exists(tag)) {
            remember(tag, TAG.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Whether a snapshot has a file as the listing describes it. */
    boolean hasPointer(String commit, RepoFile file) throws IOException {
        Path pointer = pointer(commit, file.path());
        if (file.blob().isEmpty()) {
            return Files.isRegularFile(pointer); // nothing here says what it should hold
        }
        return leadsTo(pointer, file.blob()) && isSound(pointer, file.blob(), file.size());
    }

    /** Whether it is the file itself, or a link to this blob and not to another one. */
    private static boolean leadsTo(Path pointer, String blob) throws IOException {
        return !Files.isSymbolicLink(pointer) || target(pointer).equals(blob);
    }

    /** The name of what a link leads to; empty for a root, which has none. */
    static String target(Path link) throws IOException {
        return String.valueOf(
                Objects.requireNonNullElse(Files.readSymbolicLink(link).getFileName(), ""));
    }

    /** Whether a file has the length and the bytes that its hash says. Hashed once, and again when it has changed. */
    boolean isSound(Path file, String blob, long size) throws IOException {
        String state = state(file);
        if (state == null || Files.size(file) != size) {
            return false;
        }
        Path mark = ours().resolve(blob);
        String known = file.toRealPath() + " " + state;
        if (HASHED.contains(known)
                || (Files.isRegularFile(mark) && Files.readString(mark).equals(state))) {
            return true;
        }
        if (!BlobHash.fits(file, blob)) {
            LOG.warn("{} has the right length and wrong bytes.", file);
            return false;
        }
        markSound(file, blob, state);
        return true;
    }

    /**
     * Notes that a file was hashed.
     *
     * @param state of the file from before that: whatever changes it meanwhile shall show
     */
    void markSound(Path file, String blob, String state) throws IOException {
        try {
            write(ours().resolve(blob), state.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            HASHED.add(file.toRealPath() + " " + state);
        }
    }

    void markDamaged(Path file, String blob) throws IOException {
        HASHED.remove(file.toRealPath() + " " + state(file));
        Files.deleteIfExists(ours().resolve(blob));
    }

    /** Length and time of the last change; null if there is no file, or a link leads nowhere. */
    static @Nullable String state(Path file) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.isRegularFile() ? attributes.size() + " " + attributes.lastModifiedTime() : null;
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Bytes of a file that are not here, from lengths alone. */
    long missing(String commit, RepoFile file) throws IOException {
        for (Path place : new Path[] {pointer(commit, file.path()), blob(file.blob())}) {
            if (Files.isRegularFile(place) && Files.size(place) == file.size()) {
                return 0;
            }
        }
        Path partial = partial(file.blob());
        long here = Files.isRegularFile(partial) ? Files.size(partial) : 0;
        return here > file.size() ? file.size() : file.size() - here;
    }

    /** Names a blob in a snapshot, replacing what stands there. */
    void point(String commit, RepoFile file, Links best) throws IOException {
        Path pointer = pointer(commit, file.path());
        Path blob = blob(file.blob());
        Path home = Files.createDirectories(Objects.requireNonNull(pointer.getParent()));
        if (best == Links.SYMBOLIC) {
            Path temporary = temporary();
            try {
                Files.createSymbolicLink(temporary, home.relativize(blob));
                replace(temporary, pointer);
                return;
            } catch (IOException | UnsupportedOperationException e) {
                LOG.debug("No symbolic links at {}: {}", folder, e.toString());
            } finally {
                Files.deleteIfExists(temporary);
            }
        }
        if (best != Links.NONE) {
            Path temporary = temporary();
            try {
                Files.createLink(temporary, blob.toRealPath());
                replace(temporary, pointer);
                return;
            } catch (IOException | UnsupportedOperationException e) {
                LOG.debug("No hard links at {}: {}", folder, e.toString());
            } finally {
                Files.deleteIfExists(temporary);
            }
        }
        if (Files.isSymbolicLink(blob)) {
            // Into Python's blobs of all models; those stay where they are.
            Path temporary = temporary();
            try {
                Files.copy(blob, temporary, StandardCopyOption.COPY_ATTRIBUTES);
                replace(temporary, pointer);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } else {
            replace(blob, pointer);
        }
    }

    /** What a snapshot holds, where there is no listing: names from the files, hashes from what their links name. */
    List<RepoFile> filesOfSnapshot(String commit) throws IOException {
        Path snapshot = snapshot(commit);
        List<RepoFile> files = new ArrayList<>();
        for (Path path : Folders.files(snapshot)) {
            if (Files.isDirectory(path)) {
                continue;
            }
            String name = snapshot.relativize(path).toString().replace('\\', '/');
            String blob = Files.isSymbolicLink(path) ? target(path) : "";
            long size = Files.exists(path) ? Files.size(path) : -1;
            files.add(new RepoFile(
                    name, size, Names.isCommit(blob) ? blob : "", Names.isSha256(blob) ? blob : null, null));
        }
        return files;
    }

    /** The files that an index of weights names; a readable index if this one is none. */
    List<String> shards(String commit, RepoFile index) {
        Path file = pointer(commit, index.path());
        try {
            String folder = index.folder().isEmpty() ? "" : index.folder() + "/";
            return Listing.shards(Files.readAllBytes(file), "The index " + file).stream()
                    .map(name -> folder + name)
                    .toList();
        } catch (IOException | HubException e) {
            LOG.warn("{} cannot be read: {}", file, e.getMessage());
            return List.of("a readable " + index.path());
        }
    }

    /**
     * Removes everything of the model; what was named by links inside its folder stays. Where the folder itself is a
     * link, to another disk for instance, its own files there are removed too, and nothing besides.
     */
    void delete() throws IOException {
        boolean linked = Files.isSymbolicLink(folder);
        Path real = Files.isDirectory(folder) ? folder.toRealPath() : folder;
        // A second name of another model here is only a name.
        if (!linked || !real.startsWith(root.toRealPath())) {
            // The names before what they name: whoever looks meanwhile finds nothing rather than links to nowhere.
            for (String own : OWN) {
                deleteTree(real.resolve(own));
            }
            if (linked && Folders.children(real).isEmpty()) {
                deleteTree(real);
            }
        }
        deleteTree(folder);
    }

    private static void deleteTree(Path top) throws IOException {
        if (!Files.exists(top, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(top, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException error) throws IOException {
                if (error != null) {
                    throw error;
                }
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}

package io.langbridge.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Says what lies in a cache, and whether it is what it should be. */
final class Inventory {
    private static final String PREFIX = "models--";

    private Inventory() {}

    static List<CachedModel> list(Path root) throws IOException {
        List<CachedModel> models = new ArrayList<>();
        for (Path folder : Folders.children(root)) {
            String name = folder.getFileName().toString();
            if (name.startsWith(PREFIX) && Files.isDirectory(folder)) {
                models.add(new CachedModel(
                        name.substring(PREFIX.length()).replace("--", "/"),
                        folder,
                        bytes(folder),
                        commits(folder),
                        revisions(folder)));
            }
        }
        models.sort(Comparator.comparing(CachedModel::repository));
        return models;
    }

    private static List<String> commits(Path folder) throws IOException {
        return Folders.children(folder.resolve("snapshots")).stream()
                .map(path -> path.getFileName().toString())
                .filter(Names::isCommit)
                .sorted()
                .toList();
    }

    private static Map<String, String> revisions(Path folder) throws IOException {
        Map<String, String> revisions = new TreeMap<>();
        Path refs = folder.resolve("refs");
        for (Path ref : Folders.files(refs)) {
            String commit = Files.isRegularFile(ref) && Files.size(ref) < 100
                    ? Files.readString(ref).strip()
                    : "";
            if (Names.isCommit(commit)) {
                revisions.put(refs.relativize(ref).toString().replace('\\', '/'), commit);
            }
        }
        return revisions;
    }

    /** What the files themselves take; links and second names of a file add nothing. */
    private static long bytes(Path folder) throws IOException {
        Set<Object> counted = new HashSet<>();
        long bytes = 0;
        for (Path file : Folders.files(folder)) {
            BasicFileAttributes attributes =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            Object key = attributes.fileKey();
            if (attributes.isRegularFile() && (key == null || counted.add(key))) {
                bytes += attributes.size();
            }
        }
        return bytes;
    }

    static Verification verify(Cache cache) throws IOException {
        Path blobs = cache.folder().resolve("blobs");
        Count count = new Count(cache);
        for (Path blob : Folders.children(blobs)) {
            String name = blob.getFileName().toString();
            if (Names.isBlob(name)) {
                count.check(blob, name);
            }
        }
        for (String commit : commits(cache.folder())) {
            Map<String, RepoFile> listed = new HashMap<>();
            List<RepoFile> known = cache.files(commit);
            if (known != null) {
                known.forEach(file -> listed.put(file.path(), file));
            }
            Path snapshot = cache.snapshot(commit);
            for (Path file : Folders.files(snapshot)) {
                RepoFile entry = listed.get(snapshot.relativize(file).toString().replace('\\', '/'));
                if (Files.isSymbolicLink(file)) {
                    count.checkLink(file, entry);
                } else if (entry != null) {
                    count.check(file, entry.blob());
                } else {
                    count.unknown(file);
                }
            }
        }
        return new Verification(count.files, count.bytes, count.damaged, count.unknown);
    }

    /** Adds up; a file that is met under a second name is not hashed again. */
    private static final class Count {
        private final Cache cache;
        private final Set<Object> seen = new HashSet<>();
        private final List<Path> damaged = new ArrayList<>();
        private final List<Path> unknown = new ArrayList<>();
        private int files;
        private long bytes;

        Count(Cache cache) {
            this.cache = cache;
        }

        void check(Path file, String blob) throws IOException {
            if (!Files.isRegularFile(file)) {
                damaged.add(file);
                return;
            }
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!seen.add(List.of(key(file, attributes), blob))) {
                return;
            }
            files++;
            bytes += attributes.size();
            if (!BlobHash.fits(file, blob)) {
                damaged.add(file);
                cache.markDamaged(file, blob);
            }
        }

        /** A link whose blob has no hash for its name, or lies elsewhere, was not hashed with the blobs. */
        void checkLink(Path link, @Nullable RepoFile entry) throws IOException {
            String target = Cache.target(link);
            if (!Files.isRegularFile(link) || (entry != null && !entry.blob().equals(target))) {
                damaged.add(link);
            } else if (Names.isBlob(target)) {
                check(link, target);
            } else {
                unknown(link);
            }
        }

        void unknown(Path file) throws IOException {
            Object key = key(file, Files.readAttributes(file, BasicFileAttributes.class));
            boolean hashed = seen.stream()
                    .anyMatch(s -> s instanceof List<?> pair && pair.get(0).equals(key));
            if (!hashed) {
                unknown.add(file);
            }
        }

        private static Object key(Path file, BasicFileAttributes attributes) throws IOException {
            return attributes.fileKey() == null ? file.toRealPath() : attributes.fileKey();
        }
    }
}

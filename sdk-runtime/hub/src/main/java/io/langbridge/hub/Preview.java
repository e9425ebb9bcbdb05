package io.langbridge.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A folder that looks like a model whose weights are not here yet: its small files, and of each safetensors file the
 * header, before as much nothing as there will be weights. Files with holes take no room on the disk. Used by one
 * thread; goes when it is closed.
 */
final class Preview implements AutoCloseable {
    static final String KIND = ".safetensors";

    /** What is fetched whole. No text of a model comes near; weights of this size cost little. */
    static final long SMALL = 100_000_000;

    private static final int LENGTH_BYTES = 8;
    /** Most headers are shorter, and one request will do. */
    private static final int FIRST = 1 << 17;
    /** As core and the reference have it. */
    private static final int MAX_HEADER = 100_000_000;
    /** Where a hole is written as zeros, gigabytes of them. */
    private static final List<String> WITHOUT_HOLES = List.of("fat", "msdos", "hfs");

    private final Path root;
    private final Path folder;

    private Preview(Path root, Path folder) {
        this.root = root;
        this.folder = folder;
    }

    /**
     * Makes the folder.
     *
     * @param snapshot where the model will be; what it is called there may say how it is read
     * @return null where files cannot have holes
     */
    static @Nullable Preview make(Path snapshot) throws IOException {
        Path root = Files.createTempDirectory("langbridge-preview-");
        int names = snapshot.getNameCount();
        Path folder = Files.createDirectories(
                root.resolve(snapshot.subpath(names - 3, names).toString()));
        Preview preview = new Preview(root, folder);
        FileStore disk = Files.getFileStore(folder);
        String type = disk.type().toLowerCase(Locale.ROOT);
        if (WITHOUT_HOLES.stream().anyMatch(type::contains)) {
            preview.close();
            return null;
        }
        return preview;
    }

    Path folder() {
        return folder;
    }

    /** Puts a small file there. */
    void copy(RepoFile file, Path from) throws IOException {
        Files.copy(from, place(file));
    }

    /** Puts a file there that has its header and its length. */
    void header(RepoFile file, byte[] header) throws IOException {
        try (FileChannel channel = FileChannel.open(
                place(file), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            ByteBuffer bytes = ByteBuffer.wrap(header, 0, (int) Math.min(header.length, file.size()));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            if (channel.position() < file.size()) {
                channel.write(ByteBuffer.allocate(1), file.size() - 1);
            }
        }
    }

    private Path place(RepoFile file) throws IOException {
        Path place = folder.resolve(file.path());
        Files.createDirectories(Objects.requireNonNull(place.getParent()));
        return place;
    }

    /** The first bytes of a file, here or at the hub. */
    interface Beginning {
        /** Gives so many of them; fewer only where the file ends. */
        byte[] of(int count) throws IOException;
    }

    /** Reads the header of a safetensors file, with its length. */
    static byte[] header(Beginning beginning, RepoFile file) throws IOException {
        byte[] first = file.size() == 0 ? new byte[0] : beginning.of((int) Math.min(FIRST, file.size()));
        long length = first.length < LENGTH_BYTES
                ? -1
                : ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > MAX_HEADER || length > file.size() - LENGTH_BYTES) {
            return first; // no safetensors file; whoever opens it says so
        }
        int whole = LENGTH_BYTES + (int) length;
        return whole <= first.length ? first : beginning.of(whole);
    }

    @Override
    public void close() throws IOException {
        List<Path> all = new ArrayList<>();
        try (var paths = Files.walk(root)) {
            paths.forEach(all::add);
        }
        for (int i = all.size() - 1; i >= 0; i--) {
            Files.deleteIfExists(all.get(i));
        }
    }
}

package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * A file from which any thread reads at any place.
 *
 * <p>Not mapped on purpose: a mapping outlives {@code close()}, and a file that shrinks beneath it kills the process.
 * Not a {@code FileChannel} either, because interrupting one reader closes it for all.
 */
final class OpenFile implements AutoCloseable {
    private static final int CHUNK_FLOATS = 1 << 15;

    /** Whoever reads a lot at once need not ask each time. */
    private static final long LOOK_AGAIN_NANOS = 1_000_000;

    private final Path path;
    private final RandomAccessFile file;
    private final long size;
    /** Those that nobody reads through: whole models go through them, and would otherwise leave as much garbage. */
    private final Deque<Chunk> idle = new ArrayDeque<>();

    private boolean closed;
    /** What it was when it was opened. */
    private FileState opened;

    private long lookedAt;

    /** What a reader needs on the way, {@link DType#F64} for as many values. */
    record Chunk(byte[] bytes, float[] floats) {}

    private OpenFile(Path path, RandomAccessFile file, long size, FileState opened) {
        this.path = path;
        this.file = file;
        this.size = size;
        this.opened = opened;
    }

    static OpenFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw new CheckpointException(path + " is a folder; a file is needed here.");
        }
        if (!Files.exists(path)) {
            throw new CheckpointException(
                    Files.isSymbolicLink(path)
                            ? path + " is a link that leads nowhere; copy what it points to as well, or download it"
                                    + " again."
                            : "There is no file " + path + "; check the path and that the download is complete.");
        }
        // Opening a pipe waits for whoever writes to it, and a device never ends.
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(
                    path + " is not a regular file, but a pipe, a device or the like; put the file itself there.");
        }
        try {
            FileState state = FileState.of(path);
            RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
            try {
                return new OpenFile(path, file, file.length(), state);
            } catch (IOException e) {
                file.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    path + " cannot be opened: " + (Files.isReadable(path) ? Reason.of(e) : "access is denied") + ".",
                    e);
        }
    }

    Path path() {
        return path;
    }

    /** Length in bytes when it was opened. */
    long size() {
        return size;
    }

    synchronized void read(long position, byte[] target, int length) {
        if (closed) {
            throw new IllegalStateException("The weights from " + path + " are closed.");
        }
        try {
            file.seek(position);
            file.readFully(target, 0, length);
            if (System.nanoTime() - lookedAt > LOOK_AGAIN_NANOS) {
                look();
            }
        } catch (EOFException e) {
            throw new CheckpointException(
                    path + " ends before byte " + (position + length) + "; it is truncated, or"
                            + " became shorter while it was open. Download it again.",
                    e);
        } catch (IOException e) {
            throw new CheckpointException(path + " cannot be read at byte " + position + ": " + Reason.of(e) + ".", e);
        }
    }

    /**
     * Looks at the file after reading, so that what was read before it changed is not mixed with what comes after. One
     * that was moved here in its place is another file, which does not concern who has the old one open.
     */
    private void look() throws IOException {
        FileState found;
        try {
            found = FileState.of(opened.file());
        } catch (NoSuchFileException e) {
            return; // deleted, and still open here
        }
        if (!found.equals(opened) && !opened.isReplacedBy(found)) {
            if (!opened.isOnlyAccessedOtherwise(found) && !SourceHash.isSame(opened, found)) {
                throw new CheckpointException(
                        path + " was changed while it was open. Load the model again; move new files to their place"
                                + " rather than write into those that are in use.");
            }
            opened = found;
        }
        lookedAt = System.nanoTime();
    }

    /** See {@link StoredTensor#requireInPlace}. */
    synchronized void requireInPlace() {
        requireUnchanged();
        try {
            if (!opened.equals(FileState.of(path))) {
                throw new CheckpointException(
                        "Another file was put in the place of " + path + " since it was opened. Load the model again.");
            }
        } catch (NoSuchFileException e) {
            throw deleted(path, e);
        } catch (IOException e) {
            throw new CheckpointException(path + " cannot be looked at: " + Reason.of(e) + ".", e);
        }
    }

    /** Says that a file is gone that is open, and has to be read by its name. */
    static CheckpointException deleted(Path path, NoSuchFileException cause) {
        return new CheckpointException(
                path + " was deleted since it was opened, and is needed once more. Put it back, or load the model"
                        + " from where it is now.",
                cause);
    }

    /** See {@link StoredTensor#requireUnchanged}. */
    synchronized void requireUnchanged() {
        try {
            look();
        } catch (IOException e) {
            throw new CheckpointException(path + " cannot be looked at: " + Reason.of(e) + ".", e);
        }
    }

    /** A chunk that is the caller's until it is given back. */
    synchronized Chunk takeChunk() {
        Chunk chunk = idle.poll();
        return chunk == null ? new Chunk(new byte[CHUNK_FLOATS * Double.BYTES], new float[CHUNK_FLOATS]) : chunk;
    }

    synchronized void giveBack(Chunk chunk) {
        idle.push(chunk);
    }

    byte[] read(long position, int length) {
        byte[] bytes = new byte[length];
        read(position, bytes, length);
        return bytes;
    }

    /** Refuses what is often found in place of a big file. */
    void refusePlaceholder() {
        byte[] start = read(0, (int) Math.min(size, 40));
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.startsWith("version https://git-lfs")) {
            throw new CheckpointException(
                    path + " is a Git LFS pointer, not the file itself; run 'git lfs pull' in its folder.");
        }
        String trimmed = text.trim();
        if (trimmed.startsWith("<!") || trimmed.startsWith("<html")) {
            throw new CheckpointException(path + " is a web page, not the file itself; download that.");
        }
    }

    boolean startsWith(int... bytes) {
        if (size < bytes.length) {
            return false;
        }
        byte[] start = read(0, bytes.length);
        int[] unsigned = new int[start.length];
        Arrays.setAll(unsigned, i -> start[i] & 0xff);
        return Arrays.equals(unsigned, bytes);
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            file.close();
        } catch (IOException e) {
            throw new CheckpointException(path + " cannot be closed: " + Reason.of(e) + ".", e);
        }
    }
}

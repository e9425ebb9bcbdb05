package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A file from which any thread reads at any place.
 *
 * <p>Not mapped on purpose: a mapping outlives {@code close()}, and a file that shrinks beneath it kills the process.
 * Not a {@code FileChannel} either, because interrupting one reader closes it for all.
 */
final class OpenFile implements AutoCloseable {
    private final Path path;
    private final RandomAccessFile file;
    private final long size;
    private boolean closed;

    private OpenFile(Path path, RandomAccessFile file, long size) {
        this.path = path;
        this.file = file;
        this.size = size;
    }

    static OpenFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw new CheckpointException(path + " is a folder; a file is needed here.");
        }
        if (!Files.exists(path)) {
            throw new CheckpointException(
                    "There is no file " + path + "; check the path and that the download is" + " complete.");
        }
        try {
            RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
            try {
                return new OpenFile(path, file, file.length());
            } catch (IOException e) {
                file.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CheckpointException("Cannot open " + path + ": " + e.getMessage(), e);
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
        } catch (EOFException e) {
            throw new CheckpointException(
                    path + " ends before byte " + (position + length) + "; it is truncated, or"
                            + " became shorter while it was open. Download it again.",
                    e);
        } catch (IOException e) {
            throw new CheckpointException("Cannot read " + path + " at byte " + position + ": " + e.getMessage(), e);
        }
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
                    path + " is a Git LFS pointer, not the weights; run 'git lfs pull' in its" + " folder.");
        }
        String trimmed = text.trim();
        if (trimmed.startsWith("<!") || trimmed.startsWith("<html")) {
            throw new CheckpointException(path + " is a web page, not weights; download the file itself.");
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
            throw new CheckpointException("Cannot close " + path + ": " + e.getMessage(), e);
        }
    }
}

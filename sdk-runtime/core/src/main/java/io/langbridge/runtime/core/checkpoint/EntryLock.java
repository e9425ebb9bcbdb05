package io.langbridge.runtime.core.checkpoint;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who writes an entry of the cache holds its lock, so that of several processes one writes and the others wait. The
 * system drops it when a process dies; what that left unfinished is then found by the lock that nobody holds.
 *
 * <p>The file of a lock stays beside its entry: its text says what the entry is, its time when it was last used.
 */
final class EntryLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EntryLock.class);
    private static final long LOOK_AGAIN_MILLIS = 50;

    /** Versions without locks left files of this name; nobody writes that long without a pause. */
    private static final long FORGOTTEN_MILLIS = TimeUnit.HOURS.toMillis(1);

    static final String LOCK = ".lock";
    static final String PART = ".part";

    /** A process that closes a file gives up all its locks on it, so that each may be open only once. */
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final @Nullable FileChannel channel;
    /** False where the disk has no locks, so that others may hold it too. */
    private final boolean alone;

    private EntryLock(Path file, @Nullable FileChannel channel, boolean alone) {
        this.file = file;
        this.channel = channel;
        this.alone = alone;
    }

    /** The file of an entry's lock. */
    static Path of(Path entry) {
        String name = String.valueOf(entry.getFileName());
        int end = name.indexOf('.');
        return entry.resolveSibling((end < 0 ? name : name.substring(0, end)) + LOCK);
    }

    /**
     * Waits for an entry's lock. Not by a blocking call: where several threads wait for several locks, Linux takes that
     * for a deadlock. Where a disk has no locks it is taken for granted.
     */
    static EntryLock hold(Path entry) throws IOException {
        Path file = of(entry);
        boolean said = false;
        while (true) {
            EntryLock lock = tryHold(file);
            if (lock != null) {
                return lock;
            }
            if (!said) {
                LOG.info("Waiting for {}, which another process or thread is writing", entry);
                said = true;
            }
            try {
                Thread.sleep(LOOK_AGAIN_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while another process wrote weights");
            }
        }
    }

    private static @Nullable EntryLock tryHold(Path file) throws IOException {
        Path key = file.toAbsolutePath();
        if (!OPEN.add(key)) {
            return null;
        }
        FileChannel channel = null;
        boolean held = false;
        boolean alone = true;
        try {
            channel = FileChannel.open(key, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock;
            try {
                lock = channel.tryLock();
                held = lock != null;
            } catch (OverlappingFileLockException e) {
                return null; // held by this class in another class loader
            } catch (IOException e) {
                LOG.debug("There are no locks at {}", file, e);
                held = true;
                alone = false;
            }
            return held ? new EntryLock(key, channel, alone) : null;
        } finally {
            if (!held) {
                OPEN.remove(key);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    /** Deletes what processes that died were writing in a folder. */
    static void sweep(Path folder) {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*" + PART)) {
            for (Path part : parts) {
                if (String.valueOf(part.getFileName()).startsWith(WeightFile.PREFIX)) {
                    sweepOne(part);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            LOG.debug("What lies unfinished in {} stays", folder, e);
        }
    }

    private static void sweepOne(Path part) throws IOException {
        Path lock = of(part);
        if (!Files.exists(lock)) {
            if (WeightFile.isUnfinished(part)) {
                delete(part); // its lock goes last
                return;
            }
            deleteForgotten(part);
            return;
        }
        EntryLock held = tryHold(lock);
        if (held != null) {
            try {
                if (held.alone) {
                    delete(part);
                } else {
                    deleteForgotten(part);
                }
            } finally {
                held.close();
            }
        }
    }

    private static void deleteForgotten(Path part) throws IOException {
        try {
            long age =
                    System.currentTimeMillis() - Files.getLastModifiedTime(part).toMillis();
            // Time may have been set back meanwhile.
            if (Math.abs(age) > FORGOTTEN_MILLIS) {
                delete(part);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} is finished", part);
        }
    }

    private static void delete(Path part) throws IOException {
        if (Files.deleteIfExists(part)) {
            LOG.info("Deleted {}, which was never finished", part);
        }
    }

    /** Says in the lock's file what its entry is. */
    void describe(String text) throws IOException {
        FileChannel open = channel;
        if (open != null) {
            open.truncate(0);
            WeightFile.writeFully(open, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        }
    }

    /** Lets go. The file goes too if there is no entry. */
    @Override
    public void close() throws IOException {
        try {
            String name = Objects.requireNonNull(file.getFileName()).toString();
            String entry = name.substring(0, name.length() - LOCK.length());
            if (!Files.exists(file.resolveSibling(entry + WeightFile.SUFFIX))) {
                Files.deleteIfExists(file);
            }
        } finally {
            try {
                if (channel != null) {
                    channel.close();
                }
            } finally {
                OPEN.remove(file);
            }
        }
    }
}

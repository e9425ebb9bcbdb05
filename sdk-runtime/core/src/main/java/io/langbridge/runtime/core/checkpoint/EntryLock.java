package io.langbridge.runtime.core.checkpoint;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks of the entries of a cache. Who writes an entry holds its lock, so that of several processes one writes and the
 * others wait; who has a model open that was loaded from it says so by another, which any number may hold. The system
 * drops both when a process dies; what that left unfinished is then found by the lock that nobody holds.
 *
 * <p>Locks are bytes of one file, which stays. A file for each entry would have to go with it some day, and then one
 * process could hold the file that was deleted and another the one that was made since. Where that happens all the
 * same, because somebody deletes the whole folder, the new file counts for all that is taken from then on. Safe for use
 * by several threads.
 *
 * <p>A process that has this class several times, in several class loaders, never has two writers of an entry; but what
 * two of them use may be deleted as soon as one of them lets go. That harms no open model.
 */
public final class EntryLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EntryLock.class);
    private static final long LOOK_AGAIN_MILLIS = 50;

    /** Versions without locks left files of this name; nobody writes that long without a pause. */
    private static final long FORGOTTEN_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** The file whose bytes they are. */
    static final String FILE = "weights.locks";

    static final String PART = ".part";

    private static final int WRITING = 0;
    private static final int USING = 1;

    /**
     * By what the system calls the file, since a folder may be reached by several paths; by the folder where it does
     * not say.
     */
    private static final Map<Object, LockFile> OPEN = new HashMap<>();

    /** Whether it was said that there are no locks somewhere. */
    private static final AtomicBoolean SAID = new AtomicBoolean();

    private final LockFile file;
    private final long at;
    /** False where the disk has no locks, so that others may hold it too. */
    private final boolean alone;

    private boolean closed;

    private EntryLock(LockFile file, long at, boolean alone) {
        this.file = file;
        this.at = at;
        this.alone = alone;
    }

    /** A byte that this process holds, several times where it is shared. */
    private static final class Held {
        private final @Nullable FileLock lock;
        private final boolean shared;
        private int count;

        Held(@Nullable FileLock lock, boolean shared) {
            this.lock = lock;
            this.shared = shared;
        }
    }

    /** The file of a cache directory. */
    private static final class LockFile {
        private final Path path;
        private final @Nullable FileChannel channel;
        /** What the system calls the file; null where it does not say. */
        private final @Nullable Object key;

        private final Map<Long, Held> held = new HashMap<>();

        private LockFile(Path path, @Nullable FileChannel channel, @Nullable Object key) {
            this.path = path;
            this.channel = channel;
            this.key = key;
        }

        /** The one of a folder, which is open already or is opened. */
        static LockFile of(Path folder) throws IOException {
            Path path = folder.resolve(FILE);
            while (true) {
                Object key = key(path);
                LockFile known = OPEN.get(key == null ? folder : key);
                if (known != null) {
                    return known;
                }
                FileChannel channel = open(path);
                Object opened = key(path);
                if (Objects.equals(key, opened)) {
                    for (LockFile other : new ArrayList<>(OPEN.values())) {
                        other.closeIfIdle();
                    }
                    LockFile file = new LockFile(path, channel, key);
                    OPEN.put(key == null ? folder : key, file);
                    return file;
                }
                // It was not there before, or another one took its place meanwhile.
                if (channel != null) {
                    channel.close();
                }
                if (key == null) {
                    giveToOwner(path, folder);
                }
            }
        }

        private static @Nullable Object key(Path path) {
            try {
                return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            } catch (IOException e) {
                return null; // there is none
            }
        }

        /** What root makes in somebody's folder must not keep them from locking. */
        private static void giveToOwner(Path path, Path folder) {
            try {
                UserPrincipal owner = Files.getOwner(folder);
                if (!owner.equals(Files.getOwner(path))) {
                    Files.setOwner(path, owner);
                }
            } catch (IOException | UnsupportedOperationException e) {
                LOG.debug("{} stays with who made it", path, e);
            }
        }

        private static @Nullable FileChannel open(Path path) {
            try {
                return FileChannel.open(
                        path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            } catch (IOException e) {
                LOG.debug("{} cannot be written to", path, e);
                if (e instanceof AccessDeniedException && Files.exists(path) && SAID.compareAndSet(false, true)) {
                    LOG.warn(
                            "{} cannot be written to, so that several processes may convert the same weights at a"
                                    + " time; delete it, or give it to who owns its folder",
                            path);
                }
            }
            try {
                return FileChannel.open(path, StandardOpenOption.READ);
            } catch (IOException e) {
                LOG.debug("{} cannot be read", path, e);
                return null;
            }
        }

        /** Null if it is somebody else's. */
        @Nullable
        EntryLock take(long at, boolean shared) {
            Held known = held.get(at);
            if (known != null && !(shared && known.shared)) {
                return null;
            }
            if (known == null) {
                FileLock lock = null;
                try {
                    lock = channel == null ? null : channel.tryLock(at, 1, shared);
                    if (channel != null && lock == null) {
                        return null;
                    }
                } catch (OverlappingFileLockException e) {
                    if (!shared) {
                        return null; // held by this class in another class loader
                    }
                } catch (IOException | NonWritableChannelException e) {
                    LOG.debug("There are no locks in {}", path, e);
                }
                known = new Held(lock, shared);
                held.put(at, known);
            }
            known.count++;
            return new EntryLock(this, at, known.lock != null);
        }

        void give(long at) throws IOException {
            Held known = Objects.requireNonNull(held.get(at));
            if (--known.count == 0) {
                held.remove(at);
                if (known.lock != null) {
                    known.lock.release();
                }
            }
        }

        /**
         * A process that closes a file gives up all its locks on it, also those of another class loader. So it stays
         * open while it is there, unless this is a system that has no such rule and no keys.
         */
        void closeIfIdle() throws IOException {
            if (held.isEmpty() && (key == null || channel == null || !key.equals(key(path)))) {
                OPEN.values().remove(this);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    /** Waits until nobody else writes an entry. Where a disk has no locks it is taken for granted. */
    static EntryLock hold(Path entry) throws IOException {
        return await(entry, WRITING, false, "writing");
    }

    private static @Nullable EntryLock tryHold(Path entry) throws IOException {
        return take(entry, WRITING, false);
    }

    /** Says that an entry is in use, until this is closed. */
    static EntryLock use(Path entry) throws IOException {
        return await(entry, USING, true, "deleting");
    }

    /**
     * Not by a blocking call: where several threads wait for several locks, Linux takes that for a deadlock.
     *
     * @param doing what somebody else does meanwhile
     */
    private static EntryLock await(Path entry, int kind, boolean shared, String doing) throws IOException {
        boolean said = false;
        while (true) {
            EntryLock lock = take(entry, kind, shared);
            if (lock != null) {
                return lock;
            }
            if (!said) {
                LOG.info("Waiting for {}, which another process or thread is {}", entry, doing);
                said = true;
            }
            try {
                Thread.sleep(LOOK_AGAIN_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while another process was " + doing + " weights");
            }
        }
    }

    /** Keeps others from using an entry; null if somebody does. */
    static @Nullable EntryLock unused(Path entry) throws IOException {
        return take(entry, USING, false);
    }

    private static @Nullable EntryLock take(Path entry, int kind, boolean shared) throws IOException {
        Path folder = Objects.requireNonNull(entry.toAbsolutePath().getParent()).toRealPath();
        synchronized (OPEN) {
            LockFile file = LockFile.of(folder);
            try {
                return file.take(at(entry) + kind, shared);
            } finally {
                file.closeIfIdle();
            }
        }
    }

    /** The place of an entry's bytes in the file, made from its name without what follows a dot. */
    private static long at(Path entry) {
        String name = String.valueOf(entry.getFileName());
        int end = name.indexOf('.');
        byte[] hash =
                new ContentHash().add(end < 0 ? name : name.substring(0, end)).bytes();
        return ByteBuffer.wrap(hash).getLong() >>> 3 << 1;
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
        if (!WeightFile.isUnfinished(part)) {
            deleteForgotten(part);
            return;
        }
        EntryLock held = tryHold(part);
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

    /** Lets go. Idempotent; who closes a model is not told of a disk that fails. */
    @Override
    public void close() {
        synchronized (OPEN) {
            if (closed) {
                return;
            }
            closed = true;
            try {
                file.give(at);
                file.closeIfIdle();
            } catch (IOException e) {
                LOG.warn("A lock in {} cannot be let go of before this process ends", file.path, e);
            }
        }
    }
}

package io.langbridge.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks between processes and threads. The system drops them when a process dies. Python's are of another kind on Linux
 * (flock), so the two do not wait for each other; they write to files of different names and rename, which is safe.
 */
final class FileLocks {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(100);
    /** A process that closes a file gives up all its locks on it, so that each may be open only once. */
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private FileLocks() {}

    /** A lock that is held. */
    interface Held extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /**
     * Waits for a lock. Not by a blocking call: where several threads wait for several locks, Linux takes that for a
     * deadlock.
     */
    static Held hold(Path file, Settings.Pause pause) throws IOException {
        Path folder = Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Path key = folder.toRealPath().resolve(file.getFileName());
        boolean said = false;
        while (true) {
            Held held = tryHold(key);
            if (held != null) {
                return held;
            }
            if (!said) {
                LOG.info("Waiting for {}, which another download holds.", file);
                said = true;
            }
            try {
                pause.sleep(LOOK_AGAIN);
            } catch (InterruptedException e) {
                throw Retries.interrupted(e);
            }
        }
    }

    private static @Nullable Held tryHold(Path key) throws IOException {
        if (!OPEN.add(key)) {
            return null;
        }
        FileChannel channel = null;
        boolean held = false;
        try {
            channel = FileChannel.open(key, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            held = lock != null;
            FileChannel open = channel;
            return held
                    ? () -> {
                        try {
                            open.close();
                        } finally {
                            OPEN.remove(key);
                        }
                    }
                    : null;
        } finally {
            if (!held) {
                if (channel != null) {
                    channel.close();
                }
                OPEN.remove(key);
            }
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this class in another class loader
        }
    }
}

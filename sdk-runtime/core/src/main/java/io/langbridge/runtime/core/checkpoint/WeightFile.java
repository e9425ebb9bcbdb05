package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.lifecycle.Opening;
import io.langbridge.runtime.core.lifecycle.TemporaryFolder;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Weights in the form in which an engine maps them, where the checkpoint has them in another: written once, kept in the
 * cache directory under a name made from all they depend on.
 *
 * <p>First {@link #add} says what the file holds and {@link #source} what it is made from, then {@link #in} finds or
 * writes it. It is written under another name, by one process while others wait, is made read-only and never changes
 * afterwards. Behind what it holds are checksums of all its parts, which {@link #keep} compares: {@link #in} looks at
 * the beginning and the length alone, so that the rest can be read beside other work. Not thread-safe.
 */
public final class WeightFile {
    private static final Logger log = LoggerFactory.getLogger(WeightFile.class);

    /** Changes whenever the same recipe would give other bytes. */
    private static final String FORMAT = "langbridge weights 2";

    /** Magic, key, length, check sum; the first entry follows. Entries start at multiples of this, a cache line. */
    private static final int HEADER = 64;

    private static final long MAGIC = 0x4c42_5745_4947_4854L; // LBWEIGHT

    /** Bytes that are read for a checksum at a time; parts are a multiple of it. */
    private static final int SUMMED_BYTES = 1 << 20;

    /** Bytes that go to a channel at a time. */
    private static final int WRITTEN_BYTES = 1 << 20;

    /** Bytes under one checksum. */
    static final int PART_BYTES = 4 << 20;

    static final String PREFIX = "weights-";
    static final String SUFFIX = ".bin";

    private static final Pattern UNFINISHED = Pattern.compile(PREFIX + "[0-9a-f]{32}\\.[-0-9a-f]+\\" + EntryLock.PART);

    /** How often it is written anew where others delete what has just been written. */
    public static final int TRIES = 5;

    /** Jobs together need about this much. */
    private static final int JOB_MEGABYTES = 192;

    /** Files are written one at a time: each keeps all processors busy and takes its share of memory. */
    private static final Object WRITING = new Object();

    private final ContentHash hash = new ContentHash().add(FORMAT);
    private final List<Entry> entries = new ArrayList<>();
    private final List<SizedJob> jobs = new ArrayList<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<Path, StoredTensor> sources = new LinkedHashMap<>();
    private long length = HEADER;
    private String what = "weights";
    private @Nullable Long limit;
    private byte @Nullable [] key;

    /** Writes bytes of reserved entries, each where it belongs, from any thread. */
    public interface Job {
        /** Writes with {@link #writeFully(FileChannel, ByteBuffer, long)} only. */
        void run(FileChannel channel) throws IOException;
    }

    private record Entry(String recipe, long offset, long length, SafetensorsWriter.Content content) {}

    /** {@code bytes} is the memory it needs while it runs. */
    private record SizedJob(Job job, long bytes) {}

    private record Tensor(long[] shape, long offset) {}

    /** Something done in the cache, which is begun anew if the folder vanishes meanwhile. */
    private interface Doing<T> {
        T in(Path folder) throws IOException;
    }

    /** Begins a file. */
    public WeightFile() {}

    /** Says in words what it holds, for whoever looks at the cache. */
    public WeightFile describe(String text) {
        what = text;
        return this;
    }

    /**
     * Names the files that all tensors lie in: what is kept is made anew when any of them is another. Recipes need not
     * speak of their content then.
     */
    public WeightFile source(Weights weights) {
        weights.names().forEach(name -> source(weights.get(name)));
        return this;
    }

    /**
     * Has others go when it is written, those not used for longest first, until the cache has so many bytes.
     *
     * @param bytes null for no limit
     */
    public WeightFile limit(@Nullable Long bytes) {
        limit = bytes;
        return this;
    }

    /** Names the files that a tensor lies in, as {@link #source(Weights)} does. */
    public WeightFile source(StoredTensor tensor) {
        tensor.files().forEach(file -> sources.putIfAbsent(file, tensor));
        return this;
    }

    /** Memory that jobs need together if each needs so much. */
    public static long jobBytes(long each) {
        long together = Runtime.getRuntime().availableProcessors() * each;
        return Math.max(each, Math.min((long) JOB_MEGABYTES << 20, together));
    }

    /**
     * Appends an entry.
     *
     * @param recipe all that its bytes depend on: sources with their time stamps, conversion, options
     * @param bytes how many bytes it has
     * @return its offset in the file
     */
    public long add(String recipe, long bytes, SafetensorsWriter.Content content) {
        long offset = reserve(recipe, bytes);
        entries.add(new Entry(recipe, offset, bytes, content));
        return offset;
    }

    /**
     * Appends an entry whose bytes {@link #job jobs} write.
     *
     * @param recipe as for {@link #add}
     * @return its offset in the file
     */
    public long reserve(String recipe, long bytes) {
        long offset = length;
        hash.add(recipe);
        length = (offset + bytes + HEADER - 1) / HEADER * HEADER;
        return offset;
    }

    /**
     * Adds work that runs when the file has to be written, beside other jobs on all processors.
     *
     * @param bytes memory it needs meanwhile; jobs wait for each other rather than need too much together
     */
    public void job(Job job, long bytes) {
        jobs.add(new SizedJob(job, bytes));
    }

    /**
     * Appends a float32 tensor that {@link #open} will know by its name.
     *
     * @param recipe as for {@link #add}
     */
    public void addTensor(String name, String recipe, SafetensorsWriter.Content content, long... shape) {
        long offset = add(recipe, Math.multiplyExact(Shapes.elements(shape), DType.F32.bytes()), content);
        tensors.put(name, new Tensor(shape.clone(), offset));
    }

    /**
     * Opens what {@link #addTensor} added, see {@link #in}.
     *
     * @return weights that the caller closes
     */
    public Weights open(Path cacheDirectory) {
        EntryLock use = use(cacheDirectory);
        try {
            OpenFile file = sound(cacheDirectory);
            Map<String, StoredTensor> stored = new LinkedHashMap<>();
            tensors.forEach((name, tensor) ->
                    stored.put(name, new FileTensor(name, file, DType.F32, tensor.shape(), tensor.offset())));
            return new NamedTensors(file.path().toString(), stored, Arrays.asList(file, use));
        } catch (RuntimeException | Error e) {
            use.close();
            throw e;
        }
    }

    private OpenFile sound(Path cacheDirectory) {
        for (int tries = 1; ; tries++) {
            Path file = in(cacheDirectory);
            boolean kept = keep(file);
            try {
                if (kept || tries == TRIES) {
                    return OpenFile.open(file);
                }
            } catch (CheckpointException e) {
                if (Files.exists(file) || tries == TRIES) {
                    throw e;
                } // else it has just been deleted
            }
        }
    }

    /** Says that what {@link #in} gives is in use, so that no limit has it deleted, until this is closed. */
    public EntryLock use(Path cacheDirectory) {
        return done(cacheDirectory, folder -> EntryLock.use(file(folder)));
    }

    /**
     * The complete file, written if it is not there yet. Nothing can be added afterwards.
     *
     * @return a file whose parts are not compared yet, see {@link #keep}
     * @throws RuntimeUnavailableException if it cannot be written
     */
    public Path in(Path cacheDirectory) {
        return done(cacheDirectory, this::found);
    }

    private <T> T done(Path cacheDirectory, Doing<T> doing) {
        for (int tries = 1; ; tries++) {
            try {
                return doing.in(PrivateFolder.make(cacheDirectory));
            } catch (NoSuchFileException e) {
                if (tries == TRIES) {
                    throw notKept(cacheDirectory, e);
                } // else the folder has just been deleted
            } catch (IOException e) {
                throw notKept(cacheDirectory, e);
            }
        }
    }

    private Path found(Path folder) throws IOException {
        Path file = file(folder);
        ByteBuffer header = header(key(folder));
        EntryLock.sweep(folder);
        if (!isComplete(file, header)) {
            EntryLock lock = EntryLock.hold(file);
            try {
                if (!isComplete(file, header)) {
                    make(file, header);
                }
            } finally {
                lock.close();
            }
        }
        CacheEntries.used(file, what);
        return file;
    }

    private RuntimeUnavailableException notKept(Path cacheDirectory, IOException e) {
        return new RuntimeUnavailableException(
                "The converted weights (" + length + " bytes) cannot be kept in " + cacheDirectory + ": "
                        + Reason.of(e)
                        + ". Free space there, or set the cache directory to one that can be written to.",
                e);
    }

    private Path file(Path folder) throws IOException {
        return folder.resolve(PREFIX + ContentHash.hex(key(folder), 16) + SUFFIX);
    }

    private byte[] key(Path folder) throws IOException {
        byte[] known = key;
        if (known == null) {
            for (Map.Entry<Path, StoredTensor> source : sources.entrySet()) {
                hash.add(hash(source.getKey(), folder));
                // What is read is the file that is open, and what was hashed the one that lies there.
                source.getValue().requireInPlace();
            }
            known = hash.bytes();
            key = known;
        }
        return known;
    }

    private static String hash(Path source, Path folder) throws IOException {
        try {
            // What is not kept need not be found again.
            return TemporaryFolder.isOne(folder) ? FileState.of(source).line() : SourceHash.of(source, folder);
        } catch (NoSuchFileException e) {
            throw OpenFile.deleted(source, e);
        }
    }

    private void make(Path file, ByteBuffer header) throws IOException {
        log.info("Writing {} once, {} MB, to {}", what, length >> 20, file);
        String name = String.valueOf(file.getFileName());
        Path unfinished = file.resolveSibling(
                name.substring(0, name.length() - SUFFIX.length()) + "." + UUID.randomUUID() + EntryLock.PART);
        // Who makes room for the next file has to see this one.
        synchronized (WRITING) {
            if (limit != null) {
                CacheEntries.makeRoom(file, limit, fileLength(length));
            }
            Files.createFile(unfinished);
            try {
                write(unfinished, header);
                PrivateFolder.makeReadOnly(unfinished);
                moveTo(file, unfinished, header);
            } finally {
                Files.deleteIfExists(unfinished);
            }
        }
    }

    /** Whether it is one that is being written, or was. */
    static boolean isUnfinished(Path file) {
        return UNFINISHED.matcher(String.valueOf(file.getFileName())).matches();
    }

    /**
     * Compares all of a file with its checksums, and deletes it if they differ. It takes about as long as copying it.
     *
     * @param file from {@link #in}
     * @return false if it was damaged and is gone: {@link #in} writes it anew
     * @throws CheckpointException if it is damaged and cannot be deleted
     */
    public static boolean keep(Path file) {
        FileState state = null;
        try {
            state = FileState.of(file);
            if (isSound(file)) {
                return true;
            }
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw new RuntimeUnavailableException(
                    file + " cannot be read to compare it with its checksums: " + Reason.of(e) + ".", e);
        }
        log.warn("{} is damaged and will be written again", file);
        try {
            // Another process may have written it anew already.
            if (state != null && Files.exists(file) && state.equals(FileState.of(file))) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            log.debug("{} has just been deleted", file);
        } catch (IOException e) {
            throw new CheckpointException(
                    file + " is damaged and cannot be deleted: " + Reason.of(e)
                            + ". Delete it, or set another cache directory.",
                    e);
        }
        return false;
    }

    private static boolean isSound(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer header = ByteBuffer.allocate(HEADER);
            readFully(channel, header, 0);
            long end = header.getLong(LENGTH_AT);
            if (channel.size() != fileLength(end)) {
                return false;
            }
            ByteBuffer kept = ByteBuffer.allocate((int) (channel.size() - end));
            readFully(channel, kept, end);
            return kept.equals(sums(channel, end));
        } catch (EOFException e) {
            return false;
        }
    }

    private static long fileLength(long end) {
        return end + (end + PART_BYTES - 1) / PART_BYTES * Integer.BYTES;
    }

    /** A checksum of each part of what comes before {@code end}. */
    private static ByteBuffer sums(FileChannel channel, long end) throws IOException {
        ByteBuffer sums = ByteBuffer.allocate((int) (fileLength(end) - end));
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(SUMMED_BYTES, end));
        CRC32 sum = new CRC32();
        for (long at = 0; at < end; at += chunk.capacity()) {
            ((Buffer) chunk).clear().limit((int) Math.min(chunk.capacity(), end - at));
            readFully(channel, chunk, at);
            sum.update(chunk);
            if ((at + chunk.limit()) % PART_BYTES == 0 || at + chunk.limit() == end) {
                sums.putInt((int) sum.getValue());
                sum.reset();
            }
        }
        ((Buffer) sums).flip();
        return sums;
    }

    /** Fills what remains of {@code target}; it is to be read then. */
    public static void readFully(FileChannel channel, ByteBuffer target, long from) throws IOException {
        long at = from;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException();
            }
            at += count;
        }
        ((Buffer) target).flip();
    }

    private void write(Path target, ByteBuffer header) throws IOException {
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            writeFully(channel, header.duplicate());
            // At once as long as it will be, which others count who keep the cache's limit.
            if (length > HEADER) {
                writeFully(channel.position(length - 1), ByteBuffer.allocate(1));
            }
            for (Entry entry : entries) {
                channel.position(entry.offset());
                entry.content().writeTo(channel);
                if (channel.position() != entry.offset() + entry.length()) {
                    throw new IllegalStateException("Entry " + entry.recipe() + " should have " + entry.length()
                            + " bytes and has " + (channel.position() - entry.offset()));
                }
            }
            runJobs(channel);
            writeFully(channel.position(length), sums(channel, length));
            // Without this a power cut can leave the name with half of the content.
            channel.force(true);
        }
    }

    private void runJobs(FileChannel channel) throws IOException {
        ExecutorService workers =
                Executors.newFixedThreadPool(Math.max(1, Runtime.getRuntime().availableProcessors()));
        Semaphore memory = new Semaphore(JOB_MEGABYTES);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (SizedJob sized : jobs) {
                running.add(workers.submit(() -> {
                    int megabytes = (int) Math.min(JOB_MEGABYTES, (sized.bytes() >> 20) + 1);
                    memory.acquire(megabytes);
                    try {
                        sized.job().run(channel);
                    } finally {
                        memory.release(megabytes);
                    }
                    return null;
                }));
            }
            for (Future<?> job : running) {
                job.get();
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof IOException io) {
                throw io;
            }
            throw Opening.failure(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while weights were written");
        } finally {
            // The channel must not close under a job that still runs.
            workers.shutdownNow();
            awaitEnd(workers);
        }
    }

    private static void awaitEnd(ExecutorService workers) {
        boolean interrupted = Thread.interrupted();
        while (!workers.isTerminated()) {
            try {
                workers.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void moveTo(Path file, Path unfinished, ByteBuffer header) throws IOException {
        try {
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // Another process has finished first and already maps its file, which Windows does not let us replace.
            if (!isComplete(file, header)) {
                throw e;
            }
        }
    }

    private static boolean isComplete(Path file, ByteBuffer header) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        try {
            return isWhole(file, header);
        } catch (NoSuchFileException e) {
            return false; // it has just been deleted
        }
    }

    private static boolean isWhole(Path file, ByteBuffer header) throws IOException {
        if (!PrivateFolder.trusts(file)) {
            log.warn("{} may have been written by another user and will be written again", file);
            return false;
        }
        ByteBuffer found = ByteBuffer.allocate(HEADER);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (found.hasRemaining() && channel.read(found) >= 0) {
                // Until the header is complete or the file ends.
            }
            ((Buffer) found).flip(); // Android 8 lacks the overrides of Java 9
            boolean complete = found.equals(header) && channel.size() == fileLength(header.getLong(LENGTH_AT));
            if (!complete) {
                log.warn("{} is damaged and will be written again", file);
            }
            return complete;
        }
    }

    private static final int LENGTH_AT = Long.BYTES + 32;

    private ByteBuffer header(byte[] key) {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.putLong(MAGIC).put(key).putLong(length);
        CRC32 sum = new CRC32();
        sum.update(header.array(), 0, header.position());
        header.putLong(sum.getValue());
        ((Buffer) header).rewind();
        return header;
    }

    /** Writes all that remains in {@code bytes} at a position of its own. */
    public static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        int end = bytes.limit();
        while (bytes.position() < end) {
            // A channel copies what is on the heap to native memory, which its thread keeps.
            ((Buffer) bytes).limit(Math.min(end, bytes.position() + WRITTEN_BYTES));
            at += channel.write(bytes, at);
        }
    }

    /** Writes all that remains in {@code bytes}. */
    public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}

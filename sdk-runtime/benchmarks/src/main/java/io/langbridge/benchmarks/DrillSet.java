package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.runtime.demo.DemoModel;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * What may happen to files in the life of a machine, done {@code --reps} times each to processes that load the bundled
 * model. Held is what ends in the right answer, or where that cannot be in an error of this library; a process that
 * dies of itself, another answer and a cache that stays damaged are not. On Linux. Some drills need root.
 */
final class DrillSet {
    private static final int ANOTHER_USER = 12345;
    private static final List<String> AS_ANOTHER_USER =
            List.of("setpriv", "--reuid=" + ANOTHER_USER, "--regid=" + ANOTHER_USER, "--clear-groups");
    private static final int PROCESSES = 4;

    /** The private folder that is made in one that others may write to. */
    private static final String OWN = "langbridge-" + System.getProperty("user.name");

    /** Of an entry of the cache: where its length is, where weights begin, and what is under one checksum. */
    private static final int LENGTH_AT = 40;

    private static final int HEADER = 64;
    private static final int PART_BYTES = 4 << 20;

    private final Setup setup;
    private final Consumer<JsonObject> out;
    private final Path scratch;
    private final Path model;
    private final Path cache;
    private final Random random = new Random();
    private final String right;
    private final long nanos;

    /** Does harm once, and says whether it was held. */
    private interface Drill {
        boolean held() throws IOException, InterruptedException;
    }

    private DrillSet(Setup setup, Consumer<JsonObject> out, Path scratch) throws IOException, InterruptedException {
        this.setup = setup;
        this.out = out;
        this.scratch = scratch;
        this.model = scratch.resolve("model");
        this.cache = scratch.resolve("cache");
        fresh();
        long start = System.nanoTime();
        right = answer(ask());
        nanos = System.nanoTime() - start;
    }

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Path scratch = Files.createTempDirectory("langbridge-drills");
        try {
            DrillSet drills = new DrillSet(setup, out, scratch);
            drills.all();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            delete(scratch);
        }
    }

    private void all() throws IOException, InterruptedException {
        drill("killed while converting", this::killed);
        drill("four processes, one cold cache", this::together);
        drill("a byte of the cache flipped", this::flipped);
        drill("weights edited, size and time as before", this::edited);
        drill("files truncated under an open model", () -> harmed("truncate -s $(($(stat -c %s \"$0\") / 3)) \"$0\""));
        drill(
                "files overwritten under an open model",
                () -> harmed("head -c $(stat -c %s \"$0\") /dev/urandom | dd of=\"$0\" conv=notrunc status=none"));
        drill("files replaced under an open model", () -> harmed("cp \"$0\" \"$0.n\" && mv -f \"$0.n\" \"$0\""));
        drill("clock set back", this::clock);
        drill("a planted entry that others may write to", () -> planted(false));
        drill("a planted link", () -> planted(true));
        drill("a cache that all may write to", this::open);
        drill("a cache cleared while a model loads", this::cleared);
        drill("killed while downloading", this::downloading);
        if (Files.getAttribute(scratch, "unix:uid").equals(0)) {
            drill("a cache of another user", this::anothers);
            String hindered = hindered();
            if (hindered == null) {
                drill("two users, one folder", this::twoUsers);
            } else {
                report("two users, one folder", "left out: " + hindered);
            }
            drill("a folder that another user made first", this::madeFirst);
            drill("full disk", () -> mounted("size=600k", true));
            drill("read-only disk", () -> mounted("ro", false));
        }
    }

    private void drill(String name, Drill drill) throws IOException, InterruptedException {
        if (!setup.drills(name)) {
            return;
        }
        int held = 0;
        for (int i = 0; i < setup.reps; i++) {
            fresh();
            if (drill.held()) {
                held++;
            }
        }
        report(name, held + " of " + setup.reps + " held");
    }

    private void report(String name, String held) {
        if (setup.drills(name)) {
            out.accept(setup.line("drill", "model")
                    .put("model", "bundled")
                    .put("drill", name)
                    .put("held", held)
                    .json());
        }
    }

    private void fresh() throws IOException {
        delete(cache);
        delete(model);
        DemoModel.copyTo(model);
    }

    private boolean killed() throws IOException, InterruptedException {
        try (Asked asked = new Asked()) {
            if (!asked.process.waitFor((long) (random.nextDouble() * nanos), TimeUnit.NANOSECONDS)) {
                asked.process.destroyForcibly().waitFor();
            }
        }
        return isRight(ask()) && list(cache, ".part").isEmpty();
    }

    private boolean together() throws IOException, InterruptedException {
        Files.createDirectory(
                cache, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Set<String> begun = new HashSet<>();
        boolean held = true;
        try (WatchService watch = FileSystems.getDefault().newWatchService()) {
            WatchKey key = cache.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            List<Asked> all = new ArrayList<>();
            for (int i = 0; i < PROCESSES; i++) {
                all.add(new Asked());
            }
            for (Asked asked : all) {
                held &= isRight(asked.end());
            }
            for (WatchEvent<?> event : key.pollEvents()) {
                String file = String.valueOf(event.context());
                if (file.startsWith("weights-") && file.endsWith(".part")) {
                    begun.add(file);
                }
            }
        }
        return held && begun.size() == list(cache, ".bin").size();
    }

    private boolean flipped() throws IOException, InterruptedException {
        if (!isRight(ask())) {
            return false;
        }
        List<Path> entries = list(cache, ".bin");
        if (entries.isEmpty()) {
            return true; // this engine keeps nothing of this model
        }
        Path entry = entries.get(random.nextInt(entries.size()));
        byte[] sound = Files.readAllBytes(entry);
        int at = random.nextInt(sound.length);
        write(entry, at, (byte) (sound[at] ^ 1 << random.nextInt(Byte.SIZE)));
        return isRight(ask()) && Arrays.equals(sound, Files.readAllBytes(entry));
    }

    private boolean edited() throws IOException, InterruptedException {
        ask();
        Path weights = model.resolve("llm/model.safetensors");
        FileTime time = Files.getLastModifiedTime(weights);
        long length = Files.size(weights);
        for (int i = 0; i < 2000; i++) {
            write(weights, length / 3 + random.nextInt((int) (length / 2)), (byte) random.nextInt());
        }
        Files.setLastModifiedTime(weights, time);
        List<String> found = ask();
        delete(cache);
        return found.equals(ask());
    }

    private boolean harmed(String command) throws IOException, InterruptedException {
        try (Asked asked = new Asked()) {
            if (!right.equals(answer(List.of(asked.line())))) {
                return false;
            }
            List<Path> files = list(model, ".safetensors");
            files.addAll(list(cache, ".bin"));
            for (Path file : files) {
                new ProcessBuilder("sh", "-c", "chmod u+w \"$0\"; " + command, file.toString())
                        .inheritIO()
                        .start()
                        .waitFor();
            }
            asked.again();
            List<String> after = asked.end();
            return isRight(after) || isError(after, "CheckpointException");
        }
    }

    private boolean clock() throws IOException, InterruptedException {
        ask();
        FileTime later = FileTime.from(Instant.now().plus(Duration.ofDays(400)));
        Path part = Files.createFile(cache.resolve("weights-00112233445566778899aabbccddeeff.1.part"));
        for (Path file : list(scratch, "")) {
            Files.setLastModifiedTime(file, later);
        }
        return isRight(ask()) && !Files.exists(part) && edited();
    }

    private boolean planted(boolean link) throws IOException, InterruptedException {
        List<Path> entries = forged();
        Path planted = scratch.resolve("planted");
        delete(planted);
        Files.createDirectory(planted);
        for (Path entry : entries) {
            if (link) {
                Files.createSymbolicLink(entry, Files.move(entry, planted.resolve(entry.getFileName())));
            } else {
                Files.setPosixFilePermissions(entry, PosixFilePermissions.fromString("rw-rw-rw-"));
            }
        }
        boolean held = isRight(ask());
        delete(planted);
        return held;
    }

    /** The entries of the cache after harm that is believed as long as nothing tells who did it. */
    private List<Path> forged() throws IOException, InterruptedException {
        ask();
        List<Path> entries = list(cache, ".bin");
        for (Path entry : entries) {
            harm(entry);
        }
        if (!entries.isEmpty() && isRight(ask())) {
            throw new IllegalStateException(
                    "Harmed entries do not change the answer, so that these drills show nothing");
        }
        return entries;
    }

    /** What lies there is neither believed nor touched; a folder in it is made. */
    private boolean open() throws IOException, InterruptedException {
        Map<Path, byte[]> planted = new HashMap<>();
        for (Path entry : forged()) {
            planted.put(entry, Files.readAllBytes(entry));
        }
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        boolean held = isRight(ask());
        for (Map.Entry<Path, byte[]> entry : planted.entrySet()) {
            held &= Arrays.equals(entry.getValue(), Files.readAllBytes(entry.getKey()));
        }
        return held && list(cache.resolve(OWN), ".bin").size() == planted.size();
    }

    /** An entry goes as soon as it is seen, and once more if it is made anew. */
    private boolean cleared() throws IOException, InterruptedException {
        Map<File, Integer> deleted = new HashMap<>();
        try (Asked asked = new Asked()) {
            while (asked.process.isAlive() && !asked.lines.ready()) {
                File[] there = cache.toFile().listFiles((folder, name) -> name.endsWith(".bin"));
                for (File entry : there == null ? new File[0] : there) {
                    if (deleted.getOrDefault(entry, 0) < 2 && Files.deleteIfExists(entry.toPath())) {
                        deleted.merge(entry, 1, Integer::sum);
                    }
                }
            }
            return isRight(asked.end()) && !deleted.isEmpty();
        }
    }

    private boolean downloading() throws IOException, InterruptedException {
        Path fetched = scratch.resolve("hub");
        delete(fetched);
        try (SmallHub hub = new SmallHub(model.resolve("llm"))) {
            List<String> command = setup.child(HubChild.class, hub.endpoint(), fetched.toString());
            long start = System.nanoTime();
            boolean held = run(command, Long.MAX_VALUE).equals("fetched");
            long whole = System.nanoTime() - start;
            delete(fetched);
            run(command, (long) (random.nextDouble() * whole));
            return held && run(command, Long.MAX_VALUE).equals("fetched");
        } finally {
            delete(fetched);
        }
    }

    /** What a process prints; nothing if it was killed because its time was over. */
    private static String run(List<String> command, long nanos) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(nanos, TimeUnit.NANOSECONDS)) {
            process.destroyForcibly().waitFor();
            return "";
        }
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    }

    /** What keeps another user from running this program; null if nothing does. */
    private static @Nullable String hindered() throws InterruptedException {
        List<String> command = new ArrayList<>(AS_ANOTHER_USER);
        command.addAll(Child.java());
        command.addAll(List.of(Benchmarks.class.getName(), "--help"));
        try {
            return run(command, Long.MAX_VALUE).isEmpty()
                    ? "the user " + ANOTHER_USER + " cannot run this program, or read the files that it is made of"
                    : null;
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    /** Both at a time, each with what is its own. */
    private boolean twoUsers() throws IOException, InterruptedException {
        Path shared = shared();
        try (Asked other = new Asked(shared, AS_ANOTHER_USER);
                Asked root = new Asked(shared, List.of())) {
            List<String> ofOther = other.end();
            boolean held = isRight(root.end()) && isRight(ofOther);
            Map<Path, Object> owners = new HashMap<>();
            for (Path file : list(shared, ".bin")) {
                Object owner = Files.getAttribute(file, "unix:uid");
                Object known = owners.putIfAbsent(file.getParent(), owner);
                held &= known == null || known.equals(owner);
            }
            return held && owners.size() == (list(shared, ".bin").isEmpty() ? 0 : 2);
        } finally {
            delete(shared);
        }
    }

    /** Under the name that this user's private folder would have. */
    private boolean madeFirst() throws IOException, InterruptedException {
        ask();
        Path shared = shared();
        try {
            Path planted = Files.createDirectory(shared.resolve(OWN));
            for (Path entry : list(cache, ".bin")) {
                Path file = planted.resolve(entry.getFileName());
                Files.copy(entry, file);
                harm(file);
            }
            shell("chown -R " + ANOTHER_USER + " '" + planted + "'");
            try (Asked asked = new Asked(shared, List.of())) {
                return isError(asked.end(), "RuntimeUnavailableException");
            }
        } finally {
            delete(shared);
        }
    }

    /** A folder that all may write to, as {@code /tmp} is. */
    private Path shared() throws IOException {
        for (Path seen : List.of(scratch, model)) {
            Files.setPosixFilePermissions(seen, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Path shared = Files.createDirectory(scratch.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 01777);
        return shared;
    }

    /**
     * As somebody would who knows the format: signs of numbers are turned, in float32 all of them; checksums are right.
     */
    private static void harm(Path entry) throws IOException {
        byte[] bytes = Files.readAllBytes(entry);
        ByteBuffer all = ByteBuffer.wrap(bytes);
        int end = (int) all.getLong(LENGTH_AT);
        for (int i = HEADER + Float.BYTES - 1; i < end; i += Float.BYTES) {
            bytes[i] = (byte) (bytes[i] ^ 0x80);
        }
        all.position(end);
        for (int from = 0; from < end; from += PART_BYTES) {
            CRC32 sum = new CRC32();
            sum.update(bytes, from, Math.min(PART_BYTES, end - from));
            all.putInt((int) sum.getValue());
        }
        Files.delete(entry);
        Files.write(entry, bytes);
    }

    private boolean anothers() throws IOException, InterruptedException {
        ask();
        Files.setAttribute(cache, "unix:uid", ANOTHER_USER);
        List<String> said = ask();
        Files.setAttribute(cache, "unix:uid", 0);
        return isError(said, "RuntimeUnavailableException")
                || list(cache, ".bin").isEmpty() && isRight(said);
    }

    /** On a disk of its own. */
    private boolean mounted(String options, boolean cold) throws IOException, InterruptedException {
        if (!cold) {
            ask();
        }
        Path kept = scratch.resolve("kept");
        delete(kept);
        if (Files.exists(cache)) {
            Files.move(cache, kept, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.createDirectory(
                cache, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        if (shell("mount -t tmpfs -o mode=700," + (cold ? options : "size=2g") + " tmpfs " + cache) != 0) {
            return false;
        }
        try {
            if (!cold) {
                shell("cp -a " + kept + "/. " + cache + "; mount -o remount," + options + " " + cache);
            }
            List<String> said = ask();
            boolean clean = list(cache, ".part").isEmpty();
            return clean && (isRight(said) || cold && isError(said, "RuntimeUnavailableException"));
        } finally {
            shell("umount " + cache);
        }
    }

    private static int shell(String command) throws IOException, InterruptedException {
        return new ProcessBuilder("sh", "-c", command).inheritIO().start().waitFor();
    }

    private static void write(Path file, long at, byte value) throws IOException {
        file.toFile().setWritable(true);
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            open.write(value);
        }
    }

    private boolean isRight(List<String> lines) {
        return !lines.isEmpty() && right.equals(answer(lines));
    }

    private static boolean isError(List<String> lines, String type) {
        String error = lines.isEmpty() ? null : value(lines, "error");
        return error != null && error.startsWith(type + ":");
    }

    private static String answer(List<String> lines) {
        return Objects.requireNonNullElse(value(lines, "answer"), lines.toString());
    }

    private static @Nullable String value(List<String> lines, String key) {
        JsonObject last = JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
        return last.has(key) ? last.get(key).getAsString() : null;
    }

    /** What a process says; nothing if it died. */
    private List<String> ask() throws IOException, InterruptedException {
        try (Asked asked = new Asked()) {
            return asked.end();
        }
    }

    /** A process with the model. */
    private final class Asked implements AutoCloseable {
        private final Process process;
        private final BufferedReader lines;

        Asked() throws IOException {
            this(cache, List.of());
        }

        Asked(Path cacheDirectory, List<String> before) throws IOException {
            List<String> command = new ArrayList<>(before);
            command.addAll(setup.child(DrillChild.class, model.toString(), cacheDirectory.toString()));
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        String line() throws IOException {
            return Objects.requireNonNullElse(lines.readLine(), "{}");
        }

        void again() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        }

        /** What it says from now on. */
        List<String> end() throws IOException, InterruptedException {
            process.getOutputStream().close();
            List<String> all = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                all.add(line);
            }
            return process.waitFor() == 0 ? all : List.of();
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    private static List<Path> list(Path folder, String end) throws IOException {
        if (!Files.exists(folder)) {
            return new ArrayList<>();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return new ArrayList<>(all.filter(Files::isRegularFile)
                    .filter(file -> !file.toString().contains("natives"))
                    .filter(file -> file.toString().endsWith(end))
                    .toList());
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}

package io.langbridge.tools;

import com.sun.management.OperatingSystemMXBean;
import io.langbridge.Device;
import io.langbridge.FitReport.Finding;
import io.langbridge.FitReport.Verdict;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.CacheDirectory;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.NativeLibraries;
import io.langbridge.runtime.core.model.AvailableMemory;
import io.langbridge.runtime.core.model.EngineChoice;
import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.Services;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Says what a machine and a class path have for running models, and for each trouble the next step. The first thing to
 * ask where something does not run, and what a report of an error should hold.
 *
 * <pre>{@code
 * Doctor.examine().forEach(System.out::println);
 * }</pre>
 *
 * <p>Stateless, safe for use by several threads.
 *
 * @since 0.1
 */
public final class Doctor {
    /** Instructions that the engines are faster with, as Linux names them. */
    private static final List<String> FAST = List.of(
            "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16", "asimddp", "i8mm", "sve", "bf16");

    private final List<Finding> findings = new ArrayList<>();

    private Doctor() {}

    /**
     * Looks at Java, the system, the processor, memory, folders, picture decoders and engines. Loads the engines'
     * native libraries, which stay in the process; connects to nothing and writes nothing that stays.
     *
     * @return what was found, in the order in which it should be read; a problem is what keeps models from running, a
     *     note what makes them slow or leaves out a device
     */
    public static List<Finding> examine() {
        Doctor doctor = new Doctor();
        doctor.java();
        doctor.processor();
        doctor.memory();
        doctor.temporaryFolder();
        doctor.cacheFolder();
        doctor.pictures();
        doctor.engines();
        return List.copyOf(doctor.findings);
    }

    private void java() {
        String data = System.getProperty("sun.arch.data.model", "64");
        add(
                data.equals("32") ? Verdict.PROBLEM : Verdict.FITS,
                "Java",
                Runtime.version() + " " + System.getProperty("java.vendor") + ", " + System.getProperty("java.home")
                        + (data.equals("32") ? "; it has 32 bits, and the engines need 64: install another" : ""));
        String libc = NativeLibraries.libc();
        add(
                Verdict.FITS,
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch") + (libc == null ? "" : ", " + libc));
    }

    private void processor() {
        int count = Runtime.getRuntime().availableProcessors();
        String instructions = instructions();
        boolean slow = instructions != null
                && List.of("amd64", "x86_64").contains(System.getProperty("os.arch"))
                && !instructions.contains("avx2");
        add(
                slow ? Verdict.NOTE : Verdict.FITS,
                "processor",
                count
                        + (count == 1 ? " processor" : " processors")
                        + (instructions == null
                                ? "; its instructions cannot be told on this system"
                                : instructions.isEmpty()
                                        ? " with none of " + String.join(" ", FAST)
                                        : " with " + instructions)
                        + (slow ? "; without avx2 all is slow, INT8 and INT4 most: take another machine" : ""));
    }

    /** Those of {@link #FAST} that the processor has; null where nobody says so. */
    private static @Nullable String instructions() {
        for (String line : lines(Path.of("/proc/cpuinfo"))) {
            if (line.startsWith("flags") || line.startsWith("Features")) {
                List<String> has = Arrays.asList(
                        line.substring(line.indexOf(':') + 1).trim().split("\\s+", -1));
                return String.join(" ", FAST.stream().filter(has::contains).toList());
            }
        }
        return null;
    }

    private void memory() {
        long total = 0;
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            total = system.getTotalMemorySize();
        }
        long machine = lines(Path.of("/proc/meminfo")).stream()
                .filter(line -> line.startsWith("MemTotal:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(total);
        Long free = new AvailableMemory().bytes();
        add(
                Verdict.FITS,
                "memory",
                gigabytes(machine) + (total < machine ? ", limited to " + gigabytes(total) + " by the container" : "")
                        + (free == null
                                ? "; what is free cannot be told on this system"
                                : ", " + gigabytes(free) + " free")
                        + "; Java's heap takes up to "
                        + gigabytes(Runtime.getRuntime().maxMemory()));
    }

    private void temporaryFolder() {
        Path folder = Path.of(System.getProperty("java.io.tmpdir", ""));
        String mount = mountOptions(folder);
        boolean forbids = mount != null && Arrays.asList(mount.split(",", -1)).contains("noexec");
        String next = null;
        if (!Files.isDirectory(folder) || !Files.isWritable(folder)) {
            next = "cannot be written to: set java.io.tmpdir to a folder that can, -Djava.io.tmpdir=FOLDER";
        } else if (forbids) {
            next = "is mounted noexec, and engines unpack native libraries there: set java.io.tmpdir to a folder that"
                    + " allows execution, -Djava.io.tmpdir=FOLDER";
        }
        add(
                next == null ? Verdict.FITS : Verdict.PROBLEM,
                "temporary files",
                folder + (next == null ? ", " + room(folder) : " " + next));
    }

    /** The options of the mount that holds a folder; null where nothing says so. */
    private static @Nullable String mountOptions(Path folder) {
        Path real;
        try {
            real = folder.toRealPath();
        } catch (IOException e) {
            return null;
        }
        String options = null;
        int longest = -1;
        for (String line : lines(Path.of("/proc/self/mounts"))) {
            String[] fields = line.split(" ", -1);
            if (fields.length > 3) {
                Path mount = Path.of(fields[1].replace("\\040", " "));
                if (real.startsWith(mount) && mount.getNameCount() >= longest) {
                    longest = mount.getNameCount();
                    options = fields[3];
                }
            }
        }
        return options;
    }

    private void cacheFolder() {
        Path folder = CacheDirectory.ofUser();
        Path there = folder;
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (there != null && Files.isDirectory(there) && Files.isWritable(there)) {
            add(Verdict.FITS, "converted weights", folder + ", " + gigabytes(size(folder)) + " there, " + room(there));
        } else {
            add(
                    Verdict.PROBLEM,
                    "converted weights",
                    folder + " cannot be written to: make it writable, or set XDG_CACHE_HOME, cacheDirectory(..) or"
                            + " withoutCache()");
        }
    }

    private void pictures() {
        TreeSet<String> formats = new TreeSet<>();
        for (ImageDecoder decoder :
                Services.all(ImageDecoder.class, loader -> ServiceLoader.load(ImageDecoder.class, loader))) {
            decoder.formats().stream().map(ImageFormat::name).forEach(formats::add);
        }
        add(
                formats.isEmpty() ? Verdict.NOTE : Verdict.FITS,
                "pictures",
                formats.isEmpty()
                        ? "no decoder is on the path, only pixels are taken: add io.langbridge:langbridge-images-desktop"
                        : String.join(", ", formats));
    }

    private void engines() {
        List<Engine> engines = EngineChoice.onThePath();
        for (Engine engine : engines) {
            add(Verdict.FITS, "engine " + engine.name(), engine.natives());
        }
        // First all on the CPU, so that those that must be loaded first are.
        List<Engine> loaded = new ArrayList<>();
        for (Engine engine : engines) {
            if (device(engine, Device.CPU, Verdict.PROBLEM)) {
                loaded.add(engine);
            }
        }
        for (Engine engine : loaded) {
            device(engine, Device.cuda(0), Verdict.NOTE);
        }
        if (engines.isEmpty()) {
            try {
                EngineChoice.of(engines, null, Device.AUTO, false);
            } catch (RuntimeUnavailableException e) {
                add(Verdict.PROBLEM, "engines", String.valueOf(e.getMessage()));
            }
        }
    }

    private boolean device(Engine engine, Device device, Verdict otherwise) {
        String subject = engine.name() + " on " + device;
        try {
            engine.require(device, false);
            add(Verdict.FITS, subject, "ready");
            return true;
        } catch (RuntimeUnavailableException e) {
            add(otherwise, subject, String.valueOf(e.getMessage()));
            return false;
        }
    }

    private void add(Verdict verdict, String subject, String text) {
        findings.add(new Finding(verdict, subject, text));
    }

    private static String room(Path folder) {
        try {
            return gigabytes(Files.getFileStore(folder).getUsableSpace()) + " free";
        } catch (IOException e) {
            return "free room unknown: " + e;
        }
    }

    private static long size(Path folder) {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException | UncheckedIOException e) {
            return 0; // others write there, or hide it
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of(); // another system, or hidden
        }
    }

    private static String gigabytes(long bytes) {
        return bytes < 100_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}

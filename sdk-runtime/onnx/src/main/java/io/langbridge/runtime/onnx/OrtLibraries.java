package io.langbridge.runtime.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.langbridge.CheckpointException;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.AtomicWrite;
import io.langbridge.runtime.core.checkpoint.PrivateFolder;
import io.langbridge.runtime.core.engine.NativeLibraries;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime's native libraries, unpacked once into the cache: by itself it inflates them at every start, which takes
 * longer than loading them. What lies there is compared with the checksums in the artefact. Wherever that does not work
 * out, ONNX Runtime does as it always does.
 */
final class OrtLibraries implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OrtLibraries.class);
    private static final String SETTING = "onnxruntime.native.";

    /** In the order in which they are loaded. */
    private static final String[] NAMES = {"onnxruntime", "onnxruntime4j_jni"};

    /** What only the artefact for CUDA has, whose libraries look for each other in one folder. */
    private static final String PROVIDERS = "onnxruntime_providers_shared";

    /**
     * Set once libraries of a cache are loaded, for all class loaders of this process: the JVM lets one of them load a
     * file, so the next needs a copy.
     */
    static final String TAKEN = "io.langbridge.onnxruntime.natives";

    private final List<String> set = new ArrayList<>();

    /** A library in the artefact. */
    private record Packed(URL url, long bytes, long sum) {}

    private OrtLibraries() {}

    /** Has ONNX Runtime load the libraries of the cache until this is closed. */
    static OrtLibraries use() {
        OrtLibraries libraries = new OrtLibraries();
        try {
            List<Path> files = unpacked();
            if (!files.isEmpty()
                    && System.getProperties().putIfAbsent(TAKEN, files.get(0).toString()) == null) {
                for (int i = 0; i < NAMES.length; i++) {
                    String setting = SETTING + NAMES[i] + ".path";
                    System.setProperty(setting, files.get(i).toString());
                    libraries.set.add(setting);
                }
            }
        } catch (IOException | CheckpointException | RuntimeUnavailableException | SecurityException e) {
            LOG.debug("ONNX Runtime unpacks its libraries itself", e);
        }
        return libraries;
    }

    /** Whether those of the cache are loaded. */
    boolean areUsed() {
        return !set.isEmpty();
    }

    @Override
    public void close() {
        set.forEach(System::clearProperty);
    }

    private static List<Path> unpacked() throws IOException {
        List<Path> files = new ArrayList<>();
        Path kept = NativeLibraries.kept();
        if (kept == null || isGiven() || packed(PROVIDERS) != null) {
            return files;
        }
        Path folder = null;
        for (String name : NAMES) {
            Packed packed = packed(name);
            if (packed == null) {
                return new ArrayList<>();
            }
            if (folder == null) { // one for each build: a library that is loaded cannot be replaced everywhere
                folder = PrivateFolder.make(kept.resolve("onnxruntime-" + Long.toHexString(packed.sum())));
            }
            Path file = folder.resolve(System.mapLibraryName(name));
            if (!isSound(file, packed)) {
                deleteForgotten(folder);
                AtomicWrite.to(file, part -> unpack(packed, part));
                file.toFile().setExecutable(true);
            }
            if (!isSound(file, packed) || !Files.isExecutable(file)) { // the latter also where a mount forbids it
                return new ArrayList<>();
            }
            files.add(file);
        }
        return files;
    }

    /** What processes left that were killed while they unpacked, which takes far less than an hour. */
    private static void deleteForgotten(Path folder) throws IOException {
        long before = System.currentTimeMillis() - TimeUnit.HOURS.toMillis(1);
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*.part")) {
            for (Path part : parts) {
                if (Files.getLastModifiedTime(part).toMillis() < before) {
                    Files.deleteIfExists(part);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    /** Whether the application says where libraries are, or to leave them alone. */
    private static boolean isGiven() {
        return System.getProperties().stringPropertyNames().stream().anyMatch(name -> name.startsWith(SETTING));
    }

    private static boolean isSound(Path file, Packed packed) throws IOException {
        if (!PrivateFolder.trusts(file) || Files.size(file) != packed.bytes()) {
            return false;
        }
        CRC32 sum = new CRC32();
        byte[] chunk = new byte[1 << 18];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                sum.update(chunk, 0, count);
            }
        }
        return sum.getValue() == packed.sum();
    }

    private static void unpack(Packed packed, Path file) throws IOException {
        URLConnection connection = packed.url().openConnection();
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Null if there is none, or in no archive. */
    private static @Nullable Packed packed(String name) throws IOException {
        URL url = OrtEnvironment.class.getResource(
                "/ai/onnxruntime/native/" + platform() + "/" + System.mapLibraryName(name));
        if (url == null || !(url.openConnection() instanceof JarURLConnection connection)) {
            return null;
        }
        connection.setUseCaches(false); // the archive is not to stay open
        try (JarFile archive = connection.getJarFile()) {
            JarEntry entry = archive.getJarEntry(connection.getEntryName());
            return entry == null || entry.getCrc() < 0 ? null : new Packed(url, entry.getSize(), entry.getCrc());
        }
    }

    /** As ONNX Runtime calls it. */
    private static String platform() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String os = name.startsWith("win") ? "win" : name.startsWith("mac") ? "osx" : "linux";
        String processor = System.getProperty("os.arch");
        return os + "-" + (processor.equals("amd64") || processor.equals("x86_64") ? "x64" : processor);
    }
}

package io.langbridge.runtime.pytorch;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Looks for PyTorch's native libraries before anything is loaded. Another version of them loads without a word and then
 * misbehaves, and what DJL says when there are none does not help.
 */
final class Natives {
    /** The libtorch that DJL 0.36.0's native code was compiled against. */
    static final String TORCH_VERSION = "2.7.1";

    private static final String DJL_VERSION = "0.36.0";
    private static final Pattern VERSION = Pattern.compile("(\\d+\\.\\d+\\.\\d+)");

    private Natives() {}

    /**
     * What there is.
     *
     * @param classifier operating system and processor as DJL's artefacts name them, {@code linux-x86_64}
     * @param libraryPath {@code PYTORCH_LIBRARY_PATH}
     * @param version {@code PYTORCH_VERSION}
     * @param flavor {@code PYTORCH_FLAVOR}
     * @param bundled {@code native/lib/pytorch.properties} of each artefact with natives on the class path
     * @param jni {@code jnilib/pytorch.properties}, or null if the artefact is missing
     * @param download whether DJL may download what is missing
     */
    record Environment(
            String classifier,
            @Nullable String libraryPath,
            @Nullable String version,
            @Nullable String flavor,
            List<Properties> bundled,
            @Nullable Properties jni,
            boolean download) {

        static Environment current(boolean download) {
            List<Properties> jni = properties("jnilib/pytorch.properties");
            return new Environment(
                    currentClassifier(),
                    setting("PYTORCH_LIBRARY_PATH"),
                    setting("PYTORCH_VERSION"),
                    setting("PYTORCH_FLAVOR"),
                    properties("native/lib/pytorch.properties"),
                    jni.isEmpty() ? null : jni.get(0),
                    download);
        }

        /** Whether these natives are known to be for the CPU; what will be downloaded is not known yet. */
        boolean cpuOnly() {
            if (libraryPath != null) {
                return "cpu".equals(flavor);
            }
            return bundled.stream()
                    .filter(natives -> natives.getProperty("classifier", "").endsWith(classifier))
                    .anyMatch(natives -> natives.getProperty("flavor", "").startsWith("cpu"));
        }

        /** From the environment, or else a system property, as DJL looks for it. */
        private static @Nullable String setting(String name) {
            String value = System.getenv(name);
            if (value == null || value.isEmpty()) {
                value = System.getProperty(name);
            }
            return value == null || value.isEmpty() ? null : value;
        }

        private static List<Properties> properties(String resource) {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            if (loader == null) {
                loader = Natives.class.getClassLoader();
            }
            List<Properties> found = new ArrayList<>();
            try {
                for (URL url : Collections.list(loader.getResources(resource))) {
                    try (InputStream in = url.openStream()) {
                        Properties properties = new Properties();
                        properties.load(in);
                        found.add(properties);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return found;
        }
    }

    /** @throws RuntimeUnavailableException if the natives are missing or do not fit; says what to do */
    static void check(Environment environment) {
        checkVersion("PYTORCH_VERSION is", environment.version());
        Properties jni = environment.jni();
        if (jni == null && !environment.download()) {
            throw new RuntimeUnavailableException("The artefact ai.djl.pytorch:pytorch-jni:" + TORCH_VERSION + "-"
                    + DJL_VERSION + ", which connects Java with PyTorch, is not on the class path. " + remedy());
        }
        if (jni != null) {
            String found = jni.getProperty("jni_version", "unknown");
            if (!found.startsWith(TORCH_VERSION + "-" + DJL_VERSION)) {
                throw new RuntimeUnavailableException("The artefact ai.djl.pytorch:pytorch-jni has version " + found
                        + ", wanted is " + TORCH_VERSION + "-" + DJL_VERSION + "; the BOM names it.");
            }
        }
        if (environment.libraryPath() != null) {
            checkLibraryPath(environment, environment.libraryPath());
        } else if (!environment.download()) {
            checkBundled(environment);
        }
    }

    /** What is there, found and wanted. */
    static String describe(Environment environment) {
        List<String> found = new ArrayList<>();
        if (environment.libraryPath() != null) {
            found.add("PYTORCH_LIBRARY_PATH=" + environment.libraryPath() + " PYTORCH_VERSION=" + environment.version()
                    + " PYTORCH_FLAVOR=" + environment.flavor());
        }
        for (Properties natives : environment.bundled()) {
            found.add("pytorch-native-" + natives.getProperty("flavor", "unknown") + " "
                    + natives.getProperty("version", "unknown") + " for "
                    + natives.getProperty("classifier", "unknown"));
        }
        Properties jni = environment.jni();
        found.add(jni == null ? "no pytorch-jni" : "pytorch-jni " + jni.getProperty("jni_version", "unknown"));
        return "PyTorch: " + String.join(", ", found) + " (wanted " + TORCH_VERSION + " and " + TORCH_VERSION + "-"
                + DJL_VERSION + ")";
    }

    private static void checkLibraryPath(Environment environment, String libraryPath) {
        Path folder = null;
        for (String entry : libraryPath.split(Pattern.quote(java.io.File.pathSeparator), -1)) {
            Path path = Path.of(entry);
            Path candidate = Files.isRegularFile(path) ? path.toAbsolutePath().getParent() : path;
            if (folder == null
                    && candidate != null
                    && Files.isRegularFile(candidate.resolve(System.mapLibraryName("torch")))) {
                folder = candidate;
            }
        }
        if (folder == null) {
            throw new RuntimeUnavailableException("PYTORCH_LIBRARY_PATH is " + libraryPath + ", but there is no "
                    + System.mapLibraryName("torch") + " there; it must name the folder 'lib' of libtorch "
                    + TORCH_VERSION + ".");
        }
        String found = libraryVersion(folder);
        if (found != null) {
            checkVersion("PYTORCH_LIBRARY_PATH is " + libraryPath + " and holds libtorch", found);
        } else if (environment.version() == null) {
            throw new RuntimeUnavailableException("PYTORCH_LIBRARY_PATH is " + libraryPath + ", which does not say its"
                    + " version. If it is libtorch " + TORCH_VERSION + ", set PYTORCH_VERSION=" + TORCH_VERSION
                    + "; another one would crash.");
        }
        if (environment.flavor() == null) {
            throw new RuntimeUnavailableException("PYTORCH_LIBRARY_PATH is set without PYTORCH_FLAVOR; set it to what"
                    + " libtorch was built for, cpu or cu128.");
        }
    }

    /** What the files around the folder {@code lib} say: a wheel has version.py, libtorch has build-version. */
    private static @Nullable String libraryVersion(Path lib) {
        Path home = lib.toAbsolutePath().normalize().getParent();
        if (home == null) {
            return null;
        }
        for (String name : List.of("build-version", "version.py")) {
            Path file = home.resolve(name);
            try {
                if (Files.isRegularFile(file) && Files.size(file) < 10_000) {
                    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                    Matcher matcher = VERSION.matcher(text);
                    if (matcher.find()) {
                        return matcher.group(1);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return null;
    }

    private static void checkBundled(Environment environment) {
        List<String> foreign = new ArrayList<>();
        for (Properties natives : environment.bundled()) {
            String version = natives.getProperty("version", "unknown");
            // Older artefacts have the flavor in front: cpu-linux-x86_64.
            String classifier = natives.getProperty("classifier", "");
            if (!classifier.endsWith(environment.classifier())) {
                foreign.add(version + " for " + classifier);
                continue;
            }
            checkVersion("The PyTorch natives on the class path have version", version);
            return;
        }
        throw new RuntimeUnavailableException("There are no PyTorch natives for " + environment.classifier()
                + " on the class path"
                + (foreign.isEmpty() ? "" : ", only " + String.join(", ", foreign)) + ". " + remedy());
    }

    private static void checkVersion(String what, @Nullable String version) {
        if (version != null
                && !version.equals(TORCH_VERSION)
                && !version.startsWith(TORCH_VERSION + "-")
                && !version.startsWith(TORCH_VERSION + "+")) {
            throw new RuntimeUnavailableException(what + " " + version + ", but this version of LangBridge works with "
                    + TORCH_VERSION + " only: another one loads and then crashes or computes nonsense.");
        }
    }

    /** What to add so that there are natives. */
    static String remedy() {
        return "Add ai.djl.pytorch:pytorch-jni:" + TORCH_VERSION + "-" + DJL_VERSION
                + " and ai.djl.pytorch:pytorch-native-cpu:" + TORCH_VERSION + " with the classifier "
                + currentClassifier() + " (linux-x86_64, linux-aarch64, osx-aarch64 and win-x86_64 exist). "
                + cudaRemedy();
    }

    /** What to do so that there are natives for CUDA. */
    static String cudaRemedy() {
        return "For CUDA, set PYTORCH_LIBRARY_PATH to the folder 'lib' of a libtorch " + TORCH_VERSION
                + ", PYTORCH_VERSION=" + TORCH_VERSION + " and PYTORCH_FLAVOR=cu128; or take pytorch-native-cpu off the"
                + " class path and allow DJL to download it with allowDownloads(true).";
    }

    private static String currentClassifier() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String os = name.startsWith("win") ? "win" : name.startsWith("mac") ? "osx" : "linux";
        String processor = System.getProperty("os.arch");
        return os + "-" + (processor.equals("amd64") ? "x86_64" : processor);
    }
}

package io.langbridge.runtime.pytorch;

import ai.djl.util.cuda.CudaUtils;
import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
    private static final Pattern CUDA = Pattern.compile("cu(\\d+)\\d");
    private static final Pattern VERSION = Pattern.compile("(\\d+\\.\\d+\\.\\d+)");

    private Natives() {}

    /** The releases of DJL's engine that this library works with. Each goes with one libtorch and no other. */
    enum Release {
        /** In {@code langbridge-bom}. */
        DJL_0_36("0.36.0", "2.7.1", "cu128"),
        /** In {@code langbridge-bom-cu124}: the newest whose natives for CUDA are on Maven Central. */
        DJL_0_33("0.33.0", "2.5.1", "cu124");

        private final String djl;
        private final String torch;
        private final String cuda;

        Release(String djl, String torch, String cuda) {
            this.djl = djl;
            this.torch = torch;
            this.cuda = cuda;
        }

        /**
         * The one on the class path.
         *
         * @param engine {@code pytorch-engine.properties}
         * @throws RuntimeUnavailableException if it is another
         */
        static Release of(Properties engine) {
            String found = engine.getProperty("djl_version", "unknown");
            for (Release release : values()) {
                if (release.djl.equals(found)) {
                    return release;
                }
            }
            throw new RuntimeUnavailableException("The artefact ai.djl.pytorch:pytorch-engine has version " + found
                    + ", but this version of LangBridge works with 0.36.0 (as io.langbridge:langbridge-bom names it) and"
                    + " 0.33.0 (io.langbridge:langbridge-bom-cu124) only.");
        }

        private String jni() {
            return torch + "-" + djl;
        }

        /** What to add so that there are natives. */
        String remedy() {
            return "Add ai.djl.pytorch:pytorch-jni:" + jni() + " and ai.djl.pytorch:pytorch-native-cpu:" + torch
                    + " with the classifier " + currentClassifier()
                    + " (linux-x86_64, linux-aarch64, osx-aarch64 and win-x86_64 exist). " + cudaRemedy();
        }

        /** What to do so that there are natives for CUDA. */
        String cudaRemedy() {
            String library = "set PYTORCH_LIBRARY_PATH to the folder 'lib' of a libtorch " + torch
                    + ", PYTORCH_VERSION=" + torch + " and PYTORCH_FLAVOR=" + cuda;
            if (this == DJL_0_33) {
                return "For CUDA, replace pytorch-native-cpu by ai.djl.pytorch:pytorch-native-cu124:" + torch
                        + " with the classifier linux-x86_64 or win-x86_64, or " + library + ".";
            }
            return "For CUDA, " + library + "; or import io.langbridge:langbridge-bom-cu124, whose natives are on Maven"
                    + " Central; or take pytorch-native-cpu off the class path and allow DJL to download what it needs"
                    + " with allowDownloads(true).";
        }

        private void check(String what, @Nullable String version) {
            if (version != null
                    && !version.equals(torch)
                    && !version.startsWith(torch + "-")
                    && !version.startsWith(torch + "+")) {
                throw new RuntimeUnavailableException(what + " " + version + ", but DJL " + djl
                        + ", which is on the class path, works with " + torch
                        + " only: another one loads and then crashes or computes nonsense."
                        + " io.langbridge:langbridge-bom and langbridge-bom-cu124 name versions that fit each other.");
            }
        }
    }

    /**
     * What there is.
     *
     * @param classifier operating system and processor as DJL's artefacts name them, {@code linux-x86_64}
     * @param libraryPath {@code PYTORCH_LIBRARY_PATH}
     * @param version {@code PYTORCH_VERSION}
     * @param flavor {@code PYTORCH_FLAVOR}
     * @param bundled {@code native/lib/pytorch.properties} of each artefact with natives on the class path
     * @param jni {@code jnilib/pytorch.properties}, or null if the artefact is missing
     * @param cuda CUDA's version on this machine as DJL finds it, {@code cu124}; {@code cpu} without a device, and
     *     where nothing on the class path is for CUDA
     * @param engine {@code pytorch-engine.properties}
     * @param download whether DJL may download what is missing
     */
    record Environment(
            String classifier,
            @Nullable String libraryPath,
            @Nullable String version,
            @Nullable String flavor,
            List<Properties> bundled,
            @Nullable Properties jni,
            String cuda,
            Properties engine,
            boolean download) {

        static Environment current(boolean download) {
            List<Properties> jni = properties("jnilib/pytorch.properties");
            List<Properties> engine = properties("pytorch-engine.properties");
            List<Properties> bundled = properties("native/lib/pytorch.properties");
            return new Environment(
                    currentClassifier(),
                    setting("PYTORCH_LIBRARY_PATH"),
                    setting("PYTORCH_VERSION"),
                    setting("PYTORCH_FLAVOR"),
                    bundled,
                    jni.isEmpty() ? null : jni.get(0),
                    // Asking loads libraries, so only if it matters.
                    bundled.stream().allMatch(Natives::isForCpu) || CudaUtils.getGpuCount() == 0
                            ? "cpu"
                            : "cu" + CudaUtils.getCudaVersionString(),
                    engine.isEmpty() ? new Properties() : engine.get(0),
                    download);
        }

        /** @throws RuntimeUnavailableException if DJL's engine is none that this library works with */
        Release release() {
            return Release.of(engine);
        }

        /** Whether these natives are known to be for the CPU; what will be downloaded is not known yet. */
        boolean cpuOnly() {
            if (libraryPath != null) {
                return "cpu".equals(flavor);
            }
            List<Properties> here = bundled.stream()
                    .filter(natives -> natives.getProperty("classifier", "").endsWith(classifier))
                    .toList();
            return !here.isEmpty() && here.stream().allMatch(Natives::isForCpu);
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
            ClassLoader loader = Natives.class.getClassLoader();
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
        Release release = environment.release();
        release.check("PYTORCH_VERSION is", environment.version());
        Properties jni = environment.jni();
        if (jni == null && !environment.download()) {
            throw new RuntimeUnavailableException("The artefact ai.djl.pytorch:pytorch-jni:" + release.jni()
                    + ", which connects Java with PyTorch, is not on the class path. " + release.remedy());
        }
        if (jni != null) {
            String found = jni.getProperty("jni_version", "unknown");
            if (!found.startsWith(release.jni())) {
                throw new RuntimeUnavailableException("The artefact ai.djl.pytorch:pytorch-jni has version " + found
                        + ", wanted is " + release.jni() + "; the BOM names it.");
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
        String djl = environment.engine().getProperty("djl_version", "unknown");
        String wanted = Arrays.stream(Release.values())
                .filter(release -> release.djl.equals(djl))
                .map(release -> "wants " + release.torch + " and " + release.jni())
                .findFirst()
                .orElse("does not fit");
        return "PyTorch: " + String.join(", ", found) + " (DJL " + djl + " " + wanted + ")";
    }

    private static void checkLibraryPath(Environment environment, String libraryPath) {
        Release release = environment.release();
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
                    + release.torch + ".");
        }
        String found = libraryVersion(folder);
        if (found != null) {
            release.check("PYTORCH_LIBRARY_PATH is " + libraryPath + " and holds libtorch", found);
        } else if (environment.version() == null) {
            throw new RuntimeUnavailableException("PYTORCH_LIBRARY_PATH is " + libraryPath + ", which does not say its"
                    + " version. If it is libtorch " + release.torch + ", set PYTORCH_VERSION=" + release.torch
                    + "; another one would crash.");
        }
        if (environment.flavor() == null) {
            throw new RuntimeUnavailableException("PYTORCH_LIBRARY_PATH is set without PYTORCH_FLAVOR; set it to what"
                    + " libtorch was built for, cpu or " + release.cuda + ".");
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
        Release release = environment.release();
        List<String> foreign = new ArrayList<>();
        List<String> forCuda = new ArrayList<>();
        for (Properties natives : environment.bundled()) {
            String version = natives.getProperty("version", "unknown");
            // Older artefacts have the flavor in front: cpu-linux-x86_64.
            String classifier = natives.getProperty("classifier", "");
            if (!classifier.endsWith(environment.classifier())) {
                foreign.add(version + " for " + classifier);
                continue;
            }
            release.check("The PyTorch natives on the class path have version", version);
            if (isForCpu(natives) || major(natives.getProperty("flavor", "")) <= major(environment.cuda())) {
                return;
            }
            forCuda.add(natives.getProperty("flavor", "unknown"));
        }
        if (!forCuda.isEmpty()) {
            // DJL would look for others on the network.
            throw new RuntimeUnavailableException("The PyTorch natives on the class path are for CUDA ("
                    + String.join(", ", forCuda) + "), but "
                    + (major(environment.cuda()) == 0
                            ? "no CUDA device is found here"
                            : "this machine has an older CUDA (" + environment.cuda() + ")")
                    + ". It takes an NVIDIA driver (see nvidia-smi), and the library libcudart of that CUDA on the library"
                    + " path. To compute on the CPU, add ai.djl.pytorch:pytorch-native-cpu:" + release.torch
                    + " with the classifier " + environment.classifier() + ".");
        }
        throw new RuntimeUnavailableException("There are no PyTorch natives for " + environment.classifier()
                + " on the class path"
                + (foreign.isEmpty() ? "" : ", only " + String.join(", ", foreign)) + ". " + release.remedy());
    }

    private static boolean isForCpu(Properties natives) {
        return natives.getProperty("flavor", "cpu").startsWith("cpu");
    }

    /** The 12 of {@code cu124}; 0 of what is not for CUDA. */
    private static int major(String flavor) {
        Matcher cuda = CUDA.matcher(flavor);
        return cuda.matches() ? Integer.parseInt(cuda.group(1)) : 0;
    }

    private static String currentClassifier() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String os = name.startsWith("win") ? "win" : name.startsWith("mac") ? "osx" : "linux";
        String processor = System.getProperty("os.arch");
        return os + "-" + (processor.equals("amd64") ? "x86_64" : processor);
    }
}

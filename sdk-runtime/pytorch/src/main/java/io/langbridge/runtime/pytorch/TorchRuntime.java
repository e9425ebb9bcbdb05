package io.langbridge.runtime.pytorch;

import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.util.cuda.CudaUtils;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.ContextLoader;
import io.langbridge.runtime.core.engine.NativeLibraries;
import io.langbridge.spi.Services;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one PyTorch of this process, loaded when it is first asked for. Nothing is downloaded unless that is allowed, and
 * DJL's usage report is switched off.
 */
final class TorchRuntime {
    private static final Logger LOG = LoggerFactory.getLogger(TorchRuntime.class);
    private static final String OFFLINE = "ai.djl.offline";
    /** Where DJL unpacks native libraries. */
    private static final String ENGINE_CACHE = "ENGINE_CACHE_DIR";

    /** Symbols of the libraries ask for this one; RHEL 8 has 2.28. */
    private static final int GLIBC_MINOR = 29;

    private static final String WAIT_POLICY = "OMP_WAIT_POLICY";

    private static @Nullable TorchRuntime instance;

    private final Engine engine;
    private final Natives.Release release;
    private final PtNDManager manager;

    private TorchRuntime(Engine engine, Natives.Release release) {
        this.engine = engine;
        this.release = release;
        manager = (PtNDManager) engine.newBaseManager(ai.djl.Device.cpu());
    }

    /**
     * PyTorch with its natives loaded, those on this machine.
     *
     * @throws RuntimeUnavailableException if the native libraries are not there, or are not the ones that fit
     */
    static TorchRuntime get() {
        return get(false);
    }

    private static synchronized TorchRuntime get(boolean download) {
        TorchRuntime runtime = instance;
        if (runtime == null) {
            runtime = ContextLoader.of(TorchRuntime.class, () -> load(download));
            instance = runtime;
        }
        return runtime;
    }

    /** ONNX Runtime crashes the process if it is loaded after PyTorch; the other way round both work. */
    private static void loadOthersFirst() {
        for (io.langbridge.runtime.core.engine.Engine other :
                Services.own(io.langbridge.runtime.core.engine.Engine.class, TorchRuntime::engines)) {
            if (!(other instanceof PyTorchEngine)) {
                try {
                    other.require(Device.CPU, false);
                } catch (RuntimeUnavailableException e) {
                    // Then it will not be used either, and says so when it is asked for.
                    LOG.debug("The engine {} cannot be used: {}", other.name(), e.getMessage());
                }
            }
        }
    }

    private static ServiceLoader<io.langbridge.runtime.core.engine.Engine> engines(@Nullable ClassLoader loader) {
        return ServiceLoader.load(io.langbridge.runtime.core.engine.Engine.class, loader);
    }

    private static TorchRuntime load(boolean download) {
        Natives.Environment environment = Natives.Environment.current(download);
        Natives.check(environment);
        loadOthersFirst();
        // DJL reports usage from some clouds unless this is set before its engines are touched.
        if (System.getProperty("OPT_OUT_TRACKING") == null) {
            System.setProperty("OPT_OUT_TRACKING", "true");
        }
        // Only while PyTorch is loaded: what else the application does with DJL is not ours to decide.
        Map<String, String> settings = new HashMap<>();
        if (!download) {
            settings.put(OFFLINE, "true");
        }
        Path folder = isSet(ENGINE_CACHE) || isSet("DJL_CACHE_DIR") ? null : NativeLibraries.folder();
        if (folder != null) {
            settings.put(ENGINE_CACHE, folder.toString());
        }
        Map<String, @Nullable String> before = new HashMap<>();
        settings.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
        try {
            NativeLibraries.requireGlibc("PyTorch", GLIBC_MINOR);
            return new TorchRuntime(passively(() -> Engine.getEngine("PyTorch")), environment.release());
        } catch (RuntimeUnavailableException e) {
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError e) {
            throw new RuntimeUnavailableException(
                    "PyTorch's native libraries cannot be loaded. "
                            + NativeLibraries.cause(
                                    e,
                                    NativeLibraries.Place.CACHE,
                                    environment.release().remedy()),
                    e);
        } finally {
            if (folder != null) {
                NativeLibraries.unpacked(folder);
            }
            before.forEach((name, value) -> {
                if (value == null) {
                    System.clearProperty(name);
                } else {
                    System.setProperty(name, value);
                }
            });
        }
    }

    private static boolean isSet(String name) {
        return System.getenv(name) != null || System.getProperty(name) != null;
    }

    /**
     * Loads with OpenMP told that idle threads sleep, unless the environment says otherwise. It reads this once, when
     * it is loaded. Threads that burn cycles instead slow each other down as soon as there are more of them than
     * processors, and every Java thread that computes has its own: a small model on two busy processors took eight
     * times as long.
     */
    private static Engine passively(Supplier<Engine> load) {
        if (System.getenv(WAIT_POLICY) != null || Platform.isWindows()) {
            return load.get();
        }
        NativeLibrary c = NativeLibrary.getInstance("c");
        c.getFunction("setenv").invokeInt(new Object[] {WAIT_POLICY, "passive", 1});
        try {
            return load.get();
        } finally {
            c.getFunction("unsetenv").invokeInt(new Object[] {WAIT_POLICY});
        }
    }

    /** Parent of all managers; its tensors are on the CPU. */
    PtNDManager manager() {
        return manager;
    }

    /**
     * Makes sure that networks can run on a device; natives that cannot serve it are not loaded first.
     *
     * @return the device as PyTorch writes it, {@code cpu} or {@code cuda:0}
     * @throws RuntimeUnavailableException if it is not there, or PyTorch is not
     */
    static String require(Device device, boolean download) {
        if (device.kind() != Device.Kind.CUDA) {
            get(download);
            return Placement.CPU;
        }
        if (!isLoaded()) {
            Natives.Environment environment = Natives.Environment.current(download);
            Natives.check(environment);
            if (environment.cpuOnly()) {
                throw cpuOnly(device, environment.release());
            }
        }
        return get(download).cuda(device);
    }

    private static synchronized boolean isLoaded() {
        return instance != null;
    }

    private String cuda(Device device) {
        if (!engine.hasCapability(StandardCapabilities.CUDA)) {
            throw cpuOnly(device, release);
        }
        int count = CudaUtils.getGpuCount();
        if (device.index() >= count) {
            throw new RuntimeUnavailableException("The device " + device + " was asked for, but PyTorch sees " + count
                    + " CUDA devices; check nvidia-smi, the driver and CUDA_VISIBLE_DEVICES.");
        }
        return device.toString();
    }

    private static RuntimeUnavailableException cpuOnly(Device device, Natives.Release release) {
        return new RuntimeUnavailableException("The device " + device
                + " was asked for, but the PyTorch natives here compute on the CPU only. " + release.cudaRemedy());
    }
}

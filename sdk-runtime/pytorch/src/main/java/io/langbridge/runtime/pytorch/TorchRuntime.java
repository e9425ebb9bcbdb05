package io.langbridge.runtime.pytorch;

import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.util.cuda.CudaUtils;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.Device;
import org.jspecify.annotations.Nullable;

/**
 * The one PyTorch of this process, loaded when it is first asked for. Nothing is downloaded unless the system property
 * {@value #ALLOW_DOWNLOAD} is {@code true}, and DJL's usage report is switched off.
 */
final class TorchRuntime {
    static final String ALLOW_DOWNLOAD = "io.langbridge.pytorch.download";

    private static final String OFFLINE = "ai.djl.offline";

    private static @Nullable TorchRuntime instance;

    private final Engine engine;
    private final PtNDManager manager;

    private TorchRuntime(Engine engine) {
        this.engine = engine;
        manager = (PtNDManager) engine.newBaseManager(ai.djl.Device.cpu());
    }

    /**
     * PyTorch with its natives loaded.
     *
     * @throws RuntimeUnavailableException if the native libraries are not there, or are not the ones that fit
     */
    static synchronized TorchRuntime get() {
        TorchRuntime runtime = instance;
        if (runtime == null) {
            runtime = new TorchRuntime(load());
            instance = runtime;
        }
        return runtime;
    }

    private static Engine load() {
        boolean download = Boolean.getBoolean(ALLOW_DOWNLOAD);
        Natives.check(Natives.Environment.current(download));
        // DJL reports usage from some clouds unless this is set before its engines are touched.
        if (System.getProperty("OPT_OUT_TRACKING") == null) {
            System.setProperty("OPT_OUT_TRACKING", "true");
        }
        // Only while PyTorch is loaded: what else the application does with DJL is not ours to decide.
        String offline = System.getProperty(OFFLINE);
        try {
            if (!download) {
                System.setProperty(OFFLINE, "true");
            }
            return Engine.getEngine("PyTorch");
        } catch (RuntimeException | LinkageError | AssertionError e) {
            throw new RuntimeUnavailableException(
                    "PyTorch's native libraries cannot be loaded: " + rootMessage(e) + ". " + Natives.remedy(), e);
        } finally {
            if (offline == null) {
                System.clearProperty(OFFLINE);
            } else {
                System.setProperty(OFFLINE, offline);
            }
        }
    }

    /** Parent of all managers; its tensors are on the CPU. */
    PtNDManager manager() {
        return manager;
    }

    /**
     * The device as PyTorch writes it, {@code cpu} or {@code cuda:0}.
     *
     * @throws RuntimeUnavailableException if it is not there
     */
    String resolve(Device device) {
        switch (device.kind()) {
            case CPU:
                return Placement.CPU;
            case AUTO:
                return cudaDevices() > 0 ? Device.cuda(0).toString() : Placement.CPU;
            default:
                break;
        }
        int count = cudaDevices();
        if (device.index() >= count) {
            throw new RuntimeUnavailableException("The device " + device + " was asked for, but "
                    + (builtWithCuda()
                            ? "PyTorch sees " + count + " CUDA devices; check nvidia-smi, the driver and"
                                    + " CUDA_VISIBLE_DEVICES."
                            : "the PyTorch natives loaded here compute on the CPU only. " + Natives.cudaRemedy()));
        }
        return device.toString();
    }

    private boolean builtWithCuda() {
        return engine.hasCapability(StandardCapabilities.CUDA);
    }

    private int cudaDevices() {
        return builtWithCuda() ? CudaUtils.getGpuCount() : 0;
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }
}

package io.langbridge.runtime.onnx;

import ai.djl.engine.Engine;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.ContextLoader;
import io.langbridge.runtime.core.engine.NativeLibraries;
import java.security.CodeSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one ONNX Runtime of this process. */
final class OrtRuntime {
    private static final Logger log = LoggerFactory.getLogger(OrtRuntime.class);

    /** The one that is tested with, which the BOM names. */
    static final String VERSION = "1.28.0";

    /** The symbols of the library ask for no newer one; so Ubuntu 18.04 and RHEL 8 will do. */
    private static final int GLIBC_MINOR = 27;

    private static @Nullable OrtEnvironment environment;
    private static @Nullable String whyNot;

    private OrtRuntime() {}

    /**
     * The environment, shared with everything in this process that uses ONNX Runtime through DJL.
     *
     * @throws RuntimeUnavailableException if the native library is not there or does not fit this machine
     */
    static synchronized OrtEnvironment environment() {
        OrtEnvironment loaded = environment;
        if (loaded != null) {
            return loaded;
        }
        if (whyNot != null) {
            // A class that could not be initialised says why the first time only.
            throw new RuntimeUnavailableException(whyNot);
        }
        try {
            NativeLibraries.requireGlibc("ONNX Runtime", GLIBC_MINOR);
            loaded = ContextLoader.of(OrtRuntime.class, OrtRuntime::create);
        } catch (LinkageError | RuntimeException e) {
            whyNot = e instanceof RuntimeUnavailableException ? e.getMessage() : cannotBeLoaded(e);
            throw new RuntimeUnavailableException(String.valueOf(whyNot), e);
        }
        environment = loaded;
        return loaded;
    }

    /**
     * Makes sure that networks can run on a device.
     *
     * @throws RuntimeUnavailableException if not; says what to do
     */
    static void require(Device device) {
        OrtEnvironment environment = environment();
        if (device.kind() != Device.Kind.CUDA) {
            return;
        }
        if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
            throw new RuntimeUnavailableException("The device " + device + " was asked for, but the ONNX Runtime on the"
                    + " class path computes on the CPU only. Exclude com.microsoft.onnxruntime:onnxruntime and add"
                    + " com.microsoft.onnxruntime:onnxruntime_gpu, version as in io.langbridge:langbridge-bom.");
        }
        OnnxGraph graph = new OnnxGraph("device");
        graph.input("x", OnnxGraph.Type.FLOAT, 1);
        graph.node("Identity", "x").to("y");
        graph.output("y", OnnxGraph.Type.FLOAT, 1);
        // Libraries that are missing fail with the first call, a device that is missing with the second.
        try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions()) {
            settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            use(device, settings);
            environment.createSession(graph.toBytes(), settings).close();
        } catch (OrtException e) {
            throw new RuntimeUnavailableException(
                    "The device " + device + " was asked for, but ONNX Runtime cannot use it: " + e.getMessage()
                            + ". It needs an NVIDIA driver, and on the library path the CUDA and cuDNN libraries that"
                            + " com.microsoft.onnxruntime:onnxruntime_gpu was built for.",
                    e);
        }
    }

    /** Has a session compute on the device. */
    static void use(Device device, OrtSession.SessionOptions settings) throws OrtException {
        if (device.kind() == Device.Kind.CUDA) {
            try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(device.index())) {
                // TF32 keeps 10 bits of the mantissa, which is not float32.
                cuda.add("use_tf32", "0");
                settings.addCUDA(cuda);
            }
        }
    }

    /** What is on the path, see {@link io.langbridge.runtime.core.engine.Engine#natives}. */
    static String natives() {
        String found = OrtEnvironment.class.getPackage().getImplementationVersion();
        CodeSource source = OrtEnvironment.class.getProtectionDomain().getCodeSource();
        String given = System.getProperty("onnxruntime.native.path");
        return "ONNX Runtime " + (found == null ? "of unknown version" : found) + " (wanted " + VERSION + ")"
                + (source == null ? "" : " from " + source.getLocation())
                + (given == null
                        ? ", unpacked into " + System.getProperty("java.io.tmpdir")
                        : ", natives from " + given);
    }

    private static String cannotBeLoaded(Throwable failure) {
        return "ONNX Runtime's native library cannot be loaded on " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch") + ". "
                + NativeLibraries.cause(
                        failure,
                        NativeLibraries.Place.TEMPORARY,
                        "The artefact com.microsoft.onnxruntime:onnxruntime holds it for Linux, macOS and Windows on 64"
                                + " bits; on Android add onnxruntime-android instead.");
    }

    private static OrtEnvironment create() {
        // DJL reports usage from some clouds unless this is set before its engines are touched.
        if (System.getProperty("OPT_OUT_TRACKING") == null) {
            System.setProperty("OPT_OUT_TRACKING", "true");
        }
        try {
            // There is one environment per process. DJL's engine wants to be the one who creates it and fails if
            // it comes second, so an application that uses DJL beside this library needs it created here.
            Engine.getEngine("OnnxRuntime");
        } catch (RuntimeException | NoClassDefFoundError e) {
            // The latter where DJL is left out, as in an app for Android. EngineException is not named here: a handler
            // whose class is missing throws in its turn.
            log.debug("DJL's ONNX Runtime engine is not used: {}", e.getMessage());
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try {
            environment.setTelemetry(false);
        } catch (OrtException e) {
            throw new OnnxRuntimeException("ONNX Runtime's telemetry cannot be switched off: " + e.getMessage(), e);
        }
        return environment;
    }
}

package io.langbridge.runtime.onnx;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.langbridge.RuntimeUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one ONNX Runtime of this process. */
final class OrtRuntime {
    private static final Logger log = LoggerFactory.getLogger(OrtRuntime.class);

    private OrtRuntime() {}

    /**
     * The environment, shared with everything in this process that uses ONNX Runtime through DJL.
     *
     * @throws RuntimeUnavailableException if the native library is not there or does not fit this machine
     */
    static OrtEnvironment environment() {
        try {
            return Holder.ENVIRONMENT;
        } catch (LinkageError e) {
            throw new RuntimeUnavailableException(
                    "ONNX Runtime's native library cannot be loaded on " + System.getProperty("os.name") + " "
                            + System.getProperty("os.arch") + ": " + rootMessage(e)
                            + ". The artefact com.microsoft.onnxruntime:onnxruntime holds it for Linux, macOS and"
                            + " Windows on 64 bits; on Android add onnxruntime-android instead.",
                    e);
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** Loads the native library when it is first asked for. */
    private static final class Holder {
        static final OrtEnvironment ENVIRONMENT = create();

        private static OrtEnvironment create() {
            // DJL reports usage from some clouds unless this is set before its engines are touched.
            if (System.getProperty("OPT_OUT_TRACKING") == null) {
                System.setProperty("OPT_OUT_TRACKING", "true");
            }
            try {
                // There is one environment per process. DJL's engine wants to be the one who creates it and fails if
                // it comes second, so an application that uses DJL beside this library needs it created here.
                Engine.getEngine("OnnxRuntime");
            } catch (EngineException e) {
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
}

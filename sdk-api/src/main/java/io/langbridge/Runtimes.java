package io.langbridge;

import io.langbridge.spi.ModelLoader;
import java.util.Iterator;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds the runtime. */
final class Runtimes {
    private Runtimes() {}

    static ModelLoader loader() {
        try {
            Iterator<ModelLoader> found = ServiceLoader.load(ModelLoader.class).iterator();
            if (found.hasNext()) {
                return found.next();
            }
        } catch (ServiceConfigurationError e) {
            throw new RuntimeUnavailableException(
                    "A LangBridge runtime is on the path but cannot be used; check that all io.langbridge artefacts"
                            + " have the same version (import io.langbridge:langbridge-bom)",
                    e);
        }
        throw new RuntimeUnavailableException(
                "No LangBridge runtime is on the path; add the artefact"
                        + " io.langbridge:langbridge-onnx (CPU) or io.langbridge:langbridge-pytorch (CUDA), version as in io.langbridge:langbridge-bom");
    }
}

package io.langbridge;

import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.Services;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds the runtime. */
final class Runtimes {
    private Runtimes() {}

    static ModelLoader loader() {
        try {
            List<ModelLoader> found =
                    Services.all(ModelLoader.class, loader -> ServiceLoader.load(ModelLoader.class, loader));
            if (!found.isEmpty()) {
                return found.get(0);
            }
        } catch (ServiceConfigurationError e) {
            throw new RuntimeUnavailableException(
                    "A LangBridge runtime is on the path but cannot be used; check that all io.langbridge artefacts"
                            + " have the same version (import io.langbridge:langbridge-bom)",
                    e);
        }
        throw new RuntimeUnavailableException("No LangBridge runtime is on the path; add the artefact"
                + " io.langbridge:langbridge-onnx (CPU) or io.langbridge:langbridge-pytorch (CUDA), version as in io.langbridge:langbridge-bom."
                + Services.unmerged(ModelLoader.class, "io.langbridge.runtime.core.model.Loader"));
    }
}

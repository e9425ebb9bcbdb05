package io.langbridge.spi;

import io.langbridge.VisionLanguageModel;

/**
 * Loads models. Found by {@link java.util.ServiceLoader}; the runtime core supplies the one implementation. Safe for
 * use by several threads.
 *
 * @since 0.1
 */
public interface ModelLoader {
    /**
     * Checks and loads a model.
     *
     * @param spec what to load
     * @return the model; the caller closes it
     */
    VisionLanguageModel load(ModelSpec spec);
}

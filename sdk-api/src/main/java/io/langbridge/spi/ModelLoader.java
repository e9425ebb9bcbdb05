package io.langbridge.spi;

import io.langbridge.FitReport;
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

    /**
     * Checks whether the parts of a model fit, without loading them. What is wrong with them is in the report; nothing
     * stays open.
     *
     * @param spec what would be loaded
     * @return the report
     */
    FitReport check(ModelSpec spec);
}

package io.langbridge.spi;

import io.langbridge.AdapterWriter;
import io.langbridge.FitReport;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

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

    /**
     * Does the work of {@link AdapterWriter#save}.
     *
     * @param adapter the adapter
     * @param trainedWith the language model it was trained with, or null
     * @param folder where to
     */
    void save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder);

    /**
     * Does the work of {@link AdapterWriter#fold} and {@link AdapterWriter#export}.
     *
     * @param adapter the adapter
     * @param llm the language model
     * @param standard whether the result must be a standard projector
     * @param folder where to
     */
    void fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder);
}

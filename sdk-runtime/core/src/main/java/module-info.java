/**
 * Everything between the public API and an engine. Not for applications: what is exported here is for engines and may
 * change with every release. That holds for the tools to make and study adapters too ({@code vocabulary},
 * {@code AlignmentAnalysis}).
 */
// A named module, because an automatic one could not see Gson, which is itself a named one.
module io.langbridge.runtime.core {
    requires com.google.gson;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge.runtime.core.adapter;
    exports io.langbridge.runtime.core.checkpoint;
    exports io.langbridge.runtime.core.family;
    exports io.langbridge.runtime.core.lifecycle;
    exports io.langbridge.runtime.core.prompt;
    exports io.langbridge.runtime.core.tensor;
    exports io.langbridge.runtime.core.engine;
    exports io.langbridge.runtime.core.explain;
    exports io.langbridge.runtime.core.generate;
    exports io.langbridge.runtime.core.image;
    exports io.langbridge.runtime.core.model;
    exports io.langbridge.runtime.core.network;
    exports io.langbridge.runtime.core.text;
    exports io.langbridge.runtime.core.text.template;
    exports io.langbridge.runtime.core.vocabulary;

    uses io.langbridge.runtime.core.engine.Engine;

    provides io.langbridge.spi.ModelLoader with
            io.langbridge.runtime.core.model.Loader;
}

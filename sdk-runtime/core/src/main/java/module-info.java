/**
 * Everything between the public API and an engine. Not for applications: what is in here is for engines, training and
 * tools, and may change with every release.
 */
// A named module, because an automatic one could not see Gson, which is itself a named one.
module io.langbridge.runtime.core {
    requires com.google.gson;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge.runtime.core.adapter to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.checkpoint to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.family to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.lifecycle to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.prompt to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training;
    exports io.langbridge.runtime.core.tensor to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.engine to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.explain to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.generate to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training;
    exports io.langbridge.runtime.core.image to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.model to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.network to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.text to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;
    exports io.langbridge.runtime.core.text.template to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training;
    exports io.langbridge.runtime.core.vocabulary to
            io.langbridge.runtime.onnx,
            io.langbridge.runtime.pytorch,
            io.langbridge.runtime.training,
            io.langbridge.tools;

    uses io.langbridge.runtime.core.engine.Engine;

    provides io.langbridge.spi.ModelLoader with
            io.langbridge.runtime.core.model.Loader;
}

/** LangBridge's networks on ONNX Runtime. */
module io.langbridge.runtime.onnx {
    requires ai.djl.api;
    requires ai.djl.onnxruntime_engine;
    requires com.microsoft.onnxruntime;
    requires transitive io.langbridge.runtime.core;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge.runtime.onnx;

    provides io.langbridge.runtime.core.engine.Engine with
            io.langbridge.runtime.onnx.OnnxEngine;
}

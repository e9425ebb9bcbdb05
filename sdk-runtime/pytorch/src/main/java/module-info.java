/** LangBridge's networks on PyTorch, and their gradients. */
module io.langbridge.runtime.pytorch {
    requires ai.djl.api;
    requires ai.djl.pytorch_engine;
    requires com.sun.jna;
    requires transitive io.langbridge.runtime.core;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge.runtime.pytorch;

    uses io.langbridge.runtime.core.engine.Engine;

    provides io.langbridge.runtime.core.engine.Engine with
            io.langbridge.runtime.pytorch.PyTorchEngine;
}

package io.langbridge.runtime.onnx;

import io.langbridge.contract.LangBridgeContract;
import io.langbridge.runtime.core.engine.Engine;

class OnnxLangBridgeTest extends LangBridgeContract {
    @Override
    protected Engine engine() {
        return new OnnxEngine();
    }
}

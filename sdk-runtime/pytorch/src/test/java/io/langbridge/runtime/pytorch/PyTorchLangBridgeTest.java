package io.langbridge.runtime.pytorch;

import io.langbridge.contract.LangBridgeContract;
import io.langbridge.runtime.core.engine.Engine;

class PyTorchLangBridgeTest extends LangBridgeContract {
    @Override
    protected Engine engine() {
        Tiny.requireNatives();
        return new PyTorchEngine();
    }
}

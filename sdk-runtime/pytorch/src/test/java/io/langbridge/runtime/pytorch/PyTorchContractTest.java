package io.langbridge.runtime.pytorch;

import io.langbridge.contract.RuntimeContract;
import io.langbridge.runtime.core.engine.Engine;

class PyTorchContractTest extends RuntimeContract {
    @Override
    protected Engine engine() {
        Tiny.requireNatives();
        return new PyTorchEngine();
    }
}

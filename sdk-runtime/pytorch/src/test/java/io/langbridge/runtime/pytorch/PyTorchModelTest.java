package io.langbridge.runtime.pytorch;

import io.langbridge.contract.ModelContract;
import io.langbridge.runtime.core.engine.Engine;

class PyTorchModelTest extends ModelContract {
    @Override
    protected Engine engine() {
        Tiny.requireNatives();
        return new PyTorchEngine();
    }
}

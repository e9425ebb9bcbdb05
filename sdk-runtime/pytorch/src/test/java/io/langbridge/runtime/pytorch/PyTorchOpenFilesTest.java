package io.langbridge.runtime.pytorch;

import io.langbridge.contract.OpenFilesContract;
import io.langbridge.runtime.core.engine.Engine;

class PyTorchOpenFilesTest extends OpenFilesContract {
    @Override
    protected Engine engine() {
        return new PyTorchEngine();
    }
}

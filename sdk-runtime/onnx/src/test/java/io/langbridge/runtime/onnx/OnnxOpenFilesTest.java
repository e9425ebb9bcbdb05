package io.langbridge.runtime.onnx;

import io.langbridge.contract.OpenFilesContract;
import io.langbridge.runtime.core.engine.Engine;

class OnnxOpenFilesTest extends OpenFilesContract {
    @Override
    protected Engine engine() {
        return new OnnxEngine();
    }
}

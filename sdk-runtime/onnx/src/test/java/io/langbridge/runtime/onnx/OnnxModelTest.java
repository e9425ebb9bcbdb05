package io.langbridge.runtime.onnx;

import io.langbridge.contract.ModelContract;
import io.langbridge.runtime.core.engine.Engine;

class OnnxModelTest extends ModelContract {
    @Override
    protected Engine engine() {
        return new OnnxEngine();
    }
}

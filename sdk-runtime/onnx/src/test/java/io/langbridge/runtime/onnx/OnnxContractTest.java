package io.langbridge.runtime.onnx;

import io.langbridge.contract.RuntimeContract;
import io.langbridge.runtime.core.engine.Engine;

class OnnxContractTest extends RuntimeContract {
    @Override
    protected Engine engine() {
        return new OnnxEngine();
    }
}

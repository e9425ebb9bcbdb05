package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.contract.RuntimeContract;
import io.langbridge.runtime.core.engine.Engine;

class OnnxInt4ContractTest extends RuntimeContract {
    @Override
    protected Engine engine() {
        return new OnnxEngine();
    }

    @Override
    protected Precision precision() {
        return Precision.INT4;
    }
}

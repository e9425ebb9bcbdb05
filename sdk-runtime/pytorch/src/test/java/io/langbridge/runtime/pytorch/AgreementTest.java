package io.langbridge.runtime.pytorch;

import io.langbridge.contract.AgreementContract;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.onnx.OnnxEngine;
import java.util.List;

class AgreementTest extends AgreementContract {
    @Override
    protected List<Engine> engines() {
        Tiny.requireNatives();
        return List.of(new OnnxEngine(), new PyTorchEngine());
    }
}

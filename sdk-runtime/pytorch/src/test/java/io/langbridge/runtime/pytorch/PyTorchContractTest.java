package io.langbridge.runtime.pytorch;

import io.langbridge.contract.RuntimeContract;
import io.langbridge.runtime.core.engine.Engine;
import org.junit.jupiter.api.BeforeAll;

class PyTorchContractTest extends RuntimeContract {
    @BeforeAll
    static void requireNatives() {
        Tiny.requireNatives();
    }

    @Override
    protected Engine engine() {
        return new PyTorchEngine();
    }
}

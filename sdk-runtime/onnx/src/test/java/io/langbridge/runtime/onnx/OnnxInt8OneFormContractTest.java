package io.langbridge.runtime.onnx;

class OnnxInt8OneFormContractTest extends OnnxInt8ContractTest {
    @Override
    protected Boolean twoForms() {
        return false;
    }
}

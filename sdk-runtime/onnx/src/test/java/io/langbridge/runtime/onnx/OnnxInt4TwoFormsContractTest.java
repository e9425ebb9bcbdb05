package io.langbridge.runtime.onnx;

class OnnxInt4TwoFormsContractTest extends OnnxInt4ContractTest {
    @Override
    protected Boolean twoForms() {
        return true;
    }
}

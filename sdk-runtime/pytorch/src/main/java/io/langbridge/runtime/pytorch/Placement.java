package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.EngineOptions;

/**
 * Where a network computes and in which element type.
 *
 * @param device as PyTorch writes it, {@code cpu} or {@code cuda:0}
 */
record Placement(String device, ScalarType type) {
    static final String CPU = "cpu";

    /**
     * float32 on the CPU, where the halves are slow. On CUDA float16 where the weights are stored so, and otherwise
     * bfloat16, which has float32's range.
     *
     * @param example one of the network's large weights
     */
    static Placement of(EngineOptions options, StoredTensor example) {
        String device = TorchRuntime.require(options.device(), options.allowDownloads());
        if (device.equals(CPU)) {
            return new Placement(device, ScalarType.FLOAT);
        }
        return new Placement(device, example.dtype() == DType.F16 ? ScalarType.HALF : ScalarType.BFLOAT16);
    }
}

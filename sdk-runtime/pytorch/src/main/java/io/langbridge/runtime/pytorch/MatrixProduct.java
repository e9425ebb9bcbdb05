package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;

/** One product of two matrices in memory, computed on the device. */
final class MatrixProduct {
    private MatrixProduct() {}

    static FloatTensor of(FloatTensor a, boolean transposeA, FloatTensor b, boolean transposeB, EngineOptions options) {
        int[] sizes = Engine.productSizes(a, transposeA, b, transposeB);
        String device = TorchRuntime.require(options.device(), options.allowDownloads());
        try (TorchScript script =
                        new TorchScript("matrix product", Source.of("weights.py", "Weights"), options.threads());
                Scope scope = new Scope()) {
            Scope.Output product = scope.output(sizes[0], sizes[2]);
            scope.own(script.run(
                    "multiply",
                    scope.of(scope.tensor(a)),
                    scope.of(transposeA),
                    scope.of(scope.tensor(b)),
                    scope.of(transposeB),
                    scope.of(device),
                    product.value()));
            return product.floats;
        }
    }
}

package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;

/** One product of two matrices in memory, computed on the device. */
final class MatrixProduct {
    private MatrixProduct() {}

    static void into(
            FloatTensor product,
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            EngineOptions options) {
        Engine.requireProduct(product, a, transposeA, b, transposeB);
        String device = TorchRuntime.require(options.device(), options.allowDownloads());
        try (TorchScript script =
                        new TorchScript("matrix product", Source.of("weights.py", "Weights"), options.threads());
                Scope scope = new Scope()) {
            scope.own(script.run(
                    "multiply",
                    scope.of(scope.view(a)),
                    scope.of(transposeA),
                    scope.of(scope.view(b)),
                    scope.of(transposeB),
                    scope.of(device),
                    scope.of(scope.view(product))));
        }
    }
}

package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Map;

/** One product of two matrices in memory, as a graph of one node: loading it takes a millisecond. */
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
        OnnxGraph graph = new OnnxGraph("product")
                .input("a", OnnxGraph.Type.FLOAT, a.size(0), a.size(1))
                .input("b", OnnxGraph.Type.FLOAT, b.size(0), b.size(1))
                .output("product", OnnxGraph.Type.FLOAT, product.size(0), product.size(1));
        graph.node("Gemm", "a", "b")
                .with("transA", transposeA ? 1 : 0)
                .with("transB", transposeB ? 1 : 0)
                .to("product");
        try (LoadedGraph loaded = LoadedGraph.load(
                        "matrix product", graph.toBytes(), options.cacheDirectory(), Map.of(), options);
                Bindings bindings = new Bindings()) {
            bindings.input("a", a, a.size(0), a.size(1))
                    .input("b", b, b.size(0), b.size(1))
                    .output("product", product, product.size(0), product.size(1))
                    .run(loaded);
        }
    }
}

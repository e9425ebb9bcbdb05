package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.config.DecoderConfig;
import io.langbridge.runtime.core.config.VisionConfig;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.engine.VisionNetwork;
import org.jspecify.annotations.Nullable;

/**
 * Runs the networks with ONNX Runtime on the CPU, in float32. Graphs are built in memory from configuration and
 * weights; weights are mapped from their files. Safe for use by several threads.
 *
 * @since 0.1
 */
public final class OnnxEngine implements Engine {
    /** Creates the engine; nothing is loaded before the first network is asked for. */
    public OnnxEngine() {}

    @Override
    public String name() {
        return "onnx";
    }

    @Override
    public VisionNetwork vision(VisionConfig config, Weights weights, EngineOptions options) {
        return new OnnxVision(config, weights, options);
    }

    @Override
    public AdapterNetwork adapter(
            AdapterConfig config, Weights weights, @Nullable FloatTensor vocabularyMatrix, EngineOptions options) {
        return new OnnxAdapter(config, weights, vocabularyMatrix, options);
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        return new OnnxDecoder(config, weights, options);
    }

    @Override
    public FloatTensor multiply(
            FloatTensor a, boolean transposeA, FloatTensor b, boolean transposeB, EngineOptions options) {
        return MatrixProduct.of(a, transposeA, b, transposeB, options);
    }
}

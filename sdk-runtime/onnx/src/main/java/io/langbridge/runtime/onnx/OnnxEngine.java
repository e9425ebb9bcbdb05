package io.langbridge.runtime.onnx;

import io.langbridge.Device;
import io.langbridge.Precision;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Map;

/**
 * Runs the networks with ONNX Runtime: all of them on the CPU, in float32 or with weights of 8 or 4 bits; encoder and
 * adapter on CUDA too where the artefact {@code onnxruntime_gpu} is in the place of {@code onnxruntime}. Graphs are
 * built in memory from configuration and weights; weights are mapped from their files. Safe for use by several threads.
 *
 * @since 0.1
 */
public final class OnnxEngine implements Engine {
    /** As measured on Linux: the library, and an environment without a graph. */
    private static final long OWN_BYTES = 27_000_000;

    private static final String MISSING =
            "ONNX Runtime is not on the path: add com.microsoft.onnxruntime:onnxruntime, or"
                    + " onnxruntime_gpu in its place, version as in io.langbridge:langbridge-bom";

    /** Creates the engine; nothing is loaded before the first network is asked for. */
    public OnnxEngine() {}

    @Override
    public String name() {
        return "onnx";
    }

    @Override
    public void require(Device device, boolean allowDownloads) {
        try {
            OrtRuntime.require(device);
        } catch (NoClassDefFoundError e) {
            // Where the whole artefact is missing, not even OrtRuntime itself can be linked.
            if (String.valueOf(e.getMessage()).startsWith("ai/onnxruntime/")) {
                throw new RuntimeUnavailableException(MISSING, e);
            }
            throw e;
        }
    }

    @Override
    public String natives() {
        try {
            return OrtRuntime.natives();
        } catch (NoClassDefFoundError e) {
            return MISSING;
        }
    }

    /** A KV cache that stays on a CUDA device is beyond ONNX Runtime's Java binding. */
    @Override
    public boolean decodesOn(Device.Kind kind) {
        return kind == Device.Kind.CPU;
    }

    @Override
    public boolean quantises() {
        return true;
    }

    @Override
    public long ownBytes() {
        return OWN_BYTES;
    }

    @Override
    public Footprint footprint(Inventory network, int rows, Precision precision, boolean inTwoForms) {
        return StoredWeights.footprint(network, rows, precision, inTwoForms);
    }

    @Override
    public Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        requirePrecision(options);
        return new OnnxRunning(network, weights, constants, options);
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        if (!decodesOn(options.device().kind())) {
            throw new RuntimeUnavailableException("The engine 'onnx' has no decoder for " + options.device()
                    + ", only encoder and adapter; the engine 'pytorch' has (io.langbridge:langbridge-pytorch)");
        }
        return new OnnxDecoder(config, weights, options);
    }

    private static void requirePrecision(EngineOptions options) {
        if (options.precision() != Precision.FULL && options.device().kind() != Device.Kind.CPU) {
            throw new RuntimeUnavailableException("The engine 'onnx' has " + options.precision()
                    + " on the CPU only, not on " + options.device()
                    + "; choose device(\"cpu\"), or leave the precision"
                    + " as it is");
        }
    }

    @Override
    public void multiply(
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            FloatTensor product,
            EngineOptions options) {
        MatrixProduct.into(product, a, transposeA, b, transposeB, options);
    }
}

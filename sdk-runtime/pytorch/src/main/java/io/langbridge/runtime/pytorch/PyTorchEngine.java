package io.langbridge.runtime.pytorch;

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
 * Runs the networks with PyTorch: on CUDA in bfloat16 (float16 where the weights are), on the CPU in float32. The
 * networks become TorchScript texts, see {@link TorchNet}; weights are mapped from their files. Safe for use by several
 * threads.
 *
 * <p>The native libraries are artefacts of their own: {@code ai.djl.pytorch:pytorch-jni} and {@code pytorch-native-cpu}
 * for the CPU; for CUDA {@code pytorch-native-cu124} with the versions of {@code langbridge-bom-cu124}, or a libtorch
 * named by {@code PYTORCH_LIBRARY_PATH}, {@code PYTORCH_VERSION} and {@code PYTORCH_FLAVOR}. Nothing is downloaded
 * unless the options allow it. Without them, or with some that do not fit the release of DJL that is there, the first
 * network asked for fails with {@link io.langbridge.RuntimeUnavailableException}.
 *
 * @since 0.1
 */
public final class PyTorchEngine implements Engine {
    /** As measured on Linux: the libraries, and what they set up. */
    private static final long OWN_BYTES = 210_000_000;

    /** Creates the engine; nothing is loaded before the first network is asked for. */
    public PyTorchEngine() {}

    @Override
    public String name() {
        return "pytorch";
    }

    @Override
    public void require(Device device, boolean allowDownloads) {
        TorchRuntime.require(device, allowDownloads);
    }

    @Override
    public String natives() {
        return Natives.describe(Natives.Environment.current(false));
    }

    @Override
    public boolean decodesOn(Device.Kind kind) {
        return true;
    }

    @Override
    public boolean quantises() {
        return false;
    }

    @Override
    public long ownBytes() {
        return OWN_BYTES;
    }

    @Override
    public Footprint footprint(Inventory network, int rows, Precision precision, boolean inTwoForms) {
        return WeightLoader.footprint(network, rows);
    }

    @Override
    public Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        requireFullPrecision(options);
        return new PyTorchRunning(network, weights, constants, options);
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        requireFullPrecision(options);
        return new PyTorchDecoder(config, weights, options);
    }

    private static void requireFullPrecision(EngineOptions options) {
        if (options.precision() != Precision.FULL) {
            throw new RuntimeUnavailableException("The engine 'pytorch' computes in full precision only, not in "
                    + options.precision() + "; choose engine(\"onnx\") on the CPU (io.langbridge:langbridge-onnx), or"
                    + " leave the precision as it is");
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

package io.langbridge.runtime.core.engine;

import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** Says where it could compute, and multiplies with plain loops; has no networks. */
public final class FakeEngine implements Engine {
    /** Products computed so far. */
    public int products;

    private final String name;
    private final Set<Device.Kind> kinds = EnumSet.noneOf(Device.Kind.class);

    /** Computes on these. */
    public FakeEngine(String name, Device.Kind... kinds) {
        this.name = name;
        this.kinds.addAll(Arrays.asList(kinds));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void require(Device device, boolean allowDownloads) {
        if (!kinds.contains(device.kind())) {
            throw new RuntimeUnavailableException(name + ": no " + device.kind());
        }
    }

    @Override
    public boolean decodesOn(Device.Kind kind) {
        return kind == Device.Kind.CPU || name.equals("pytorch");
    }

    @Override
    public boolean quantises() {
        return name.equals("onnx");
    }

    @Override
    public Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void multiply(
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            FloatTensor product,
            EngineOptions options) {
        products++;
        int[] sizes = Engine.productSizes(a, transposeA, b, transposeB);
        for (int i = 0; i < sizes[0]; i++) {
            for (int j = 0; j < sizes[2]; j++) {
                double sum = 0;
                for (int k = 0; k < sizes[1]; k++) {
                    sum += (double) a.data().get(transposeA ? k * sizes[0] + i : i * sizes[1] + k)
                            * b.data().get(transposeB ? j * sizes[1] + k : k * sizes[2] + j);
                }
                product.data().put(i * sizes[2] + j, (float) sum);
            }
        }
    }
}

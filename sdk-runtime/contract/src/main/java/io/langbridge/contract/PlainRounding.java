package io.langbridge.contract;

import io.langbridge.Device;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What quantising costs without any skill: the same networks in full precision, on weights that were rounded to 8 or 4
 * bits by the largest magnitude of each block. Its errors are the measure for an engine's own way of rounding. Nothing
 * else is rounded: neither what flows between layers nor LangBridge's embedding rows.
 */
final class PlainRounding implements Engine, AutoCloseable {
    /** As many weights have a scale of their own in {@code MatMulNBits}; rows that are shorter are one block. */
    private static final int BLOCK = 128;

    private final Engine engine;
    private final Closing opened = new Closing();
    private int files;

    PlainRounding(Engine engine) {
        this.engine = engine;
    }

    @Override
    public Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        return engine.open(network, rounded(weights, options), constants, options.with(Precision.FULL));
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        return engine.decoder(config, rounded(weights, options), options.with(Precision.FULL));
    }

    private Weights rounded(Weights weights, EngineOptions options) {
        int bits = switch (options.precision()) {
            case FULL -> 0;
            case INT8 -> 8;
            case INT4 -> 4;
        };
        if (bits == 0) {
            return weights;
        }
        SafetensorsWriter writer = new SafetensorsWriter();
        for (String name : weights.names()) {
            StoredTensor tensor = weights.get(name);
            long[] shape = tensor.shape();
            if (tensor.offset() != null && (shape.length != 2 || tensor.dtype() == DType.I64)) {
                writer.add(name, tensor);
                continue;
            }
            float[] values = tensor.toFloats();
            if (shape.length == 2) {
                round(values, Math.toIntExact(shape[1]), bits);
            }
            writer.add(name, FloatBuffer.wrap(values), shape);
        }
        try {
            Path folder = Files.createDirectories(options.cacheDirectory().resolve("plain"));
            return opened.add(Checkpoints.open(writer.write(folder.resolve(files++ + ".safetensors"))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void round(float[] weights, int inputs, int bits) {
        int largestValue = (1 << bits - 1) - 1;
        for (int row = 0; row < weights.length; row += inputs) {
            for (int from = row; from < row + inputs; from += BLOCK) {
                int to = Math.min(from + BLOCK, row + inputs);
                float largest = 0;
                for (int i = from; i < to; i++) {
                    largest = Math.max(largest, Math.abs(weights[i]));
                }
                float scale = largest / largestValue;
                for (int i = from; i < to && scale > 0; i++) {
                    weights[i] = Math.round(weights[i] / scale) * scale;
                }
            }
        }
    }

    @Override
    public String name() {
        return engine.name();
    }

    @Override
    public void require(Device device, boolean allowDownloads) {
        engine.require(device, allowDownloads);
    }

    @Override
    public boolean decodesOn(Device.Kind kind) {
        return engine.decodesOn(kind);
    }

    @Override
    public boolean quantises() {
        return engine.quantises();
    }

    @Override
    public void multiply(
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            FloatTensor product,
            EngineOptions options) {
        engine.multiply(a, transposeA, b, transposeB, product, options);
    }

    @Override
    public void close() {
        Closing.all(opened.opened());
    }
}

package io.langbridge.demoworld;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.Adapter;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.AdapterConfigWriter;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.model.Fit;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An adapter as numbers: linear layers with a GELU between. Of a LangBridge adapter, what the last one gives are
 * coefficients, and the two layers without a GELU between are one.
 *
 * @param layers at least two
 * @param settings which features and pictures it takes, as its configuration says
 */
record AdapterLayers(List<Layer> layers, Map<String, JsonElement> settings) {
    /** So much steeper, a GELU is zero below zero and leaves what is above. */
    private static final double STEEP = 1000;

    /**
     * A linear layer.
     *
     * @param weight {@code [out, in]}
     * @param bias {@code [out]}
     */
    record Layer(double[][] weight, double[] bias) {
        private static Layer read(Weights weights, int number) {
            return new Layer(matrix(weights.get(number + ".weight")), matrix(weights.get(number + ".bias"))[0]);
        }

        /** What this one gives goes through a map. */
        Layer then(LinearMap map) {
            return new Layer(LinearMap.product(LinearMap.transposed(map.matrix()), weight), map.of(bias));
        }

        private LinearMap map() {
            return new LinearMap(LinearMap.transposed(weight), bias);
        }

        private void write(SafetensorsWriter writer, int number, int out, int in) {
            FloatBuffer values = FloatBuffer.allocate(out * in);
            FloatBuffer biases = FloatBuffer.allocate(out);
            for (int i = 0; i < weight.length; i++) {
                for (int j = 0; j < weight[i].length; j++) {
                    values.put(i * in + j, (float) weight[i][j]);
                }
                biases.put(i, (float) bias[i]);
            }
            writer.add("model.mm_projector." + number + ".weight", values, out, in);
            writer.add("model.mm_projector." + number + ".bias", biases, out);
        }
    }

    /** Reads an adapter of two linear layers, or LangBridge's of three. */
    static AdapterLayers read(Adapter adapter) {
        try (AdapterPart part = Fit.open(adapter)) {
            List<Layer> layers = new ArrayList<>(List.of(Layer.read(part.weights(), 0), Layer.read(part.weights(), 2)));
            if (part.config() instanceof AdapterConfig.LangBridge) {
                layers.set(1, layers.get(1).then(Layer.read(part.weights(), 3).map()));
            }
            return new AdapterLayers(layers, part.settings());
        }
    }

    /** {@return rows of a tensor; one row if it has one dimension} */
    static double[][] matrix(StoredTensor tensor) {
        float[] values = tensor.toFloats();
        int width = Math.toIntExact(tensor.shape()[tensor.shape().length - 1]);
        double[][] rows = new double[values.length / width][width];
        for (int i = 0; i < values.length; i++) {
            rows[i / width][i % width] = values[i];
        }
        return rows;
    }

    static double[][] diagonal(int size, double value) {
        double[][] matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            matrix[i][i] = value;
        }
        return matrix;
    }

    private Layer last() {
        return layers.get(layers.size() - 1);
    }

    /** Another last layer, or one more. */
    private AdapterLayers with(int kept, Layer... more) {
        List<Layer> changed = new ArrayList<>(layers.subList(0, kept));
        changed.addAll(List.of(more));
        return new AdapterLayers(changed, settings);
    }

    /** What it gives goes through a map, which becomes part of the last layer. */
    AdapterLayers then(LinearMap map) {
        return with(layers.size() - 1, last().then(map));
    }

    /** What lies behind the first GELU instead of what it gives. */
    AdapterLayers latent() {
        int width = layers.get(0).bias().length;
        return with(1, new Layer(diagonal(width, 1), new double[width]));
    }

    /** The same with another last layer, which is fitted to something. */
    AdapterLayers withLast(LinearMap map) {
        return with(layers.size() - 1, new Layer(LinearMap.transposed(map.matrix()), map.offset()));
    }

    /** Takes this much off everything it gives, and leaves nothing that would be below zero. */
    AdapterLayers above(double threshold) {
        int width = last().bias().length;
        LinearMap steep = new LinearMap(diagonal(width, STEEP), new double[width]);
        Layer shifted = last().then(steep);
        for (int i = 0; i < width; i++) {
            shifted.bias()[i] -= STEEP * threshold;
        }
        return with(layers.size() - 1, shifted, new Layer(diagonal(width, 1 / STEEP), new double[width]));
    }

    /** As {@link #above}, and what is far below zero stays too, as much nearer to it. */
    AdapterLayers beyond(double threshold) {
        int width = last().bias().length;
        double[][] twice = new double[width][2 * width];
        for (int i = 0; i < width; i++) {
            twice[i][i] = 1;
            twice[i][width + i] = -1;
        }
        AdapterLayers both = then(new LinearMap(twice, new double[2 * width])).above(threshold);
        return both.then(new LinearMap(LinearMap.transposed(twice), new double[width]));
    }

    /** Writes it as LLaVA's MLP, which is as wide between all its layers: zeros fill what is narrower. */
    Adapter write(Path folder) throws IOException {
        int in = layers.get(0).weight()[0].length;
        int out = last().bias().length;
        int inner = layers.subList(0, layers.size() - 1).stream()
                .mapToInt(layer -> layer.bias().length)
                .max()
                .orElseThrow();
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).write(writer, 2 * i, i == layers.size() - 1 ? out : inner, i == 0 ? in : inner);
        }
        write(
                folder,
                writer,
                AdapterConfigWriter.shape(new AdapterConfig.Mlp(in, inner, out, layers.size(), true), out));
        return Adapter.projector(folder);
    }

    /** Writes two layers as a LangBridge adapter, what it gives being coefficients. */
    Adapter write(Path folder, Path vocabulary, boolean softmax) throws IOException {
        int in = layers.get(0).weight()[0].length;
        int inner = layers.get(0).bias().length;
        int out = last().bias().length;
        SafetensorsWriter writer = new SafetensorsWriter();
        layers.get(0).write(writer, 0, inner, in);
        latent().last().write(writer, 2, inner, inner);
        last().write(writer, 3, out, inner);
        write(folder, writer, AdapterConfigWriter.shape(new AdapterConfig.LangBridge(in, inner, out, softmax), null));
        Files.copy(vocabulary, folder.resolve("vocabulary.json"), StandardCopyOption.REPLACE_EXISTING);
        return Adapter.langBridge(folder);
    }

    private void write(Path folder, SafetensorsWriter writer, JsonObject config) throws IOException {
        Files.createDirectories(folder);
        writer.write(folder.resolve("mm_projector.safetensors"));
        settings.forEach(config::add);
        Files.writeString(
                folder.resolve("config.json"),
                new GsonBuilder().setPrettyPrinting().create().toJson(config));
    }
}

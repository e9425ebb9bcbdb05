package io.langbridge.benchmarks;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.DecoderConfigReader;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.VisionConfigReader;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Writes Hugging Face folders with random weights at the shape of real models, so that nobody needs to download any. A
 * shape is a {@code config.json} among the resources.
 */
final class RandomModels {
    private static final int TABLE = 1 << 16;
    private static final int CHUNK = 1 << 20;

    private RandomModels() {}

    /**
     * Writes what is missing in a folder: configuration, weights, and the tokenizer or the shared vocabulary. Weights
     * that are there already, such as those of a script that other programs are measured with, are left as they are.
     *
     * @throws IllegalArgumentException if there is no such shape
     */
    static void complete(String shape, Path folder) throws IOException {
        byte[] resource = shape(shape);
        Path configFile = folder.resolve("config.json");
        Files.createDirectories(folder);
        if (!Files.exists(configFile)) {
            Files.write(configFile, resource);
        }
        Json config = Json.read(configFile);
        if (config.has("mm_vocab_size")) {
            int columns = config.requiredInt("mm_vocab_size");
            writeUnlessThere(folder.resolve("vocabulary.json"), () -> vocabulary(columns));
            writeWeights(folder.resolve("mm_projector.safetensors"), adapter(config));
        } else if (config.stringOr("model_type", "").startsWith("clip")) {
            writeUnlessThere(folder.resolve("preprocessor_config.json"), JsonObject::new); // the defaults of CLIP
            writeWeights(folder.resolve("model.safetensors"), encoder(config));
        } else {
            tokenizer(config, folder);
            writeWeights(folder.resolve("model.safetensors"), decoder(config));
        }
    }

    /** Writes the tokenizer of a shape alone. */
    static void tokenizer(String shape, Path folder) throws IOException {
        Files.createDirectories(folder);
        tokenizer(Json.parse(shape(shape), shape), folder);
    }

    private static void tokenizer(Json config, Path folder) throws IOException {
        RandomTokenizer tokenizer =
                new RandomTokenizer(config.requiredInt("bos_token_id"), config.requiredInt("eos_token_id"));
        writeUnlessThere(folder.resolve("tokenizer.json"), tokenizer::file);
        writeUnlessThere(folder.resolve("tokenizer_config.json"), tokenizer::config);
    }

    private static byte[] shape(String name) throws IOException {
        try (InputStream in = RandomModels.class.getResourceAsStream("shapes/" + name + ".json")) {
            if (in == null) {
                throw new IllegalArgumentException("'" + name + "' is neither a folder nor a shape; shapes are"
                        + " qwen2-0.5b, qwen2-7b, llama3.2-1b, qwen3-1.7b, qwen3.5-0.8b, gemma3-4b, clip-l-336 and"
                        + " langbridge-19200");
            }
            return in.readAllBytes();
        }
    }

    private interface Content {
        Object json();
    }

    private static void writeUnlessThere(Path file, Content content) throws IOException {
        if (!Files.exists(file)) {
            Files.writeString(file, new Gson().toJson(content.json()));
        }
    }

    /** The first tokens of every generated tokenizer: one vocabulary serves all of them. */
    private static JsonObject vocabulary(int columns) {
        List<String> tokens = RandomTokenizer.tokens(columns);
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < columns; i++) {
            vocabulary.addProperty(tokens.get(i), i);
        }
        return vocabulary;
    }

    private static Tensors decoder(Json config) {
        Tensors tensors = new Tensors(config, "");
        Inventory.of(DecoderConfigReader.read(config).network()).check(tensors);
        return tensors;
    }

    private static Tensors encoder(Json config) {
        Tensors tensors = new Tensors(config, "vision_model.");
        VisionConfig vision = VisionConfigReader.read(config, FeatureSelection.DEFAULT);
        Inventory.ofTrace(Vit.network(vision, true)).check(tensors);
        return tensors;
    }

    private static Tensors adapter(Json config) {
        Tensors tensors = new Tensors(config, "model.mm_projector.");
        AdapterConfig.LangBridge adapter = new AdapterConfig.LangBridge(
                config.requiredInt("mm_hidden_size"),
                config.requiredInt("mlp_hidden_size"),
                config.requiredInt("mm_vocab_size"),
                false);
        Inventory.of(Projector.coefficients(adapter)).check(tensors);
        return tensors;
    }

    private static void writeWeights(Path file, Tensors tensors) {
        if (Files.exists(file)) {
            return;
        }
        System.err.println("Writing random weights once: " + file);
        tensors.write(file);
    }

    /**
     * Notes which tensors are asked for, then writes them. Biases and norms are random too: weights that do nothing
     * would hide mistakes.
     */
    private static final class Tensors implements Weights {
        private final Map<String, long[]> shapes = new LinkedHashMap<>();
        private final String prefix;
        private final DType dtype;
        private final boolean normsAroundZero;

        Tensors(Json config, String prefix) {
            this.prefix = prefix;
            dtype = config.stringOr("torch_dtype", "float32").equals("bfloat16") ? DType.BF16 : DType.F32;
            String type = config.stringOr("model_type", "");
            normsAroundZero = type.startsWith("gemma") || type.startsWith("qwen3_5");
        }

        void write(Path file) {
            float[] normal = normal();
            SafetensorsWriter writer = new SafetensorsWriter();
            shapes.forEach((name, shape) ->
                    writer.add(prefix + name, dtype, channel -> write(channel, name, shape, normal), shape));
            writer.write(file);
        }

        private void write(FileChannel channel, String name, long[] shape, float[] normal) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocateDirect(CHUNK * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            boolean norm = name.contains("norm") && name.endsWith(".weight");
            // The norm inside a delta rule is a plain one everywhere.
            float centre = norm && (!normsAroundZero || name.contains("linear_attn")) ? 1 : 0;
            // The adapter's three linear maps in a row would fade out; scaled by their inputs they keep the size.
            boolean fanIn = prefix.endsWith("mm_projector.") && shape.length == 2;
            float deviation = norm ? 0.05f : fanIn ? (float) Math.sqrt(1.0 / shape[1]) : 0.02f;
            SplittableRandom random = new SplittableRandom(name.hashCode());
            long left = elements(shape);
            while (left > 0) {
                int count = (int) Math.min(CHUNK, left);
                bytes.clear();
                long bits = 0;
                for (int i = 0; i < count; i++) {
                    bits = i % 4 == 0 ? random.nextLong() : bits >>> 16;
                    float value = centre + deviation * normal[(int) bits & TABLE - 1];
                    if (dtype == DType.F32) {
                        bytes.putFloat(value);
                    } else {
                        bytes.putShort((short) (Float.floatToRawIntBits(value) + 0x8000 >>> 16));
                    }
                }
                WeightFile.writeFully(channel, bytes.flip());
                left -= count;
            }
        }

        /** Drawn from once and again: five hundred million calls of a generator of normal values take long. */
        private static float[] normal() {
            java.util.Random random = new java.util.Random(7);
            float[] table = new float[TABLE];
            for (int i = 0; i < TABLE; i++) {
                table[i] = (float) random.nextGaussian();
            }
            return table;
        }

        private static long elements(long[] shape) {
            long n = 1;
            for (long d : shape) {
                n *= d;
            }
            return n;
        }

        @Override
        public StoredTensor get(String name, long... shape) {
            shapes.put(name, shape.clone());
            return new Asked(prefix + name, dtype, shape.clone());
        }

        @Override
        public StoredTensor get(String name) {
            throw new UnsupportedOperationException("Only asked for with a shape: " + name);
        }

        @Override
        public Set<String> names() {
            return shapes.keySet();
        }

        @Override
        public String source() {
            return "random weights";
        }

        @Override
        public Weights under(String wanted) {
            throw new UnsupportedOperationException("Only asked for with a shape: " + wanted);
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** A tensor that is going to be written; it has no values to read yet. */
    private record Asked(String name, DType dtype, long[] shape) implements StoredTensor {
        @Override
        public Path file() {
            return Path.of("not-written-yet");
        }

        @Override
        public Long offset() {
            return 0L;
        }

        @Override
        public void read(long from, FloatBuffer target) {
            throw new UnsupportedOperationException(name + " is not written yet");
        }
    }
}

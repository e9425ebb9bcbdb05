package io.langbridge.runtime.onnx;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes and reads safetensors files for tests: float32 or bfloat16, everything valid, no checks. */
final class SafetensorsFile implements Weights {
    private final Map<String, StoredTensor> tensors = new TreeMap<>();
    private final String source;

    /** Opens the files as one set of weights. */
    SafetensorsFile(Path... files) throws IOException {
        source = Arrays.toString(files);
        for (Path file : files) {
            readHeader(file);
        }
    }

    private SafetensorsFile(String source) {
        this.source = source;
    }

    record Values(float[] data, long... shape) {}

    /** Writes the tensors in the order of the map. */
    static void write(Path file, DType dtype, Map<String, Values> tensors) throws IOException {
        JsonObject header = new JsonObject();
        long offset = 0;
        for (Map.Entry<String, Values> tensor : tensors.entrySet()) {
            JsonObject entry = new JsonObject();
            entry.addProperty("dtype", dtype.name());
            JsonArray shape = new JsonArray();
            for (long size : tensor.getValue().shape()) {
                shape.add(size);
            }
            entry.add("shape", shape);
            JsonArray range = new JsonArray();
            range.add(offset);
            offset += (long) tensor.getValue().data().length * dtype.bytes();
            range.add(offset);
            entry.add("data_offsets", range);
            header.add(tensor.getKey(), entry);
        }
        StringBuilder json = new StringBuilder(header.toString());
        while (json.length() % 8 != 0) {
            json.append(' ');
        }
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer start = ByteBuffer.allocate(8 + json.length()).order(ByteOrder.LITTLE_ENDIAN);
            start.putLong(json.length()).put(json.toString().getBytes(StandardCharsets.UTF_8)).flip();
            channel.write(start);
            for (Values values : tensors.values()) {
                ByteBuffer bytes = ByteBuffer.allocate(values.data().length * dtype.bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
                for (float value : values.data()) {
                    if (dtype == DType.F32) {
                        bytes.putFloat(value);
                    } else {
                        bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                    }
                }
                bytes.flip();
                channel.write(bytes);
            }
        }
    }

    private void readHeader(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer size = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            channel.read(size, 0);
            long headerSize = size.getLong(0);
            ByteBuffer text = ByteBuffer.allocate((int) headerSize);
            channel.read(text, 8);
            JsonObject header = JsonParser.parseString(new String(text.array(), StandardCharsets.UTF_8))
                    .getAsJsonObject();
            header.remove("__metadata__");
            for (String name : header.keySet()) {
                JsonObject entry = header.getAsJsonObject(name);
                DType dtype = DType.valueOf(entry.get("dtype").getAsString());
                JsonArray dims = entry.getAsJsonArray("shape");
                long[] shape = new long[dims.size()];
                Arrays.setAll(shape, i -> dims.get(i).getAsLong());
                long start = entry.getAsJsonArray("data_offsets").get(0).getAsLong();
                tensors.put(name, new Tensor(name, dtype, shape, file, 8 + headerSize + start));
            }
        }
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public String source() {
        return source;
    }

    @Override
    public StoredTensor get(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("There is no tensor " + name + " in " + source);
        }
        return tensor;
    }

    @Override
    public Weights under(String prefix) {
        SafetensorsFile view = new SafetensorsFile(source);
        tensors.forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                view.tensors.put(name.substring(prefix.length()), tensor);
            }
        });
        return view;
    }

    @Override
    public void close() {}

    private static final class Tensor implements StoredTensor {
        private final String name;
        private final DType dtype;
        private final long[] shape;
        private final Path file;
        private final long offset;

        Tensor(String name, DType dtype, long[] shape, Path file, long offset) {
            this.name = name;
            this.dtype = dtype;
            this.shape = shape;
            this.file = file;
            this.offset = offset;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public DType dtype() {
            return dtype;
        }

        @Override
        public long[] shape() {
            return shape.clone();
        }

        @Override
        public Path file() {
            return file;
        }

        @Override
        public Long offset() {
            return offset;
        }

        @Override
        public void read(long from, FloatBuffer target) {
            ByteBuffer bytes =
                    ByteBuffer.allocate(target.remaining() * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            try (FileChannel channel = FileChannel.open(file)) {
                channel.read(bytes, offset + from * dtype.bytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            bytes.flip();
            while (target.hasRemaining()) {
                switch (dtype) {
                    case F32 -> target.put(bytes.getFloat());
                    case BF16 -> target.put(Float.intBitsToFloat(bytes.getShort() << 16));
                    case I64 -> target.put(bytes.getLong());
                    default -> throw new IllegalStateException("No test needs " + dtype);
                }
            }
        }
    }
}

package io.langbridge.runtime.core.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.langbridge.UnsupportedModelException;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Writes a safetensors file, tensor by tensor in the order in which they are added. Not thread-safe. */
public final class SafetensorsWriter {
    private static final int COPY_FLOATS = 1 << 16;
    private static final int ALIGNMENT = 8;

    private final JsonObject header = new JsonObject();
    private final JsonObject metadata = new JsonObject();
    private final List<Entry> entries = new ArrayList<>();
    private long length;

    /** Writes the bytes of a tensor, from where the channel stands. */
    public interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    private record Entry(String name, long bytes, Content content) {}

    /** Begins a file, marked as transformers marks its own. */
    public SafetensorsWriter() {
        metadata.addProperty("format", "pt");
    }

    /** Adds a text to the file's metadata. */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.addProperty(key, value);
        return this;
    }

    /**
     * Adds a tensor.
     *
     * @throws IllegalArgumentException if there is one of this name already
     */
    public SafetensorsWriter add(String name, DType dtype, Content content, long... shape) {
        if (header.has(name)) {
            throw new IllegalArgumentException("There are two tensors named " + name);
        }
        long bytes = Math.multiplyExact(Shapes.elements(shape), dtype.bytes());
        JsonObject entry = new JsonObject();
        entry.addProperty("dtype", dtype.name());
        JsonArray sizes = new JsonArray();
        for (long size : shape) {
            sizes.add(size);
        }
        entry.add("shape", sizes);
        JsonArray offsets = new JsonArray();
        offsets.add(length);
        offsets.add(length + bytes);
        entry.add("data_offsets", offsets);
        header.add(name, entry);
        entries.add(new Entry(name, bytes, content));
        length += bytes;
        return this;
    }

    /** Adds float32 values, as many as the shape asks for. */
    public SafetensorsWriter add(String name, FloatBuffer values, long... shape) {
        return add(name, DType.F32, channel -> writeFloats(values.duplicate(), channel), shape);
    }

    /**
     * Adds a stored tensor bit for bit.
     *
     * @throws UnsupportedModelException if its elements do not lie in its file as one run
     */
    public SafetensorsWriter add(String name, StoredTensor tensor) {
        Long offset = tensor.offset();
        if (offset == null) {
            throw new UnsupportedModelException("Tensor " + tensor.name() + " in " + tensor.file()
                    + " is a strided view, which cannot be copied as it is; save it with .contiguous().");
        }
        long bytes = Math.multiplyExact(tensor.elements(), tensor.dtype().bytes());
        return add(name, tensor.dtype(), channel -> copy(tensor.file(), offset, bytes, channel), tensor.shape());
    }

    /**
     * Writes the file beside its place first, so that a broken write leaves what was there.
     *
     * @return {@code file}
     * @throws io.langbridge.CheckpointException if it cannot be written
     */
    public Path write(Path file) {
        return AtomicWrite.to(file, part -> {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                writeTo(channel);
            }
        });
    }

    private void writeTo(FileChannel channel) throws IOException {
        JsonObject all = new JsonObject();
        all.add("__metadata__", metadata);
        header.entrySet().forEach(entry -> all.add(entry.getKey(), entry.getValue()));
        StringBuilder text = new StringBuilder(all.toString());
        int bytes = text.toString().getBytes(StandardCharsets.UTF_8).length;
        for (int i = bytes; i % ALIGNMENT != 0; i++) {
            text.append(' ');
        }
        byte[] json = text.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer start = ByteBuffer.allocate(Long.BYTES + json.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(json.length).put(json);
        ((Buffer) start).flip(); // Android 8 lacks the overrides of Java 9
        WeightFile.writeFully(channel, start);
        for (Entry entry : entries) {
            long before = channel.position();
            entry.content().writeTo(channel);
            if (channel.position() - before != entry.bytes()) {
                throw new IllegalStateException("Tensor " + entry.name() + " should have " + entry.bytes()
                        + " bytes and has " + (channel.position() - before));
            }
        }
    }

    private static void copy(Path file, long offset, long bytes, FileChannel target) throws IOException {
        try (FileChannel source = FileChannel.open(file, StandardOpenOption.READ)) {
            for (long done = 0; done < bytes; ) {
                long count = source.transferTo(offset + done, bytes - done, target);
                if (count <= 0) {
                    throw new IOException(file + " ends before byte " + (offset + bytes));
                }
                done += count;
            }
        }
    }

    /** Writes all values of a tensor as float32, little-endian. */
    public static void writeFloats(StoredTensor tensor, FileChannel channel) throws IOException {
        long elements = tensor.elements();
        int most = (int) Math.min(COPY_FLOATS, elements);
        ByteBuffer bytes = ByteBuffer.allocate(most * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long from = 0; from < elements; from += most) {
            int count = (int) Math.min(most, elements - from);
            ((Buffer) bytes).clear().limit(count * Float.BYTES);
            tensor.read(from, bytes.asFloatBuffer());
            WeightFile.writeFully(channel, bytes);
        }
    }

    /** Writes all that remains in {@code values}, little-endian. */
    public static void writeFloats(FloatBuffer values, FileChannel channel) throws IOException {
        int most = Math.min(COPY_FLOATS, values.remaining());
        ByteBuffer bytes = ByteBuffer.allocate(most * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            FloatBuffer part = values.duplicate();
            ((Buffer) part).limit(Math.min(values.limit(), values.position() + most));
            ((Buffer) values).position(part.limit());
            ((Buffer) bytes).clear().limit(part.remaining() * Float.BYTES);
            bytes.asFloatBuffer().put(part);
            WeightFile.writeFully(channel, bytes);
        }
    }
}

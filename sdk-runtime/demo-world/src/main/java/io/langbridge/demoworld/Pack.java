package io.langbridge.demoworld;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Copies a folder of a model with its weights rounded to bfloat16, which halves them; or the mean of two. */
final class Pack {
    private Pack() {}

    static void copy(Path from, Path to) throws IOException {
        mean(from, from, 0, to);
    }

    /**
     * Copies a folder with the mean of its weights and another's, which have the same names.
     *
     * @param share how much the other's count, 0 to 1
     */
    static void mean(Path from, Path other, double share, Path to) throws IOException {
        Files.createDirectories(to);
        List<Path> files;
        try (Stream<Path> all = Files.list(from)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            Path target = to.resolve(file.getFileName());
            if (file.toString().endsWith(".safetensors")) {
                round(file, other.resolve(file.getFileName()), share, target);
            } else {
                String text = Files.readString(file);
                Files.writeString(target, text.replaceAll("(\"torch_dtype\": )\"float32\"", "$1\"bfloat16\""));
            }
        }
    }

    private static void round(Path from, Path other, double share, Path to) {
        try (Weights weights = Checkpoints.open(from);
                Weights others = Checkpoints.open(other)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (String name : weights.names()) {
                StoredTensor tensor = weights.get(name);
                StoredTensor added = others.get(name, tensor.shape());
                writer.add(name, DType.BF16, channel -> write(tensor, added, share, channel), tensor.shape());
            }
            writer.write(to);
        }
    }

    private static void write(StoredTensor tensor, StoredTensor other, double share, FileChannel channel)
            throws IOException {
        FloatBuffer values = values(tensor);
        FloatBuffer added = values(other);
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            int bits = Float.floatToIntBits((float) ((1 - share) * values.get() + share * added.get()));
            bytes.putShort((short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16)); // to the nearest, ties to even
        }
        bytes.flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static FloatBuffer values(StoredTensor tensor) {
        FloatBuffer values = FloatBuffer.allocate(Math.toIntExact(tensor.elements()));
        tensor.read(0, values);
        return values.rewind();
    }
}

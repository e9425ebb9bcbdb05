package io.langbridge.benchmarks;

import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** NumPy's files, little-endian float32 in row order, to exchange inputs and results with reference scripts. */
final class Npy {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int ALIGNMENT = 64;
    private static final Pattern SHAPE = Pattern.compile("'shape': *\\(([0-9, ]*)\\)");

    private Npy() {}

    /** Reads a file of version 1 to 3. */
    static FloatTensor read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[MAGIC.length];
        if (bytes.limit() < 12) {
            throw new IllegalArgumentException(file + " is no .npy file");
        }
        bytes.get(magic);
        int version = bytes.get();
        bytes.get();
        int length = version == 1 ? bytes.getShort() & 0xFFFF : bytes.getInt();
        if (!Arrays.equals(magic, MAGIC) || length < 0 || length > bytes.remaining()) {
            throw new IllegalArgumentException(file + " is no .npy file");
        }
        byte[] text = new byte[length];
        bytes.get(text);
        String header = new String(text, StandardCharsets.UTF_8);
        Matcher shape = SHAPE.matcher(header);
        if (!header.contains("'<f4'") || header.contains("'fortran_order': True") || !shape.find()) {
            throw new IllegalArgumentException(
                    file + " does not hold little-endian float32 in row order: " + header.trim());
        }
        int[] sizes = Arrays.stream(shape.group(1).split(",", -1))
                .map(String::trim)
                .filter(size -> !size.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
        FloatTensor tensor = FloatTensor.allocate(sizes);
        if (bytes.remaining() != (long) tensor.count() * Float.BYTES) {
            throw new IllegalArgumentException(file + " holds " + bytes.remaining() + " bytes of values, but its shape "
                    + Arrays.toString(sizes) + " needs " + (long) tensor.count() * Float.BYTES);
        }
        tensor.data().put(bytes.asFloatBuffer());
        return tensor;
    }

    /** Writes a file of version 1. */
    static void write(Path file, FloatTensor tensor) throws IOException {
        String shape = Arrays.stream(tensor.shape()).mapToObj(d -> d + ",").collect(Collectors.joining(" "));
        StringBuilder header =
                new StringBuilder("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }");
        int before = MAGIC.length + 4;
        while ((before + header.length() + 1) % ALIGNMENT != 0) {
            header.append(' ');
        }
        header.append('\n');
        ByteBuffer bytes = ByteBuffer.allocate(before + header.length() + tensor.count() * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) header.length());
        bytes.put(header.toString().getBytes(StandardCharsets.US_ASCII));
        bytes.asFloatBuffer().put(tensor.data());
        Files.write(file, bytes.array());
    }
}

package io.langbridge.runtime.core.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.Checksum;

/**
 * SHA-256 of what something depends on. Tensors go into it by two checksums, because some are hundreds of megabytes,
 * read at every start. Not thread-safe.
 */
public final class ContentHash {
    private static final int CHUNK_BYTES = 1 << 20;

    private final MessageDigest digest = sha256();
    private final List<Checksum> checksums = Arrays.asList(new CRC32(), new Adler32());

    /** Begins with nothing. */
    public ContentHash() {}

    /** SHA-256 of a file as {@code sha256sum} prints it. */
    public static String of(Path path) {
        ContentHash hash = new ContentHash();
        try (OpenFile file = OpenFile.open(path)) {
            read(file, 0, file.size(), (bytes, count) -> hash.digest.update(bytes, 0, count));
        }
        return hash.hex();
    }

    /** Adds a text and its end. */
    public ContentHash add(String text) {
        digest.update((text + '\n').getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** Adds the first bytes of an array. */
    ContentHash add(byte[] bytes, int count) {
        digest.update(bytes, 0, count);
        return this;
    }

    /** Adds the values of a tensor as they are stored; as float32 if they do not lie in one piece. */
    public ContentHash add(StoredTensor tensor) {
        Long offset = tensor.offset();
        if (offset == null) {
            return add(FloatBuffer.wrap(tensor.toFloats()));
        }
        add(tensor.dtype().toString());
        try (OpenFile file = OpenFile.open(tensor.file())) {
            read(file, offset, tensor.elements() * tensor.dtype().bytes(), this::check);
        }
        return addChecksums();
    }

    private static void read(OpenFile file, long start, long length, ObjIntConsumer<byte[]> target) {
        byte[] bytes = new byte[(int) Math.min(CHUNK_BYTES, length)];
        for (long at = 0; at < length; at += bytes.length) {
            int count = (int) Math.min(bytes.length, length - at);
            file.read(start + at, bytes, count);
            target.accept(bytes, count);
        }
    }

    /** Adds rows of a matrix as they are stored; as float32 if they do not lie in one piece. */
    public ContentHash addRows(StoredTensor matrix, int[] rows) {
        int width = Math.toIntExact(matrix.shape()[1]);
        Long offset = matrix.offset();
        if (offset == null) {
            FloatBuffer values = FloatBuffer.allocate(width);
            for (int row : rows) {
                matrix.read((long) row * width, values.duplicate());
                add(values.duplicate());
            }
            return this;
        }
        add(matrix.dtype().toString());
        byte[] bytes = new byte[width * matrix.dtype().bytes()];
        try (OpenFile file = OpenFile.open(matrix.file())) {
            for (int row : rows) {
                file.read(offset + (long) row * bytes.length, bytes, bytes.length);
                check(bytes, bytes.length);
            }
        }
        return addChecksums();
    }

    private void check(byte[] bytes, int count) {
        for (Checksum checksum : checksums) {
            checksum.update(bytes, 0, count);
        }
    }

    private ContentHash addChecksums() {
        for (Checksum checksum : checksums) {
            add(Long.toHexString(checksum.getValue()));
            checksum.reset();
        }
        return this;
    }

    /** Adds values. */
    public ContentHash add(FloatBuffer values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.remaining() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        digest.update(bytes.array());
        return this;
    }

    /** The hash of all that was added, 32 bytes; begins anew. */
    byte[] bytes() {
        return digest.digest();
    }

    /** The hash of all that was added, 64 digits; begins anew. */
    public String hex() {
        return hex(bytes(), 32);
    }

    static String hex(byte[] bytes, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(Character.forDigit(bytes[i] >> 4 & 0xf, 16)).append(Character.forDigit(bytes[i] & 0xf, 16));
        }
        return text.toString();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}

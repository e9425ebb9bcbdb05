package io.langbridge.runtime.core.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.function.ObjIntConsumer;

/** SHA-256 of what something depends on. Not thread-safe. */
public final class ContentHash {
    private static final int CHUNK_BYTES = 1 << 20;

    /** Values at the start and at the end of a tensor that stand for all of it. */
    private static final int SAMPLE = 64;

    private final MessageDigest digest = sha256();

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

    /**
     * The hash of some values of a tensor: by them is told what a view makes of it. What its file holds is compared as
     * a whole, see {@link WeightFile#source(Weights)}.
     */
    public static String ofSome(StoredTensor tensor) {
        int count = (int) Math.min(SAMPLE, tensor.elements());
        float[] sample = new float[2 * count];
        tensor.read(0, FloatBuffer.wrap(sample, 0, count));
        tensor.read(tensor.elements() - count, FloatBuffer.wrap(sample, count, count));
        return new ContentHash().add(FloatBuffer.wrap(sample)).hex();
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

    private static void read(OpenFile file, long start, long length, ObjIntConsumer<byte[]> target) {
        byte[] bytes = new byte[(int) Math.min(CHUNK_BYTES, length)];
        for (long at = 0; at < length; at += bytes.length) {
            int count = (int) Math.min(bytes.length, length - at);
            file.read(start + at, bytes, count);
            target.accept(bytes, count);
        }
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

package io.langbridge.runtime.core.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 of what something depends on. Not thread-safe. */
public final class ContentHash {
    private static final int CHUNK_BYTES = 1 << 20;

    private final MessageDigest digest = sha256();

    /** Begins with nothing. */
    public ContentHash() {}

    /** SHA-256 of a file as {@code sha256sum} prints it. */
    public static String of(Path path) {
        try (OpenFile file = OpenFile.open(path)) {
            ContentHash hash = new ContentHash();
            byte[] bytes = new byte[CHUNK_BYTES];
            for (long at = 0; at < file.size(); at += bytes.length) {
                int count = (int) Math.min(bytes.length, file.size() - at);
                file.read(at, bytes, count);
                hash.digest.update(bytes, 0, count);
            }
            return hash.hex();
        }
    }

    /** Adds a text and its end. */
    public ContentHash add(String text) {
        digest.update((text + '\n').getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** Adds the values of a tensor as float32, whatever they are stored as. */
    public ContentHash add(StoredTensor tensor) {
        ByteBuffer bytes = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer values = bytes.asFloatBuffer();
        long elements = tensor.elements();
        for (long from = 0; from < elements; from += values.capacity()) {
            int count = (int) Math.min(values.capacity(), elements - from);
            FloatBuffer part = values.duplicate();
            ((java.nio.Buffer) part).limit(count);
            tensor.read(from, part);
            digest.update(bytes.array(), 0, count * Float.BYTES);
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

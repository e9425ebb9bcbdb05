package io.langbridge.runtime.core.text;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Reads a table that lies beside the classes: bytes and numbers of seven bits to a byte, the lowest first. */
final class TableReader {
    private final byte[] data;
    private int at;

    private TableReader(byte[] data) {
        this.data = data;
    }

    static TableReader open(String name) {
        try (InputStream in = TableReader.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(
                        "The jar of langbridge-core lacks " + name + " beside its classes; a step"
                                + " that shrinks or merges jars must keep resources under io/langbridge.");
            }
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] part = new byte[8192];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                all.write(part, 0, n);
            }
            return new TableReader(all.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + name + " out of the jar of langbridge-core", e);
        }
    }

    int next() {
        return data[at++];
    }

    int number() {
        int value = 0;
        for (int shift = 0; ; shift += 7) {
            int part = data[at++];
            value |= (part & 0x7F) << shift;
            if (part >= 0) {
                return value;
            }
        }
    }

    /** A number that may be negative; its sign is the lowest bit. */
    int signed() {
        int value = number();
        return (value >>> 1) ^ -(value & 1);
    }

    /** A set: ranges, each as the gap in front and the length. */
    CodePoints set() {
        int[] bounds = new int[2 * number()];
        int position = 0;
        for (int i = 0; i < bounds.length; i++) {
            position += number();
            bounds[i] = position;
        }
        return CodePoints.ofBounds(bounds);
    }
}

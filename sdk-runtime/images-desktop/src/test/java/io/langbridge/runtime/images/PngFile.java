package io.langbridge.runtime.images;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Writes PNG files of every kind, which ImageIO cannot. */
final class PngFile {
    static final int GRAY = 0;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int GRAY_ALPHA = 4;
    static final int RGBA = 6;

    private final ByteArrayOutputStream file = new ByteArrayOutputStream();

    PngFile(int width, int height, int bitDepth, int colourType) {
        file.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        chunk(
                "IHDR",
                ByteBuffer.allocate(13)
                        .putInt(width)
                        .putInt(height)
                        .put((byte) bitDepth)
                        .put((byte) colourType)
                        .array());
    }

    PngFile chunk(String name, byte... data) {
        byte[] type = name.getBytes(StandardCharsets.US_ASCII);
        CRC32 checksum = new CRC32();
        checksum.update(type);
        checksum.update(data);
        file.writeBytes(ByteBuffer.allocate(12 + data.length)
                .putInt(data.length)
                .put(type)
                .put(data)
                .putInt((int) checksum.getValue())
                .array());
        return this;
    }

    /** Ends the file with these rows of samples, packed as PNG packs them. */
    byte[] rows(int[]... rows) {
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        for (int[] row : rows) {
            raw.write(0);
            for (int value : row) {
                raw.write(value);
            }
        }
        Deflater deflater = new Deflater();
        deflater.setInput(raw.toByteArray());
        deflater.finish();
        byte[] packed = new byte[2 * raw.size() + 100];
        int length = deflater.deflate(packed);
        deflater.end();
        return chunk("IDAT", Arrays.copyOf(packed, length)).chunk("IEND").file.toByteArray();
    }
}

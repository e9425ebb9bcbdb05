package io.langbridge.runtime.images;

import java.io.IOException;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * A file in memory as ImageIO reads it, without a temporary file or a copy. Reading ends when the thread is
 * interrupted.
 */
final class ByteInput extends ImageInputStreamImpl {
    private final byte[] file;
    private final RowWriter rows;

    ByteInput(byte[] file, RowWriter rows) {
        this.file = file;
        this.rows = rows;
    }

    @Override
    public long length() {
        return file.length;
    }

    @Override
    public int read() throws IOException {
        checkClosed();
        bitOffset = 0;
        return streamPos < file.length ? file[(int) streamPos++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        rows.checkInterrupted();
        checkClosed();
        bitOffset = 0;
        if (length == 0) {
            return 0;
        }
        int count = (int) Math.min(length, file.length - streamPos);
        if (count <= 0) {
            return -1;
        }
        System.arraycopy(file, (int) streamPos, target, offset, count);
        streamPos += count;
        return count;
    }
}

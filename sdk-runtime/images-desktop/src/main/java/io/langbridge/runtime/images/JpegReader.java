package io.langbridge.runtime.images;

import io.langbridge.spi.ImageMemory;
import java.awt.Point;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStreamImpl;

/** Reads JPEG with the platform's reader, which is libjpeg below, row by row. */
final class JpegReader {
    private JpegReader() {}

    static void read(ImageReader reader, byte[] encoded, RowWriter rows) throws IOException {
        JpegFile file = JpegFile.of(encoded);
        int width = file.width();
        int height = file.height();
        file.check(rows.limits(), rows.source());
        JpegColours colours = file.colours();
        try (Input input = new Input(file, encoded, rows)) {
            reader.setInput(input, true, true);
            if (colours == JpegColours.CMYK || colours == JpegColours.YCCK) {
                ImageMemory.check(4L * width * height, rows.source());
                readInks(reader.readRaster(0, null), colours, rows, file.orientation());
            } else {
                readColours(reader, rows, file);
            }
        }
    }

    private static void readColours(ImageReader reader, RowWriter rows, JpegFile file) throws IOException {
        int width = file.width();
        int height = file.height();
        byte[] whole = new byte[0];
        if (file.hasPasses()) {
            // Each pass overwrites the one before.
            whole = ImageMemory.allocate(3L * width * height, rows.source());
        } else {
            rows.begin(width, height, file.orientation());
        }
        RowRaster raster = new RowRaster(width, height, rows, whole);
        ColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, ColorModel.OPAQUE, DataBuffer.TYPE_BYTE);
        ImageReadParam param = reader.getDefaultReadParam();
        param.setDestination(new BufferedImage(model, raster, false, null));
        reader.read(0, param);
        if (raster.count != height && (whole.length == 0 || raster.count == 0 || raster.count % height != 0)) {
            throw new IOException(raster.count + " of " + height + " rows were read");
        }
        if (whole.length > 0) {
            rows.begin(width, height, file.orientation());
            for (int y = 0; y < height; y++) {
                rows.row(y, whole, 3 * y * width);
            }
        }
    }

    private static void readInks(Raster raster, JpegColours colours, RowWriter rows, int orientation)
            throws IOException {
        int width = raster.getWidth();
        if (raster.getNumBands() != 4) {
            throw new IOException(raster.getNumBands() + " channels were read, but 4 declared");
        }
        rows.begin(width, raster.getHeight(), orientation);
        int[] samples = new int[4 * width];
        byte[] rgb = new byte[3 * width];
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, samples);
            colours.convert(samples, rgb);
            rows.row(y, rgb, 0);
        }
    }

    /**
     * A picture without memory: the reader thinks that it puts its rows there, one after the other. They go on at once,
     * or into an array if there will be others in their place.
     */
    private static final class RowRaster extends WritableRaster {
        private final RowWriter rows;
        private final byte[] whole;
        private int count;

        RowRaster(int width, int height, RowWriter rows, byte[] whole) {
            super(
                    new PixelInterleavedSampleModel(
                            DataBuffer.TYPE_BYTE, width, height, 3, 3 * width, new int[] {0, 1, 2}),
                    new DataBufferByte(1),
                    new Point(0, 0));
            this.rows = rows;
            this.whole = whole;
        }

        @Override
        public void setRect(int dx, int dy, Raster row) {
            byte[] rgb = ((DataBufferByte) row.getDataBuffer()).getData();
            if (whole.length > 0) {
                rows.checkInterrupted();
                System.arraycopy(rgb, 0, whole, dy * rgb.length, rgb.length);
            } else {
                rows.row(dy, rgb, 0);
            }
            count++;
        }
    }

    /** The clean header, then the scans as they are. */
    private static final class Input extends ImageInputStreamImpl {
        private final byte[] header;
        private final byte[] file;
        private final int start;
        private final int end;
        private final RowWriter rows;

        Input(JpegFile known, byte[] file, RowWriter rows) throws IOException {
            this.header = known.header();
            this.file = file;
            this.start = known.scanAt();
            this.end = known.end();
            this.rows = rows;
        }

        @Override
        public long length() {
            return (long) header.length + end - start;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            // A progressive picture is read to its end before the first row comes out.
            rows.checkInterrupted();
            checkClosed();
            bitOffset = 0;
            if (length == 0) {
                return 0;
            }
            boolean inHeader = streamPos < header.length;
            byte[] from = inHeader ? header : file;
            long at = inHeader ? streamPos : streamPos - header.length + start;
            int count = (int) Math.min(length, (inHeader ? header.length : end) - at);
            if (count <= 0) {
                return -1;
            }
            System.arraycopy(from, (int) at, target, offset, count);
            streamPos += count;
            return count;
        }
    }
}

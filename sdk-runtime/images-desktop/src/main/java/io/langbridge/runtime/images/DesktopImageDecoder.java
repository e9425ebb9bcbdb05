package io.langbridge.runtime.images;

import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegmentUtil;
import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.images.webp.WebP;
import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.RgbPixels;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/**
 * Decodes JPEG, PNG, GIF, BMP and WebP. Stateless. Writes no temporary files and changes no global ImageIO setting; the
 * readers are chosen by class, so other ImageIO plug-ins on the class path change nothing.
 *
 * <p>Pixels equal Pillow's in all formats but JPEG, where single values differ by little.
 */
public final class DesktopImageDecoder implements ImageDecoder {
    private static final Set<ImageFormat> FORMATS = Collections.unmodifiableSet(
            EnumSet.of(ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.GIF, ImageFormat.BMP, ImageFormat.WEBP));

    private static final int PNG_BIT_DEPTH = 24;
    private static final int PNG_COLOUR_TYPE = 25;
    private static final int BMP_COMPRESSION = 30;
    private static final int BMP_MAX_COMPRESSION = 3;

    /** Made by {@link java.util.ServiceLoader}. */
    public DesktopImageDecoder() {}

    @Override
    public Set<ImageFormat> formats() {
        return FORMATS;
    }

    @Override
    public RgbPixels decode(ImageFormat format, byte[] encoded, String source, ImageLimits limits) {
        try {
            return read(format, encoded, source, limits);
        } catch (ImageException | RuntimeUnavailableException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Readers answer damaged data with all sorts of unchecked exceptions.
            throw new ImageException(
                    source + " is a damaged or incomplete " + format.title() + " file ("
                            + (e.getMessage() == null ? e.toString() : e.getMessage()) + "); save or download it again",
                    e);
        }
    }

    private static RgbPixels read(ImageFormat format, byte[] encoded, String source, ImageLimits limits)
            throws IOException {
        if (format == ImageFormat.WEBP) {
            return webp(encoded, source, limits);
        }
        ImageReader reader = reader(format);
        try (ByteArrayImageInputStream stream = new ByteArrayImageInputStream(encoded)) {
            reader.setInput(stream, false, true);
            limits.checkPixels(reader.getWidth(0), reader.getHeight(0), source);
            return switch (format) {
                case JPEG -> jpeg(reader, encoded);
                case PNG -> png(reader, encoded);
                case GIF -> GifFrame.read(reader, encoded, source, limits);
                default -> bmp(reader, encoded);
            };
        } finally {
            reader.dispose();
        }
    }

    private static RgbPixels jpeg(ImageReader reader, byte[] encoded) throws IOException {
        List<JPEGSegment> segments;
        try (ByteArrayImageInputStream stream = new ByteArrayImageInputStream(encoded)) {
            segments = JPEGSegmentUtil.readSegments(stream, JPEGSegmentUtil.ALL_SEGMENTS);
        }
        JpegColours colours = JpegColours.of(segments);
        // libjpeg fills what is missing with gray and only warns.
        boolean[] cutOff = new boolean[1];
        reader.addIIOReadWarningListener((from, warning) -> cutOff[0] |= warning.contains("remature end"));
        Raster raster = reader.readRaster(0, null);
        if (cutOff[0]) {
            throw new IOException("the picture data ends too early");
        }
        return Orientation.turn(
                Orientation.inJpeg(segments), raster.getWidth(), raster.getHeight(), colours.rgb(raster));
    }

    private static RgbPixels png(ImageReader reader, byte[] encoded) throws IOException {
        BufferedImage image = reader.read(0);
        boolean gray16 = encoded[PNG_COLOUR_TYPE] == 0 && encoded[PNG_BIT_DEPTH] == 16;
        byte[] rgb = gray16 && image.getRaster().getTransferType() == DataBuffer.TYPE_USHORT
                ? Rasters.clippedGray(image.getRaster())
                : Rasters.rgb(image);
        return Orientation.turn(Orientation.inPng(encoded), image.getWidth(), image.getHeight(), rgb);
    }

    private static RgbPixels bmp(ImageReader reader, byte[] encoded) throws IOException {
        // JPEG or PNG inside a BMP is for printers; its real size is not the one that was checked.
        if (encoded[BMP_COMPRESSION] > BMP_MAX_COMPRESSION) {
            throw new IOException("compression " + encoded[BMP_COMPRESSION] + " is not supported");
        }
        BufferedImage image = reader.read(0);
        return RgbPixels.wrap(image.getWidth(), image.getHeight(), Rasters.rgb(image));
    }

    private static RgbPixels webp(byte[] encoded, String source, ImageLimits limits) throws IOException {
        WebP file = WebP.open(encoded);
        int width = file.width();
        int height = file.height();
        limits.checkPixels(width, height, source);
        // Damage shows before the first row more often than not; memory for the whole picture is not reserved until
        // then.
        byte[][] rgb = new byte[1][0];
        file.decode(false, (y, row) -> {
            if (y == 0) {
                rgb[0] = new byte[3 * width * height];
            }
            int at = 3 * width * y;
            for (int pixel : row) {
                rgb[0][at++] = (byte) (pixel >> 16);
                rgb[0][at++] = (byte) (pixel >> 8);
                rgb[0][at++] = (byte) pixel;
            }
        });
        return Orientation.turn(Orientation.inWebP(encoded), width, height, rgb[0]);
    }

    private static ImageReader reader(ImageFormat format) throws IOException {
        return switch (format) {
            case JPEG -> jpegReader();
            case PNG -> platformReader("com.sun.imageio.plugins.png.PNGImageReaderSpi");
            case GIF -> platformReader("com.sun.imageio.plugins.gif.GIFImageReaderSpi");
            case BMP -> platformReader("com.sun.imageio.plugins.bmp.BMPImageReaderSpi");
            default -> throw new IllegalArgumentException(format + " is none of " + FORMATS);
        };
    }

    /** This one needs to be registered, since it looks there for the platform's own reader to build upon. */
    private static ImageReader jpegReader() throws IOException {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        synchronized (DesktopImageDecoder.class) {
            JPEGImageReaderSpi registered = registry.getServiceProviderByClass(JPEGImageReaderSpi.class);
            if (registered != null) {
                return registered.createReaderInstance(null);
            }
            JPEGImageReaderSpi added = new JPEGImageReaderSpi();
            registry.registerServiceProvider(added, ImageReaderSpi.class);
            return added.createReaderInstance(null);
        }
    }

    private static ImageReader platformReader(String className) throws IOException {
        Iterator<ImageReaderSpi> providers =
                IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, false);
        while (providers.hasNext()) {
            ImageReaderSpi provider = providers.next();
            if (provider.getClass().getName().equals(className)) {
                return provider.createReaderInstance();
            }
        }
        throw new RuntimeUnavailableException("This Java runtime lacks the picture reader " + className
                + "; use one with the complete module java.desktop, or decode pictures yourself and give the pixels to"
                + " Image.ofArgb");
    }
}

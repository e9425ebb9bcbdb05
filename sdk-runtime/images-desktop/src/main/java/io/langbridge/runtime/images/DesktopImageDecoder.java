package io.langbridge.runtime.images;

import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.LangBridgeException;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.PixelCollector;
import io.langbridge.spi.RgbPixels;
import io.langbridge.spi.RowSink;
import java.io.IOException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.OptionalInt;
import java.util.Set;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/**
 * Decodes JPEG, PNG, GIF, BMP, WebP and TIFF, row by row where the format allows. Stateless. Writes no temporary files
 * and changes no global ImageIO setting; the readers are chosen by class, so other ImageIO plug-ins on the class path
 * change nothing.
 *
 * <p>Pixels equal Pillow's in all formats but JPEG, where single values differ by little.
 */
public final class DesktopImageDecoder implements ImageDecoder {
    private static final Set<ImageFormat> FORMATS = Collections.unmodifiableSet(EnumSet.of(
            ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.GIF, ImageFormat.BMP, ImageFormat.WEBP, ImageFormat.TIFF));

    /** Made by {@link java.util.ServiceLoader}. */
    public DesktopImageDecoder() {}

    @Override
    public Set<ImageFormat> formats() {
        return FORMATS;
    }

    @Override
    public RgbPixels decode(ImageFormat format, byte[] encoded, String source, ImageLimits limits) {
        PixelCollector collector = new PixelCollector(source);
        decode(format, encoded, source, limits, OptionalInt.empty(), collector);
        return collector.pixels();
    }

    @Override
    public void decode(
            ImageFormat format, byte[] encoded, String source, ImageLimits limits, OptionalInt ground, RowSink sink) {
        try {
            read(format, encoded, new RowWriter(source, limits, ground, sink));
        } catch (LangBridgeException e) {
            throw e;
        } catch (OutOfMemoryError e) {
            throw new ImageException(
                    source + " does not fit into what is free of this JVM's heap of "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MB; scale the picture down, decode fewer at a time, or raise the heap (-Xmx)",
                    e);
        } catch (UnsupportedKindException e) {
            throw new ImageException(
                    source + " is a " + format.title() + " file of a kind that is not read: " + e.getMessage()
                            + "; convert it to PNG, or decode it yourself and give it to DesktopImage.of",
                    e);
        } catch (IOException | RuntimeException e) {
            // Readers answer damaged data with all sorts of unchecked exceptions.
            throw new ImageException(
                    source + " is a damaged or incomplete " + format.title() + " file ("
                            + (e.getMessage() == null ? e.toString() : e.getMessage()) + "); save or download it again",
                    e);
        }
    }

    private static void read(ImageFormat format, byte[] encoded, RowWriter rows) throws IOException {
        switch (format) {
            case JPEG -> {
                ImageReader reader = platformReader("com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi");
                try {
                    JpegReader.read(reader, encoded, rows);
                } finally {
                    reader.dispose();
                }
            }
            case TIFF -> {
                ImageReader reader = platformReader("com.sun.imageio.plugins.tiff.TIFFImageReaderSpi");
                try {
                    TiffReader.read(reader, encoded, rows);
                } finally {
                    reader.dispose();
                }
            }
            case PNG -> PngReader.read(encoded, rows);
            case GIF -> GifReader.read(encoded, rows);
            case BMP -> BmpReader.read(encoded, rows);
            case WEBP -> WebPReader.read(encoded, rows);
            default -> throw new IllegalArgumentException(format + " is none of " + FORMATS);
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

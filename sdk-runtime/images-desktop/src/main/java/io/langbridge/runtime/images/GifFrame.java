package io.langbridge.runtime.images;

import io.langbridge.ImageLimits;
import io.langbridge.spi.RgbPixels;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import org.w3c.dom.NodeList;

/** The first frame of a GIF file on the canvas the file declares, which can be larger than the frame. */
final class GifFrame {
    private static final int SCREEN_WIDTH = 6;
    private static final int SCREEN_HEIGHT = 8;

    private GifFrame() {}

    static RgbPixels read(ImageReader reader, byte[] encoded, String source, ImageLimits limits) throws IOException {
        IIOMetadataNode metadata =
                (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_gif_image_1.0");
        int left = number(metadata, "ImageDescriptor", "imageLeftPosition", 0);
        int top = number(metadata, "ImageDescriptor", "imageTopPosition", 0);
        int width = Math.max(littleEndian(encoded, SCREEN_WIDTH), left + reader.getWidth(0));
        int height = Math.max(littleEndian(encoded, SCREEN_HEIGHT), top + reader.getHeight(0));
        limits.checkPixels(width, height, source);
        BufferedImage frame = reader.read(0);
        byte[] rgb = Rasters.rgb(frame);
        if (frame.getWidth() == width && frame.getHeight() == height) {
            return RgbPixels.wrap(width, height, rgb);
        }
        boolean transparent =
                "TRUE".equalsIgnoreCase(text(metadata, "GraphicControlExtension", "transparentColorFlag"));
        int index = transparent ? number(metadata, "GraphicControlExtension", "transparentColorIndex", 0) : 0;
        int background = frame.getColorModel() instanceof IndexColorModel palette && index < palette.getMapSize()
                ? palette.getRGB(index)
                : 0;
        byte[] canvas = new byte[3 * width * height];
        for (int at = 0; at < canvas.length; at += 3) {
            canvas[at] = (byte) (background >> 16);
            canvas[at + 1] = (byte) (background >> 8);
            canvas[at + 2] = (byte) background;
        }
        int stride = 3 * frame.getWidth();
        for (int y = 0; y < frame.getHeight(); y++) {
            System.arraycopy(rgb, y * stride, canvas, 3 * ((top + y) * width + left), stride);
        }
        return RgbPixels.wrap(width, height, canvas);
    }

    private static int number(IIOMetadataNode metadata, String node, String attribute, int otherwise) {
        String text = text(metadata, node, attribute);
        return text.isEmpty() ? otherwise : Integer.parseInt(text);
    }

    private static String text(IIOMetadataNode metadata, String node, String attribute) {
        NodeList nodes = metadata.getElementsByTagName(node);
        return nodes.getLength() == 0 ? "" : ((IIOMetadataNode) nodes.item(0)).getAttribute(attribute);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8;
    }
}

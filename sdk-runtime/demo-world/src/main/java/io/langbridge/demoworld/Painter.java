package io.langbridge.demoworld;

import io.langbridge.Image;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.LinearGradientPaint;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Draws scenes. Needs no display. Thread-safe. */
final class Painter {
    static {
        ImageIO.setUseCache(false); // pictures this small need no temporary files
    }

    private static final int COLLAGE_PIECES = 250;

    private Painter() {}

    /** {@return the picture of a scene, for a model} */
    static Image image(Scene scene) {
        BufferedImage picture = draw(scene);
        int width = picture.getWidth();
        int height = picture.getHeight();
        return Image.ofArgb(picture.getRGB(0, 0, width, height, null, 0, width), width, height);
    }

    /** {@return the items of a scene alone, on nothing: transparent, and black where alpha is dropped} */
    static Image withoutGround(Scene scene) {
        BufferedImage picture = canvas(scene, BufferedImage.TYPE_INT_ARGB);
        paintItems(scene, picture);
        int width = picture.getWidth();
        return Image.ofArgb(
                picture.getRGB(0, 0, width, picture.getHeight(), null, 0, width), width, picture.getHeight());
    }

    /**
     * Draws a scene.
     *
     * @return an RGB picture
     */
    static BufferedImage draw(Scene scene) {
        Scene.Finish finish = scene.finish();
        BufferedImage picture = canvas(scene, BufferedImage.TYPE_INT_RGB);
        Background background = scene.background();
        switch (background.pattern()) {
            case CLOUDS, GRAIN -> Texture.paint(background, picture, finish.pixels());
            case SCENERY -> Scenery.paint(background, picture, finish.pixels());
            default -> {
                Graphics2D graphics = graphics(scene, picture);
                paint(background, graphics, finish.pixels());
                graphics.dispose();
            }
        }
        paintItems(scene, picture);
        if (finish.noise() > 0) {
            addNoise(picture, finish.noise(), finish.seed());
        }
        return finish.jpeg() > 0 ? compressed(picture, finish.jpeg()) : picture;
    }

    private static BufferedImage canvas(Scene scene, int type) {
        int pixels = scene.finish().pixels();
        int width = (int) Math.round(scene.frame().width() * pixels);
        int height = (int) Math.round(scene.frame().height() * pixels);
        return new BufferedImage(width, height, type);
    }

    private static Graphics2D graphics(Scene scene, BufferedImage picture) {
        Scene.Finish finish = scene.finish();
        Graphics2D graphics = picture.createGraphics();
        graphics.translate((picture.getWidth() - finish.pixels()) / 2, (picture.getHeight() - finish.pixels()) / 2);
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING,
                finish.antialiased() ? RenderingHints.VALUE_ANTIALIAS_ON : RenderingHints.VALUE_ANTIALIAS_OFF);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        return graphics;
    }

    private static void paintItems(Scene scene, BufferedImage picture) {
        int pixels = scene.finish().pixels();
        Graphics2D graphics = graphics(scene, picture);
        AffineTransform toPixels = AffineTransform.getScaleInstance(pixels, pixels);
        for (Item item : scene.items()) {
            graphics.setColor(new Color(item.rgb()));
            graphics.fill(toPixels.createTransformedShape(item.painted()));
            if (item.style() == Item.Style.LINED) {
                graphics.setColor(new Color(item.line()));
                graphics.setStroke(new BasicStroke((float) (item.lineWidth() * pixels)));
                graphics.draw(toPixels.createTransformedShape(item.outline()));
            }
        }
        graphics.dispose();
    }

    private static void paint(Background background, Graphics2D graphics, int pixels) {
        List<Color> colours = background.colours().stream().map(Color::new).toList();
        Color other = colours.get(colours.size() - 1);
        graphics.setColor(colours.get(0));
        double angle = Math.toRadians(background.degrees());
        double middle = pixels / 2.0;
        if (background.pattern() == Background.Pattern.GRADIENT) {
            float dx = (float) (Math.cos(angle) * middle);
            float dy = (float) (Math.sin(angle) * middle);
            float centre = (float) middle;
            float[] stops = colours.size() == 2 ? new float[] {0, 1} : new float[] {0, 0.5f, 1};
            graphics.setPaint(new LinearGradientPaint(
                    centre - dx, centre - dy, centre + dx, centre + dy, stops, colours.toArray(Color[]::new)));
        }
        graphics.fillRect(0, 0, pixels, pixels);
        graphics.setColor(other);
        double pitch = background.pitch() * pixels;
        switch (background.pattern()) {
            case STRIPES -> {
                AffineTransform turn = AffineTransform.getRotateInstance(angle, middle, middle);
                for (double y = -pixels; y < 2 * pixels; y += pitch) {
                    Shape stripe = new Rectangle2D.Double(-pixels, y, 3 * pixels, background.share() * pitch);
                    graphics.fill(turn.createTransformedShape(stripe));
                }
            }
            case DOTS -> {
                for (double y = pitch / 2; y < pixels; y += pitch) {
                    for (double x = pitch / 2; x < pixels; x += pitch) {
                        graphics.fill(new Ellipse2D.Double(x - pitch / 5, y - pitch / 5, pitch * 0.4, pitch * 0.4));
                    }
                }
            }
            case CHECKS -> {
                for (int row = 0; row * pitch < pixels; row++) {
                    for (int column = row % 2; column * pitch < pixels; column += 2) {
                        graphics.fill(new Rectangle2D.Double(column * pitch, row * pitch, pitch, pitch));
                    }
                }
            }
            case COLLAGE -> collage(background, graphics, pixels);
            default -> {
                // Nothing lies on it.
            }
        }
    }

    /** Of each size half as many as of half the size, as things that cover each other are in photographs. */
    private static void collage(Background background, Graphics2D graphics, int pixels) {
        SplittableRandom random = new SplittableRandom(background.seed());
        int second = background.colours().get(1);
        int third = background.colours().get(2);
        double smallest = Math.max(background.pitch() / 12, 1.5 / pixels);
        for (int i = 0; i < COLLAGE_PIECES; i++) {
            double size = Math.min(background.pitch(), smallest / (1 - random.nextDouble())) * pixels;
            double width = size * random.nextDouble(0.15, 1);
            double x = random.nextDouble() * pixels - width / 2;
            double y = random.nextDouble() * pixels - size / 2;
            int mixed = Background.mixed(background.colours().get(0), second, random.nextDouble());
            graphics.setColor(new Color(Background.mixed(mixed, third, random.nextDouble())));
            Shape piece = random.nextInt(3) == 0
                    ? new Ellipse2D.Double(x, y, width, size)
                    : new Rectangle2D.Double(x, y, width, size);
            double degrees =
                    background.degrees() + (random.nextInt(4) == 0 ? random.nextDouble(360) : 90 * random.nextInt(2));
            graphics.fill(AffineTransform.getRotateInstance(Math.toRadians(degrees), x + width / 2, y + size / 2)
                    .createTransformedShape(piece));
        }
    }

    /** Adds what a sensor adds: to each channel of each pixel the sum of two even numbers, from -noise to noise. */
    private static void addNoise(BufferedImage picture, int noise, long seed) {
        int[] pixels = ((DataBufferInt) picture.getRaster().getDataBuffer()).getData();
        long state = seed | 1;
        for (int i = 0; i < pixels.length; i++) {
            int noisy = 0;
            for (int shift = 16; shift >= 0; shift -= 8) {
                state = state * 6364136223846793005L + 1442695040888963407L;
                int sum = (int) ((state >>> 33) * noise >>> 31) + (int) ((state & 0xffffffL) * noise >>> 24) - noise;
                int value = (pixels[i] >> shift & 0xff) + sum;
                noisy |= Math.max(0, Math.min(255, value)) << shift;
            }
            pixels[i] = noisy;
        }
    }

    private static BufferedImage compressed(BufferedImage picture, float quality) {
        ImageWriter writer = own(ImageIO.getImageWritersByFormatName("jpeg"));
        ImageReader reader = own(ImageIO.getImageReadersByFormatName("jpeg"));
        try {
            ImageWriteParam options = writer.getDefaultWriteParam();
            options.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            options.setCompressionQuality(quality);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
                writer.setOutput(out);
                writer.write(null, new IIOImage(picture, null, null), options);
            }
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes.toByteArray())));
            BufferedImage decoded = reader.read(0);
            BufferedImage rgb = new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = rgb.createGraphics();
            graphics.drawImage(decoded, 0, 0, null);
            graphics.dispose();
            return rgb;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
            reader.dispose();
        }
    }

    /** Java's own one, whatever others are on the class path, so that the pixels are the same. */
    private static <T> T own(Iterator<T> all) {
        while (all.hasNext()) {
            T one = all.next();
            if (one.getClass().getModule() == ImageIO.class.getModule()) {
                return one;
            }
        }
        throw new IllegalStateException("This Java has no JPEG");
    }
}

package io.langbridge.demoworld;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.SplittableRandom;

/**
 * Paints grounds that look like photographs as a whole: shaded pieces of all sizes that cover each other ("dead
 * leaves", whose statistics are those of natural pictures), of colours that are not kept away from those of things, out
 * of focus, with a grain. So not everything that stands out is a thing: those are flat and sharp.
 */
final class Scenery {
    private static final int CORNERS = 9;
    private static final double SMALLEST = 0.02;

    private Scenery() {}

    /**
     * Fills a picture.
     *
     * @param side of the square that the picture lies in the middle of, in pixels
     */
    static void paint(Background background, BufferedImage picture, int side) {
        SplittableRandom random = new SplittableRandom(background.seed());
        // Painted small and enlarged it is out of focus, by as much as it was small.
        int fine = (int) Math.round(40 * Math.pow(3, random.nextDouble()));
        BufferedImage small = new BufferedImage(fine, fine, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = small.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        pieces(background, graphics, fine, random);
        graphics.dispose();
        Graphics2D whole = picture.createGraphics();
        whole.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        int left = (picture.getWidth() - side) / 2;
        int top = (picture.getHeight() - side) / 2;
        whole.drawImage(small, left, top, side, side, null);
        whole.dispose();
        if (random.nextInt(3) > 0) {
            Texture.roughen(background, picture, side, random.nextDouble(0.05, 0.35));
        }
    }

    private static void pieces(Background background, Graphics2D graphics, int side, SplittableRandom random) {
        Color sky = colour(background, random);
        Color earth = colour(background, random);
        graphics.setPaint(new GradientPaint(0, 0, sky, random.nextInt(side), side, earth));
        graphics.fillRect(0, 0, side, side);
        int count = random.nextInt(10, 160);
        boolean straight = random.nextBoolean();
        for (int i = 0; i < count; i++) {
            double size = Math.min(background.pitch(), SMALLEST / (1 - random.nextDouble())) * side;
            double width = size * random.nextDouble(0.2, 1);
            double x = random.nextDouble(-0.1, 1.1) * side;
            double y = random.nextDouble(-0.1, 1.1) * side;
            Shape piece = switch (random.nextInt(straight ? 5 : 3)) {
                case 0 -> new Ellipse2D.Double(-width / 2, -size / 2, width, size);
                case 1, 2 -> blob(width, size, random);
                default -> new Rectangle2D.Double(-width / 2, -size / 2, width, size);
            };
            double degrees = straight && random.nextInt(3) > 0 ? 90 * random.nextInt(2) : random.nextDouble(360);
            AffineTransform place = AffineTransform.getTranslateInstance(x, y);
            place.rotate(Math.toRadians(background.degrees() + degrees));
            graphics.setPaint(new GradientPaint(
                    (float) (x - size / 2),
                    (float) (y - size / 2),
                    colour(background, random),
                    (float) (x + size / 2),
                    (float) (y + size / 2),
                    colour(background, random)));
            graphics.fill(place.createTransformedShape(piece));
        }
    }

    /** Uneven, as leaves, stones and heads are. */
    private static Shape blob(double width, double height, SplittableRandom random) {
        Path2D blob = new Path2D.Double();
        for (int i = 0; i < CORNERS; i++) {
            double angle = 2 * Math.PI * i / CORNERS;
            double far = random.nextDouble(0.3, 0.5);
            double x = far * width * Math.cos(angle);
            double y = far * height * Math.sin(angle);
            if (i == 0) {
                blob.moveTo(x, y);
            } else {
                blob.lineTo(x, y);
            }
        }
        blob.closePath();
        return blob;
    }

    /** Between two of its colours, in light or in shade. */
    private static Color colour(Background background, SplittableRandom random) {
        int one = background.colours().get(random.nextInt(background.colours().size()));
        int other = background.colours().get(random.nextInt(background.colours().size()));
        int mixed = Background.mixed(one, other, random.nextDouble());
        return new Color(Background.mixed(mixed, random.nextInt(3) == 0 ? 0xffffff : 0, random.nextDouble(0, 0.45)));
    }
}

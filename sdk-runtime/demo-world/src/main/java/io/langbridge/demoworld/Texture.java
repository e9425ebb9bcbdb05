package io.langbridge.demoworld;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;

/** Paints grounds that are not drawn but look as if photographed: noise of several sizes between three colours. */
final class Texture {
    private static final int OCTAVES = 3;
    private static final double DRAWN_OUT = 8; // grain is so many times as long as wide

    private Texture() {}

    /**
     * Fills a picture.
     *
     * @param picture of ints
     * @param side of the square that the picture lies in the middle of, in pixels
     */
    static void paint(Background background, BufferedImage picture, int side) {
        int width = picture.getWidth();
        int height = picture.getHeight();
        double angle = Math.toRadians(background.degrees());
        double scale = 1 / (background.pitch() * side);
        double along = background.pattern() == Background.Pattern.GRAIN ? scale / DRAWN_OUT : scale;
        double cos = Math.cos(angle);
        double sin = Math.sin(angle);
        int first = background.colours().get(0);
        int second = background.colours().get(1);
        int third = background.colours().get(2);
        int[] pixels = ((DataBufferInt) picture.getRaster().getDataBuffer()).getData();
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                double x = along * (cos * column + sin * row);
                double y = scale * (cos * row - sin * column);
                int mixed = Background.mixed(first, second, noise(x, y, background.seed()));
                pixels[row * width + column] =
                        Background.mixed(mixed, third, noise(1.3 * x, 1.3 * y, ~background.seed()));
            }
        }
    }

    /**
     * Makes a picture lighter and darker from place to place, finely.
     *
     * @param side of the square that the picture lies in the middle of, in pixels
     * @param strength how much, 0 to 1
     */
    static void roughen(Background background, BufferedImage picture, int side, double strength) {
        int width = picture.getWidth();
        double scale = 4 / (background.pitch() * side);
        int[] pixels = ((DataBufferInt) picture.getRaster().getDataBuffer()).getData();
        for (int i = 0; i < pixels.length; i++) {
            int row = i / width;
            double rough = 2 * noise(scale * (i % width), scale * row, background.seed()) - 1;
            pixels[i] = Background.mixed(pixels[i], rough > 0 ? 0xffffff : 0, strength * Math.abs(rough));
        }
    }

    /** 0 to 1, smooth at the largest size; each next one is half as large and half as strong. */
    private static double noise(double x, double y, long seed) {
        double sum = 0;
        double weights = 0;
        for (int octave = 0; octave < OCTAVES; octave++) {
            double size = 1 << octave;
            sum += smooth(x * size, y * size, seed + octave) / size;
            weights += 1 / size;
        }
        double steep = 1.6 * (sum / weights - 0.5) + 0.5; // the mean of several is seldom far from its middle
        return Math.max(0, Math.min(1, steep));
    }

    private static double smooth(double x, double y, long seed) {
        long left = (long) Math.floor(x);
        long top = (long) Math.floor(y);
        double across = eased(x - left);
        double down = eased(y - top);
        double above = value(left, top, seed) * (1 - across) + value(left + 1, top, seed) * across;
        double below = value(left, top + 1, seed) * (1 - across) + value(left + 1, top + 1, seed) * across;
        return above * (1 - down) + below * down;
    }

    private static double eased(double part) {
        return part * part * (3 - 2 * part);
    }

    /** A number of 0 to 1 for each point of the lattice. */
    private static double value(long x, long y, long seed) {
        long bits = seed + x * 0x9e3779b97f4a7c15L + y * 0xc2b2ae3d27d4eb4fL;
        bits = (bits ^ bits >>> 30) * 0xbf58476d1ce4e5b9L;
        bits = (bits ^ bits >>> 27) * 0x94d049bb133111ebL;
        return (bits >>> 40) / (double) (1 << 24);
    }
}

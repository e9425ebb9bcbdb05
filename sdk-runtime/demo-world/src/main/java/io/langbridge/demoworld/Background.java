package io.langbridge.demoworld;

import java.awt.Color;
import java.util.SplittableRandom;

/**
 * What items lie on.
 *
 * @param pattern how the two colours meet
 * @param rgb the first colour, 0xRRGGBB
 * @param other the second colour
 * @param degrees direction of a gradient or of stripes
 * @param pitch distance of stripes or dots as a share of the picture's longer side
 */
record Background(Pattern pattern, int rgb, int other, double degrees, double pitch) {
    /** How two colours meet. */
    enum Pattern {
        PLAIN,
        GRADIENT,
        STRIPES,
        DOTS
    }

    private static final double ENOUGH = 30;
    private static final double ENOUGH_ON_LIGHT = 23; // pale pink on white

    static Background random(SplittableRandom random) {
        int first = colour(random);
        double degrees = random.nextInt(8) * 45 + random.nextDouble(-10, 10);
        double pitch = random.nextDouble(0.04, 0.15);
        int kind = random.nextInt(100);
        if (kind < 72) {
            return new Background(Pattern.PLAIN, first, first, degrees, pitch);
        }
        if (kind < 86) {
            int second = mixed(first, random.nextBoolean() ? colour(random) : 0xffffff, random.nextDouble(0.2, 0.7));
            return new Background(Pattern.GRADIENT, first, second, degrees, pitch);
        }
        int second = mixed(first, luminous(first) ? 0 : 0xffffff, random.nextDouble(0.04, 0.12));
        return new Background(kind < 93 ? Pattern.STRIPES : Pattern.DOTS, first, second, degrees, pitch);
    }

    /** Whether a colour stands out from all of it. */
    boolean shows(int colour) {
        return shows(colour, rgb) && shows(colour, other) && shows(colour, mixed(rgb, other, 0.5));
    }

    private static boolean shows(int colour, int on) {
        return Colour.contrast(colour, on) >= (Colour.contrast(on, 0) > 85 ? ENOUGH_ON_LIGHT : ENOUGH);
    }

    private static int colour(SplittableRandom random) {
        int kind = random.nextInt(100);
        float hue = (float) random.nextDouble();
        if (kind < 42) {
            return 0xffffff;
        }
        if (kind < 60) { // nearly white
            return hsb(hue, random.nextDouble(0, 0.04), random.nextDouble(0.92, 1));
        }
        if (kind < 76) { // pastel
            return hsb(hue, random.nextDouble(0.06, 0.22), random.nextDouble(0.88, 1));
        }
        if (kind < 81) { // gray
            return hsb(hue, 0, random.nextDouble(0.2, 0.9));
        }
        if (kind < 95) { // dark
            return random.nextInt(4) == 0 ? 0 : hsb(hue, random.nextDouble(0, 0.6), random.nextDouble(0.05, 0.3));
        }
        return hsb(hue, random.nextDouble(0.3, 0.8), random.nextDouble(0.4, 0.9));
    }

    private static int hsb(float hue, double saturation, double brightness) {
        return Color.HSBtoRGB(hue, (float) saturation, (float) brightness) & 0xffffff;
    }

    private static boolean luminous(int rgb) {
        return Colour.contrast(rgb, 0) > 50;
    }

    private static int mixed(int rgb, int with, double share) {
        int mixed = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            mixed |= (int) ((rgb >> shift & 0xff) * (1 - share) + (with >> shift & 0xff) * share) << shift;
        }
        return mixed;
    }
}

package io.langbridge.demoworld;

import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Colours by the names that people give them. The shades are what CSS, Material, Tailwind, Matplotlib and others call
 * so, and mixtures of two of them; those that people would not agree on (dark red, coral, magenta, cyan, navy) are left
 * out.
 */
enum Colour {
    RED(0xff0000, 0xf44336, 0xe53935, 0xd32f2f, 0xd62728, 0xff4136, 0xe74c3c, 0xef4444, 0xdc2626, 0xcc0000),
    ORANGE(0xffa500, 0xff8c00, 0xff9800, 0xfb8c00, 0xf57c00, 0xff7f0e, 0xff851b, 0xf39c12, 0xe67e22, 0xf97316),
    YELLOW(0xffff00, 0xffeb3b, 0xfdd835, 0xffd700, 0xffdc00, 0xf1c40f, 0xfde047, 0xfacc15, 0xeeee22),
    GREEN(
            0x008000, 0x00ff00, 0x2ecc40, 0x2ca02c, 0x4caf50, 0x43a047, 0x388e3c, 0x2e7d32, 0x228b22, 0x32cd32,
            0x006400, 0x27ae60, 0x2ecc71, 0x22c55e, 0x16a34a, 0x3cb371),
    BLUE(
            0x0000ff, 0x1e90ff, 0x4169e1, 0x2196f3, 0x1e88e5, 0x1976d2, 0x1565c0, 0x1f77b4, 0x0074d9, 0x3498db,
            0x2980b9, 0x3b82f6, 0x2563eb, 0x0000cd, 0x64b5f6, 0x6495ed),
    PURPLE(
            0x800080, 0x9c27b0, 0x8e24aa, 0x7b1fa2, 0x6a1b9a, 0x9467bd, 0xb10dc9, 0x9b59b6, 0x8e44ad, 0xa855f7,
            0x9333ea, 0x8a2be2, 0x663399),
    PINK(0xffc0cb, 0xffb6c1, 0xff69b4, 0xff1493, 0xe91e63, 0xf06292, 0xec407a, 0xf48fb1, 0xe377c2, 0xec4899, 0xf472b6),
    BROWN(0xa52a2a, 0x8b4513, 0xa0522d, 0x795548, 0x6d4c41, 0x5d4037, 0x8c564b, 0x964b00, 0x654321, 0x7b3f00, 0x92400e),
    BLACK(0x000000, 0x000000, 0x111111, 0x212121, 0x1a1a1a),
    WHITE(0xffffff, 0xffffff, 0xfafafa, 0xf5f5f5),
    GRAY(0x808080, 0x9e9e9e, 0x757575, 0x616161, 0x7f7f7f, 0xa9a9a9, 0x888888, 0x696969, 0x6b7280, 0x95a5a6);

    private static final int JITTER = 6;

    private final int[] shades;

    Colour(int... shades) {
        this.shades = shades;
    }

    /** The colour's name in answers. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A shade that people call by this name: a published one, or a mixture of two. */
    int shade(SplittableRandom random) {
        int first = shades[random.nextInt(shades.length)];
        if (random.nextInt(3) == 0) {
            return first;
        }
        int second = shades[random.nextInt(shades.length)];
        double share = random.nextDouble();
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            double mixed = (first >> shift & 0xff) * share + (second >> shift & 0xff) * (1 - share);
            int value = (int) Math.round(mixed) + random.nextInt(-JITTER, JITTER + 1);
            rgb |= Math.max(0, Math.min(255, value)) << shift;
        }
        return rgb;
    }

    /** How far apart two colours look, 0 to about 100: CIE Lab distance with lightness counted more than hue. */
    static double contrast(int rgb, int other) {
        double[] one = lab(rgb);
        double[] two = lab(other);
        double lightness = one[0] - two[0];
        double hue = 0.7 * Math.hypot(one[1] - two[1], one[2] - two[2]);
        return Math.hypot(lightness, hue);
    }

    /** CIE Lab under D65. */
    private static double[] lab(int rgb) {
        double red = linear(rgb >> 16 & 0xff);
        double green = linear(rgb >> 8 & 0xff);
        double blue = linear(rgb & 0xff);
        double x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
        double y = root(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        double z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
        return new double[] {116 * y - 16, 500 * (x - y), 200 * (y - z)};
    }

    private static double linear(int value) {
        double part = value / 255.0;
        return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    }

    private static double root(double value) {
        return value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16.0 / 116;
    }
}

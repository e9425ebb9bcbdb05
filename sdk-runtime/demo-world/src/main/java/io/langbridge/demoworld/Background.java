package io.langbridge.demoworld;

import java.awt.Color;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * What items lie on.
 *
 * @param pattern how the colours meet
 * @param colours one to three, 0xRRGGBB
 * @param degrees direction of a gradient, of stripes or of grain
 * @param pitch distance of stripes, dots or checks, or size of what clouds, grain, a collage or scenery show, as a
 *     share of the picture's longer side
 * @param share how much of the pitch a stripe takes
 * @param seed of clouds, grain, a collage and scenery
 */
record Background(Pattern pattern, List<Integer> colours, double degrees, double pitch, double share, long seed) {
    /** How colours meet. */
    enum Pattern {
        PLAIN(50),
        GRADIENT(9),
        STRIPES(11),
        DOTS(5),
        CHECKS(4),
        /** Large and soft, as a photograph is out of focus: sky, leaves, a wall. */
        CLOUDS(7),
        /** Fine and drawn out: wood, cloth, stone. */
        GRAIN(6),
        /** Boxes, discs and bars of many sizes over each other: a street, shelves, a circuit board. */
        COLLAGE(8),
        /** Like a photograph as a whole, in all colours; things stand out from what is around them. */
        SCENERY(0);

        private final int share;

        /** @param share how many of 100 grounds are so, where any may be */
        Pattern(int share) {
            this.share = share;
        }
    }

    private static final Pattern[] TEXTURES = {Pattern.CLOUDS, Pattern.GRAIN, Pattern.COLLAGE};
    private static final double ENOUGH = 30;
    private static final double ENOUGH_ON_LIGHT = 23; // pale pink on white
    private static final double ENOUGH_AMONG_PIECES = 45; // which have outlines of their own

    Background {
        colours = List.copyOf(colours);
    }

    static Background plain(int rgb) {
        return new Background(Pattern.PLAIN, List.of(rgb), 0, 1, 0.5, 0);
    }

    static Background random(SplittableRandom random) {
        int kind = random.nextInt(100);
        for (Pattern pattern : Pattern.values()) {
            kind -= pattern.share;
            if (kind < 0) {
                return random(pattern, random);
            }
        }
        throw new AssertionError("The shares of all patterns are 100 together");
    }

    static Background random(Pattern pattern, SplittableRandom random) {
        int first = colour(random);
        double degrees = random.nextInt(8) * 45 + random.nextDouble(-10, 10);
        double share = random.nextDouble(0.2, 0.8);
        long seed = random.nextLong();
        double pitch = switch (pattern) {
            case STRIPES -> random.nextDouble(0.03, 0.3);
            case CHECKS -> random.nextDouble(0.06, 0.3);
            case CLOUDS -> random.nextDouble(0.1, 0.6);
            case GRAIN -> random.nextDouble(0.01, 0.05);
            case COLLAGE, SCENERY -> random.nextDouble(0.15, 0.6);
            default -> random.nextDouble(0.04, 0.15);
        };
        List<Integer> colours = switch (pattern) {
            case PLAIN -> List.of(first);
            case GRADIENT -> {
                int last = mixed(first, random.nextBoolean() ? colour(random) : 0xffffff, random.nextDouble(0.2, 0.7));
                yield random.nextInt(3) > 0
                        ? List.of(first, last)
                        : List.of(first, mixed(first, colour(random), random.nextDouble(0.2, 0.7)), last);
            }
            case STRIPES, DOTS, CHECKS -> List.of(first, second(first, random));
            case CLOUDS, GRAIN ->
                List.of(
                        first,
                        mixed(first, colour(random), random.nextDouble(0.1, 0.6)),
                        mixed(first, luminous(first) ? 0 : 0xffffff, random.nextDouble(0.05, 0.35)));
            case COLLAGE ->
                List.of(
                        first,
                        mixed(first, colour(random), random.nextDouble(0.3, 1)),
                        mixed(first, luminous(first) ? 0 : 0xffffff, random.nextDouble(0.1, 0.7)));
            case SCENERY -> List.of(natural(random), natural(random), natural(random));
        };
        return new Background(pattern, colours, degrees, pitch, share, seed);
    }

    /** A plain one of a colour that is no shade of gray. */
    static Background coloured(SplittableRandom random) {
        return plain(saturated(random));
    }

    /** What stripes lie on or between: most often nearly the same, or quite another colour. */
    private static int second(int first, SplittableRandom random) {
        return random.nextInt(3) > 0
                ? mixed(first, luminous(first) ? 0 : 0xffffff, random.nextDouble(0.04, 0.3))
                : mixed(first, colour(random), random.nextDouble(0.4, 1));
    }

    /** Whether a colour stands out from all of it; of scenery only a picture tells, see {@link Scene}. */
    boolean shows(int colour) {
        return pattern == Pattern.SCENERY
                || colours.stream()
                        .allMatch(one -> colours.stream().allMatch(other -> shows(colour, mixed(one, other, 0.5))));
    }

    private boolean shows(int colour, int on) {
        double enough = pattern == Pattern.COLLAGE
                ? ENOUGH_AMONG_PIECES
                : Colour.contrast(on, 0) > 85 ? ENOUGH_ON_LIGHT : ENOUGH;
        return Colour.contrast(colour, on) >= enough;
    }

    private static int colour(SplittableRandom random) {
        int kind = random.nextInt(100);
        float hue = (float) random.nextDouble();
        if (kind < 32) {
            return 0xffffff;
        }
        if (kind < 44) { // nearly white
            return hsb(hue, random.nextDouble(0, 0.04), random.nextDouble(0.92, 1));
        }
        if (kind < 58) { // pastel
            return hsb(hue, random.nextDouble(0.06, 0.22), random.nextDouble(0.88, 1));
        }
        if (kind < 65) { // gray
            return hsb(hue, 0, random.nextDouble(0.2, 0.9));
        }
        if (kind < 78) { // dark
            return random.nextInt(4) == 0 ? 0 : hsb(hue, random.nextDouble(0, 0.6), random.nextDouble(0.05, 0.3));
        }
        return saturated(random);
    }

    /** Half of them are shades that things have too. */
    private static int saturated(SplittableRandom random) {
        if (random.nextBoolean()) {
            return Colour.values()[random.nextInt(Colour.BLACK.ordinal())].shade(random);
        }
        return hsb((float) random.nextDouble(), random.nextDouble(0.3, 1), random.nextDouble(0.4, 1));
    }

    /** Of earth, leaves, skin, sky: seldom strong. */
    private static int natural(SplittableRandom random) {
        return hsb((float) random.nextDouble(), Math.pow(random.nextDouble(), 1.5), random.nextDouble(0.1, 1));
    }

    private static int hsb(float hue, double saturation, double brightness) {
        return Color.HSBtoRGB(hue, (float) saturation, (float) brightness) & 0xffffff;
    }

    private static boolean luminous(int rgb) {
        return Colour.contrast(rgb, 0) > 50;
    }

    static int mixed(int rgb, int with, double share) {
        int mixed = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            mixed |= (int) ((rgb >> shift & 0xff) * (1 - share) + (with >> shift & 0xff) * share) << shift;
        }
        return mixed;
    }

    /** Grounds to measure on. */
    enum Sort implements Function<SplittableRandom, Background> {
        ANY,
        WHITE,
        GRAY,
        BLACK,
        YELLOW,
        COLOURED,
        GRADIENT,
        STRIPES,
        TEXTURE,
        SCENERY;

        @Override
        public Background apply(SplittableRandom random) {
            return switch (this) {
                case ANY -> Background.random(random);
                case WHITE -> plain(0xffffff);
                case GRAY -> plain(0x808080);
                case BLACK -> plain(0);
                case YELLOW -> plain(Colour.YELLOW.shade(random));
                case COLOURED -> coloured(random);
                case GRADIENT -> Background.random(Pattern.GRADIENT, random);
                case STRIPES -> Background.random(Pattern.STRIPES, random);
                case TEXTURE -> Background.random(TEXTURES[random.nextInt(TEXTURES.length)], random);
                case SCENERY -> Background.random(Pattern.SCENERY, random);
            };
        }
    }
}

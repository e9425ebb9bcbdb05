package io.langbridge.demoworld;

import java.util.Locale;
import java.util.SplittableRandom;

/** How large an item is: its longer side, or a character's height, as a share of the picture's shorter side. */
enum Size {
    SMALL(0.16, 0.21),
    MEDIUM(0.27, 0.33),
    LARGE(0.41, 0.52);

    private final double from;
    private final double to;

    Size(double from, double to) {
        this.from = from;
        this.to = to;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    double diameter(SplittableRandom random) {
        return random.nextDouble(from, to);
    }
}

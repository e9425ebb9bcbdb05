package io.langbridge.demoworld;

import java.awt.geom.Rectangle2D;
import java.util.SplittableRandom;

/**
 * How wide and high a picture is, measured by its longer side. Items have their places in a square as wide and high as
 * that side; the picture is a band through its middle, or all of it.
 *
 * @param width 1, or less if the picture is higher than wide
 * @param height 1, or less if the picture is wider than high
 */
record Frame(double width, double height) {
    static final Frame SQUARE = new Frame(1, 1);

    private static final double NARROWEST = 1 / 4.0;

    /** Half of them are square. */
    static Frame random(SplittableRandom random) {
        if (random.nextBoolean()) {
            return SQUARE;
        }
        double side = random.nextDouble(NARROWEST, 1);
        return random.nextInt(3) > 0 ? new Frame(1, side) : new Frame(side, 1);
    }

    /**
     * A picture this many times as wide as high.
     *
     * @param aspect above 0
     */
    static Frame of(double aspect) {
        return aspect > 1 ? new Frame(1, 1 / aspect) : new Frame(aspect, 1);
    }

    /** The picture's shorter side. */
    double shorter() {
        return Math.min(width, height);
    }

    double left() {
        return (1 - width) / 2;
    }

    double top() {
        return (1 - height) / 2;
    }

    /** The picture in its square. */
    Rectangle2D area() {
        return new Rectangle2D.Double(left(), top(), width, height);
    }

    /** How far to the right an item is, 0 at the picture's left edge to 1 at its right edge. */
    double across(Item item) {
        return (item.x() - left()) / width;
    }

    /** How far down an item is, 0 at the picture's top edge to 1 at its bottom edge. */
    double down(Item item) {
        return (item.y() - top()) / height;
    }
}

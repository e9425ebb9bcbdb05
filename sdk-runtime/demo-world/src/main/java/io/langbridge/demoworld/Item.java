package io.langbridge.demoworld;

import java.awt.BasicStroke;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Rectangle2D;

/**
 * One thing in a scene. Lengths are shares of the side of its picture's square, see {@link Frame}; (0, 0) is the top
 * left.
 *
 * @param figure what it is
 * @param character which letter or digit, or 0
 * @param face the character's font, see {@link Faces}
 * @param variant 0 to 1: how wide, thick or pointed
 * @param colour its colour's name
 * @param rgb its colour, 0xRRGGBB
 * @param size its size's name
 * @param x its centre
 * @param y its centre
 * @param diameter its longer side before it is turned; of a character the height
 * @param degrees how far it is turned clockwise
 * @param style how it is painted
 * @param line colour of the line around it, if its style has one
 */
record Item(
        Figure figure,
        char character,
        int face,
        double variant,
        Colour colour,
        int rgb,
        Size size,
        double x,
        double y,
        double diameter,
        double degrees,
        Style style,
        int line) {

    /** How an item is painted. */
    enum Style {
        FILLED,
        /** Filled, with a thin line of another colour around. */
        LINED,
        /** A thick line in the item's colour, nothing inside. */
        HOLLOW
    }

    private static final double THINNEST = 0.016; // one pixel of 64

    /** Its name in answers: "circle", "letter A". */
    String noun() {
        return figure.isCharacter() ? figure.word() + " " + character : figure.word();
    }

    /** Colour and name: "red circle". */
    String name() {
        return colour.word() + " " + noun();
    }

    /** Size, colour and name: "large red circle". */
    String fullName() {
        return size.word() + " " + name();
    }

    Item at(double newX, double newY) {
        return new Item(
                figure, character, face, variant, colour, rgb, size, newX, newY, diameter, degrees, style, line);
    }

    /** As large in a picture with this shorter side. */
    Item scaled(double side) {
        return new Item(
                figure, character, face, variant, colour, rgb, size, x, y, side * diameter, degrees, style, line);
    }

    /** The outline in units of the square, without lines. */
    Shape outline() {
        AffineTransform place = AffineTransform.getTranslateInstance(x, y);
        place.rotate(Math.toRadians(degrees));
        if (figure.isCharacter()) {
            place.scale(diameter * (0.85 + 0.3 * variant), diameter);
            return place.createTransformedShape(Faces.outline(face, character));
        }
        place.scale(diameter, diameter);
        return place.createTransformedShape(figure.outline(variant));
    }

    /** Width of the line around it, 0 if there is none. */
    double lineWidth() {
        return switch (style) {
            case FILLED -> 0;
            case LINED -> diameter * (figure.isCharacter() ? 0.018 : 0.025 + 0.025 * variant);
            case HOLLOW -> Math.max(Math.min(THINNEST, 0.1 * diameter), diameter * (0.05 + 0.07 * variant));
        };
    }

    /** All that is painted, in units of the square. */
    Shape painted() {
        return style == Style.HOLLOW
                ? new BasicStroke((float) lineWidth(), BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER)
                        .createStrokedShape(outline())
                : outline();
    }

    /** The upright box around it. A thick line reaches far beyond the points of a star. */
    Rectangle2D box() {
        Rectangle2D box = painted().getBounds2D();
        double half = style == Style.LINED ? lineWidth() / 2 : 0;
        return new Rectangle2D.Double(
                box.getX() - half, box.getY() - half, box.getWidth() + 2 * half, box.getHeight() + 2 * half);
    }
}

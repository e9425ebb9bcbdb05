package io.langbridge.demoworld;

import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Arc2D;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.List;
import java.util.Locale;

/** What an item of a scene can be. */
enum Figure {
    CIRCLE("disc", "disk"),
    SQUARE(),
    TRIANGLE(),
    RECTANGLE(),
    OVAL("ellipse"),
    STAR(),
    HEART(),
    DIAMOND("rhombus"),
    CROSS("plus", "plus sign"),
    RING("donut"),
    HEXAGON(),
    CRESCENT("moon", "crescent moon"),
    ARROW(),
    LETTER(),
    DIGIT("number");

    private static final Shape ROUND_HEART = roundHeart();

    private final List<String> synonyms;

    Figure(String... synonyms) {
        this.synonyms = List.of(synonyms);
    }

    /** The figure's name in answers. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Other names that people use; never in answers. */
    List<String> synonyms() {
        return synonyms;
    }

    /** Whether it is a letter or a digit. */
    boolean isCharacter() {
        return this == LETTER || this == DIGIT;
    }

    /** Whether its outline alone still shows what it is. A circle's would be a ring. */
    boolean hasClearOutline() {
        return switch (this) {
            case SQUARE, TRIANGLE, RECTANGLE, STAR, HEART, DIAMOND, HEXAGON -> true;
            default -> false;
        };
    }

    /**
     * The outline, upright.
     *
     * @param variant 0 to 1: how wide, thick or pointed, where the figure allows for it
     * @return an outline whose longer side is 1 and whose centre is (0, 0)
     */
    Shape outline(double variant) {
        return switch (this) {
            case CIRCLE -> new Ellipse2D.Double(-0.5, -0.5, 1, 1);
            case SQUARE -> new Rectangle2D.Double(-0.5, -0.5, 1, 1);
            case TRIANGLE -> fitted(polygon(0, 0, 0.9 + 0.25 * variant, 0, 0.45 + 0.125 * variant, -1));
            case RECTANGLE -> box(0.34 + 0.3 * variant);
            case OVAL -> {
                double height = 0.46 + 0.22 * variant;
                yield new Ellipse2D.Double(-0.5, -height / 2, 1, height);
            }
            case STAR -> fitted(star(5, 0.38 + 0.12 * variant));
            case HEART -> fitted(variant < 0.5 ? heart(0.9 + 0.4 * variant) : ROUND_HEART);
            case DIAMOND -> {
                double width = 0.32 + 0.18 * variant;
                yield polygon(0, -0.5, width, 0, 0, 0.5, -width, 0);
            }
            case CROSS -> cross(0.13 + 0.05 * variant);
            case RING -> ring(0.25 + 0.16 * variant);
            case HEXAGON -> fitted(star(3, 1));
            case CRESCENT -> fitted(crescent(0.42 + 0.06 * variant, 0.22 + 0.16 * variant));
            case ARROW -> arrow(0.1 + 0.04 * variant, 0.1 - 0.12 * variant);
            case LETTER, DIGIT -> throw new IllegalStateException("The outline of a character comes from its font");
        };
    }

    private static Shape box(double height) {
        return new Rectangle2D.Double(-0.5, -height / 2, 1, height);
    }

    private static Path2D polygon(double... points) {
        Path2D path = new Path2D.Double();
        path.moveTo(points[0], points[1]);
        for (int i = 2; i < points.length; i += 2) {
            path.lineTo(points[i], points[i + 1]);
        }
        path.closePath();
        return path;
    }

    /** A star whose first point is up; with an inner radius of 1 a polygon of twice as many corners. */
    private static Path2D star(int points, double inner) {
        double[] corners = new double[4 * points];
        for (int i = 0; i < 2 * points; i++) {
            double angle = Math.PI * i / points;
            double radius = i % 2 == 0 ? 1 : inner;
            corners[2 * i] = radius * Math.sin(angle);
            corners[2 * i + 1] = -radius * Math.cos(angle);
        }
        return polygon(corners);
    }

    private static Path2D heart(double width) {
        Path2D path = new Path2D.Double();
        double half = width / 2;
        path.moveTo(0, 1);
        path.curveTo(-0.3 * width, 0.75, -half, 0.55, -half, 0.3);
        path.curveTo(-half, -0.05, -0.1 * width, -0.1, 0, 0.22);
        path.curveTo(0.1 * width, -0.1, half, -0.05, half, 0.3);
        path.curveTo(half, 0.55, 0.3 * width, 0.75, 0, 1);
        path.closePath();
        return path;
    }

    private static Path2D cross(double half) {
        return polygon(
                -half, -0.5, half, -0.5, half, -half, 0.5, -half, 0.5, half, half, half, half, 0.5, -half, 0.5, -half,
                half, -0.5, half, -0.5, -half, -half, -half);
    }

    private static Shape ring(double hole) {
        Path2D path = new Path2D.Double(Path2D.WIND_EVEN_ODD);
        path.append(new Ellipse2D.Double(-0.5, -0.5, 1, 1), false);
        path.append(new Ellipse2D.Double(-hole, -hole, 2 * hole, 2 * hole), false);
        return path;
    }

    /** What a smaller circle leaves of a circle, which reaches beyond it on the right. */
    private static Shape crescent(double radius, double thickness) {
        double shift = thickness + radius - 0.5;
        double x = (shift * shift + 0.25 - radius * radius) / (2 * shift); // where the circles meet
        double y = Math.sqrt(0.25 - x * x);
        double outer = Math.toDegrees(Math.atan2(y, x));
        double inner = Math.toDegrees(Math.atan2(y, x - shift));
        Path2D path = new Path2D.Double();
        path.append(new Arc2D.Double(-0.5, -0.5, 1, 1, outer, 360 - 2 * outer, Arc2D.OPEN), false);
        path.append(
                new Arc2D.Double(shift - radius, -radius, 2 * radius, 2 * radius, -inner, 2 * inner - 360, Arc2D.OPEN),
                true);
        path.closePath();
        return path;
    }

    /** A square on its corner with a circle over each upper side. */
    private static Shape roundHeart() {
        double half = Math.sqrt(0.5);
        Area heart = new Area(polygon(0, half, -half, 0, 0, -half, half, 0));
        heart.add(new Area(new Ellipse2D.Double(-half / 2 - 0.5, -half / 2 - 0.5, 1, 1)));
        heart.add(new Area(new Ellipse2D.Double(half / 2 - 0.5, -half / 2 - 0.5, 1, 1)));
        return heart;
    }

    private static Path2D arrow(double half, double neck) {
        return polygon(-0.5, -half, neck, -half, neck, -0.36, 0.5, 0, neck, 0.36, neck, half, -0.5, half);
    }

    /** Moves and scales an outline so that its longer side is 1 and its centre is (0, 0). */
    static Shape fitted(Shape outline) {
        Rectangle2D bounds = outline.getBounds2D();
        double scale = 1 / Math.max(bounds.getWidth(), bounds.getHeight());
        AffineTransform fit = AffineTransform.getScaleInstance(scale, scale);
        fit.translate(-bounds.getCenterX(), -bounds.getCenterY());
        return fit.createTransformedShape(outline);
    }
}

package io.langbridge.demoworld;

import java.awt.Shape;
import java.awt.geom.PathIterator;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A picture before it is drawn: one to five items that do not touch, what they lie on, and how they are taken.
 *
 * @param frame the shape of the picture
 * @param items in no order that means anything
 * @param background what they lie on, from which each of them stands out
 * @param finish what becomes of the picture after drawing
 */
record Scene(Frame frame, List<Item> items, Background background, Finish finish) {
    /**
     * What becomes of a picture.
     *
     * @param pixels the longer side
     * @param antialiased whether edges are smooth
     * @param noise largest change of a channel by noise, 0 to 255
     * @param jpeg JPEG quality, or 0 if it is not compressed
     * @param seed of the noise
     */
    record Finish(int pixels, boolean antialiased, int noise, float jpeg, long seed) {}

    static final String LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"; // I and O look like 1 and 0
    private static final Figure[] FIGURES = Figure.values();
    private static final Colour[] COLOURS = Colour.values();
    private static final int[] COUNTS = {1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5};
    private static final int CROWD = 40;
    private static final int LARGEST = 768;
    private static final double ENOUGH_ON_SCENERY = 38;
    private static final double NEARLY_ALL = 0.88;
    private static final double GAP = 0.04;
    private static final double MARGIN = 0.015;

    Scene {
        items = List.copyOf(items);
    }

    /**
     * A scene in a square picture.
     *
     * @param random the same state gives the same scene
     */
    static Scene random(SplittableRandom random) {
        return random(Frame.SQUARE, random);
    }

    /** A scene in a picture of any shape; one of five as if laid on a photograph. */
    static Scene ofAnyShape(SplittableRandom random) {
        Frame frame = Frame.random(random);
        return random(frame, random.nextInt(5) == 0 ? Background.Sort.SCENERY : Background.Sort.ANY, random);
    }

    /** A scene in a picture of this shape. */
    static Scene random(Frame frame, SplittableRandom random) {
        return random(frame, Background.Sort.ANY, random);
    }

    /** A scene in a picture of this shape on some ground, from which all of its items stand out. */
    static Scene random(Frame frame, Function<SplittableRandom, Background> grounds, SplittableRandom random) {
        int count = COUNTS[random.nextInt(COUNTS.length)];
        while (true) {
            List<Item> items = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                items.add(item(items, random).scaled(frame.shorter()));
            }
            Optional<Background> background = background(items, grounds, random);
            if (background.isPresent()) {
                Optional<List<Item>> placed = placed(items, frame, random);
                if (placed.isPresent()) {
                    Scene scene = new Scene(frame, placed.get(), background.get(), finish(frame, random));
                    if (scene.standsOut()) {
                        return scene;
                    }
                }
            }
        }
    }

    /**
     * A scene with as many items as find a place, most of them small and half of them letters and digits: much to learn
     * at once. In a picture of any shape.
     */
    static Scene crowded(SplittableRandom random) {
        Frame frame = Frame.random(random);
        Background background = Background.random(random);
        List<Item> placed = new ArrayList<>();
        for (int i = 0; i < CROWD || placed.isEmpty(); i++) {
            Item item = item(placed, random).scaled(frame.shorter());
            boolean wanted = item.figure().isCharacter() || random.nextBoolean();
            if (wanted
                    && background.shows(item.rgb())
                    && random.nextInt(1 + 2 * item.size().ordinal()) == 0) {
                place(item, placed, frame, random).ifPresent(placed::add);
            }
        }
        return new Scene(frame, placed, background, finish(frame, random));
    }

    /** An item that has no place yet. Now and then it takes after another one, so that there is something to count. */
    static Item item(List<Item> others, SplittableRandom random) {
        Figure figure = FIGURES[random.nextInt(13)];
        char character = 0;
        if (random.nextInt(100) < 35) {
            figure = random.nextInt(100) < 65 ? Figure.LETTER : Figure.DIGIT;
            character = figure == Figure.LETTER
                    ? LETTERS.charAt(random.nextInt(LETTERS.length()))
                    : (char) ('0' + random.nextInt(10));
        }
        Colour colour = COLOURS[random.nextInt(COLOURS.length)];
        if (colour == Colour.WHITE && random.nextBoolean()) { // which cannot lie on white
            colour = COLOURS[random.nextInt(COLOURS.length)];
        }
        if (!others.isEmpty()) {
            Item other = others.get(random.nextInt(others.size()));
            int same = random.nextInt(100);
            if (same < 25) {
                figure = other.figure();
                character = other.character();
            } else if (same < 50) {
                colour = other.colour();
            }
        }
        Item.Style style = Item.Style.FILLED;
        int kind = random.nextInt(100);
        Size size = Size.values()[random.nextInt(3)];
        boolean thin = figure == Figure.RING || figure.isCharacter() && size == Size.SMALL;
        if (kind < 22 && !thin) {
            style = Item.Style.LINED;
        } else if (kind < 32 && figure.hasClearOutline()) {
            style = Item.Style.HOLLOW;
        }
        double most = figure == Figure.SQUARE || figure == Figure.DIAMOND ? 9 : 15;
        double tilt = random.nextInt(3) == 0 ? random.nextDouble(-most, most) : 0;
        return new Item(
                figure,
                character,
                random.nextInt(Faces.count()),
                random.nextDouble(),
                colour,
                colour.shade(random),
                size,
                0,
                0,
                size.diameter(random),
                tilt + quarterTurns(figure, random) * 90,
                style,
                line(colour, random));
    }

    private static int quarterTurns(Figure figure, SplittableRandom random) {
        return switch (figure) {
            case ARROW, CRESCENT -> random.nextInt(4);
            case RECTANGLE, OVAL, DIAMOND, HEXAGON -> random.nextInt(2);
            case TRIANGLE -> random.nextInt(4) == 0 ? 2 : 0;
            default -> 0;
        };
    }

    /** A line around an item: black or dark gray, round dark ones light. */
    private static int line(Colour colour, SplittableRandom random) {
        int gray = random.nextInt(0x40);
        boolean light = colour == Colour.BLACK || random.nextInt(5) == 0 && colour != Colour.WHITE;
        return (light ? 0xff - gray / 2 : gray) * 0x010101;
    }

    private static Optional<Background> background(
            List<Item> items, Function<SplittableRandom, Background> grounds, SplittableRandom random) {
        for (int i = 0; i < 30; i++) {
            Background background = grounds.apply(random);
            if (items.stream().allMatch(item -> background.shows(item.rgb()))) {
                return Optional.of(background);
            }
        }
        return Optional.empty();
    }

    /** Whether each item differs from nearly all that its box covers; of grounds other than scenery that is known. */
    private boolean standsOut() {
        if (background.pattern() != Background.Pattern.SCENERY) {
            return true;
        }
        int side = 64;
        BufferedImage ground =
                Painter.draw(new Scene(frame, List.of(), background, new Finish(side, true, 0, 0, finish.seed())));
        for (Item item : items) {
            Rectangle2D box = item.box();
            int seen = 0;
            int all = 0;
            for (int y = 0; y < ground.getHeight(); y++) {
                for (int x = 0; x < ground.getWidth(); x++) {
                    if (box.contains(frame.left() + (x + 0.5) / side, frame.top() + (y + 0.5) / side)) {
                        all++;
                        seen += Colour.contrast(item.rgb(), ground.getRGB(x, y) & 0xffffff) > ENOUGH_ON_SCENERY ? 1 : 0;
                    }
                }
            }
            if (seen < NEARLY_ALL * all) {
                return false;
            }
        }
        return true;
    }

    /** Finds places for all, the largest first. */
    private static Optional<List<Item>> placed(List<Item> items, Frame frame, SplittableRandom random) {
        List<Item> sorted = new ArrayList<>(items);
        sorted.sort(Comparator.comparingDouble(Item::diameter).reversed());
        List<Item> placed = new ArrayList<>();
        for (Item item : sorted) {
            Optional<Item> found = place(item, placed, frame, random);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            placed.add(found.get());
        }
        return Optional.of(placed);
    }

    /** Finds a place that touches none of the others. */
    private static Optional<Item> place(Item item, List<Item> others, Frame frame, SplittableRandom random) {
        Rectangle2D box = item.box();
        double radius = radius(item);
        double halfWidth = Math.max(-box.getMinX(), box.getMaxX()) + MARGIN;
        double halfHeight = Math.max(-box.getMinY(), box.getMaxY()) + MARGIN;
        if (halfWidth >= frame.width() / 2 || halfHeight >= frame.height() / 2) {
            return Optional.empty();
        }
        double[] radii = others.stream().mapToDouble(Scene::radius).toArray();
        for (int i = 0; i < 30; i++) {
            double x = random.nextDouble(frame.left() + halfWidth, 1 - frame.left() - halfWidth);
            double y = random.nextDouble(frame.top() + halfHeight, 1 - frame.top() - halfHeight);
            if (IntStream.range(0, radii.length).allMatch(other -> {
                Item at = others.get(other);
                return Math.hypot(x - at.x(), y - at.y()) >= radius + radii[other] + GAP;
            })) {
                return Optional.of(item.at(x, y));
            }
        }
        return Optional.empty();
    }

    /** Radius of the circle around an item's centre that holds all of it. */
    static double radius(Item item) {
        Shape outline = item.outline();
        double radius = 0;
        double[] point = new double[6];
        for (PathIterator path = outline.getPathIterator(null, 0.01); !path.isDone(); path.next()) {
            if (path.currentSegment(point) != PathIterator.SEG_CLOSE) {
                radius = Math.max(radius, Math.hypot(point[0] - item.x(), point[1] - item.y()));
            }
        }
        return radius + item.lineWidth() / 2;
    }

    /** A picture that is not square is the larger, or else its items would be but a few pixels. */
    private static Finish finish(Frame frame, SplittableRandom random) {
        double side = 128;
        if (random.nextInt(4) == 0) {
            side = 64 * Math.pow(2, random.nextDouble(0, 3));
        }
        boolean antialiased = side < 128 || random.nextInt(6) > 0;
        int pixels = (int) Math.round(Math.min(side / frame.shorter(), LARGEST));
        int noise = random.nextInt(3) == 0 ? random.nextInt(1, 20) : 0;
        float jpeg = random.nextInt(3) == 0 ? (float) random.nextDouble(0.5, 0.95) : 0;
        return new Finish(pixels, antialiased, noise, jpeg, random.nextLong());
    }
}

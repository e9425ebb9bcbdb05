package io.langbridge.demoworld;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Places of a picture: nine cells, and the four sides that reach along a whole edge. */
final class Place {
    /** An item this near to the border of a cell is in neither. */
    private static final double UNCLEAR = 0.04;

    private static final String[] ROWS = {"top", "", "bottom"};
    private static final String[] COLUMNS = {"left", "", "right"};

    private Place() {}

    /** The cell that holds an item's centre: "top left", "top", "middle", .. */
    static String cell(Scene scene, Item item) {
        return cell(row(scene, item), third(scene.frame().across(item)));
    }

    /** Row of cells that holds an item's centre, 0 to 2. */
    static int row(Scene scene, Item item) {
        return third(scene.frame().down(item));
    }

    /** Whether an item's cell is beyond doubt. */
    static boolean isClear(Scene scene, Item item) {
        return clearThird(scene.frame().across(item)) >= 0
                && clearThird(scene.frame().down(item)) >= 0;
    }

    /** The places where this item is and, beyond doubt, no other. */
    static List<String> onlyAt(Scene scene, Item item) {
        List<String> places = new ArrayList<>();
        for (String place : ASKED) {
            if (isAt(scene, item, place) == Answer.YES
                    && scene.items().stream()
                            .allMatch(other -> other == item || isAt(scene, other, place) == Answer.NO)) {
                places.add(place);
            }
        }
        return places;
    }

    /** The places that nothing reaches into. */
    static List<String> empty(Scene scene) {
        List<Rectangle2D> boxes = scene.items().stream().map(Item::box).collect(Collectors.toList());
        List<String> places = new ArrayList<>();
        for (String place : ASKED) {
            Rectangle2D area = area(scene.frame(), place);
            if (boxes.stream().noneMatch(box -> box.intersects(area))) {
                places.add(place);
            }
        }
        return places;
    }

    /** "at the top left", "on the left", "in the middle". */
    static String phrase(String place) {
        return switch (place) {
            case "middle" -> "in the middle";
            case "left", "right" -> "on the " + place;
            default -> "at the " + place;
        };
    }

    /** Places to ask about. "Left" here is all along the left edge. */
    static final List<String> ASKED =
            List.of("top left", "top right", "bottom left", "bottom right", "middle", "top", "bottom", "left", "right");

    private enum Answer {
        YES,
        NO,
        UNCLEAR
    }

    private static Answer isAt(Scene scene, Item item, String place) {
        double x = scene.frame().across(item);
        double y = scene.frame().down(item);
        Answer row = place.startsWith("top") ? is(y, 0) : place.startsWith("bottom") ? is(y, 2) : null;
        Answer column = place.endsWith("left") ? is(x, 0) : place.endsWith("right") ? is(x, 2) : null;
        if (place.equals("middle")) {
            row = is(y, 1);
            column = is(x, 1);
        }
        if (row == Answer.NO || column == Answer.NO) {
            return Answer.NO;
        }
        return row == Answer.UNCLEAR || column == Answer.UNCLEAR ? Answer.UNCLEAR : Answer.YES;
    }

    private static Answer is(double value, int wanted) {
        int third = clearThird(value);
        if (third >= 0) {
            return third == wanted ? Answer.YES : Answer.NO;
        }
        // Between two thirds: in doubt for these two only.
        return value < 0.5 && wanted == 2 || value > 0.5 && wanted == 0 ? Answer.NO : Answer.UNCLEAR;
    }

    private static Rectangle2D area(Frame frame, String place) {
        boolean middle = place.equals("middle");
        double top = place.startsWith("bottom") ? 2 : middle ? 1 : 0;
        double bottom = place.startsWith("top") ? 1 : middle ? 2 : 3;
        double left = place.endsWith("right") ? 2 : middle ? 1 : 0;
        double right = place.endsWith("left") ? 1 : middle ? 2 : 3;
        double width = frame.width() / 3;
        double height = frame.height() / 3;
        return new Rectangle2D.Double(
                frame.left() + left * width,
                frame.top() + top * height,
                (right - left) * width,
                (bottom - top) * height);
    }

    private static String cell(int row, int column) {
        return row == 1 && column == 1 ? "middle" : (ROWS[row] + " " + COLUMNS[column]).strip();
    }

    private static int third(double value) {
        return (int) (value * 3);
    }

    private static int clearThird(double value) {
        return third(value - UNCLEAR) == third(value + UNCLEAR) ? third(value) : -1;
    }
}

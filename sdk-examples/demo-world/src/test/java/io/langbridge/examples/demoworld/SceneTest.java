package io.langbridge.examples.demoworld;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SceneTest {
    private static List<Scene> scenes(int count) {
        SplittableRandom random = new SplittableRandom(11);
        List<Scene> scenes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            scenes.add(Scene.random(random));
        }
        return scenes;
    }

    @Test
    void theSameSeedGivesTheSameScenesAndPixels() {
        for (int seed = 0; seed < 10; seed++) {
            Scene one = Scene.random(new SplittableRandom(seed));
            Scene two = Scene.random(new SplittableRandom(seed));
            assertEquals(one, two);
            assertArrayEquals(pixels(Painter.draw(one)), pixels(Painter.draw(two)));
            assertNotEquals(one, Scene.random(new SplittableRandom(seed + 1000)));
        }
    }

    @Test
    void itemsLieApartAndInside() {
        for (Scene scene : scenes(1000)) {
            List<Item> items = scene.items();
            assertTrue(!items.isEmpty() && items.size() <= 5);
            for (Item item : items) {
                Rectangle2D box = item.painted().getBounds2D();
                assertTrue(new Rectangle2D.Double(0, 0, 1, 1).contains(box), () -> box + " of " + item);
                for (Item other : items) {
                    double distance = Math.hypot(item.x() - other.x(), item.y() - other.y());
                    double touching = Scene.radius(item) + Scene.radius(other);
                    assertTrue(item == other || distance - touching > 0.0399, () -> item + " and " + other);
                }
            }
        }
    }

    @Test
    void everyItemIsPaintedInItsColourAndStandsOut() {
        for (Scene drawn : scenes(100)) {
            Scene clean = new Scene(drawn.items(), drawn.background(), new Scene.Finish(128, true, 0, 0, 0));
            BufferedImage picture = Painter.draw(clean);
            for (Item item : clean.items()) {
                assertTrue(drawn.background().shows(item.rgb()), () -> item + " on " + drawn.background());
                double radius = Scene.radius(item);
                int own = 0;
                for (int y = 0; y < 128; y++) {
                    for (int x = 0; x < 128; x++) {
                        boolean near = Math.hypot((x + 0.5) / 128 - item.x(), (y + 0.5) / 128 - item.y()) <= radius;
                        own += near && (picture.getRGB(x, y) & 0xffffff) == item.rgb() ? 1 : 0;
                    }
                }
                assertTrue(own >= 12, own + " pixels of " + item);
            }
        }
    }

    @Test
    void allOfTheWorldComesUp() {
        EnumSet<Figure> figures = EnumSet.noneOf(Figure.class);
        EnumSet<Colour> colours = EnumSet.noneOf(Colour.class);
        EnumSet<Item.Style> styles = EnumSet.noneOf(Item.Style.class);
        EnumSet<Background.Pattern> patterns = EnumSet.noneOf(Background.Pattern.class);
        Set<Character> characters = new HashSet<>();
        int compressed = 0;
        int small = Integer.MAX_VALUE;
        int large = 0;
        for (Scene scene : scenes(2000)) {
            patterns.add(scene.background().pattern());
            compressed += scene.finish().jpeg() > 0 ? 1 : 0;
            small = Math.min(small, scene.finish().pixels());
            large = Math.max(large, scene.finish().pixels());
            for (Item item : scene.items()) {
                figures.add(item.figure());
                colours.add(item.colour());
                styles.add(item.style());
                characters.add(item.character());
            }
        }
        assertEquals(EnumSet.allOf(Figure.class), figures);
        assertEquals(EnumSet.allOf(Colour.class), colours);
        assertEquals(EnumSet.allOf(Item.Style.class), styles);
        assertEquals(EnumSet.allOf(Background.Pattern.class), patterns);
        assertEquals(24 + 10 + 1, characters.size()); // and the 0 of those that are none
        assertTrue(compressed > 500 && compressed < 800, compressed + " are compressed");
        assertTrue(small < 70 && large > 480, small + " to " + large + " pixels");
    }

    @Test
    void aPatchBelongsToTheItemThatLiesOnIt() {
        for (Scene drawn : scenes(200)) {
            Scene clean = new Scene(drawn.items(), drawn.background(), new Scene.Finish(64, false, 0, 0, 0));
            PatchMap map = new PatchMap(clean, 8);
            for (int patch = 0; patch < map.size(); patch++) {
                Rectangle2D area = new Rectangle2D.Double(patch % 8 / 8.0, patch / 8 / 8.0, 1 / 8.0, 1 / 8.0);
                int number = map.item(patch);
                for (int i = 0; i < clean.items().size(); i++) {
                    Item item = clean.items().get(i);
                    boolean centre = area.contains(item.x(), item.y());
                    assertEquals(centre, map.centre(i) == patch);
                    assertTrue(!centre || number == i);
                    assertTrue(number != i || centre || item.painted().intersects(area));
                    assertTrue(number >= 0 || !item.painted().contains(area), "a covered patch has its item");
                }
            }
        }
    }

    private static int[] pixels(BufferedImage picture) {
        int size = picture.getWidth();
        return picture.getRGB(0, 0, size, size, null, 0, size);
    }
}

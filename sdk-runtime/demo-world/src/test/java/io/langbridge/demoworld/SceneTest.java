package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SceneTest {
    private static List<Scene> scenes(int count) {
        SplittableRandom random = new SplittableRandom(11);
        List<Scene> scenes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            scenes.add(Scene.ofAnyShape(random));
        }
        return scenes;
    }

    @Test
    void theSameSeedGivesTheSameScenesAndPixels() {
        for (int seed = 0; seed < 10; seed++) {
            Scene one = Scene.ofAnyShape(new SplittableRandom(seed));
            Scene two = Scene.ofAnyShape(new SplittableRandom(seed));
            assertEquals(one, two);
            assertArrayEquals(pixels(Painter.draw(one)), pixels(Painter.draw(two)));
            assertNotEquals(one, Scene.ofAnyShape(new SplittableRandom(seed + 1000)));
        }
    }

    @Test
    void itemsLieApartAndInside() {
        for (Scene scene : scenes(5000)) {
            List<Item> items = scene.items();
            assertTrue(!items.isEmpty() && items.size() <= 5);
            for (Item item : items) {
                Rectangle2D box = item.painted().getBounds2D();
                assertTrue(scene.frame().area().contains(box), () -> box + " of " + item);
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
            int pixels = (int) Math.round(128 / drawn.frame().shorter());
            Scene clean = clean(drawn, pixels, true);
            BufferedImage picture = Painter.draw(clean);
            for (Item item : clean.items()) {
                assertTrue(drawn.background().shows(item.rgb()), () -> item + " on " + drawn.background());
                double radius = Scene.radius(item);
                int own = 0;
                for (int y = 0; y < picture.getHeight(); y++) {
                    for (int x = 0; x < picture.getWidth(); x++) {
                        int left = x - picture.getWidth() / 2;
                        int top = y - picture.getHeight() / 2;
                        double fromCentre = Math.hypot(
                                (left + 0.5) / pixels + 0.5 - item.x(), (top + 0.5) / pixels + 0.5 - item.y());
                        boolean near = fromCentre <= radius;
                        own += near && (picture.getRGB(x, y) & 0xffffff) == item.rgb() ? 1 : 0;
                    }
                }
                assertTrue(own >= 12, own + " pixels of " + item);
            }
        }
    }

    /** On every point of every sort of ground, not only by the colours that it is made of. */
    @ParameterizedTest
    @EnumSource(value = Background.Sort.class, mode = EnumSource.Mode.EXCLUDE, names = "SCENERY")
    void itemsStandOutFromAllOfTheirGround(Background.Sort sort) {
        SplittableRandom random = new SplittableRandom(12);
        for (int i = 0; i < 40; i++) {
            Scene drawn = Scene.random(Frame.SQUARE, sort, random);
            Scene empty = new Scene(drawn.frame(), List.of(), drawn.background(), new Scene.Finish(64, true, 0, 0, 0));
            for (int pixel : pixels(Painter.draw(empty))) {
                for (Item item : drawn.items()) {
                    double contrast = Colour.contrast(pixel & 0xffffff, item.rgb());
                    assertTrue(contrast > 18, () -> contrast + ": " + item + " on " + drawn.background());
                }
            }
        }
    }

    /**
     * On scenery they do so where they lie; elsewhere there may be anything, or else colour would tell what is a thing.
     */
    @Test
    void onSceneryItemsStandOutFromWhatTheyCover() {
        SplittableRandom random = new SplittableRandom(14);
        int alike = 0;
        for (int i = 0; i < 40; i++) {
            Scene drawn = clean(Scene.random(Frame.SQUARE, Background.Sort.SCENERY, random), 128, true);
            Scene empty = new Scene(drawn.frame(), List.of(), drawn.background(), drawn.finish());
            BufferedImage ground = Painter.draw(empty);
            for (Item item : drawn.items()) {
                int covered = 0;
                int seen = 0;
                boolean elsewhere = false;
                for (int y = 0; y < 128; y++) {
                    for (int x = 0; x < 128; x++) {
                        double contrast = Colour.contrast(ground.getRGB(x, y) & 0xffffff, item.rgb());
                        if (item.painted().contains((x + 0.5) / 128, (y + 0.5) / 128)) {
                            covered++;
                            seen += contrast > 30 ? 1 : 0;
                        }
                        elsewhere |= contrast < 30; // as no other ground has it anywhere
                    }
                }
                double share = (double) seen / covered;
                assertTrue(share > 0.9, () -> share + " of " + item + " on " + drawn.background());
                alike += elsewhere ? 1 : 0;
            }
        }
        assertTrue(alike > 5, "only " + alike + " have nearly their colour elsewhere");
    }

    @Test
    void texturesAreManyColouredAndTheSameAgain() {
        SplittableRandom random = new SplittableRandom(13);
        for (int i = 0; i < 20; i++) {
            Background drawn = Background.Sort.TEXTURE.apply(random);
            Background texture = new Background( // of colours between which there are many
                    drawn.pattern(),
                    List.of(0xd04020, 0x20a040, 0x3050c0),
                    drawn.degrees(),
                    drawn.pitch(),
                    drawn.share(),
                    drawn.seed());
            Scene empty = new Scene(Frame.SQUARE, List.of(), texture, new Scene.Finish(128, true, 0, 0, 0));
            int[] pixels = pixels(Painter.draw(empty));
            assertTrue(Arrays.stream(pixels).distinct().count() > 50, () -> "few colours: " + texture);
            assertArrayEquals(pixels, pixels(Painter.draw(empty)));
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
        int wide = 0;
        int high = 0;
        for (Scene scene : scenes(2000)) {
            patterns.add(scene.background().pattern());
            compressed += scene.finish().jpeg() > 0 ? 1 : 0;
            small = Math.min(small, scene.finish().pixels());
            large = Math.max(large, scene.finish().pixels());
            wide += scene.frame().height() < 1 ? 1 : 0;
            high += scene.frame().width() < 1 ? 1 : 0;
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
        assertTrue(wide > 500 && high > 250 && wide + high < 1100, wide + " are wide, " + high + " are high");
        assertTrue(small < 70 && large > 480, small + " to " + large + " pixels");
    }

    @Test
    void placesAreThoseOfThePicture() {
        int narrow = 0;
        for (Scene drawn : scenes(2000)) {
            Item item = drawn.items().get(0);
            if (item.figure() != Figure.CIRCLE && item.figure() != Figure.SQUARE) {
                continue; // what is painted of these lies evenly around their place
            }
            int ground = ~item.rgb() & 0xffffff;
            Background plain = Background.plain(ground);
            Scene single = new Scene(drawn.frame(), List.of(item), plain, new Scene.Finish(512, true, 0, 0, 0));
            BufferedImage picture = Painter.draw(single);
            Rectangle2D shown = null;
            for (int y = 0; y < picture.getHeight(); y++) {
                for (int x = 0; x < picture.getWidth(); x++) {
                    if ((picture.getRGB(x, y) & 0xffffff) != ground) {
                        Rectangle2D pixel = new Rectangle2D.Double(x, y, 1, 1);
                        shown = shown == null ? pixel : shown.createUnion(pixel);
                    }
                }
            }
            assertEquals(shown.getCenterX() / picture.getWidth(), drawn.frame().across(item), 0.01);
            assertEquals(shown.getCenterY() / picture.getHeight(), drawn.frame().down(item), 0.01);
            narrow += picture.getWidth() != picture.getHeight() ? 1 : 0;
        }
        assertTrue(narrow > 40, narrow + " are not square");
    }

    @Test
    void aPatchBelongsToTheItemThatLiesOnIt() {
        for (Scene drawn : scenes(200)) {
            Scene clean = clean(drawn, 64, false);
            PatchMap map = new PatchMap(clean, 8);
            for (int patch = 0; patch < map.size(); patch++) {
                int row = patch / 8;
                Rectangle2D area = new Rectangle2D.Double(patch % 8 / 8.0, row / 8.0, 1 / 8.0, 1 / 8.0);
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

    /** Without noise and compression. */
    private static Scene clean(Scene scene, int pixels, boolean antialiased) {
        Scene.Finish finish = new Scene.Finish(pixels, antialiased, 0, 0, 0);
        return new Scene(scene.frame(), scene.items(), scene.background(), finish);
    }

    private static int[] pixels(BufferedImage picture) {
        int width = picture.getWidth();
        return picture.getRGB(0, 0, width, picture.getHeight(), null, 0, width);
    }
}

package io.langbridge.demoworld;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Which item lies on which patch of an encoder's grid, in whose middle a picture of any shape lies. */
final class PatchMap {
    private static final int FINE = 8;
    private static final double ENOUGH = 0.2;

    private final int side;
    private final int[] items;
    private final BitSet touched = new BitSet();
    private final int[] centres;

    /**
     * Maps a scene.
     *
     * @param side patches per row and column
     */
    PatchMap(Scene scene, int side) {
        this.side = side;
        List<Item> all = scene.items();
        this.items = new int[side * side];
        this.centres = new int[all.size()];
        int[][] covered = covered(scene);
        Arrays.fill(items, -1);
        for (int patch = 0; patch < items.length; patch++) {
            int most = (int) Math.ceil(ENOUGH * FINE * FINE);
            for (int item = 0; item < all.size(); item++) {
                if (covered[patch][item] > 0) {
                    touched.set(patch);
                }
                if (covered[patch][item] >= most) {
                    most = covered[patch][item] + 1;
                    items[patch] = item;
                }
            }
        }
        for (int item = 0; item < all.size(); item++) {
            centres[item] = centre(all.get(item), side);
            items[centres[item]] = item;
        }
    }

    /**
     * {@return the item that covers most of a patch, at least a fifth of it, or whose centre it holds; -1 if none}
     *
     * @param patch row by row from the top left
     */
    int item(int patch) {
        return items[patch];
    }

    /** Whether no item reaches into a patch or around it. */
    boolean isEmpty(int patch) {
        return items[patch] < 0 && !touched.get(patch);
    }

    /**
     * {@return the patch that holds the centre of an item}
     *
     * @param side patches per row and column
     */
    static int centre(Item item, int side) {
        int row = (int) (item.y() * side);
        int column = (int) (item.x() * side);
        return row * side + column;
    }

    /** {@return the patch that holds the centre of an item} */
    int centre(int item) {
        return centres[item];
    }

    /** {@return number of patches} */
    int size() {
        return side * side;
    }

    /** How many of a patch's FINE x FINE points each item covers. */
    private int[][] covered(Scene scene) {
        List<Item> all = scene.items();
        int pixels = side * FINE;
        BufferedImage mask = new BufferedImage(pixels, pixels, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = mask.createGraphics();
        AffineTransform toPixels = AffineTransform.getScaleInstance(pixels, pixels);
        for (int item = 0; item < all.size(); item++) {
            graphics.setColor(new Color(item + 1));
            graphics.fill(toPixels.createTransformedShape(all.get(item).painted()));
        }
        graphics.dispose();
        int[] points = ((DataBufferInt) mask.getRaster().getDataBuffer()).getData();
        int[][] covered = new int[side * side][all.size()];
        for (int i = 0; i < points.length; i++) {
            int item = (points[i] & 0xffffff) - 1;
            if (item >= 0) {
                covered[i / pixels / FINE * side + i % pixels / FINE][item]++;
            }
        }
        return covered;
    }
}

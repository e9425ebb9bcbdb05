package io.langbridge.drawing;

import io.langbridge.Explanation;
import io.langbridge.Explanation.Area;
import io.langbridge.Explanation.ImageWord;
import io.langbridge.Explanation.Patch;
import io.langbridge.Explanation.Tile;
import io.langbridge.Explanation.Weight;
import io.langbridge.Explanation.Word;
import io.langbridge.Image;
import java.util.ArrayList;
import java.util.List;

/** Explanations made by hand. Every patch has two words: "corner" in the first patch of each tile, others elsewhere. */
final class Explained {
    /** Breaks out of careless HTML, JSON and JavaScript; the last two end lines in JavaScript. */
    static final String HOSTILE = "</script><img src=x onerror=\"window.hacked=1\">&amp;'\\u003c`${1}\u2028\u2029";

    static final Word CORNER = new Word(5, "\u0120corner", "corner");
    static final Word EVIL = new Word(6, HOSTILE, HOSTILE);
    static final Word LONG = new Word(7, "\u0120incomprehensibilities", "incomprehensibilities");
    static final Word ORIENTAL = new Word(8, "\u0ba8", "\u0ba8\ud83d\ude00");

    private Explained() {}

    /** A picture that is white on the left and blue on the right. */
    static Image picture(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = i % width < width / 2 ? 0xFFFFFFFF : 0xFF2040A0;
        }
        return Image.ofArgb(argb, width, height);
    }

    /** A padded picture in one tile. */
    static Explanation padded(int width, int height, int side) {
        int longer = Math.max(width, height);
        double left = -(longer - width) / 2.0;
        double top = -(longer - height) / 2.0;
        return of(width, height, side, List.of(new Area(left, top, left + longer, top + longer)));
    }

    /** The whole picture and its four quarters. */
    static Explanation quartered(int width, int height, int side) {
        Area whole = new Area(0, 0, width, height);
        return of(
                width,
                height,
                side,
                List.of(
                        whole,
                        whole.cell(0, 0, 2, 2),
                        whole.cell(0, 1, 2, 2),
                        whole.cell(1, 0, 2, 2),
                        whole.cell(1, 1, 2, 2)));
    }

    /** The same with nothing on the last row of each tile. */
    static Explanation emptyBelow(Explanation explanation) {
        List<Patch> patches = new ArrayList<>();
        for (Patch patch : explanation.patches()) {
            int rows = explanation.tiles().get(patch.tile()).patchRows();
            patches.add(
                    patch.row() < rows - 1
                            ? patch
                            : new Patch(patch.tile(), patch.row(), patch.column(), patch.area(), List.of()));
        }
        return new Explanation(
                explanation.width(),
                explanation.height(),
                explanation.measure(),
                false,
                explanation.tiles(),
                patches,
                explanation.words());
    }

    private static Explanation of(int width, int height, int side, List<Area> areas) {
        List<Tile> tiles = new ArrayList<>();
        List<Patch> patches = new ArrayList<>();
        for (int tile = 0; tile < areas.size(); tile++) {
            int part = Math.max(0, tile - 1);
            tiles.add(new Tile(tile, part / 2, part % 2, side, side, areas.get(tile)));
            for (int i = 0; i < side * side; i++) {
                Area area = areas.get(tile).cell(i / side, i % side, side, side);
                List<Weight> words = i == 0
                        ? List.of(new Weight(CORNER, 0.9f), new Weight(EVIL, -0.4f))
                        : List.of(new Weight(i % 2 == 0 ? LONG : ORIENTAL, 0.5f), new Weight(EVIL, 0.1f));
                patches.add(new Patch(tile, i / side, i % side, area, words));
            }
        }
        float[] corner = new float[patches.size()];
        float[] evil = new float[patches.size()];
        for (int i = 0; i < corner.length; i++) {
            boolean first = i % (side * side) == 0;
            corner[i] = first ? 0.9f : 0;
            evil[i] = first ? -0.4f : 0.1f;
        }
        return new Explanation(
                width,
                height,
                Explanation.Measure.COEFFICIENT,
                false,
                tiles,
                patches,
                List.of(
                        new ImageWord(CORNER, 0.5, areas.size(), corner),
                        new ImageWord(EVIL, 0.1, patches.size(), evil)));
    }
}

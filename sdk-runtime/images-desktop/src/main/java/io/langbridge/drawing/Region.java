package io.langbridge.drawing;

import io.langbridge.Explanation;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Patches side by side that have the same strongest word, and what is written on them once.
 *
 * @param patches indices into {@link Explanation#patches()}
 * @param words of all of them, strongest first: strengths are added up, values are those of the strongest patch; the
 *     first is the one that they share
 * @param area the largest rectangle of whole patches in it
 */
record Region(List<Integer> patches, List<Explanation.Weight> words, Explanation.Area area) {
    /** A cell of the layer's grid. */
    private record Cell(int row, int column) {}

    private static final int[][] SIDES = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};

    /** The regions of a layer, without its empty patches, in the order of their first patches. */
    static List<Region> of(Explanation explanation, Layer layer) {
        Map<Cell, Integer> cells = new LinkedHashMap<>();
        for (int index : layer.patches()) {
            Explanation.Patch patch = explanation.patches().get(index);
            if (!patch.words().isEmpty()) {
                cells.put(cell(patch.area(), layer), index);
            }
        }
        List<Region> regions = new ArrayList<>();
        Map<Cell, Integer> left = new LinkedHashMap<>(cells);
        for (Cell start : cells.keySet()) {
            if (left.containsKey(start)) {
                regions.add(grown(explanation, start, left));
            }
        }
        return regions;
    }

    private static Cell cell(Explanation.Area area, Layer layer) {
        double width = area.right() - area.left();
        double height = area.bottom() - area.top();
        return new Cell((int) Math.round((area.top() - layer.area().top()) / height), (int)
                Math.round((area.left() - layer.area().left()) / width));
    }

    /** Takes the cells around one that have its first word out of those that are left. */
    private static Region grown(Explanation explanation, Cell start, Map<Cell, Integer> left) {
        int patchOfStart = Objects.requireNonNull(left.remove(start));
        String word = first(explanation, patchOfStart);
        Map<Cell, Integer> own = new LinkedHashMap<>();
        Deque<Cell> next = new ArrayDeque<>(List.of(start));
        own.put(start, patchOfStart);
        while (!next.isEmpty()) {
            Cell cell = next.remove();
            for (int[] side : SIDES) {
                Cell beside = new Cell(cell.row + side[0], cell.column + side[1]);
                Integer patch = left.get(beside);
                if (patch != null && first(explanation, patch).equals(word)) {
                    own.put(beside, patch);
                    left.remove(beside);
                    next.add(beside);
                }
            }
        }
        return of(explanation, own);
    }

    private static String first(Explanation explanation, int patch) {
        return explanation.patches().get(patch).words().get(0).word().text();
    }

    private static Region of(Explanation explanation, Map<Cell, Integer> cells) {
        Map<String, Explanation.Weight> sums = new LinkedHashMap<>(); // several tokens may read the same
        for (int patch : cells.values()) {
            for (Explanation.Weight weight : explanation.patches().get(patch).words()) {
                sums.merge(weight.word().text(), weight, Region::sum);
            }
        }
        List<Explanation.Weight> words = new ArrayList<>(sums.values());
        Explanation.Weight shared = words.remove(0);
        words.sort(Comparator.comparingDouble(Explanation.Weight::strength).reversed());
        words.add(0, shared);

        int[] best = largest(cells);
        Explanation.Area from = area(explanation, cells, best[0], best[1]);
        Explanation.Area to = area(explanation, cells, best[2], best[3]);
        return new Region(
                List.copyOf(cells.values()),
                words,
                new Explanation.Area(from.left(), from.top(), to.right(), to.bottom()));
    }

    private static Explanation.Weight sum(Explanation.Weight one, Explanation.Weight two) {
        float value = Math.abs(one.value()) >= Math.abs(two.value()) ? one.value() : two.value();
        return new Explanation.Weight(one.word(), value, one.strength() + two.strength());
    }

    private static Explanation.Area area(Explanation explanation, Map<Cell, Integer> cells, int row, int column) {
        return explanation
                .patches()
                .get(Objects.requireNonNull(cells.get(new Cell(row, column))))
                .area();
    }

    /**
     * First row and column, last row and column of the largest rectangle in it; of equals the widest, words are wide.
     */
    private static int[] largest(Map<Cell, Integer> cells) {
        int[] best = {0, 0, 0, 0};
        double most = 0;
        // How many cells of the region stand above each one, with it.
        Map<Cell, Integer> heights = new HashMap<>();
        List<Cell> inOrder = new ArrayList<>(cells.keySet());
        inOrder.sort(Comparator.comparingInt(Cell::row).thenComparingInt(Cell::column));
        for (Cell cell : inOrder) {
            int height = heights.getOrDefault(new Cell(cell.row - 1, cell.column), 0) + 1;
            heights.put(cell, height);
            for (int column = cell.column; height > 0; column--) {
                int width = cell.column - column + 1;
                double size = width * height * (1 + width / 1000.0);
                if (size > most) {
                    most = size;
                    best = new int[] {cell.row - height + 1, column, cell.row, cell.column};
                }
                height = Math.min(height, heights.getOrDefault(new Cell(cell.row, column - 1), 0));
            }
        }
        return best;
    }
}

package io.langbridge.drawing;

import io.langbridge.Explanation;
import java.util.ArrayList;
import java.util.List;

/**
 * Patches that lie beside each other: those of the whole picture, or those of its parts together. Coordinates are
 * pixels of the picture.
 */
record Layer(String name, List<Integer> patches, Explanation.Area area) {
    /** The layers of an explanation, coarsest first. */
    static List<Layer> of(Explanation explanation) {
        List<Integer> whole = new ArrayList<>();
        List<Integer> parts = new ArrayList<>();
        for (int i = 0; i < explanation.patches().size(); i++) {
            (explanation.patches().get(i).tile() == 0 ? whole : parts).add(i);
        }
        List<Layer> layers = new ArrayList<>();
        layers.add(of(explanation, "Whole picture", whole));
        if (!parts.isEmpty()) {
            layers.add(of(explanation, explanation.tiles().size() - 1 + " tiles", parts));
        }
        return layers;
    }

    private static Layer of(Explanation explanation, String name, List<Integer> patches) {
        double left = Double.POSITIVE_INFINITY;
        double top = Double.POSITIVE_INFINITY;
        double right = Double.NEGATIVE_INFINITY;
        double bottom = Double.NEGATIVE_INFINITY;
        for (int patch : patches) {
            Explanation.Area area = explanation.patches().get(patch).area();
            left = Math.min(left, area.left());
            top = Math.min(top, area.top());
            right = Math.max(right, area.right());
            bottom = Math.max(bottom, area.bottom());
        }
        return new Layer(name, patches, new Explanation.Area(left, top, right, bottom));
    }

    double width() {
        return area.right() - area.left();
    }

    double height() {
        return area.bottom() - area.top();
    }
}

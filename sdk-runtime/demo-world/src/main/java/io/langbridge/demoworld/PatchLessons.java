package io.langbridge.demoworld;

import java.util.ArrayList;
import java.util.List;

/** Labels for what lies on the patches of a picture: for an encoder to learn from, before any language. */
final class PatchLessons {
    private static final String NOTHING = "nothing";
    private static final String CENTRE = "centre";

    private PatchLessons() {}

    /**
     * All labels. An item's patches have its colour, its size, what it is, and the row and column of its centre, which
     * tells them from the patches of other items.
     */
    static List<String> labels() {
        List<String> labels = new ArrayList<>(List.of(NOTHING, CENTRE));
        for (Colour colour : Colour.values()) {
            labels.add(colour.word());
        }
        for (Size size : Size.values()) {
            labels.add(size.word());
        }
        for (Figure figure : Figure.values()) {
            labels.add(figure.word());
        }
        for (char c = 'A'; c <= 'Z'; c++) {
            labels.add(String.valueOf(c));
        }
        for (char c = '0'; c <= '9'; c++) {
            labels.add(String.valueOf(c));
        }
        for (int i = 0; i < EncoderFolder.GRID; i++) {
            labels.add("row" + i);
            labels.add("column" + i);
        }
        return labels;
    }

    /** The labels of all patches, a line for each. */
    static String caption(Scene scene) {
        PatchMap map = new PatchMap(scene, EncoderFolder.GRID);
        StringBuilder caption = new StringBuilder();
        for (int patch = 0; patch < map.size(); patch++) {
            caption.append(patch == 0 ? "" : "\n");
            int number = map.item(patch);
            if (number < 0) {
                caption.append(NOTHING);
                continue;
            }
            Item item = scene.items().get(number);
            int centre = map.centre(number);
            caption.append(item.colour().word()).append(' ');
            caption.append(item.size().word()).append(' ');
            caption.append(item.noun()).append(' '); // "letter A": two labels
            caption.append("row").append(centre / EncoderFolder.GRID).append(' ');
            caption.append("column").append(centre % EncoderFolder.GRID);
            if (patch == centre) {
                caption.append(' ').append(CENTRE);
            }
        }
        return caption.toString();
    }
}

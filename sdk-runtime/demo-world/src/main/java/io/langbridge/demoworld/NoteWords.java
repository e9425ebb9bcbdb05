package io.langbridge.demoworld;

import io.langbridge.Llm;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Where the words of items' notes go on an encoder's grid, to fit coefficients to; elsewhere there are commas. */
enum NoteWords {
    /** All of them on the patch of an item's centre. */
    AT_CENTRE,
    /** Size, colour and name on all patches of an item. */
    ON_ALL,
    /** One after the other, as they are written: size and colour left of the centre, row and column right of it. */
    SPELLED;

    private static final String NOTHING = ",";

    /**
     * {@return for each patch of each scene 1 for the tokens of its words, 0 for the others}
     *
     * @param vocabulary of a LangBridge adapter, in whose order they are
     */
    double[][] coefficients(List<Scene> scenes, Llm llm, Path vocabulary) {
        Tokenizer tokenizer = Tokenizer.of(llm.folder());
        int[] ids = SharedVocabulary.read(vocabulary).forTokenizer(tokenizer).idsOrMinusOne();
        Map<Integer, Integer> columns = new HashMap<>();
        for (int i = 0; i < ids.length; i++) {
            columns.put(ids[i], i);
        }
        List<double[]> rows = new ArrayList<>();
        for (Scene scene : scenes) {
            for (String text : texts(scene)) {
                double[] row = new double[ids.length];
                for (int id : tokenizer.encode(text, false)) {
                    if (columns.containsKey(id)) {
                        row[columns.get(id)] = 1;
                    }
                }
                rows.add(row);
            }
        }
        return rows.toArray(double[][]::new);
    }

    /** {@return the words of each patch, row by row from the top left} */
    String[] texts(Scene scene) {
        PatchMap map = new PatchMap(scene, EncoderFolder.GRID);
        String[] texts = new String[map.size()];
        Arrays.fill(texts, NOTHING);
        List<Item> items = scene.items();
        if (this == ON_ALL) {
            for (int patch = 0; patch < texts.length; patch++) {
                int item = map.item(patch);
                texts[patch] = item < 0 ? NOTHING : " " + items.get(item).fullName();
            }
            return texts;
        }
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            String note = TextLessons.note(item);
            if (this == AT_CENTRE) {
                texts[map.centre(i)] = " " + note;
            } else {
                List<String> words = new ArrayList<>(
                        List.of(item.size().word(), item.colour().word(), item.noun()));
                words.addAll(
                        List.of(note.substring(item.fullName().length() + 1).split(" ")));
                spell(words, map.centre(i), texts);
            }
        }
        return texts;
    }

    /** The third word comes to the centre; what would be beyond the row is left out. */
    private static void spell(List<String> words, int centre, String[] texts) {
        int side = EncoderFolder.GRID;
        for (int word = 0; word < words.size(); word++) {
            int column = centre % side + word - 2;
            if (column >= 0 && column < side) {
                texts[centre + word - 2] = " " + words.get(word);
            }
        }
    }
}

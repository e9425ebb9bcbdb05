package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NoteWordsTest {
    @Test
    void wordsLieWhereTheItemIs() {
        SplittableRandom random = new SplittableRandom(8);
        Scene scene = Stream.generate(() -> Scene.random(random))
                .filter(each -> each.items().size() == 1
                        && !each.items().get(0).figure().isCharacter())
                .filter(each -> centre(each) % 8 >= 2 && centre(each) % 8 <= 5)
                .findFirst()
                .orElseThrow();
        Item item = scene.items().get(0);
        int centre = centre(scene);
        String note = TextLessons.note(item);

        List<String> whole = List.of(NoteWords.AT_CENTRE.texts(scene));
        assertEquals(" " + note, whole.get(centre));
        assertEquals(63, whole.stream().filter(","::equals).count());

        List<String> spelled = List.of(NoteWords.SPELLED.texts(scene));
        assertEquals(" " + note.replace(" ", "  "), String.join(" ", spelled.subList(centre - 2, centre + 3)));
        assertEquals(59, spelled.stream().filter(","::equals).count());

        String[] everywhere = NoteWords.ON_ALL.texts(scene);
        PatchMap map = new PatchMap(scene, 8);
        for (int patch = 0; patch < 64; patch++) {
            assertEquals(map.item(patch) < 0 ? "," : " " + item.fullName(), everywhere[patch]);
        }
        assertTrue(Arrays.stream(everywhere).anyMatch(","::equals));
    }

    private static int centre(Scene scene) {
        return PatchMap.centre(scene.items().get(0), 8);
    }
}

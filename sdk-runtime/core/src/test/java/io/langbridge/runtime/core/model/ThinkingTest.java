package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ThinkingTest {
    private static final String WHOLE = "<think>\nA cat,\n\nor </thing?\n</think>\n\nIt is <think> a cat.\n";

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder thought = new StringBuilder();

    private Thinking read(boolean opened, List<String> pieces) {
        text.setLength(0);
        thought.setLength(0);
        Thinking thinking = new Thinking(opened);
        pieces.forEach(piece -> {
            String said = thinking.next(piece);
            (thinking.thinks() ? thought : text).append(said);
        });
        for (int i = 0; i < 2; i++) {
            String said = thinking.flush();
            (thinking.thinks() ? thought : text).append(said);
        }
        return thinking;
    }

    private static List<String> cut(String text, int size) {
        List<String> pieces = new ArrayList<>();
        for (int i = 0; i < text.length(); i += size) {
            pieces.add(text.substring(i, Math.min(text.length(), i + size)));
        }
        return pieces;
    }

    @Test
    void thoughtsAreTakenOutHoweverTheyArrive() {
        for (int size = 1; size <= WHOLE.length(); size++) {
            for (boolean opened : new boolean[] {false, true}) {
                String said = opened ? WHOLE.substring("<think>".length()) : WHOLE;
                Thinking thinking = read(opened, cut(said, size));
                assertThat(thinking.thought()).isEqualTo("A cat,\n\nor </thing?");
                assertThat(thought).hasToString(thinking.thought());
                assertThat(text).hasToString("It is <think> a cat.\n");
            }
        }
    }

    @Test
    void anAnswerWithoutThoughtsStaysAsItIs() {
        for (String said : List.of("\nIt is <think>a</think> cat.", "<thin", "\n", "", "</think>")) {
            for (int size = 1; size <= said.length() + 1; size++) {
                assertThat(read(false, cut(said, size)).thought()).isEmpty();
                assertThat(text).hasToString(said);
            }
        }
    }

    @Test
    void thoughtsThatDoNotEndAreAllThereIs() {
        for (int size = 1; size <= 9; size++) {
            assertThat(read(true, cut("\nHm </th", size)).thought()).isEqualTo("Hm </th");
            assertThat(text).isEmpty();
        }
    }
}

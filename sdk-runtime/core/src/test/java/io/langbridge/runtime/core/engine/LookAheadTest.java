package io.langbridge.runtime.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;

class LookAheadTest {
    private final LookAhead tokens = new LookAhead(12);

    /** Two words, a picture of four, a word, a picture of two, a word. */
    private void twoPictures() {
        tokens.say(0, new int[] {0, 0, 3, 2, 1, 0, 0, 1, 0, 0});
    }

    @Test
    void tokensThatSeeEachOtherRunTogether() {
        twoPictures();
        assertThat(tokens.portion(0, 10, 10)).isEqualTo(10);
        assertThat(tokens.portion(0, 10, 4)).isEqualTo(2);
        assertThat(tokens.portion(0, 10, 6)).isEqualTo(6);
        assertThat(tokens.portion(2, 8, 3)).as("more than wanted").isEqualTo(4);
        assertThat(tokens.portion(6, 4, 2)).isEqualTo(1);
    }

    @Test
    void thereIsNoPortionThatEndsAmongThem() {
        twoPictures();
        assertThat(tokens.portion(2, 3, 3)).isZero();
        assertThat(tokens.portion(2, 4, 1)).isEqualTo(4);
    }

    @Test
    void goingBackAmongThemGoesToTheirBeginning() {
        twoPictures();
        assertThat(tokens.rewind(10)).isEqualTo(10);
        assertThat(tokens.rewind(8)).isEqualTo(7);
        assertThat(tokens.rewind(6)).isEqualTo(6);
        assertThat(tokens.rewind(5)).isEqualTo(2);
        assertThat(tokens.of(0, 12)).containsOnly(0);
    }

    @Test
    void whatIsSaidIsOfTokensToCome() {
        tokens.say(3, new int[] {1, 0});
        assertThat(tokens.of(2, 4)).containsExactly(0, 1, 0, 0);
        assertThatIllegalArgumentException().isThrownBy(() -> tokens.say(0, new int[] {0, 1}));
        assertThatIllegalArgumentException().isThrownBy(() -> tokens.say(0, new int[] {-1}));
        assertThatIllegalStateException().isThrownBy(() -> tokens.say(11, new int[2]));
    }
}

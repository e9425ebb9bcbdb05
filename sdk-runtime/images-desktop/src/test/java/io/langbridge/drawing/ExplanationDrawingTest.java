package io.langbridge.drawing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.Explanation;
import io.langbridge.ImageException;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

class ExplanationDrawingTest {
    private static ExplanationDrawing padded() {
        return ExplanationDrawing.of(Explained.padded(200, 100, 24), Explained.picture(200, 100));
    }

    private static int brightest(BufferedImage image, int x, int y, int width, int height) {
        int brightest = 0;
        for (int pixel : image.getRGB(x, y, width, height, null, 0, width)) {
            brightest = Math.max(brightest, pixel & 0xFF);
        }
        return brightest;
    }

    @Test
    void the_overlay_is_scaled_up_until_words_have_room() {
        BufferedImage overlay = padded().overlay();

        assertThat(overlay.getWidth()).isEqualTo(24 * 72);
        assertThat(overlay.getHeight()).isEqualTo(24 * 72);
        // Letters are bright, what is under them is not, be it white or padding.
        for (int column = 0; column < 24; column++) {
            for (int row = 0; row < 24; row++) {
                assertThat(brightest(overlay, column * 72 + 2, row * 72 + 2, 68, 68))
                        .isGreaterThan(180);
            }
        }
        assertThat(overlay.getRGB(4, 12 * 72 + 4) & 0xFF).isLessThan(120);
    }

    @Test
    void words_stay_in_their_cells() {
        BufferedImage overlay = padded().overlay();
        // The third cell holds a word of 21 letters; between cells there is only the line.
        for (int column = 1; column < 24; column++) {
            int x = column * 72;
            assertThat(brightest(overlay, x - 1, 2, 1, 68)).isLessThan(180);
            assertThat(brightest(overlay, x + 1, 2, 1, 68)).isLessThan(180);
        }
    }

    @Test
    void with_tiles_the_overlay_shows_the_parts() {
        BufferedImage overlay = ExplanationDrawing.of(Explained.quartered(300, 100, 4), Explained.picture(300, 100))
                .overlay();

        // 8 x 8 cells of 37.5 x 12.5 pixels, so their height of 52 decides.
        assertThat(overlay.getHeight()).isEqualTo(8 * 52);
        assertThat(overlay.getWidth()).isEqualTo(3 * 8 * 52);
    }

    @Test
    void a_very_thin_picture_is_stretched_and_not_drawn_a_mile_long() {
        BufferedImage overlay = ExplanationDrawing.of(Explained.quartered(5000, 5, 4), Explained.picture(5000, 5))
                .overlay();

        assertThat(overlay.getWidth()).isEqualTo(8 * 72);
        assertThat(overlay.getHeight()).isEqualTo(8 * 52);
    }

    @Test
    void a_heat_map_is_orange_where_the_word_is_and_blue_where_it_is_negative() {
        Explanation explanation = Explained.padded(100, 100, 4);
        ExplanationDrawing drawing = ExplanationDrawing.of(explanation, Explained.picture(100, 100));

        BufferedImage corner = drawing.heatMap(explanation.words().get(0));
        BufferedImage evil = drawing.heatMap(explanation.words().get(1));

        assertThat(corner.getWidth()).isEqualTo(1024);
        assertThat(corner.getHeight()).isEqualTo(1024 + 40);
        int there = corner.getRGB(100, 100);
        int elsewhere = corner.getRGB(400, 400);
        assertThat(there >> 16 & 0xFF).isGreaterThan((there & 0xFF) + 100);
        assertThat(elsewhere >> 16 & 0xFF).isEqualTo(elsewhere & 0xFF);
        int negative = evil.getRGB(100, 100);
        assertThat(negative & 0xFF).isGreaterThan((negative >> 16 & 0xFF) + 100);
    }

    @Test
    void another_picture_is_refused_with_both_sizes() {
        Explanation explanation = Explained.padded(200, 100, 4);

        assertThatThrownBy(() -> ExplanationDrawing.of(explanation, Explained.picture(100, 200)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("100 x 200")
                .hasMessageContaining("200 x 100");
    }
}

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

    private static int darkest(BufferedImage image, int x, int y, int width, int height) {
        int darkest = 255;
        for (int pixel : image.getRGB(x, y, width, height, null, 0, width)) {
            darkest = Math.min(darkest, pixel >> 8 & 0xFF);
        }
        return darkest;
    }

    @Test
    void the_overlay_is_bright_and_scaled_up_until_words_have_room() {
        BufferedImage overlay = padded().overlay();

        assertThat(overlay.getWidth()).isEqualTo(24 * 72);
        assertThat(overlay.getHeight()).isEqualTo(24 * 72);
        // What is under letters is bright, be it white, blue or padding.
        for (int column = 0; column < 24; column++) {
            for (int row = 0; row < 24; row++) {
                assertThat(overlay.getRGB(column * 72 + 4, row * 72 + 4) >> 8 & 0xFF)
                        .isGreaterThan(180);
            }
        }
        // The first patch has words of its own; below it the columns have one word each, which is written once.
        assertThat(darkest(overlay, 3, 3, 66, 66)).isLessThan(60);
        int written = 0;
        for (int row = 1; row < 24; row++) {
            written += darkest(overlay, 3, row * 72 + 3, 66, 66) < 60 ? 1 : 0;
        }
        assertThat(written).isBetween(1, 2);
    }

    @Test
    void words_stay_in_their_fields() {
        BufferedImage overlay = padded().overlay();
        // Every second column holds a word of 21 letters; between columns there is only the line.
        for (int column = 1; column < 24; column++) {
            int x = column * 72;
            assertThat(darkest(overlay, x - 2, 74, 1, 23 * 72 - 4)).isGreaterThan(100);
            assertThat(darkest(overlay, x + 2, 74, 1, 23 * 72 - 4)).isGreaterThan(100);
        }
    }

    @Test
    void on_empty_ground_the_picture_is_left_as_it_is() {
        Explanation explanation = Explained.emptyBelow(Explained.padded(100, 100, 4));
        ExplanationDrawing drawing = ExplanationDrawing.of(explanation, Explained.picture(100, 100));

        BufferedImage overlay = drawing.overlay();
        BufferedImage heat = drawing.heatMap(explanation.words().get(1));

        for (int x = 2 * 72 + 4; x < 4 * 72; x++) {
            for (int y = 3 * 72 + 4; y < 4 * 72; y++) {
                assertThat(overlay.getRGB(x, y) & 0xFFFFFF).isEqualTo(0x2040A0);
            }
        }
        int below = heat.getRGB(800, 900);
        assertThat(below >> 16 & 0xFF).isEqualTo(below & 0xFF);
        int above = heat.getRGB(800, 400);
        assertThat(above >> 16 & 0xFF).isGreaterThan(above & 0xFF);
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

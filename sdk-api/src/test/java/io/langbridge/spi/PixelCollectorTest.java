package io.langbridge.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.ImageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PixelCollectorTest {
    @ParameterizedTest
    @CsvSource({
        "1, 'abc def'", "2, 'cba fed'", "3, 'fed cba'", "4, 'def abc'",
        "5, 'ad be cf'", "6, 'da eb fc'", "7, 'fc eb da'", "8, 'cf be ad'"
    })
    void everyOrientationIsTurnedUpright(int orientation, String rows) {
        byte[] rgb = new byte[18];
        for (int i = 0; i < 18; i++) {
            rgb[i] = (byte) ('a' + i / 3);
        }
        PixelCollector collector = new PixelCollector("x.png");
        collector.begin(3, 2, orientation);
        collector.row(1, rgb, 9);
        collector.row(0, rgb, 0);
        RgbPixels upright = collector.pixels();
        byte[] bytes = upright.toByteArray();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            text.append(i > 0 && i % upright.width() == 0 ? " " : "").append((char) bytes[3 * i]);
        }
        assertThat(text.toString()).isEqualTo(rows);
    }

    @Test
    void aPictureBeyondTheHeapIsRefusedWithTheHeapItNeeds() {
        long heap = Runtime.getRuntime().maxMemory();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> ImageMemory.check(heap + 1, "x.png"))
                .withMessageContaining("x.png needs " + ((heap >> 20) + 1) + " MB of heap")
                .withMessageContaining("-Xmx");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> ImageMemory.allocate(3_000_000_000L, "x.png"))
                .withMessageContaining("x.png needs 3000000000 bytes");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> ImageMemory.within(5 << 20, "x.png", () -> {
                    throw new OutOfMemoryError();
                }))
                .withMessageContaining("x.png needs 5 MB of heap")
                .withCauseInstanceOf(OutOfMemoryError.class);
    }
}

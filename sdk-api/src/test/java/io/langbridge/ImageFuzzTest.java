package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.langbridge.spi.ImageFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code JAZZER_FUZZ=1 JAZZER_MAX_DURATION=2m ./mvnw -q -pl sdk-api test -Dtest=ImageFuzzTest#data_uri} */
class ImageFuzzTest {
    private static final ImageLimits LIMITS = new ImageLimits(1_000, 1_000, 100);

    static Stream<byte[]> uris() {
        return Stream.of(
                        "data:image/png;base64,iVBORw0KGgo=",
                        " DATA:;charset=utf-8; base64,iVBO%52w0_\r\n Ggo-",
                        "data:,%00%ffabc%")
                .map(uri -> uri.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What is read is no more than what was written, and Base64 as Java writes it comes back. */
    @MethodSource("uris")
    @FuzzTest
    void data_uri(byte[] input) {
        try {
            assertThat(DataUri.bytes(new String(input, StandardCharsets.ISO_8859_1), LIMITS))
                    .hasSizeLessThan(input.length);
        } catch (ImageException e) {
            assertThat(e).hasMessageMatching("\\P{Cc}+");
        }
        if (input.length > 0 && input.length <= LIMITS.maxFileBytes()) {
            String uri = "data:image/png;base64," + Base64.getEncoder().encodeToString(input);
            assertThat(Arrays.equals(DataUri.bytes(uri, LIMITS), input)).isTrue();
        }
    }

    @FuzzTest
    void format(byte[] input) {
        ImageFormat format = ImageFormat.of(input);
        if (format != null) {
            assertThat(format.what()).isNotEmpty();
        }
    }
}

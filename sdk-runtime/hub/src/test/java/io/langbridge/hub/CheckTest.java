package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.langbridge.FitReport;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.HubException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is checked before the weights are fetched. The runtime here is {@link FolderReader}. */
class CheckTest {
    @TempDir
    Path temporary;

    private Fixture fixture;
    private FakeHub fake;

    @BeforeEach
    void start() throws IOException {
        fixture = new Fixture(temporary);
        fake = fixture.fake.smallModel();
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    /** A safetensors file: eight bytes that say how long the header is, the header, weights. */
    private static byte[] safetensors(int header, int weights) {
        return ByteBuffer.allocate(Long.BYTES + header + weights)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header)
                .put(" ".repeat(header).getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    private long sentFromStore() {
        return fake.seen.stream()
                .filter(seen -> seen.server().equals("cdn"))
                .mapToLong(seen -> Long.parseLong(String.valueOf(seen.range()).replaceAll("bytes=0-", "")) + 1)
                .sum();
    }

    private static String text(FitReport report, String subject) {
        return report.findings().stream()
                .filter(finding -> finding.subject().equals(subject))
                .map(FitReport.Finding::text)
                .findFirst()
                .orElse("");
    }

    @Test
    void readsHeadersOnlyAndShowsTheWholeModel() throws IOException {
        byte[] weights = safetensors(1000, 3_000_000);
        fake.file("model.safetensors", weights);
        FitReport report = fixture.model().check(VisionLanguageModel.builder());

        String file = fixture.snapshot().resolve("model.safetensors").toString();
        assertThat(text(report, "model.safetensors")).startsWith(file + " 3001008 e803000000000000202020");
        assertThat(text(report, "config.json")).startsWith(fixture.snapshot().toString());
        assertThat(text(report, "weights")).contains("headers");
        assertThat(report.memoryNeeded()).isEqualTo(1000);
        assertThat(report.memoryToExplain()).isEqualTo(500);
        assertThat(report.memoryAvailable()).isEqualTo(2000);
        assertThat(sentFromStore()).isEqualTo(1 << 17);
        // What was fetched is not fetched again.
        fake.seen.clear();
        assertThat(fixture.model().get()).isEqualTo(fixture.snapshot());
        assertThat(fake.requests("config.json")).isZero();
        assertThat(fixture.snapshot().resolve("model.safetensors")).hasBinaryContent(weights);
    }

    @Test
    void longHeadersTakeASecondRequest() {
        fake.file("model.safetensors", safetensors(500_000, 600_000));
        FitReport report = fixture.model().check(VisionLanguageModel.builder());
        assertThat(text(report, "model.safetensors")).contains(" 1100008 ");
        assertThat(sentFromStore()).isEqualTo((1 << 17) + 500_008);
    }

    @Test
    void whatIsHereIsCheckedAsItIs() {
        fixture.model().get();
        fake.seen.clear();
        FitReport report = fixture.model().check(VisionLanguageModel.builder());
        assertThat(text(report, "weights")).isEmpty();
        assertThat(text(report, "model.safetensors")).contains(" 300000 ");
        assertThat(fake.requests("/resolve/")).isZero();
    }

    @Test
    void aServerThatKnowsNoRangesIsReadNoFurtherThanTheHeader() {
        byte[] weights = safetensors(1000, 3_000_000);
        fake.file("model.safetensors", weights).once("cdn", FakeHub.whole(weights));
        assertThat(text(fixture.model().check(VisionLanguageModel.builder()), "model.safetensors"))
                .contains(" 3001008 ");
    }

    @Test
    void triesAgainWhereTheWrongPartArrives() {
        fake.file("model.safetensors", safetensors(1000, 3_000_000))
                .once("cdn", FakeHub.cutAfter(100))
                .once("cdn", FakeHub.status(503));
        assertThat(text(fixture.model().check(VisionLanguageModel.builder()), "model.safetensors"))
                .contains(" 3001008 ");
        assertThat(fixture.waits).hasSize(2);
    }

    @Test
    void aFileWithoutSuchAHeaderIsShownAsItIs() {
        fake.file("model.safetensors", new byte[] {1, 2, 3});
        assertThat(text(fixture.model().check(VisionLanguageModel.builder()), "model.safetensors"))
                .endsWith(" 3 010203");
    }

    @Test
    void theSizeOfTheDiskIsCheckedFirst() {
        HubException failure = catchThrowableOfType(
                HubException.class,
                () -> fixture.builder()
                        .freeSpace(folder -> 100_000)
                        .build()
                        .model(FakeHub.REPOSITORY)
                        .check(VisionLanguageModel.builder()));
        assertThat(failure.reason()).isEqualTo(Reason.DISK_FULL);
    }

    @Test
    void offlineWithoutTheWeightsIsAnError() {
        fixture.model().check(VisionLanguageModel.builder());
        HubException failure = catchThrowableOfType(
                HubException.class,
                () -> fixture.builder()
                        .offline(true)
                        .build()
                        .model(FakeHub.REPOSITORY)
                        .revision(FakeHub.COMMIT)
                        .check(VisionLanguageModel.builder()));
        assertThat(failure).hasMessageContaining("lacks").hasMessageContaining("model.safetensors");
    }

    @Test
    void leavesNothingInTheTemporaryFolder() throws IOException {
        List<Path> before = previews();
        fixture.model().check(VisionLanguageModel.builder());
        assertThat(previews()).isEqualTo(before);
    }

    private static List<Path> previews() throws IOException {
        try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return all.filter(path -> path.getFileName().toString().startsWith("langbridge-preview-"))
                    .sorted()
                    .toList();
        }
    }
}

package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.langbridge.hub.HubException.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class HubTest {
    private static final byte[] WEIGHTS = FakeHub.bytes(300_000, 1);

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

    private HubException failure(HubModel model) {
        HubException failure = catchThrowableOfType(HubException.class, model::get);
        assertThat(failure).isNotNull();
        return failure;
    }

    @Test
    void fetchesWhatIsNeededIntoASnapshot() throws IOException {
        Path folder = fixture.model().get();

        assertThat(folder).isEqualTo(fixture.snapshot());
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .containsExactlyInAnyOrder("config.json", "tokenizer.json", "README.md", "model.safetensors");
        }
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fixture.folder().resolve("refs/main")).hasContent(FakeHub.COMMIT);
    }

    @Test
    void connectsToNothingBeforeItIsCalled() {
        fixture.builder().build().model(FakeHub.REPOSITORY).revision("v1").files("*.json");
        assertThat(fake.seen).isEmpty();
        assertThat(fixture.cache).doesNotExist();
    }

    @Test
    void theSecondTimeOnlyTheRevisionIsAsked() {
        fixture.model().get();
        fake.seen.clear();
        fixture.model().get();
        assertThat(fake.seen)
                .singleElement()
                .extracting(FakeHub.Seen::path)
                .asString()
                .contains("/revision/main");
    }

    @Test
    void aCommitThatIsHereIsNotAskedFor() {
        fixture.model().get();
        fake.seen.clear();
        fixture.model().revision(FakeHub.COMMIT).get();
        assertThat(fake.seen).isEmpty();
    }

    @Test
    void takesBranchesAndTagsWithSlashes() {
        String other = "b".repeat(40);
        fake.file(other, "config.json", "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .ref("refs/pr/1", other);
        Path folder = fixture.model().revision("refs/pr/1").get();
        assertThat(folder).endsWithRaw(Path.of("snapshots", other));
        assertThat(fixture.folder().resolve("refs/refs/pr/1")).hasContent(other);
    }

    @Test
    void patternsChooseFiles() throws IOException {
        Path folder = fixture.model().files("*.json", "!tokenizer*").get();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(f -> f.getFileName().toString())).containsExactly("config.json");
        }
        assertThat(failure(fixture.model().files("*.zip")).reason()).isEqualTo(Reason.FILE_NOT_FOUND);
    }

    @Test
    void thePlanSaysSizesAndFetchesNothing() {
        DownloadPlan plan = fixture.model().plan();
        assertThat(plan.commit()).isEqualTo(FakeHub.COMMIT);
        assertThat(plan.files()).extracting(DownloadPlan.File::path).endsWith("model.safetensors");
        assertThat(plan.missingBytes()).isEqualTo(plan.bytes()).isGreaterThan(300_000);
        assertThat(fake.requests("/resolve/")).isZero();
        assertThat(fixture.cache).doesNotExist();

        fixture.model().get();
        assertThat(fixture.model().plan().missingBytes()).isZero();
    }

    @Test
    void aListenerHearsEveryFileAndTheEnd() {
        List<DownloadProgress> heard = new ArrayList<>();
        fixture.model().listener(heard::add).get();
        DownloadProgress last = heard.get(heard.size() - 1);
        assertThat(last.bytes()).isEqualTo(last.totalBytes()).isGreaterThan(300_000);
        assertThat(heard).extracting(DownloadProgress::file).contains("config.json", "model.safetensors");
        assertThat(heard).allSatisfy(p -> assertThat(p.fileBytes()).isBetween(0L, p.fileSize()));
    }

    @Test
    void theRateTellsTheTimeLeft() {
        long[] now = {0};
        List<DownloadProgress> heard = new ArrayList<>();
        Progress progress = new Progress(heard::add, () -> now[0], 4000);
        progress.begin(new RepoFile("f", 4000, "", null, null));
        progress.at(1000); // of an earlier run: no rate comes from that
        now[0] = Duration.ofSeconds(2).toNanos();
        progress.received(1000);
        DownloadProgress last = heard.get(heard.size() - 1);
        assertThat(last.bytesPerSecond()).isEqualTo(500);
        assertThat(last.timeLeft()).isEqualTo(Duration.ofSeconds(4));
        assertThat(last.bytes()).isEqualTo(2000);
    }

    @Test
    void aListenerThatThrowsEndsTheDownloadAndWhatArrivedIsKept() {
        fake.once("cdn", FakeHub.cutAfter(100_000));
        HubModel model = fixture.model().listener(p -> {
            if (p.file().equals("model.safetensors") && p.fileBytes() == 0) {
                throw new IllegalStateException("enough");
            }
        });
        assertThatThrownBy(model::get).isInstanceOf(IllegalStateException.class);
        assertThat(fixture.snapshot().resolve("config.json")).exists();
        assertThat(fixture.folder().resolve("refs/main")).doesNotExist();
    }

    @Test
    void aFullDiskIsNoticedBeforeAnyDownload() {
        HubException failure =
                failure(fixture.builder().freeSpace(folder -> 1000).build().model(FakeHub.REPOSITORY));
        assertThat(failure.reason()).isEqualTo(Reason.DISK_FULL);
        assertThat(failure).hasMessageContaining("0.3 MB more").hasMessageContaining("HF_HUB_CACHE");
        assertThat(fake.requests("/resolve/")).isZero();
    }

    @Test
    void aCutAnswerIsGoneOnWith() {
        fake.once("cdn", FakeHub.cutAfter(100_000)).once("cdn", FakeHub.cutAfter(50_000));
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen.stream().filter(s -> s.server().equals("cdn")).map(FakeHub.Seen::range))
                .hasSize(3)
                .element(2)
                .isEqualTo("bytes=150000-");
        assertThat(fake.seen.stream().filter(s -> s.ifRange() != null)).hasSize(4);
    }

    @Test
    void aLaterProcessGoesOnWhereAnEarlierOneEnded() {
        fake.once("cdn", FakeHub.cutAfter(100_000)).always("cdn", FakeHub.cutAfter(0));
        assertThat(failure(fixture.model()).reason()).isIn(Reason.UNREACHABLE, Reason.DAMAGED);
        fake.wellAgain().seen.clear();
        assertThat(fixture.model().plan().missingBytes()).isEqualTo(200_000);

        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen.stream().filter(s -> s.server().equals("cdn")))
                .singleElement()
                .extracting(FakeHub.Seen::range)
                .isEqualTo("bytes=100000-");
    }

    @Test
    void aPartOfAnotherFileIsNoticedAtTheEndAndFetchedAnew() throws IOException {
        Path partial = new Cache(fixture.cache, FakeHub.REPOSITORY).partial(FakeHub.sha256(WEIGHTS));
        Files.createDirectories(partial.getParent());
        Files.write(partial, FakeHub.bytes(1234, 77));
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(partial).doesNotExist();
    }

    @Test
    void aPartLongerThanTheFileIsThrownAway() throws IOException {
        Path partial = new Cache(fixture.cache, FakeHub.REPOSITORY).partial(FakeHub.sha256(WEIGHTS));
        Files.createDirectories(partial.getParent());
        Files.write(partial, FakeHub.bytes(300_001, 77));
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void everythingInsteadOfThePartAskedForBeginsAnew() {
        fake.once("cdn", FakeHub.cutAfter(100_000)).once("cdn", FakeHub.whole(WEIGHTS));
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void aPartThatBeginsElsewhereIsNotAppended() {
        fake.once("cdn", FakeHub.cutAfter(100_000)).once("cdn", (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Range", "bytes 0-299999/300000");
            exchange.sendResponseHeaders(206, content.length);
            exchange.getResponseBody().write(content);
            return true;
        });
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void whatArrivedIsKeptUntilTheWholeIsThere() {
        List<FakeHub.Fault> refusals = List.of(
                FakeHub.status(416),
                FakeHub.status(206, "Content-Range", "bytes 0-5/6"),
                FakeHub.whole(FakeHub.bytes(5, 5)));
        fake.once("cdn", FakeHub.cutAfter(100_000));
        for (FakeHub.Fault refusal : refusals) {
            fake.always("cdn", refusal);
            HubException failure = failure(fixture.model());
            assertThat(failure.reason()).isEqualTo(Reason.DAMAGED);
            assertThat(failure).hasMessageContaining("is kept");
            assertThat(fixture.model().plan().missingBytes()).isEqualTo(200_000);
            fake.wellAgain();
        }
        fake.seen.clear();
        fake.once("cdn", FakeHub.status(416));
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen.stream().filter(s -> s.server().equals("cdn")).map(FakeHub.Seen::range))
                .containsExactly("bytes=100000-", null);
    }

    @Test
    void nothingIsCalledKeptThatIsNot() {
        fake.always("cdn", (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(FakeHub.bytes(300_001, 5));
            return true;
        });
        assertThat(failure(fixture.model()))
                .hasMessageContaining("sends more")
                .message()
                .doesNotContain("kept");
        fake.wellAgain().always("cdn", FakeHub.status(206));
        assertThat(failure(fixture.model()).getMessage()).doesNotContain("kept");
        assertThat(fixture.model().plan().missingBytes()).isEqualTo(300_000);
    }

    @Test
    void packedAnswersWithoutLengthAreUnpacked() {
        FakeHub.Fault gzip = (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            exchange.sendResponseHeaders(200, 0);
            try (var out = new java.util.zip.GZIPOutputStream(exchange.getResponseBody())) {
                out.write(content);
            }
            return true;
        };
        fake.always("cdn", gzip).always("config.json", gzip);
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fixture.snapshot().resolve("config.json")).hasContent("{\"model_type\":\"llava\"}");
    }

    @Test
    void anAnswerThatUnpacksToMoreIsStopped() {
        fake.always("cdn", (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            exchange.sendResponseHeaders(200, 0);
            try (var out = new java.util.zip.GZIPOutputStream(exchange.getResponseBody())) {
                out.write(new byte[20_000_000]);
            }
            return true;
        });
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.DAMAGED);
        assertThat(fixture.snapshot().resolve("model.safetensors")).doesNotExist();
    }

    @Test
    void answersWithoutAnyHeaderAreEnough() {
        fake.always("/resolve/", (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0); // chunked
            exchange.getResponseBody().write(content);
            return true;
        });
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void wrongBytesOfTheRightLengthAreFetchedAgain() {
        fake.once("cdn", FakeHub.wrongBytes()).once("config.json", FakeHub.wrongBytes());
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fixture.snapshot().resolve("config.json")).hasContent("{\"model_type\":\"llava\"}");
    }

    @Test
    void bytesThatStayWrongAreAnErrorAndNotKept() {
        fake.always("cdn", FakeHub.wrongBytes());
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.DAMAGED);
        assertThat(failure)
                .hasMessageContaining("model.safetensors of org/model")
                .hasMessageContaining("again");
        assertThat(fixture.snapshot().resolve("model.safetensors")).doesNotExist();
        assertThat(fixture.blob(WEIGHTS)).doesNotExist();
        assertThat(fixture.model().plan().missingBytes()).isEqualTo(300_000);
    }

    @Test
    void anotherLengthThanTheListingSaysIsAnError() {
        fake.always("cdn", FakeHub.whole(FakeHub.bytes(200_000, 5)));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.DAMAGED);
        fake.wellAgain().always("cdn", FakeHub.whole(FakeHub.bytes(400_000, 5)));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.DAMAGED);
        fake.wellAgain().always("cdn", FakeHub.whole(new byte[0]));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.DAMAGED);
    }

    @Test
    void waitsAsLongAsTheHubAsks() {
        fake.once("/revision/", FakeHub.status(429, "Retry-After", "7"))
                .once("/tree/", FakeHub.status(503))
                .once("/tree/", FakeHub.status(429, "RateLimit", "\"api\";r=0;t=55"))
                .once("cdn", FakeHub.status(503, "Retry-After", "3"));
        fixture.model().get();
        assertThat(fixture.waits)
                .containsExactly(
                        Duration.ofSeconds(7), Duration.ofMillis(500), Duration.ofSeconds(55), Duration.ofSeconds(3));
    }

    @Test
    void doesNotWaitLongerThanAllowed() {
        fake.always("/revision/", FakeHub.status(429, "Retry-After", "3600"));
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.RATE_LIMITED);
        assertThat(failure).hasMessageContaining("in 3600 s").hasMessageContaining("HF_TOKEN");
        assertThat(fixture.waits).isEmpty();
    }

    @Test
    void aHubThatStaysDownIsAnErrorAfterFiveTries() {
        fake.always("/revision/", FakeHub.status(503));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(fake.requests("/revision/")).isEqualTo(5);
    }

    @Test
    void aHubThatIsNotThereIsNamed() {
        String endpoint = fake.endpoint();
        fake.close();
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failure).hasMessageContaining(endpoint).hasMessageContaining("HF_ENDPOINT");
    }

    @Test
    void anAnswerThatStopsIsCutOff() {
        fake.once("cdn", (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 1000);
            exchange.getResponseBody().flush();
            while (fake.requests("signed") < 2) {
                Thread.onSpinWait();
            }
            return true;
        });
        Path folder = fixture.builder()
                .stallTimeout(Duration.ofSeconds(2))
                .build()
                .model(FakeHub.REPOSITORY)
                .get();
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void anExpiredSignatureIsAskedForAnew() {
        fake.once("cdn", FakeHub.status(403));
        fixture.model().get();
        assertThat(fake.requests("model.safetensors")).isEqualTo(2);
    }

    @Test
    void refusalsSayWhatToDo() {
        fake.once("/revision/", FakeHub.error(401, "RepoNotFound"));
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.REPOSITORY_NOT_FOUND);
        assertThat(failure).hasMessageContaining("org/model").hasMessageContaining("HF_TOKEN");

        fake.once("/revision/", FakeHub.error(404, "RepoNotFound"));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.REPOSITORY_NOT_FOUND);

        failure = failure(fixture.model().revision("v9"));
        assertThat(failure.reason()).isEqualTo(Reason.REVISION_NOT_FOUND);
        assertThat(failure).hasMessageContaining("'v9'");

        fake.once("config.json", FakeHub.error(403, "GatedRepo"));
        failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.GATED);
        assertThat(failure)
                .hasMessageContaining("accepted at " + fake.endpoint() + "/org/model")
                .hasMessageContaining("HF_TOKEN");

        fake.once("config.json", FakeHub.error(404, "EntryNotFound"));
        failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.FILE_NOT_FOUND);
        assertThat(failure).hasMessageContaining("config.json of org/model");

        fake.once("/revision/", FakeHub.status(401));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.UNAUTHORIZED);
        fake.once("/revision/", FakeHub.status(418));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.INVALID_ANSWER);
        fake.once("/revision/", FakeHub.whole("<html>log in</html>".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.INVALID_ANSWER);
    }

    @Test
    void theTokenReachesTheHubAndNobodyElse() throws IOException {
        try (FakeHub stranger = new FakeHub()) {
            fake.once(
                    "config.json", FakeHub.redirect(307, stranger.endpoint() + "/org/model/resolve/main/config.json"));
            stranger.file("config.json", "{\"model_type\":\"llava\"}");
            fixture.builder()
                    .token("hf_secret")
                    .build()
                    .model(FakeHub.REPOSITORY)
                    .get();
            assertThat(stranger.seen).isNotEmpty().allMatch(s -> s.authorization() == null);
        }
        assertThat(fake.seen)
                .filteredOn(s -> s.server().equals("cdn"))
                .isNotEmpty()
                .allMatch(s -> s.authorization() == null);
        assertThat(fake.seen)
                .filteredOn(s -> s.server().equals("hub"))
                .allMatch(s -> "Bearer hf_secret".equals(s.authorization()));
    }

    @Test
    void noMessageHoldsTheToken() {
        fake.always("/revision/", FakeHub.status(401));
        Hub hub = fixture.builder().token("hf_secret").build();
        assertThat(failure(hub.model(FakeHub.REPOSITORY)))
                .message()
                .doesNotContain("hf_secret")
                .contains("check HF_TOKEN");
        assertThat(hub.settings().toString()).doesNotContain("hf_secret");
        assertThatThrownBy(() -> fixture.builder().token("hf_secret\nX-Evil: 1").build())
                .isInstanceOf(HubException.class)
                .message()
                .doesNotContain("hf_secret");
    }

    @Test
    void redirectsOnTheHubAreFollowedWithTheToken() {
        fake.once("/revision/", FakeHub.redirect(307, "/api/models/org/model/revision/" + FakeHub.COMMIT));
        fixture.builder().token("hf_secret").build().model(FakeHub.REPOSITORY).get();
        assertThat(fake.seen.get(1).authorization()).isEqualTo("Bearer hf_secret");
    }

    @Test
    void redirectsThatNeverEndAreGivenUp() {
        fake.always(
                "/resolve/",
                (exchange, content) -> FakeHub.redirect(
                                302, exchange.getRequestURI().getPath())
                        .answer(exchange, content));
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.INVALID_ANSWER);
        assertThat(failure).hasMessageContaining("redirects");
        int[] count = {0};
        fake.wellAgain()
                .always(
                        "config.json",
                        (exchange, content) -> FakeHub.redirect(302, "/org/model/resolve/x/config.json?" + count[0]++)
                                .answer(exchange, content));
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.INVALID_ANSWER);
        assertThat(count[0]).isLessThan(12);
    }

    @Test
    void redirectsToWhatIsNoAddressAreRefused() {
        for (String target : List.of(
                "file:///etc/passwd",
                "",
                "ftp://a/b",
                "http://name:word@127.0.0.1/",
                "http://[",
                "https://cdn:99999/",
                "http://localhost:65536/")) {
            fake.once("config.json", FakeHub.redirect(302, target));
            assertThat(failure(fixture.model()).reason()).as(target).isEqualTo(Reason.INVALID_ANSWER);
        }
    }

    @Test
    void aListingOfManyPagesIsReadToItsEnd() {
        fake.pages(2);
        fixture.model().get();
        assertThat(fake.requests("/tree/")).isEqualTo(4);
    }

    @Test
    void aNextPageElsewhereIsNotAskedFor() throws IOException {
        try (FakeHub stranger = new FakeHub()) {
            fake.always("/tree/", (exchange, content) -> {
                exchange.getResponseHeaders().set("Link", "<" + stranger.endpoint() + "/evil>; rel=\"next\"");
                return false;
            });
            HubException failure =
                    failure(fixture.builder().token("hf_secret").build().model(FakeHub.REPOSITORY));
            assertThat(failure.reason()).isEqualTo(Reason.INVALID_ANSWER);
            assertThat(stranger.seen).isEmpty();
        }
    }

    @Test
    void aNextPageThatIsNoAddressIsNotAskedFor() {
        fake.always("/tree/", (exchange, content) -> {
            exchange.getResponseHeaders().set("Link", "<http://127.0.0.1:99999/next>; rel=\"next\"");
            return false;
        });
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.INVALID_ANSWER);
    }

    @Test
    void aNextPageThatWasReadBeforeEndsTheListing() {
        fake.always("/tree/", (exchange, content) -> {
            exchange.getResponseHeaders()
                    .set("Link", "<" + fake.endpoint() + exchange.getRequestURI() + ">; rel=\"next\"");
            return false;
        });
        assertThat(failure(fixture.model()).reason()).isEqualTo(Reason.INVALID_ANSWER);
        assertThat(fake.requests("/tree/")).isEqualTo(1);
    }

    @Test
    void namesThatLeaveTheCacheAreRefused() throws IOException {
        for (String evil : List.of(
                "../../../evil.json",
                "/evil.json",
                "a/../../evil.json",
                "..\\evil.json",
                "C:evil.json",
                "evil\0.json",
                "evil\ud800.txt",
                "evil\udc00\ud800.txt",
                "a//b.json",
                "./a.json")) {
            fake.once("/tree/", FakeHub.json(List.of(FakeHub.entry(evil, new byte[] {1}))));
            HubException failure = failure(fixture.model().files("*"));
            assertThat(failure.reason()).as(evil).isEqualTo(Reason.INVALID_ANSWER);
        }
        for (String device : List.of("aux.json", "COM1", "a/nul.txt", "a:b.json", "end.", "end ")) {
            fake.once("/tree/", FakeHub.json(List.of(FakeHub.entry(device, new byte[] {1}))));
            assertThat(failure(fixture.model().files("*")).reason()).as(device).isEqualTo(Reason.INVALID_ANSWER);
            deleteListing();
        }
        try (Stream<Path> all = Files.walk(temporary)) {
            assertThat(all.map(Path::toString)).noneMatch(name -> name.contains("evil"));
        }
        assertThat(fake.requests("/resolve/")).isZero();
    }

    private void deleteListing() throws IOException {
        Files.deleteIfExists(fixture.folder().resolve("trees").resolve(FakeHub.COMMIT + ".json"));
    }

    @Test
    void hashesAndCommitsFromTheNetworkAreChecked() {
        for (String evil : List.of("../../../evil", "", "A".repeat(40), "a".repeat(39))) {
            var entry = FakeHub.entry("config.json", new byte[] {1});
            entry.put("oid", evil);
            fake.once("/tree/", FakeHub.json(List.of(entry)));
            assertThat(failure(fixture.model()).reason()).as(evil).isEqualTo(Reason.INVALID_ANSWER);
            fake.once("/revision/", FakeHub.json(java.util.Map.of("sha", evil)));
            assertThat(failure(fixture.model()).reason()).as(evil).isEqualTo(Reason.INVALID_ANSWER);
        }
        fake.once("cdn", (exchange, content) -> {
            exchange.getResponseHeaders().set("ETag", "\"../../../evil\"");
            return FakeHub.whole(content).answer(exchange, content);
        });
        fixture.model().get();
        assertThat(temporary.resolve("evil")).doesNotExist();
    }

    @Test
    void namesOfModelsAndRevisionsAreChecked() {
        Hub hub = fixture.builder().build();
        for (String name :
                List.of("", "a/b/c", "../x", "a/..", "a b/c", "a/b--c", "a\\b", "/a", "a/", "a/.b", "a/b.git")) {
            assertThatThrownBy(() -> hub.model(name)).as(name).isInstanceOf(IllegalArgumentException.class);
        }
        for (String name : List.of("", "../x", "a//b", "/a", "a\\b", "a\tb", "nul", "a:b", "\ud800")) {
            assertThatThrownBy(() -> hub.model("a/b").revision(name))
                    .as(name)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(hub.model("gpt2")).isNotNull();
        for (String endpoint : List.of("ftp://x", "http://localhost:99999", "https://x:65536/hub")) {
            assertThatThrownBy(() -> Hub.builder().endpoint(endpoint))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("HF_ENDPOINT");
        }
        assertThatThrownBy(() -> Hub.builder().endpoint("https://name:word@x"))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .doesNotContain("word@");
    }

    @Test
    void offlineConnectsToNothing() {
        Hub offline = fixture.builder().offline(true).build();
        HubException failure = failure(offline.model(FakeHub.REPOSITORY));
        assertThat(failure.reason()).isEqualTo(Reason.OFFLINE);
        assertThat(failure).hasMessageContaining("org/model (main) is not in the cache");
        assertThat(fake.seen).isEmpty();

        fixture.model().files("*.json").get();
        fake.seen.clear();
        assertThat(offline.model(FakeHub.REPOSITORY).files("*.json").get()).isEqualTo(fixture.snapshot());
        failure = failure(offline.model(FakeHub.REPOSITORY));
        assertThat(failure).hasMessageContaining("lacks").hasMessageContaining("model.safetensors");
        assertThat(offline.model(FakeHub.REPOSITORY).plan().missingBytes()).isGreaterThan(300_000 - 1);
        assertThat(fake.seen).isEmpty();
    }

    @Test
    void aHubThatIsDownDoesNotMatterWhereTheCacheIsFull() {
        fixture.model().get();
        fake.always("/revision/", FakeHub.status(503));
        assertThat(fixture.model().get()).isEqualTo(fixture.snapshot());
        assertThat(fake.requests("/revision/")).isEqualTo(3);

        fake.wellAgain().always("/revision/", FakeHub.status(429, "Retry-After", "55"));
        assertThat(fixture.model().get()).isEqualTo(fixture.snapshot());
        assertThat(fixture.waits).hasSize(1);

        fake.close();
        assertThat(fixture.model().get()).isEqualTo(fixture.snapshot());
    }

    @Test
    void aHubThatAsksToWaitIsWaitedForWhereTheCacheLacksSomething() {
        fixture.model().files("*.json").get();
        FakeHub.Fault busy = FakeHub.status(429, "Retry-After", "55");
        fake.once("/revision/", busy).once("/revision/", busy);
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fixture.waits).containsExactly(Duration.ofSeconds(55));
    }

    /** What an older Python leaves that wanted some files only. */
    private HubModel withoutListing(String... cached) throws IOException {
        fixture.model().files(cached).get();
        deleteListing();
        fake.seen.clear();
        return fixture.model();
    }

    @Test
    void aSnapshotWithoutListingIsNotTakenForTheWholeModel() throws IOException {
        HubModel model = withoutListing("tokenizer*", "config.json");
        fake.once("/revision/", FakeHub.status(503)).once("/revision/", FakeHub.status(503));
        assertThat(model.plan().missingBytes()).isGreaterThan(299_999);
        fake.once("/revision/", FakeHub.status(503)).once("/revision/", FakeHub.status(503));
        assertThat(model.get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void aSnapshotWithoutWeightsOrListingIsAnErrorWithoutTheHub() throws IOException {
        HubModel model = withoutListing("tokenizer*", "config.json");
        HubModel offline = fixture.builder().offline(true).build().model(FakeHub.REPOSITORY);
        assertThat(failure(offline)).hasMessageContaining("the weights");
        assertThat(failure(offline).reason()).isEqualTo(Reason.OFFLINE);
        assertThat(catchThrowableOfType(HubException.class, offline::plan).reason())
                .isEqualTo(Reason.OFFLINE);
        assertThat(failure(offline.files("model.safetensors")))
                .hasMessageContaining("model.safetensors")
                .extracting(HubException::reason)
                .isEqualTo(Reason.OFFLINE);
        assertThat(offline.files("*.json").get()).isEqualTo(fixture.snapshot());

        fake.always("/revision/", FakeHub.status(503));
        assertThat(failure(model).reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failure(model.files("model.safetensors")).reason()).isEqualTo(Reason.UNREACHABLE);
    }

    @Test
    void shardsThatAnIndexNamesAreDemandedWithoutAListing() throws IOException {
        fake.file("tower/config.json", "{}")
                .file("tower/model-00001-of-00002.safetensors", FakeHub.bytes(10, 7))
                .file("tower/model-00002-of-00002.safetensors", FakeHub.bytes(10, 8))
                .file(
                        "tower/model.safetensors.index.json",
                        "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
                                + "\"b\":\"model-00002-of-00002.safetensors\"}}");
        HubModel offline = fixture.builder().offline(true).build().model(FakeHub.REPOSITORY);
        withoutListing("*.json", "model.safetensors", "tower/*-00001-*");
        HubException failure = failure(offline);
        assertThat(failure.reason()).isEqualTo(Reason.OFFLINE);
        assertThat(failure)
                .hasMessageContaining("1 of the files")
                .hasMessageContaining("tower/model-00002-of-00002.safetensors");

        withoutListing("*.json", "model.safetensors", "tower/*");
        assertThat(offline.get()).isEqualTo(fixture.snapshot());
        fake.always("/revision/", FakeHub.status(503));
        assertThat(fixture.model().get()).isEqualTo(fixture.snapshot());

        Path index = fixture.snapshot().resolve("tower/model.safetensors.index.json");
        for (String broken : List.of("{", "[]", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":1}}")) {
            Files.delete(index);
            Files.writeString(index, broken);
            assertThat(failure(offline)).as(broken).hasMessageContaining("a readable tower/model.safetensors.index");
        }
        assertThat(fake.requests("/resolve/")).isZero();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aPlanOfASnapshotWithoutListingCountsEveryFile() throws IOException {
        withoutListing("*.json", "model.safetensors");
        HubModel offline = fixture.builder().offline(true).build().model(FakeHub.REPOSITORY);
        Path snapshot = fixture.snapshot();
        for (String name : List.of("config.json", "tokenizer.json")) {
            // Files rather than links have no hash that is known.
            byte[] content = Files.readAllBytes(snapshot.resolve(name));
            Files.delete(snapshot.resolve(name));
            Files.write(snapshot.resolve(name), content);
        }
        DownloadPlan plan = offline.plan();
        assertThat(plan.missingBytes()).isZero();
        assertThat(plan.bytes()).isGreaterThan(300_000);

        Files.delete(snapshot.resolve("model.safetensors"));
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../../blobs/" + "d".repeat(64)));
        assertThat(catchThrowableOfType(HubException.class, offline::plan))
                .hasMessageContaining("model.safetensors")
                .extracting(HubException::reason)
                .isEqualTo(Reason.OFFLINE);
    }

    @Test
    void aHubThatIsDownIsAnErrorWhereTheCacheLacksSomething() {
        fixture.model().files("*.json").get();
        fake.close();
        HubException failure = failure(fixture.model());
        assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failure).hasMessageContaining("model.safetensors");
    }

    @Test
    void aProxyIsUsed() {
        InetSocketAddress proxy = new InetSocketAddress(
                java.net.InetAddress.getLoopbackAddress(),
                java.net.URI.create(fake.endpoint()).getPort());
        Hub hub = Hub.builder()
                .environment(Fixture.environment(temporary))
                .endpoint("http://hub.invalid")
                .cache(fixture.cache)
                .proxy(ProxySelector.of(proxy))
                .retryFor(Duration.ofMillis(1))
                .build();
        failure(hub.model(FakeHub.REPOSITORY));
        assertThat(fake.seen).first().extracting(FakeHub.Seen::path).asString().startsWith("http://hub.invalid/api/");
    }

    @Test
    void severalThreadsFetchEachByteOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Path>> calls = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                HubModel model = Hub.builder()
                        .environment(Fixture.environment(temporary))
                        .endpoint(fake.endpoint())
                        .cache(fixture.cache)
                        .build()
                        .model(FakeHub.REPOSITORY);
                calls.add(model::get);
            }
            for (Future<Path> folder : threads.invokeAll(calls)) {
                assertThat(folder.get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(fake.seen.stream().filter(s -> s.server().equals("cdn"))).hasSize(1);
    }

    @Test
    void anInterruptEndsTheDownload() {
        HubModel model = fixture.model().listener(p -> {
            if (p.file().equals("model.safetensors")) {
                Thread.currentThread().interrupt();
            }
        });
        HubException failure = failure(model);
        assertThat(failure.reason()).isEqualTo(Reason.INTERRUPTED);
        assertThat(Thread.interrupted()).isTrue();
    }
}

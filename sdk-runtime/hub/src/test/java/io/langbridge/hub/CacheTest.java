package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.langbridge.hub.Settings.Links;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The cache is Python's: what it writes is read, what it reads is written. */
class CacheTest {
    private static final byte[] WEIGHTS = FakeHub.bytes(300_000, 1);
    private static final byte[] CONFIG = "{\"model_type\":\"llava\"}".getBytes(StandardCharsets.UTF_8);

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

    private long resolved() {
        return fake.requests("/resolve/");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void snapshotsAreRelativeLinksToBlobsNamedByTheirHash() throws IOException {
        fixture.model().get();
        Path link = fixture.snapshot().resolve("model.safetensors");
        assertThat(Files.readSymbolicLink(link)).isEqualTo(Path.of("../../blobs", FakeHub.sha256(WEIGHTS)));
        assertThat(Files.readSymbolicLink(fixture.snapshot().resolve("config.json")))
                .isEqualTo(Path.of("../../blobs", FakeHub.git(CONFIG)));
        assertThat(Files.readString(fixture.folder().resolve("refs/main"))).isEqualTo(FakeHub.COMMIT);
        assertThat(fixture.cache.resolve("CACHEDIR.TAG")).content().startsWith("Signature: 8a477f59");
        assertThat(fixture.folder().resolve("trees/" + FakeHub.COMMIT + ".json"))
                .content()
                .contains("\"format_version\": 1", "\"lfs_sha256\": \"" + FakeHub.sha256(WEIGHTS));
    }

    @ParameterizedTest
    @EnumSource(Links.class)
    void worksWithEveryKindOfLink(Links links) throws IOException {
        Hub hub = fixture.builder().links(links).build();
        Path folder = hub.model(FakeHub.REPOSITORY).get();
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(Files.isSymbolicLink(folder.resolve("model.safetensors"))).isEqualTo(links == Links.SYMBOLIC);
        long before = resolved();
        hub.model(FakeHub.REPOSITORY).get();
        assertThat(resolved()).isEqualTo(before);
        assertThat(hub.verify(FakeHub.REPOSITORY).healthy()).isTrue();
        assertThat(hub.verify(FakeHub.REPOSITORY).unknown()).isEmpty();
        assertThat(hub.verify(FakeHub.REPOSITORY).files()).isEqualTo(4);

        // A damaged file heals whatever it is.
        FileTime later = FileTime.fromMillis(1);
        Files.write(folder.resolve("model.safetensors"), FakeHub.bytes(300_000, 9));
        Files.setLastModifiedTime(folder.resolve("model.safetensors"), later);
        assertThat(hub.verify(FakeHub.REPOSITORY).healthy()).isFalse();
        assertThat(hub.model(FakeHub.REPOSITORY).get().resolve("model.safetensors"))
                .hasBinaryContent(WEIGHTS);
        assertThat(hub.verify(FakeHub.REPOSITORY).healthy()).isTrue();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void linksThroughPythonsSharedBlobsAreFollowed() throws IOException {
        Path shared = fixture.cache.resolve("blobs/ab/" + "c".repeat(64));
        Files.createDirectories(shared.getParent());
        Files.write(shared, WEIGHTS);
        Path blob = fixture.blob(WEIGHTS);
        Path blobs = Files.createDirectories(fixture.folder().resolve("blobs"));
        Files.createSymbolicLink(blob, blobs.relativize(shared));

        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen).noneMatch(s -> s.server().equals("cdn"));

        // Healing replaces the link, and leaves alone what other models share.
        byte[] damaged = FakeHub.bytes(10, 5);
        Files.write(shared, damaged);
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(shared).hasBinaryContent(damaged);
        assertThat(fixture.builder().build().delete(FakeHub.REPOSITORY)).isTrue();
        assertThat(shared).exists();
    }

    @Test
    void blobsOfAnotherProgramAreHashedOnceAndTaken() throws IOException {
        Path blob = fixture.blob(WEIGHTS);
        Files.createDirectories(blob.getParent());
        Files.write(blob, WEIGHTS);
        fixture.model().get();
        assertThat(fake.seen).noneMatch(s -> s.server().equals("cdn"));
    }

    @Test
    void blobsOfWrongBytesOrLengthAreFetchedAgain() throws IOException {
        Path blob = fixture.blob(WEIGHTS);
        Files.createDirectories(blob.getParent());
        for (byte[] damaged : List.of(FakeHub.bytes(300_000, 9), FakeHub.bytes(5, 9), new byte[0])) {
            Files.write(blob, damaged);
            assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void brokenAndMisledLinksAreMended() throws IOException {
        fixture.model().get();
        Path link = fixture.snapshot().resolve("model.safetensors");
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("../../blobs", FakeHub.git(CONFIG)));
        assertThat(fixture.builder().build().verify(FakeHub.REPOSITORY).damaged())
                .containsExactly(link);
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("../../blobs/nowhere"));
        assertThat(fixture.builder().build().verify(FakeHub.REPOSITORY).damaged())
                .containsExactly(link);
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void aCacheWithoutListingsIsTakenOffline() throws IOException {
        fixture.model().get();
        Files.delete(fixture.folder().resolve("trees/" + FakeHub.COMMIT + ".json"));
        Hub offline = fixture.builder().offline(true).build();
        assertThat(offline.model(FakeHub.REPOSITORY).get()).isEqualTo(fixture.snapshot());

        Files.write(fixture.blob(WEIGHTS), FakeHub.bytes(300_000, 9));
        Files.setLastModifiedTime(fixture.blob(WEIGHTS), FileTime.fromMillis(1));
        HubException failure = catchThrowableOfType(
                HubException.class, () -> offline.model(FakeHub.REPOSITORY).get());
        if (!System.getProperty("os.name").startsWith("Windows")) {
            assertThat(failure).hasMessageContaining("model.safetensors");
        }
    }

    @Test
    void aDamagedListingIsFetchedAgain() throws IOException {
        fixture.model().get();
        Path listing = fixture.folder().resolve("trees/" + FakeHub.COMMIT + ".json");
        for (String damaged : List.of(
                "",
                "{",
                "[]",
                "{\"format_version\":2,\"files\":{}}",
                "{\"format_version\":1,\"files\":{\"../../evil\":{\"size\":1,\"blob_id\":\"" + "a".repeat(40)
                        + "\"}}}")) {
            Files.writeString(listing, damaged);
            fixture.model().get();
            assertThat(listing).content().contains("config.json");
        }
    }

    @Test
    void namesThatTheSystemCannotWriteAreNamed() {
        Cache cache = new Cache(fixture.cache, FakeHub.REPOSITORY);
        // Stands for a Chinese name under LC_ALL=C.
        for (ThrowingCallable use : List.<ThrowingCallable>of(
                () -> cache.pointer(FakeHub.COMMIT, "a\0b"),
                () -> cache.commit("a\0b"),
                () -> cache.rememberCommit("a\0b", FakeHub.COMMIT))) {
            HubException failure = catchThrowableOfType(HubException.class, use);
            assertThat(failure.reason()).isEqualTo(HubException.Reason.CACHE);
            assertThat(failure).hasMessageContaining("a\uFFFDb").hasMessageContaining("LC_ALL");
        }
    }

    @Test
    void namesOfAllWritingsAreFetched() {
        fake.file("\u6A21\u578B-\uD83D\uDE00.txt", "x");
        if (Charset.forName(System.getProperty("sun.jnu.encoding")).equals(StandardCharsets.UTF_8)) {
            assertThat(fixture.model().get().resolve("\u6A21\u578B-\uD83D\uDE00.txt"))
                    .hasContent("x");
        } else {
            assertThat(catchThrowableOfType(
                            HubException.class, () -> fixture.model().get()))
                    .hasMessageContaining("sun.jnu.encoding");
        }
    }

    @Test
    void listsWhatLiesThere() throws IOException {
        Hub hub = fixture.builder().build();
        assertThat(hub.list()).isEmpty();
        fixture.model().get();
        Files.createDirectories(fixture.cache.resolve("datasets--a--b"));
        assertThat(hub.list()).singleElement().satisfies(model -> {
            assertThat(model.repository()).isEqualTo("org/model");
            assertThat(model.folder()).isEqualTo(fixture.folder());
            assertThat(model.commits()).containsExactly(FakeHub.COMMIT);
            assertThat(model.revisions()).containsEntry("main", FakeHub.COMMIT).hasSize(1);
            assertThat(model.bytes()).isBetween(300_000L, 310_000L);
        });
    }

    @Test
    void deletesOneModel() throws IOException {
        fixture.model().get();
        Path other = Files.createDirectories(fixture.cache.resolve("models--other--model/blobs"));
        Hub hub = fixture.builder().build();
        assertThat(hub.delete(FakeHub.REPOSITORY)).isTrue();
        assertThat(fixture.folder()).doesNotExist();
        assertThat(other).exists();
        assertThat(hub.delete(FakeHub.REPOSITORY)).isFalse();
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aModelOnAnotherDiskIsListedAndDeletedThere() throws IOException {
        fixture.model().get();
        Path other = Files.createDirectory(temporary.resolve("other")).resolve("moved");
        Files.move(fixture.folder(), other);
        Files.createSymbolicLink(fixture.folder(), other);
        Files.writeString(other.resolve("notes.txt"), "not of the model");
        Hub hub = fixture.builder().build();
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(hub.list()).singleElement().satisfies(model -> {
            assertThat(model.folder()).isEqualTo(fixture.folder());
            assertThat(model.commits()).containsExactly(FakeHub.COMMIT);
            assertThat(model.revisions()).containsEntry("main", FakeHub.COMMIT);
            assertThat(model.bytes()).isGreaterThan(300_000);
        });

        assertThat(hub.delete(FakeHub.REPOSITORY)).isTrue();
        assertThat(Files.exists(fixture.folder(), LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(Folders.children(other)).containsExactly(other.resolve("notes.txt"));

        Files.delete(other.resolve("notes.txt"));
        Files.createSymbolicLink(fixture.folder(), other);
        assertThat(hub.delete(FakeHub.REPOSITORY)).isTrue();
        assertThat(other).doesNotExist();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void deletingASecondNameLeavesTheModel() throws IOException {
        fixture.model().get();
        Path second = fixture.cache.resolve("models--org--second");
        Files.createSymbolicLink(second, fixture.folder().getFileName());
        assertThat(fixture.builder().build().delete("org/second")).isTrue();
        assertThat(Files.exists(second, LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(fixture.snapshot().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFolderThatCannotBeReadToItsEndIsAnErrorOfTheCache() throws IOException {
        fixture.model().get();
        Files.delete(fixture.folder().resolve("trees/" + FakeHub.COMMIT + ".json"));
        // Two folders that together are deeper than any path may be long; even root cannot read them.
        Path deep = Path.of(("d".repeat(200) + "/").repeat(11));
        Path outer = Files.createDirectories(fixture.snapshot().resolve(deep));
        Path inner = temporary.resolve("inner");
        Files.createDirectories(inner.resolve(deep));
        Files.move(inner, outer.resolve("inner"));
        Hub offline = fixture.builder().offline(true).build();
        try {
            for (ThrowingCallable use : List.<ThrowingCallable>of(
                    offline::list,
                    () -> offline.verify(FakeHub.REPOSITORY),
                    () -> offline.model(FakeHub.REPOSITORY).get(),
                    () -> offline.model(FakeHub.REPOSITORY).plan())) {
                assertThat(catchThrowableOfType(HubException.class, use).reason())
                        .isEqualTo(HubException.Reason.CACHE);
            }
        } finally {
            Files.move(outer.resolve("inner"), inner);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aLinkToTheRootIsDamaged() throws IOException {
        fixture.model().get();
        Path link = fixture.snapshot().resolve("model.safetensors");
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("/"));
        assertThat(fixture.builder().build().verify(FakeHub.REPOSITORY).damaged())
                .containsExactly(link);
        assertThat(new Cache(fixture.cache, FakeHub.REPOSITORY).filesOfSnapshot(FakeHub.COMMIT))
                .extracting(RepoFile::path)
                .doesNotContain("model.safetensors");
        assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void whatWasNotHashedIsUnknown() throws IOException {
        fixture.model().get();
        Hub hub = fixture.builder().build();
        Files.delete(fixture.folder().resolve("trees/" + FakeHub.COMMIT + ".json"));
        assertThat(hub.verify(FakeHub.REPOSITORY).unknown()).isEmpty();

        Path outside = Files.write(temporary.resolve("outside"), WEIGHTS);
        Path other = fixture.folder().resolve("blobs/other");
        Files.write(other, WEIGHTS);
        Path toOutside = fixture.snapshot().resolve("outside.safetensors");
        Path toOther = fixture.snapshot().resolve("other.safetensors");
        Files.createSymbolicLink(toOutside, outside);
        Files.createSymbolicLink(toOther, other);
        assertThat(hub.verify(FakeHub.REPOSITORY).unknown()).containsExactly(toOther, toOutside);
        assertThat(hub.verify(FakeHub.REPOSITORY).files()).isEqualTo(4);

        // A hash as its name says what it should hold, wherever it lies.
        Path named = Files.write(temporary.resolve(FakeHub.sha256(CONFIG)), WEIGHTS);
        Path toNamed = fixture.snapshot().resolve("named.safetensors");
        Files.createSymbolicLink(toNamed, named);
        assertThat(hub.verify(FakeHub.REPOSITORY).damaged()).containsExactly(toNamed);
    }

    @Test
    void aChangeWhileAFileIsHashedShows() throws IOException {
        Cache cache = new Cache(fixture.cache, FakeHub.REPOSITORY);
        String blob = FakeHub.sha256(WEIGHTS);
        Files.createDirectories(cache.blob(blob).getParent());
        Files.write(cache.blob(blob), WEIGHTS);
        String before = String.valueOf(Cache.state(cache.blob(blob)));
        Files.write(cache.blob(blob), FakeHub.bytes(300_000, 9));
        Files.setLastModifiedTime(cache.blob(blob), FileTime.fromMillis(1));
        cache.markSound(cache.blob(blob), blob, before);
        assertThat(cache.isSound(cache.blob(blob), blob, 300_000)).isFalse();
    }

    @Test
    void verifyFindsWhatChangedEvenIfItLooksUntouched() throws IOException {
        fixture.model().get();
        Hub hub = fixture.builder().build();
        Path blob = fixture.blob(WEIGHTS);
        FileTime time = Files.getLastModifiedTime(blob);
        Files.write(blob, FakeHub.bytes(300_000, 9));
        Files.setLastModifiedTime(blob, time);
        if (Files.isSymbolicLink(fixture.snapshot().resolve("model.safetensors"))) {
            assertThat(hub.verify(FakeHub.REPOSITORY).damaged()).containsExactly(blob);
            assertThat(fixture.model().get().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
            assertThat(hub.verify(FakeHub.REPOSITORY).healthy()).isTrue();
        }
    }

    @Test
    void unchangedFilesOfAnotherRevisionAreNotFetchedAgain() {
        fixture.model().get();
        String next = "b".repeat(40);
        fake.file(next, "config.json", "{}".getBytes(StandardCharsets.UTF_8))
                .file(next, "model.safetensors", WEIGHTS)
                .ref("main", next);
        fake.seen.clear();
        Path folder = fixture.model().get();
        assertThat(folder).endsWithRaw(Path.of(next));
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen).noneMatch(s -> s.server().equals("cdn"));
    }

    @Test
    void emptyFilesAndFoldersInsideAreFetched() {
        fake.file("added.txt", new byte[0]).file("tower/config.json", CONFIG).file("tower/model.safetensors", WEIGHTS);
        Path folder = fixture.model().get();
        assertThat(folder.resolve("added.txt")).isEmptyFile();
        assertThat(folder.resolve("tower/model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(fake.seen.stream().filter(s -> s.server().equals("cdn"))).hasSize(1);
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() throws IOException {
        Files.writeString(temporary.resolve("file"), "");
        HubException failure = catchThrowableOfType(
                HubException.class,
                () -> Hub.builder()
                        .environment(Fixture.environment(temporary))
                        .endpoint(fake.endpoint())
                        .cache(temporary.resolve("file/hub"))
                        .build()
                        .model(FakeHub.REPOSITORY)
                        .get());
        assertThat(failure.reason()).isEqualTo(HubException.Reason.CACHE);
        assertThat(failure).hasMessageContaining("HF_HUB_CACHE");
    }
}

package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever the network sends, nothing but {@link HubException} comes out, no name leaves the cache, and no next page
 * leads to another host. Searched as the fuzz tests of {@code core} are.
 */
class HubFuzzTest {
    private static final Path CACHE = Path.of("/cache").toAbsolutePath().normalize();
    private static final String ENDPOINT = "http://127.0.0.1:9";
    private static final Hub HUB = Hub.builder()
            .environment(Fixture.environment(CACHE))
            .endpoint(ENDPOINT)
            .cache(CACHE)
            .build();

    private static Stream<byte[]> texts(String... texts) {
        return Stream.of(texts).map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    /** What a reader gives; null where it refuses. */
    private static <T> @Nullable T read(Supplier<T> reader) {
        try {
            return reader.get();
        } catch (HubException e) {
            assertThat(String.valueOf(e.getMessage()).length()).isLessThan(4000);
            return null;
        }
    }

    static Stream<byte[]> listings() {
        String git = "a".repeat(40);
        return texts(
                "[{\"type\":\"file\",\"path\":\"config.json\",\"size\":3,\"oid\":\"" + git + "\"},"
                        + "{\"type\":\"directory\",\"path\":\"a\"}]",
                "[{\"type\":\"file\",\"path\":\"a/model.safetensors\",\"size\":1,\"oid\":\"" + git
                        + "\",\"lfs\":{\"oid\":\"" + "b".repeat(64) + "\",\"size\":9},\"xetHash\":\"" + "c".repeat(64)
                        + "\"}]",
                "[{\"type\":\"file\",\"path\":\"../../x\",\"size\":3,\"oid\":\"" + git + "\"}]",
                "{\"format_version\":1,\"files\":{\"a.json\":{\"size\":1,\"blob_id\":\"" + git + "\"}}}",
                "{\"weight_map\":{\"a.weight\":\"model-00001-of-00002.safetensors\"}}",
                "{\"sha\":\"" + git + "\"}");
    }

    @MethodSource("listings")
    @FuzzTest
    void listing(byte[] input) {
        check(read(() -> Listing.page(input, "listing")));
        check(read(() -> Listing.ofCache(input, "listing")));
        read(() -> Listing.shards(input, "index"));
        String commit = read(() -> Listing.commit(input, "description"));
        assertThat(commit == null || Names.isCommit(commit)).isTrue();
    }

    private static void check(@Nullable List<RepoFile> files) {
        if (files == null) {
            return;
        }
        Cache cache = new Cache(CACHE, "org/model");
        String commit = "a".repeat(40);
        for (RepoFile file : files) {
            assertThat(file.size()).isNotNegative();
            assertThat(Names.isBlob(file.blob())).isTrue();
            Path pointer = read(() -> cache.pointer(commit, file.path()));
            if (pointer != null) {
                assertThat(pointer.normalize()).startsWithRaw(cache.snapshot(commit));
                assertThat(pointer.normalize()).isNotEqualTo(cache.snapshot(commit));
            }
            URI address = HUB.remote("org/model").content(commit, file.path());
            assertThat(Origin.of(address)).isEqualTo(Origin.of(URI.create(ENDPOINT)));
        }
        assertThat(files).containsAll(Selection.needed(files));
        // A listing with a name twice is refused before it is kept.
        if (files.stream().map(RepoFile::path).distinct().count() == files.size()) {
            assertThat(Listing.ofCache(Listing.forCache(files), "cache")).containsExactlyInAnyOrderElementsOf(files);
        }
    }

    static Stream<byte[]> headers() {
        return texts(
                "<" + ENDPOINT + "/api/models/org/model/tree/main?cursor=2>; rel=\"next\"",
                "</next>; rel=next, </last>; rel=\"last\"",
                "<https://evil.example/next>; rel=\"next\"",
                "<//evil.example/next>; rel=\"next\"",
                "\"api\";r=0;t=55",
                "Wed, 21 Oct 2026 07:28:00 GMT",
                "bytes 0-99/100");
    }

    @MethodSource("headers")
    @FuzzTest
    void header(byte[] input) {
        String value = new String(input, StandardCharsets.ISO_8859_1);
        HttpHeaders headers = HttpHeaders.of(
                Map.of("Link", List.of(value), "Retry-After", List.of(value), "RateLimit", List.of(value)),
                (name, content) -> true);
        URI page = URI.create(ENDPOINT + "/api/models/org/model/tree/main");
        URI next = read(() -> HUB.remote("org/model").next(new Wire.Document(new byte[0], headers, page), "listing"));
        if (next != null) {
            assertThat(Origin.of(next)).isEqualTo(Origin.of(page));
            assertThat(next.getRawUserInfo()).isNull();
        }
        java.time.Duration wait = Wire.retryAfter(headers);
        assertThat(wait == null || !wait.isNegative()).isTrue();
    }

    static Stream<byte[]> names() {
        return texts(
                "org/model", "../model", "refs/pr/1", "con.txt", "*.json", "model-[0-9]*.safetensors", "!a/", "C:x");
    }

    @MethodSource("names")
    @FuzzTest
    void name(byte[] input) {
        String name = new String(input, StandardCharsets.UTF_8);
        if (!Names.leavesFolder(name)) {
            Path place = read(() -> new Cache(CACHE, "org/model").pointer("a".repeat(40), name));
            assertThat(place == null || place.normalize().startsWith(CACHE)).isTrue();
        }
        try {
            assertThat(new Cache(CACHE, Names.repository(name)).folder()).hasParentRaw(CACHE);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("no model of a hub");
        }
        try {
            Selection.glob(name);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("no pattern");
        }
    }
}

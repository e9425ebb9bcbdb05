package io.langbridge.hub;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A hub on this machine, an empty cache, and a clock that only waiting moves on. */
final class Fixture implements AutoCloseable {
    final FakeHub fake;
    final Path cache;
    final List<Duration> waits = new ArrayList<>();
    private long now;

    Fixture(Path folder) throws java.io.IOException {
        fake = new FakeHub();
        cache = folder.resolve("hub");
    }

    static Environment environment(@Nullable Path home, String... variables) {
        Map<String, String> map = new java.util.HashMap<>();
        for (int i = 0; i < variables.length; i += 2) {
            map.put(variables[i], variables[i + 1]);
        }
        return new Environment(map::get, home);
    }

    Hub.Builder builder() {
        return Hub.builder()
                .environment(environment(cache))
                .endpoint(fake.endpoint())
                .cache(cache)
                .time(this::now, this::sleep);
    }

    HubModel model() {
        return builder().build().model(FakeHub.REPOSITORY);
    }

    Path folder() {
        return cache.resolve("models--org--model");
    }

    Path snapshot() {
        return folder().resolve("snapshots").resolve(FakeHub.COMMIT);
    }

    Path blob(byte[] content) {
        return folder().resolve("blobs").resolve(FakeHub.sha256(content));
    }

    private synchronized long now() {
        return now;
    }

    private synchronized void sleep(Duration time) {
        waits.add(time);
        now += time.toNanos();
    }

    @Override
    public void close() {
        fake.close();
    }
}

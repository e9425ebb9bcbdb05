package io.langbridge.benchmarks;

import io.langbridge.hub.Hub;
import java.nio.file.Path;
import java.time.Duration;

/** The process that a drill kills while it downloads. */
final class HubChild {
    private HubChild() {}

    /**
     * Fetches the model of a {@link SmallHub}, reads all of it again, and says so.
     *
     * @param args endpoint, cache
     */
    public static void main(String[] args) {
        Hub hub = Hub.builder()
                .endpoint(args[0])
                .cache(Path.of(args[1]))
                .token("")
                .offline(false)
                .retryFor(Duration.ofSeconds(20))
                .build();
        hub.model(SmallHub.REPOSITORY).get();
        System.out.println(hub.verify(SmallHub.REPOSITORY).healthy() ? "fetched" : "damaged");
    }
}

package io.langbridge.examples.webservice;

import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import io.langbridge.testing.FakeModel;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** A service for a test, with a model that says what the test wants, or with the bundled one. */
final class Served implements AutoCloseable {
    static final String KEY = "secret";
    static final Path PICTURE = Path.of("src/test/resources/picture.png");

    final String address;
    final FakeModel fake;
    private final VisionLanguageModel model;
    private final DemoModel demo;
    private final Server server;

    /** @param fake what it says, or null for the bundled model */
    Served(FakeModel.Builder fake) throws IOException {
        Metrics metrics = new Metrics();
        demo = fake == null ? DemoModel.open() : null;
        this.fake = fake == null ? null : fake.listener(metrics).build();
        model = fake != null
                ? this.fake
                : VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .withoutCache()
                        .listener(metrics)
                        .build();
        server = new Server(model, new Server.Settings("mine", KEY, List.of(), List.of(), 60, 1 << 20, 4), metrics);
        address = server.start(InetAddress.getLoopbackAddress(), 0) + "/v1";
    }

    static String base64() throws IOException {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(PICTURE));
    }

    @Override
    public void close() {
        server.close();
        model.close();
        if (demo != null) {
            demo.close();
        }
    }
}

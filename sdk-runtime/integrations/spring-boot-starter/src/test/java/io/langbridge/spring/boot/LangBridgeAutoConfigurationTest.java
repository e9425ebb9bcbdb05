package io.langbridge.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.CheckpointException;
import io.langbridge.FinishReason;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.DownloadProgress;
import io.langbridge.spring.ai.LangBridgeChatModel;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.io.FileSystemResource;
import org.springframework.util.MimeTypeUtils;

class LangBridgeAutoConfigurationTest {
    /** A whole model, tiny, with random weights. */
    private static final Path FOLDER = Path.of("../../../sdk-examples/langbridge/src/test/resources/tiny-random");

    private static final Path PICTURE = Path.of("../../../sdk-examples/quickstart/src/main/resources/picture.png");

    @TempDir
    Path cache;

    private ApplicationContextRunner runner(String... properties) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        LangBridgeAutoConfiguration.class,
                        LangBridgeHealthAutoConfiguration.class,
                        ChatClientAutoConfiguration.class))
                .withPropertyValues(properties)
                .withPropertyValues("langbridge.cache-directory=" + cache);
    }

    @Test
    void aFolderBecomesAModelThatAClientAsks() {
        runner(
                        "langbridge.model=" + FOLDER,
                        "langbridge.model-name=tiny",
                        "langbridge.context-length=200",
                        "langbridge.precision=int8",
                        "langbridge.threads=1",
                        "langbridge.engine=onnx",
                        "langbridge.device=cpu",
                        "langbridge.max-concurrent-requests=1",
                        "langbridge.max-queued-requests=3",
                        "langbridge.max-tokens=4",
                        "langbridge.temperature=0",
                        "langbridge.timeout=1m")
                .run(context -> {
                    VisionLanguageModel model = context.getBean(VisionLanguageModel.class);
                    assertThat(model.contextLength()).isEqualTo(200);
                    MeterRegistry registry = new SimpleMeterRegistry();
                    context.getBean(LangBridgeMetrics.class).bindTo(registry);

                    var response = context.getBean(ChatClient.Builder.class)
                            .build()
                            .prompt()
                            .user(user -> user.text("What is it?")
                                    .media(MimeTypeUtils.IMAGE_PNG, new FileSystemResource(PICTURE)))
                            .call()
                            .chatResponse();
                    assertThat(response).isNotNull();
                    assertThat(response.getMetadata().getModel()).isEqualTo("tiny");
                    int newTokens = response.getMetadata().getUsage().getCompletionTokens();
                    assertThat(newTokens).isBetween(1, 4);

                    assertThat(registry.get("langbridge.tokens")
                                    .tag("kind", "new")
                                    .counter()
                                    .count())
                            .isEqualTo(newTokens);
                    assertThat(registry.get("langbridge.requests").timer().count())
                            .isEqualTo(1);
                    assertThat(registry.get("langbridge.first.token").timer().count())
                            .isEqualTo(1);
                    assertThat(registry.get("langbridge.waiting").timer().count())
                            .isEqualTo(1);
                    assertThat(registry.get("langbridge.requests.active")
                                    .gauge()
                                    .value())
                            .isZero();

                    HealthIndicator indicator = context.getBean(HealthIndicator.class);
                    Health up = Objects.requireNonNull(indicator.health());
                    assertThat(up.getStatus()).isEqualTo(Status.UP);
                    assertThat(up.getDetails()).containsEntry("model", "tiny").containsEntry("contextLength", 200);
                    model.close();
                    assertThat(Objects.requireNonNull(indicator.health()).getStatus())
                            .isEqualTo(Status.DOWN);
                });
    }

    @Test
    void whatIsKeptAndSharedIsSet() {
        Request request =
                Request.builder().image(Image.of(PICTURE)).text("What is it?").build();
        for (int kept : List.of(0, 1)) {
            runner(
                            "langbridge.model=" + FOLDER,
                            "langbridge.cache-limit=1GB",
                            "langbridge.kept-prefixes=" + kept,
                            "langbridge.shared-images=1")
                    .run(context -> {
                        VisionLanguageModel model = context.getBean(VisionLanguageModel.class);
                        assertThat(model.answer(request).usage().cachedTokens()).isZero();
                        int cached = model.answer(request).usage().cachedTokens();
                        assertThat(cached > 0).isEqualTo(kept > 0);
                    });
        }
        List<String> refused = List.of(
                "langbridge.kept-prefixes=-1", "keptPrefixes must be 0 or positive",
                "langbridge.shared-images=-1", "sharedImages must be 0 or positive",
                "langbridge.cache-limit=0B", "cacheLimit must be at least 1 byte");
        for (int i = 0; i < refused.size(); i += 2) {
            String message = refused.get(i + 1);
            runner("langbridge.model=" + FOLDER, refused.get(i))
                    .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining(message));
        }
    }

    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {}

    @Test
    void anApplicationFindsItByItself() {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .run("--langbridge.model=" + FOLDER, "--langbridge.cache-directory=" + cache)) {
            assertThat(context.getBean(LangBridgeChatModel.class).getOptions().getModel())
                    .isEqualTo(FOLDER.toString());
            assertThat(context.getBean(ChatClient.Builder.class)).isNotNull();
            assertThat(context.getBean("langBridgeHealthIndicator")).isNotNull();
        }
    }

    @Test
    void theEndOfTheApplicationClosesTheModel() {
        FakeModel fake = FakeModel.builder().build();
        runner().withBean(VisionLanguageModel.class, () -> fake)
                .run(context -> assertThat(context).hasNotFailed());
        assertThatThrownBy(fake::contextLength).isInstanceOf(IllegalStateException.class);
    }

    private static FakeModel told(LangBridgeMetrics metrics, FakeAnswer answer) {
        return FakeModel.builder().listener(metrics).next(answer).build();
    }

    @Test
    void requestsThatRunMayEndBeforeTheModelIsClosed() throws Exception {
        LangBridgeMetrics metrics = new LangBridgeMetrics();
        FakeModel fake = told(metrics, FakeAnswer.of("A red bicycle."));
        Thread[] end = new Thread[1];
        AnswerStream[] stream = new AnswerStream[1];
        runner().withBean(LangBridgeMetrics.class, () -> metrics)
                .withBean(VisionLanguageModel.class, () -> fake)
                .run(context -> {
                    stream[0] =
                            fake.stream(Request.builder().text("What is it?").build());
                    stream[0].iterator().next();
                    end[0] = new Thread(context::close);
                    end[0].start();
                    while (Thread.getAllStackTraces().keySet().stream()
                            .noneMatch(thread -> thread.getName().equals("langbridge-drain"))) {
                        Thread.onSpinWait();
                    }
                    assertThat(stream[0].answer().finishReason()).isEqualTo(FinishReason.STOP_TOKEN);
                });
        end[0].join();
        assertThatThrownBy(fake::contextLength).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whenSpringsPatienceEndsTheyAreCancelled() {
        LangBridgeMetrics metrics = new LangBridgeMetrics();
        FakeModel fake = told(metrics, FakeAnswer.of("A red bicycle.").stallingAfter(1));
        AnswerStream[] stream = new AnswerStream[1];
        runner("spring.lifecycle.timeout-per-shutdown-phase=100ms")
                .withConfiguration(AutoConfigurations.of(LifecycleAutoConfiguration.class))
                .withBean(LangBridgeMetrics.class, () -> metrics)
                .withBean(VisionLanguageModel.class, () -> fake)
                .run(context -> {
                    stream[0] =
                            fake.stream(Request.builder().text("What is it?").build());
                    stream[0].iterator().next();
                });
        assertThat(stream[0].answer().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThatThrownBy(fake::contextLength).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void withoutAModelThereIsNone() {
        runner().run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(VisionLanguageModel.class)
                .doesNotHaveBean(LangBridgeChatModel.class)
                .doesNotHaveBean(HealthIndicator.class));
    }

    @Test
    void aModelOfTheApplicationsOwnTakesItsPlace() {
        runner("langbridge.model=" + FOLDER)
                .withBean(
                        VisionLanguageModel.class,
                        () -> FakeModel.builder().next("A bicycle.").build())
                .run(context -> {
                    assertThat(context).hasSingleBean(VisionLanguageModel.class);
                    assertThat(context.getBean(LangBridgeChatModel.class).call("What is it?"))
                            .isEqualTo("A bicycle.");
                });
    }

    @Test
    void theActuatorIsNotNeededAndHealthCanBeLeftOut() {
        runner().withBean(VisionLanguageModel.class, () -> FakeModel.builder().build())
                .withClassLoader(new FilteredClassLoader("org.springframework.boot.health"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(LangBridgeChatModel.class));
        runner("management.health.langbridge.enabled=false")
                .withBean(VisionLanguageModel.class, () -> FakeModel.builder().build())
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(HealthIndicator.class));
    }

    @Test
    void whatIsWrongEndsTheStartAndIsNamed() {
        runner("langbridge.model=" + cache)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContaining(cache.toString()));
        runner("langbridge.model=no such thing")
                .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining("no such thing"));
        runner("langbridge.model=" + FOLDER, "langbridge.revision=main")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("langbridge.revision = main"));
        runner("langbridge.model=" + FOLDER, "langbridge.threads=0")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("threads must be at least 1"));
        runner("langbridge.model=" + FOLDER, "langbridge.device=abacus")
                .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining("abacus"));
    }

    @Test
    void metricsTellOfFailuresToo() {
        LangBridgeMetrics metrics = new LangBridgeMetrics();
        MeterRegistry registry = new SimpleMeterRegistry();
        metrics.bindTo(registry);
        try (FakeModel fake = FakeModel.builder()
                .next(FakeAnswer.failure(new BusyException(1, 0)))
                .next(FakeAnswer.of("A red bicycle.").failingAfter(1, new IllegalStateException("broken")))
                .listener(metrics)
                .build()) {
            LangBridgeChatModel chat = LangBridgeChatModel.of(fake);
            assertThatThrownBy(() -> chat.call("?")).isInstanceOf(BusyException.class);
            assertThatThrownBy(() -> chat.call("?")).isInstanceOf(IllegalStateException.class);
        }
        for (String outcome : List.of("BusyException", "IllegalStateException")) {
            assertThat(registry.get("langbridge.requests")
                            .tag("outcome", outcome)
                            .timer()
                            .count())
                    .isEqualTo(1);
        }
        assertThat(registry.get("langbridge.requests.active").gauge().value()).isZero();
    }

    @Test
    void theLogSaysEachTenthOfADownloadOnce() {
        List<String> lines = new ArrayList<>();
        DownloadLog log = new DownloadLog("ORG/NAME", lines::add);
        for (long bytes = 0; bytes <= 2_000_000; bytes += 50_000) {
            log.progress(new DownloadProgress("model.safetensors", bytes, 2_000_000, bytes, 2_000_000, 1e6, null));
        }
        assertThat(lines).hasSize(11);
        assertThat(lines.get(10))
                .isEqualTo(String.format(Locale.getDefault(), "Downloading ORG/NAME: 100 %% of 2 MB, %.1f MB/s", 1.0));
    }

    @Test
    void editorsAreToldOfEveryProperty() throws Exception {
        String metadata;
        try (InputStream in =
                LangBridgeProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            metadata = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
        List<String> told = Pattern.compile("\"name\": \"langbridge\\.([a-z-]+)\",\\s*\"type\": \"([\\w.]+)\"")
                .matcher(metadata)
                .results()
                .map((MatchResult property) -> property.group(1) + " " + property.group(2))
                .toList();
        assertThat(told)
                .isEqualTo(Arrays.stream(LangBridgeProperties.class.getRecordComponents())
                        .map((RecordComponent property) ->
                                property.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT) + " "
                                        + property.getType().getName())
                        .toList());
    }
}

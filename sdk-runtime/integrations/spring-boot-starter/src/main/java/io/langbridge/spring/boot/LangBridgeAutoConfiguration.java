package io.langbridge.spring.boot;

import io.langbridge.Device;
import io.langbridge.EngineName;
import io.langbridge.GenerationOptions;
import io.langbridge.ModelListener;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.Hub;
import io.langbridge.hub.HubModel;
import io.langbridge.spring.ai.LangBridgeChatModel;
import io.langbridge.spring.ai.LangBridgeChatOptions;
import io.micrometer.observation.ObservationRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * A {@link VisionLanguageModel} as {@code langbridge.*} says, and a chat model of Spring AI on it. The model is loaded
 * when the application starts, which the log follows, and closed when it ends: after the web server, and after the
 * requests that run, as far as {@link LangBridgeMetrics} hears of them. A model of the application's own takes its
 * place.
 *
 * @since 0.1
 */
@AutoConfiguration
@EnableConfigurationProperties(LangBridgeProperties.class)
public final class LangBridgeAutoConfiguration {
    private static final Logger LOG = LoggerFactory.getLogger(LangBridgeAutoConfiguration.class);

    LangBridgeAutoConfiguration() {}

    /** Metrics of a model that is loaded here; one of the application's own takes it as a listener. */
    @Bean
    @ConditionalOnMissingBean
    LangBridgeMetrics langBridgeMetrics() {
        return new LangBridgeMetrics();
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnProperty("langbridge.model")
    VisionLanguageModel visionLanguageModel(LangBridgeProperties properties, ObjectProvider<ModelListener> listeners) {
        String name = Objects.requireNonNull(properties.model());
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder();
        set(properties.precision(), builder::precision);
        set(properties.engine(), engine -> builder.engine(EngineName.parse(engine)));
        set(properties.device(), device -> builder.device(Device.parse(device)));
        set(properties.threads(), builder::threads);
        set(properties.contextLength(), builder::contextLength);
        set(properties.maxVisualTokens(), builder::maxVisualTokens);
        set(properties.maxConcurrentRequests(), builder::maxConcurrentRequests);
        set(properties.maxQueuedRequests(), builder::maxQueuedRequests);
        set(properties.keptPrefixes(), builder::keptPrefixes);
        set(properties.sharedImages(), builder::sharedImages);
        set(properties.cacheDirectory(), builder::cacheDirectory);
        set(properties.cacheLimit(), limit -> builder.cacheLimit(limit.toBytes()));
        listeners.orderedStream().forEach(builder::listener);
        builder.folder(folder(name, properties.revision()));
        LOG.info("Loading {}", name); // when that is done, the loader says so
        return builder.build();
    }

    private static <T> void set(@Nullable T value, Consumer<T> setter) {
        if (value != null) {
            setter.accept(value);
        }
    }

    /** A folder that is here, or else what the hub has of that name. */
    private static Path folder(String name, @Nullable String revision) {
        Path folder = Path.of(name);
        if (Files.isDirectory(folder)) {
            if (revision != null) {
                throw new IllegalArgumentException("langbridge.revision = " + revision
                        + " is for models of the hub, but langbridge.model = " + name + " is a folder");
            }
            return folder;
        }
        LOG.info("There is no folder {}; asking the hub", name);
        HubModel model = Hub.of(name);
        return (revision == null ? model : model.revision(revision))
                .listener(new DownloadLog(name, LOG::info))
                .get();
    }

    @Bean
    LangBridgeDrain langBridgeDrain(LangBridgeMetrics metrics) {
        return new LangBridgeDrain(metrics::idle);
    }

    @Bean
    @ConditionalOnBean(VisionLanguageModel.class)
    @ConditionalOnMissingBean
    LangBridgeChatModel langBridgeChatModel(
            VisionLanguageModel model,
            LangBridgeProperties properties,
            ObjectProvider<ObservationRegistry> observations,
            ObjectProvider<ChatModelObservationConvention> convention) {
        LangBridgeChatOptions.Builder options = LangBridgeChatOptions.builder()
                .maxTokens(properties.maxTokens())
                .temperature(properties.temperature());
        set(
                properties.timeout(),
                timeout -> options.options(
                        GenerationOptions.builder().timeout(timeout).build()));
        LangBridgeChatModel.Builder builder = LangBridgeChatModel.builder(model).options(options.build());
        set(name(properties), builder::modelName);
        observations.ifAvailable(builder::observationRegistry);
        convention.ifAvailable(builder::observationConvention);
        return builder.build();
    }

    static @Nullable String name(LangBridgeProperties properties) {
        return properties.modelName() == null ? properties.model() : properties.modelName();
    }
}

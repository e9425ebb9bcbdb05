package io.langbridge.spring.boot;

import io.langbridge.Precision;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.unit.DataSize;

/**
 * The properties. What is not set is as {@link io.langbridge.VisionLanguageModel.Builder} says.
 *
 * @param model a Hugging Face folder that holds all parts, or {@code ORG/NAME} of the hub
 * @param revision a branch, a tag or a commit of a model of the hub
 * @param modelName what responses, observations and health call the model; default is {@code model}
 * @param precision of all parts
 * @param engine for example {@code onnx}
 * @param device for example {@code cpu} or {@code cuda:0}
 * @param threads computing threads
 * @param contextLength most positions that prompt and answer have together
 * @param maxVisualTokens most visual tokens that a picture becomes
 * @param maxConcurrentRequests most requests that are answered at a time
 * @param maxQueuedRequests most requests that wait
 * @param keptPrefixes how many KV caches stay when their requests have ended
 * @param sharedImages how many pictures stay encoded for whoever asks about them
 * @param cacheDirectory where converted weights are kept between starts
 * @param cacheLimit most that converted weights may have together there, for example {@code 20GB}
 * @param timeout how long an answer may take
 * @param maxTokens most tokens of an answer
 * @param temperature 0 for the likeliest words
 * @since 0.1
 */
@ConfigurationProperties("langbridge")
public record LangBridgeProperties(
        @Nullable String model,
        @Nullable String revision,
        @Nullable String modelName,
        @Nullable Precision precision,
        @Nullable String engine,
        @Nullable String device,
        @Nullable Integer threads,
        @Nullable Integer contextLength,
        @Nullable Integer maxVisualTokens,
        @Nullable Integer maxConcurrentRequests,
        @Nullable Integer maxQueuedRequests,
        @Nullable Integer keptPrefixes,
        @Nullable Integer sharedImages,
        @Nullable Path cacheDirectory,
        @Nullable DataSize cacheLimit,
        @Nullable Duration timeout,
        @Nullable Integer maxTokens,
        @Nullable Double temperature) {}

package io.langbridge.examples.webservice;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** An answer as OpenAI writes it, whole or in chunks. */
final class Completion {
    private final String id = "chatcmpl-" + UUID.randomUUID();
    private final long created = Instant.now().getEpochSecond();
    private final String model;

    Completion(String model) {
        this.model = model;
    }

    JsonObject whole(Answer answer, boolean logProbabilities) {
        JsonObject message = new JsonObject();
        message.addProperty("role", "assistant");
        message.addProperty("content", answer.text());
        message.add("refusal", JsonNull.INSTANCE);
        if (!answer.thinking().isEmpty()) {
            message.addProperty("reasoning_content", answer.thinking());
        }
        JsonObject choice = choice(reason(answer.finishReason()));
        choice.add("message", message);
        choice.add("logprobs", logProbabilities ? logProbabilities(answer) : JsonNull.INSTANCE);
        JsonObject completion = completion("chat.completion", List.of(choice));
        completion.add("usage", usage(answer.usage()));
        return completion;
    }

    /** The first chunk, which says who speaks. */
    JsonObject first() {
        JsonObject delta = new JsonObject();
        delta.addProperty("role", "assistant");
        delta.addProperty("content", "");
        return chunk(delta, null);
    }

    JsonObject piece(AnswerStream.Piece piece) {
        JsonObject delta = new JsonObject();
        delta.addProperty(piece.thinking() ? "reasoning_content" : "content", piece.text());
        return chunk(delta, null);
    }

    JsonObject last(FinishReason reason) {
        return chunk(new JsonObject(), reason(reason));
    }

    /** What a stream ends with where that was asked for. */
    JsonObject usageChunk(Answer.Usage usage) {
        JsonObject chunk = completion("chat.completion.chunk", List.of());
        chunk.add("usage", usage(usage));
        return chunk;
    }

    private JsonObject chunk(JsonObject delta, String reason) {
        JsonObject choice = choice(reason);
        choice.add("delta", delta);
        choice.add("logprobs", JsonNull.INSTANCE);
        return completion("chat.completion.chunk", List.of(choice));
    }

    private static JsonObject choice(String reason) {
        JsonObject choice = new JsonObject();
        choice.addProperty("index", 0);
        choice.addProperty("finish_reason", reason);
        return choice;
    }

    private JsonObject completion(String object, List<JsonObject> choices) {
        JsonObject completion = new JsonObject();
        completion.addProperty("id", id);
        completion.addProperty("object", object);
        completion.addProperty("created", created);
        completion.addProperty("model", model);
        JsonArray all = new JsonArray();
        choices.forEach(all::add);
        completion.add("choices", all);
        return completion;
    }

    private static JsonObject usage(Answer.Usage usage) {
        JsonObject cached = new JsonObject();
        cached.addProperty("cached_tokens", usage.cachedTokens());
        JsonObject json = new JsonObject();
        json.addProperty("prompt_tokens", usage.promptTokens());
        json.addProperty("completion_tokens", usage.newTokens());
        json.addProperty("total_tokens", usage.promptTokens() + usage.newTokens());
        json.add("prompt_tokens_details", cached);
        return json;
    }

    private static JsonObject logProbabilities(Answer answer) {
        JsonArray content = new JsonArray();
        for (Answer.TokenProbability token : answer.logProbabilities()) {
            JsonObject json = logProbability(token);
            JsonArray others = new JsonArray();
            token.others().forEach(other -> others.add(logProbability(other)));
            json.add("top_logprobs", others);
            content.add(json);
        }
        JsonObject json = new JsonObject();
        json.add("content", content);
        json.add("refusal", JsonNull.INSTANCE);
        return json;
    }

    private static JsonObject logProbability(Answer.TokenProbability token) {
        JsonObject json = new JsonObject();
        json.addProperty("token", token.text());
        json.addProperty("logprob", token.logProbability());
        JsonArray bytes = new JsonArray();
        for (byte each : token.text().getBytes(StandardCharsets.UTF_8)) {
            bytes.add(each & 0xFF);
        }
        json.add("bytes", bytes);
        return json;
    }

    private static String reason(FinishReason reason) {
        return switch (reason) {
            case STOP_TOKEN, STOP_STRING -> "stop";
            case MAX_NEW_TOKENS, CONTEXT_FULL, TIMED_OUT, CANCELLED -> "length";
        };
    }
}

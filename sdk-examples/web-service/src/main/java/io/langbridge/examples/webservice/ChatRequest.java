package io.langbridge.examples.webservice;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import io.langbridge.GenerationOptions;
import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The body of {@code /v1/chat/completions}. A field that cannot be honoured is refused by its name, never left out.
 *
 * @param stream whether the answer comes piece by piece
 * @param usage whether a stream ends with the counts of tokens
 * @param logProbabilities whether they are asked for
 */
record ChatRequest(Request request, boolean stream, boolean usage, boolean logProbabilities) {
    private static final Set<JsonElement> NO_MORE_DETAIL = Set.of(new JsonPrimitive("auto"), new JsonPrimitive("low"));
    private static final int MOST_STOPS = 4;
    private static final int MOST_OTHERS = 20;

    static ChatRequest of(JsonElement body, String model, Pictures pictures, Duration timeLimit) {
        Fields fields = new Fields(body, "");
        String asked = fields.requiredText("model");
        if (!asked.equals(model)) {
            throw ApiError.of(404, "not_found_error", "There is no model '" + asked + "', there is '" + model + "'");
        }
        boolean stream = fields.flag("stream");
        boolean usage = false;
        if (fields.get("stream_options") != null) {
            Fields options = new Fields(fields.get("stream_options"), "stream_options");
            usage = options.flag("include_usage");
            options.flag("include_obfuscation"); // pads the pieces; there is nobody between who counts
            options.end();
        }
        boolean logProbabilities = fields.flag("logprobs");
        GenerationOptions options = options(fields, timeLimit, logProbabilities);
        if (stream && logProbabilities) {
            throw ApiError.invalid("logprobs", "logprobs together with stream is not supported by this service");
        }
        Request request;
        try {
            request = Request.builder()
                    .messages(messages(fields, pictures))
                    .options(options)
                    .build();
        } catch (IllegalStateException e) {
            throw ApiError.invalid("messages", e.getMessage());
        }
        refuseTheRest(fields);
        return new ChatRequest(request, stream, usage, logProbabilities);
    }

    private static GenerationOptions options(Fields fields, Duration timeLimit, boolean logProbabilities) {
        GenerationOptions.Builder options = GenerationOptions.builder().timeout(timeLimit);
        Long others = fields.whole("top_logprobs");
        Long most = fields.whole("max_completion_tokens");
        Long older = fields.whole("max_tokens");
        Double temperature = fields.number("temperature");
        Double topP = fields.number("top_p");
        Double frequency = fields.number("frequency_penalty");
        Double presence = fields.number("presence_penalty");
        Long seed = fields.whole("seed");
        List<String> stops = stops(fields);
        String schema = schema(fields);
        try {
            if (most != null || older != null) {
                options.maxNewTokens(Math.toIntExact(most != null ? most : older));
            }
            if (temperature != null) {
                options.temperature(temperature);
            }
            if (topP != null) {
                options.topP(topP);
            }
            if (frequency != null) {
                options.frequencyPenalty(frequency);
            }
            if (presence != null) {
                options.presencePenalty(presence);
            }
            if (seed != null) {
                options.seed(seed);
            }
            if (!stops.isEmpty()) {
                options.stopStrings(stops.toArray(new String[0]));
            }
            if (schema != null) {
                options.jsonSchema(schema);
            }
            if (others != null && !logProbabilities) {
                throw ApiError.invalid("top_logprobs", "top_logprobs needs logprobs to be true");
            }
            if (logProbabilities) {
                if (others != null && others > MOST_OTHERS) {
                    throw ApiError.invalid("top_logprobs", "top_logprobs is at most " + MOST_OTHERS);
                }
                options.logProbabilities(others == null ? 0 : Math.toIntExact(others));
            }
            return options.build();
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw ApiError.invalid(null, e.getMessage());
        }
    }

    private static List<String> stops(Fields fields) {
        JsonElement stop = fields.get("stop");
        List<JsonElement> given = stop instanceof JsonPrimitive ? List.of(stop) : fields.list("stop");
        List<String> stops = new ArrayList<>();
        for (JsonElement each : given) {
            if (!each.isJsonPrimitive() || !each.getAsJsonPrimitive().isString()) {
                throw ApiError.invalid("stop", "stop must be a string or an array of strings");
            }
            stops.add(each.getAsString());
        }
        if (stops.size() > MOST_STOPS) {
            throw ApiError.invalid(
                    "stop", "stop has " + stops.size() + " strings; at most " + MOST_STOPS + " are taken");
        }
        return stops;
    }

    private static String schema(Fields fields) {
        if (fields.get("response_format") == null) {
            return null;
        }
        Fields format = new Fields(fields.get("response_format"), "response_format");
        String type = format.requiredText("type");
        if (type.equals("text")) {
            format.end();
            return null;
        }
        if (!type.equals("json_schema")) {
            throw ApiError.invalid(
                    "response_format.type",
                    "response_format.type '" + type + "' is not supported by this service; give a json_schema");
        }
        Fields named = new Fields(format.get("json_schema"), "response_format.json_schema");
        named.text("name");
        named.text("description");
        named.flag("strict"); // a schema is always held to
        JsonElement schema = named.get("schema");
        if (schema == null) {
            throw ApiError.invalid(named.at("schema"), named.at("schema") + " is missing");
        }
        named.end();
        format.end();
        return schema.toString();
    }

    private static List<Message> messages(Fields fields, Pictures pictures) {
        List<Message> messages = new ArrayList<>();
        StringBuilder system = new StringBuilder();
        List<JsonElement> given = fields.list("messages");
        if (given.isEmpty()) {
            throw ApiError.invalid("messages", "messages is missing or empty");
        }
        for (int i = 0; i < given.size(); i++) {
            Fields message = new Fields(given.get(i), "messages[" + i + "]");
            String role = message.requiredText("role");
            message.text("name"); // templates have no place for it
            message.neutral("refusal", each -> false);
            message.neutral("audio", each -> false);
            message.neutral("tool_calls", ChatRequest::isEmpty);
            message.neutral("function_call", each -> false);
            List<Message.Part> parts = parts(message, role.equals("user") ? pictures : null);
            message.end();
            switch (role) {
                case "system", "developer" -> {
                    if (!messages.isEmpty()) {
                        throw ApiError.invalid(message.at("role"), "The system message comes first");
                    }
                    system.append(system.length() == 0 ? "" : "\n").append(text(parts));
                }
                case "user" -> messages.add(new Message(Role.USER, parts));
                case "assistant" -> messages.add(Message.assistant(text(parts)));
                default ->
                    throw ApiError.invalid(
                            message.at("role"), "The role '" + role + "' is not supported by this service");
            }
        }
        if (system.length() > 0) {
            messages.add(0, new Message(Role.SYSTEM, List.of(new Message.Text(system.toString()))));
        }
        return messages;
    }

    private static String text(List<Message.Part> parts) {
        StringBuilder text = new StringBuilder();
        for (Message.Part part : parts) {
            text.append(((Message.Text) part).text());
        }
        return text.toString();
    }

    /** @param pictures null where there can be none */
    private static List<Message.Part> parts(Fields message, Pictures pictures) {
        JsonElement content = message.get("content");
        if (content instanceof JsonPrimitive) {
            return List.of(new Message.Text(message.text("content")));
        }
        List<Message.Part> parts = new ArrayList<>();
        List<JsonElement> given = message.list("content");
        for (int i = 0; i < given.size(); i++) {
            Fields part = new Fields(given.get(i), message.at("content[" + i + "]"));
            String type = part.requiredText("type");
            if (type.equals("text")) {
                parts.add(new Message.Text(part.requiredText("text")));
            } else if (type.equals("image_url") && pictures != null) {
                Fields picture = new Fields(part.get("image_url"), part.at("image_url"));
                parts.add(new Message.ImagePart(pictures.read(picture.requiredText("url"), picture.at("url"))));
                // A model sees all that it can of every picture. LangChain4j asks for "low" unless told otherwise.
                picture.neutral("detail", each -> NO_MORE_DETAIL.contains(each));
                picture.end();
            } else {
                throw ApiError.invalid(part.at("type"), "Content of the type '" + type + "' is not supported here");
            }
            part.end();
        }
        if (parts.isEmpty()) {
            throw ApiError.invalid(message.at("content"), message.at("content") + " is missing or empty");
        }
        return parts;
    }

    /** Fields that ask for nothing in the values that clients send unasked. */
    private static void refuseTheRest(Fields fields) {
        fields.neutral("n", each -> each.equals(new JsonPrimitive(1)));
        fields.neutral("tools", ChatRequest::isEmpty);
        fields.neutral("functions", ChatRequest::isEmpty);
        fields.neutral("tool_choice", each -> each.equals(new JsonPrimitive("none")));
        fields.neutral("parallel_tool_calls", each -> true); // of no tools
        fields.neutral("logit_bias", ChatRequest::isEmpty);
        fields.neutral("modalities", each -> each.toString().equals("[\"text\"]"));
        fields.neutral("store", each -> each.equals(new JsonPrimitive(false)));
        fields.neutral("metadata", each -> true); // for who keeps answers
        fields.neutral("user", each -> true);
        fields.neutral("safety_identifier", each -> true);
        fields.neutral("prompt_cache_key", each -> true);
        fields.neutral(
                "service_tier", each -> List.of("\"auto\"", "\"default\"").contains(each.toString()));
        fields.end();
    }

    private static boolean isEmpty(JsonElement json) {
        return json.isJsonArray() && json.getAsJsonArray().isEmpty()
                || json.isJsonObject() && json.getAsJsonObject().isEmpty();
    }
}

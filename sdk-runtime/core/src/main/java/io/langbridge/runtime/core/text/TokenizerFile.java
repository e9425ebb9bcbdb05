package io.langbridge.runtime.core.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code tokenizer.json} says about its vocabulary. The native tokenizer gives no access to it, so the file is
 * read a second time here, as a stream: merge lists are long and are skipped.
 */
final class TokenizerFile {
    /** Far above any published vocabulary; keeps a damaged id from asking for gigabytes. */
    private static final int ID_LIMIT = 1 << 22;

    /** A token that is looked for in the text before the model sees it. */
    record AddedToken(int id, String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean special) {}

    private final Path path;
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final List<AddedToken> added = new ArrayList<>();
    private @Nullable String[] tokens = new String[0];
    private @Nullable TokenBytes bytes;
    private boolean firstRunDiffers;

    private TokenizerFile(Path path) {
        this.path = path;
    }

    static TokenizerFile read(Path path) {
        TokenizerFile file = new TokenizerFile(path);
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException("There is no " + path + ". The tokenizer is read from the tokenizer.json"
                    + " of the language model's folder; if the folder has only a tokenizer.model or vocab.json,"
                    + " convert it with AutoTokenizer.from_pretrained(...).save_pretrained(...).");
        }
        try (JsonReader in = new JsonReader(Files.newBufferedReader(path, StandardCharsets.UTF_8))) {
            file.readRoot(in);
        } catch (IOException | JsonParseException | IllegalStateException | NumberFormatException e) {
            throw new CheckpointException(
                    path + " cannot be read as a tokenizer: " + e.getMessage() + ". Download the file again.", e);
        }
        file.index();
        return file;
    }

    private void readRoot(JsonReader in) throws IOException {
        JsonElement addedTokens = new JsonArray();
        JsonElement decoder = new JsonObject();
        in.beginObject();
        while (in.hasNext()) {
            switch (in.nextName()) {
                case "model" -> readModel(in);
                case "added_tokens" -> addedTokens = JsonParser.parseReader(in);
                case "decoder" -> decoder = JsonParser.parseReader(in);
                // "first" prepends a space only to the first stretch of text between special tokens.
                case "pre_tokenizer" ->
                    firstRunDiffers = JsonParser.parseReader(in).toString().contains("\"prepend_scheme\":\"first\"");
                default -> in.skipValue();
            }
        }
        in.endObject();
        if (ids.isEmpty()) {
            throw new CheckpointException(path + " has no vocabulary under model.vocab. Download the file again.");
        }
        for (JsonElement element : addedTokens.getAsJsonArray()) {
            JsonObject token = element.getAsJsonObject();
            String content = token.get("content").getAsString();
            int id = token.get("id").getAsInt();
            if (content.isEmpty()) {
                throw new CheckpointException(path + " has an added token without content, id " + id + ".");
            }
            ids.put(content, id);
            added.add(new AddedToken(
                    id,
                    content,
                    flag(token, "single_word"),
                    flag(token, "lstrip"),
                    flag(token, "rstrip"),
                    flag(token, "special")));
        }
        bytes = TokenBytes.of(path, decoder);
    }

    private static boolean flag(JsonObject token, String name) {
        JsonElement value = token.get(name);
        return value != null && value.getAsBoolean();
    }

    private void readModel(JsonReader in) throws IOException {
        in.beginObject();
        while (in.hasNext()) {
            if (!in.nextName().equals("vocab")) {
                in.skipValue();
            } else if (in.peek() == JsonToken.BEGIN_ARRAY) {
                readUnigram(in);
            } else {
                in.beginObject();
                while (in.hasNext()) {
                    String token = in.nextName();
                    if (ids.put(token, in.nextInt()) != null) {
                        throw new CheckpointException(path + " lists the token '" + token + "' twice.");
                    }
                }
                in.endObject();
            }
        }
        in.endObject();
    }

    /** Unigram models list pairs of token and score; the position is the id. */
    private void readUnigram(JsonReader in) throws IOException {
        in.beginArray();
        while (in.hasNext()) {
            in.beginArray();
            ids.put(in.nextString(), ids.size());
            in.skipValue();
            in.endArray();
        }
        in.endArray();
    }

    private void index() {
        int largest = 0;
        for (Map.Entry<String, Integer> entry : ids.entrySet()) {
            int id = entry.getValue();
            if (id < 0 || id >= ID_LIMIT) {
                throw new CheckpointException(path + " gives the token '" + entry.getKey() + "' the id " + id
                        + ", allowed are 0 to " + (ID_LIMIT - 1) + ".");
            }
            largest = Math.max(largest, id);
        }
        tokens = new String[largest + 1];
        for (Map.Entry<String, Integer> entry : ids.entrySet()) {
            tokens[entry.getValue()] = entry.getKey();
        }
    }

    Path path() {
        return path;
    }

    Map<String, Integer> ids() {
        return Collections.unmodifiableMap(ids);
    }

    List<AddedToken> added() {
        return Collections.unmodifiableList(added);
    }

    int size() {
        return tokens.length;
    }

    @Nullable
    String token(int id) {
        return id < 0 || id >= tokens.length ? null : tokens[id];
    }

    TokenBytes bytes() {
        if (bytes == null) {
            throw new UnsupportedModelException(path + " has no decoder.");
        }
        return bytes;
    }

    /** Whether the text before the first special token is treated unlike the text after it. */
    boolean firstRunDiffers() {
        return firstRunDiffers;
    }

    /**
     * The file again, without its added tokens, so that nothing in a text is special.
     *
     * @param firstRun false to leave out the space that is prepended to the first stretch of text only
     */
    byte[] withoutAddedTokens(boolean firstRun) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonReader in = new JsonReader(Files.newBufferedReader(path, StandardCharsets.UTF_8));
                JsonWriter writer = new JsonWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8))) {
            copy(in, writer, firstRun);
        } catch (IOException | IllegalStateException e) {
            throw new CheckpointException(
                    path + " could be read before and cannot be read now: " + e.getMessage()
                            + ". Keep the model folder unchanged while it is in use.",
                    e);
        }
        return out.toByteArray();
    }

    private static void copy(JsonReader in, JsonWriter out, boolean firstRun) throws IOException {
        while (true) {
            switch (in.peek()) {
                case BEGIN_OBJECT -> {
                    in.beginObject();
                    out.beginObject();
                }
                case END_OBJECT -> {
                    in.endObject();
                    out.endObject();
                }
                case BEGIN_ARRAY -> {
                    in.beginArray();
                    out.beginArray();
                }
                case END_ARRAY -> {
                    in.endArray();
                    out.endArray();
                }
                case NAME -> {
                    String name = in.nextName();
                    out.name(name);
                    String at = in.getPath();
                    if (at.equals("$.added_tokens")) {
                        in.skipValue();
                        out.beginArray().endArray();
                    } else if (!firstRun && name.equals("prepend_scheme") && at.startsWith("$.pre_tokenizer")) {
                        String scheme = in.nextString();
                        out.value(scheme.equals("first") ? "never" : scheme);
                    }
                }
                case STRING -> out.value(in.nextString());
                case NUMBER -> out.jsonValue(in.nextString());
                case BOOLEAN -> out.value(in.nextBoolean());
                case NULL -> {
                    in.nextNull();
                    out.nullValue();
                }
                case END_DOCUMENT -> {
                    return;
                }
            }
        }
    }
}

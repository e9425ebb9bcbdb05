package io.langbridge.runtime.core.text;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Writes small tokenizers for tests. */
final class TokenizerFolder {
    private final Path folder;
    private final JsonObject json;

    private TokenizerFolder(Path folder, JsonObject json) {
        this.folder = folder;
        this.json = json;
    }

    /** Byte-level BPE with all bytes and 364 merges; its added tokens are three. */
    static TokenizerFolder byteLevel(Path folder) throws IOException {
        Path file = TokenizerTest.FOLDER.resolve("tokenizer.json");
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        return new TokenizerFolder(folder, JsonParser.parseString(text).getAsJsonObject());
    }

    /** A model and nothing else; apostrophes stand for quotation marks. */
    static TokenizerFolder of(Path folder, String model) {
        JsonObject json = new JsonObject();
        json.add("model", JsonParser.parseString(model.replace('\'', '"')));
        return new TokenizerFolder(folder, json);
    }

    TokenizerFolder with(String part, String value) {
        json.add(part, JsonParser.parseString(value.replace('\'', '"')));
        return this;
    }

    TokenizerFolder model(String key, String value) {
        json.getAsJsonObject("model").add(key, JsonParser.parseString(value.replace('\'', '"')));
        return this;
    }

    Tokenizer open() throws IOException {
        Files.write(folder.resolve("tokenizer.json"), json.toString().getBytes(StandardCharsets.UTF_8));
        return Tokenizer.of(folder);
    }

    /** An added token; {@code flags} name those that are true. */
    static String added(String content, String... flags) {
        JsonObject token = new JsonObject();
        token.addProperty("id", 0);
        token.addProperty("content", content);
        for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
            token.addProperty(flag, false);
        }
        for (String flag : flags) {
            token.addProperty(flag, true);
        }
        return token.toString();
    }

    /** The id of a token that is there. */
    static int id(Tokenizer tokenizer, String token) {
        return Objects.requireNonNull(tokenizer.idOf(token), token);
    }
}

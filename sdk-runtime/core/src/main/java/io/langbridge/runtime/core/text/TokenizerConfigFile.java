package io.langbridge.runtime.core.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.runtime.core.checkpoint.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The small JSON files beside {@code tokenizer.json}. */
public final class TokenizerConfigFile {
    private TokenizerConfigFile() {}

    /** The object in {@code folder/name}, empty if there is no such file. */
    public static JsonObject read(Path folder, String name) {
        Path path = folder.resolve(name);
        if (!Files.isRegularFile(path)) {
            return new JsonObject();
        }
        return Json.read(path).tree();
    }

    /**
     * The named tokens ({@code bos_token}, {@code eos_token}, {@code pad_token}, ...) that the folder sets, as text.
     * {@code tokenizer_config.json} wins over {@code special_tokens_map.json}.
     */
    public static Map<String, String> namedTokens(Path folder) {
        Map<String, String> named = new LinkedHashMap<>();
        addNamedTokens(read(folder, "special_tokens_map.json"), named);
        addNamedTokens(read(folder, "tokenizer_config.json"), named);
        return named;
    }

    private static void addNamedTokens(JsonObject json, Map<String, String> named) {
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            if (!entry.getKey().endsWith("_token")) {
                continue;
            }
            JsonElement value = entry.getValue();
            // Old files write a token with its flags as an object.
            JsonElement text = value.isJsonObject() ? value.getAsJsonObject().get("content") : value;
            if (text != null
                    && text.isJsonPrimitive()
                    && text.getAsJsonPrimitive().isString()) {
                named.put(entry.getKey(), text.getAsString());
            } else if (value.isJsonNull()) {
                named.remove(entry.getKey());
            }
        }
    }
}

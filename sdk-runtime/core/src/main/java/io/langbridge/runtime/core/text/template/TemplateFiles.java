package io.langbridge.runtime.core.text.template;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.text.TokenizerConfigFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The places in a checkpoint where a chat template may be. */
final class TemplateFiles {
    private static final String ENTRY = "chat_template";
    private static final String DEFAULT = "default";
    private static final String ENDING = ".jinja";

    /** A template and the file it was found in. */
    record Found(String source, String where) {}

    private TemplateFiles() {}

    static @Nullable Found find(Path folder) {
        Found found = entry(folder, "processor_config.json");
        if (found != null) {
            return found;
        }
        Map<String, Path> named = additional(folder.resolve("additional_chat_templates"));
        Path json = folder.resolve("chat_template.json");
        if (Files.isRegularFile(json)) {
            if (!named.isEmpty()) {
                throw new CheckpointException(json + " and the templates in additional_chat_templates cannot both be"
                        + " meant. Move the template to chat_template.jinja and delete chat_template.json.");
            }
            found = entry(folder, "chat_template.json");
            if (found != null) {
                return found;
            }
        }
        Path jinja = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(jinja)) {
            named.put(DEFAULT, jinja);
        }
        if (named.isEmpty()) {
            return entry(folder, "tokenizer_config.json");
        }
        Path chosen = named.get(DEFAULT);
        if (chosen == null) {
            throw noDefault(folder.resolve("additional_chat_templates").toString(), named);
        }
        return new Found(text(chosen), chosen.toString());
    }

    private static Map<String, Path> additional(Path folder) {
        Map<String, Path> named = new TreeMap<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + ENDING)) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    if (Files.isRegularFile(file)) {
                        named.put(name.substring(0, name.length() - ENDING.length()), file);
                    }
                }
            } catch (IOException e) {
                throw new CheckpointException(folder + " cannot be listed: " + e.getMessage() + ".", e);
            }
        }
        return named;
    }

    /** Half-files and wrong encodings must not pass as a template, so malformed bytes are an error. */
    private static String text(Path path) {
        try (BufferedReader in = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
            StringBuilder text = new StringBuilder();
            char[] buffer = new char[8192];
            // What is too long is refused when it is parsed, wherever it comes from.
            for (int count = in.read(buffer); count >= 0 && text.length() <= Lexer.LONGEST_SOURCE; ) {
                text.append(buffer, 0, count);
                count = in.read(buffer);
            }
            return text.toString();
        } catch (IOException e) {
            throw new CheckpointException(
                    path + " cannot be read as UTF-8: " + e.getMessage() + ". Download the file again.", e);
        }
    }

    private static @Nullable Found entry(Path folder, String file) {
        JsonElement entry = TokenizerConfigFile.read(folder, file).get(ENTRY);
        if (entry == null || entry.isJsonNull()) {
            return null;
        }
        String where = folder.resolve(file).toString();
        if (isText(entry)) {
            return new Found(entry.getAsString(), where);
        }
        Map<String, String> named = new LinkedHashMap<>();
        if (entry.isJsonObject()) {
            entry.getAsJsonObject().entrySet().forEach(one -> add(where, one.getKey(), one.getValue(), named));
        } else if (entry.isJsonArray()) {
            for (JsonElement one : entry.getAsJsonArray()) {
                JsonObject template = one.isJsonObject() ? one.getAsJsonObject() : new JsonObject();
                JsonElement name = template.get("name");
                add(where, name != null && isText(name) ? name.getAsString() : null, template.get("template"), named);
            }
        } else {
            throw damaged(where);
        }
        String chosen = named.get(DEFAULT);
        if (chosen == null) {
            throw noDefault(where, named);
        }
        return new Found(chosen, where);
    }

    private static void add(
            String where, @Nullable String name, @Nullable JsonElement template, Map<String, String> named) {
        if (name == null || template == null || !isText(template)) {
            throw damaged(where);
        }
        named.put(name, template.getAsString());
    }

    private static boolean isText(JsonElement element) {
        return element.isJsonPrimitive() && element.getAsJsonPrimitive().isString();
    }

    private static CheckpointException damaged(String where) {
        return new CheckpointException(where + " has a chat_template that is neither a text nor a collection of texts"
                + " with names. Download the file again.");
    }

    private static CheckpointException noDefault(String where, Map<String, ?> named) {
        return new CheckpointException("None of the chat templates in " + where + " is named 'default': "
                + Shown.of(named.keySet().toString()) + ". Write the one to use to chat_template.jinja"
                + " (or rename it).");
    }
}

package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that the files beside {@code tokenizer.json} declare or change: {@code tokenizer_config.json}, and in older
 * folders {@code special_tokens_map.json} and {@code added_tokens.json}. What counts, and in which order, is as in
 * transformers.
 */
final class DeclaredTokens {
    private static final String CONFIG = "tokenizer_config.json";
    private static final List<String> NAMES =
            Arrays.asList("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final long MOST_BYTES = 100_000_000;

    private final Map<String, AddedToken> named = new LinkedHashMap<>();
    private final List<AddedToken> extra = new ArrayList<>();
    private final TreeMap<Integer, AddedToken> byId = new TreeMap<>();

    private DeclaredTokens() {}

    /**
     * Reads the files of a folder.
     *
     * @param config what {@link #config} read
     * @param inTokenizer the tokenizer's own added tokens
     * @param names texts of named tokens that count unless a file says otherwise
     */
    static DeclaredTokens of(Path folder, Part config, List<AddedToken> inTokenizer, Map<String, String> names) {
        DeclaredTokens declared = new DeclaredTokens();
        names.forEach((name, text) -> declared.named.put(name, bare(text)));
        Part decoder = config.isNull() ? config : config.part("added_tokens_decoder");
        declared.readNames(config);
        if (decoder.isNull()) {
            declared.readNames(read(folder, "special_tokens_map.json"));
            declared.readOldIds(read(folder, "added_tokens.json"));
        } else {
            for (String id : decoder.keys()) {
                declared.byId.put(id(decoder, id), AddedToken.of(decoder.part(id)));
            }
        }
        declared.resolve(inTokenizer);
        return declared;
    }

    /** {@code tokenizer_config.json}; null if there is none. */
    static Part config(Path folder) {
        return read(folder, CONFIG);
    }

    private static int id(Part decoder, String id) {
        try {
            return Integer.parseInt(id);
        } catch (NumberFormatException e) {
            throw decoder.damaged("has the key " + Shown.text(id) + ", which is no id");
        }
    }

    /** A null part if there is no such file. */
    private static Part read(Path folder, String name) {
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            return new Part(file, "", null);
        }
        JsonBytes json = new JsonBytes(file, bytes(file, MOST_BYTES));
        Part part = new Part(file, "", json.readTree());
        json.end();
        if (!part.isObject()) {
            throw new CheckpointException(file + " is not a JSON object. Download the file again.");
        }
        return part;
    }

    static byte[] bytes(Path file, long most) {
        try {
            long size = Files.size(file);
            if (size > most) {
                throw new CheckpointException(
                        file + " has " + size + " bytes; such a file of a model has at most " + most + ".");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new CheckpointException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private void readNames(Part json) {
        if (json.isNull()) {
            return;
        }
        for (String key : json.keys()) {
            Part value = json.part(key);
            if (NAMES.contains(key)) {
                if (value.isNull()) {
                    named.remove(key);
                } else {
                    named.put(key, token(value));
                }
            } else if (key.endsWith("_token") && (value.isText() || isToken(value))) {
                named.put(key, token(value));
            }
        }
        Part extras = json.part("extra_special_tokens");
        if (isEmpty(extras)) {
            extras = json.part("additional_special_tokens");
        }
        if (extras.isObject()) {
            for (String key : extras.keys()) {
                named.put(key, token(extras.part(key)));
            }
        } else if (!extras.isNull()) {
            extras.parts().forEach(each -> {
                AddedToken token = token(each);
                if (!extra.contains(token)) {
                    extra.add(token);
                }
            });
        }
    }

    private static boolean isEmpty(Part extras) {
        return extras.isNull()
                || extras.isObject() && extras.keys().isEmpty()
                || extras.isList() && extras.parts().isEmpty();
    }

    private static boolean isToken(Part value) {
        return value.isObject() && value.part("content").isText();
    }

    private AddedToken token(Part value) {
        if (value.isObject()) {
            return AddedToken.of(value).asSpecial();
        }
        return bare(value.text());
    }

    private static AddedToken bare(String text) {
        return new AddedToken(text, false, false, false, false, true);
    }

    private void readOldIds(Part json) {
        if (json.isNull()) {
            return;
        }
        Set<String> special = new HashSet<>();
        NAMES.forEach(name -> {
            AddedToken token = named.get(name);
            if (token != null) {
                special.add(token.content());
            }
        });
        extra.forEach(token -> special.add(token.content()));
        for (String text : json.keys()) {
            boolean isSpecial = special.contains(text);
            byId.put(
                    json.part(text).integer(Integer.MAX_VALUE),
                    new AddedToken(text, false, false, false, !isSpecial, isSpecial));
        }
    }

    /** A name without flags means the token of that text, wherever it was declared. */
    private void resolve(List<AddedToken> inTokenizer) {
        Map<String, AddedToken> known = new LinkedHashMap<>();
        inTokenizer.forEach(token -> known.put(token.content(), token));
        byId.values().forEach(token -> known.put(token.content(), token));
        for (Map.Entry<String, AddedToken> entry : named.entrySet()) {
            AddedToken token = known.get(entry.getValue().content());
            if (token != null && NAMES.contains(entry.getKey())) {
                entry.setValue(token);
            }
        }
    }

    /** Adds everything that the tokenizer does not have, or has with other flags. */
    void addTo(AddedTokens.Builder tokens) {
        Set<String> names = new HashSet<>();
        named.values().forEach(token -> names.add(token.content()));
        List<AddedToken> all = new ArrayList<>(byId.values());
        Set<String> listed = new HashSet<>();
        all.forEach(token -> listed.add(token.content()));
        List<AddedToken> more = new ArrayList<>(named.values());
        more.addAll(extra);
        for (AddedToken token : more) {
            if (!tokens.has(token.content()) && listed.add(token.content())) {
                all.add(token);
            }
        }
        all.replaceAll(token -> names.contains(token.content()) ? token.asSpecial() : token);
        tokens.add(all);
    }

    /** The text of {@code bos_token} and the like, or null. */
    @Nullable
    String named(String name) {
        AddedToken token = named.get(name);
        return token == null ? null : token.content();
    }
}

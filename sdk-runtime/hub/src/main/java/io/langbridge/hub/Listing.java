package io.langbridge.hub;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.langbridge.hub.HubException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The files of a commit: as the hub lists them, and as Python keeps them in the cache. */
final class Listing {
    private static final int VERSION = 1;
    private static final Gson PRETTY =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private Listing() {}

    /**
     * Reads one page of the hub's listing.
     *
     * @param source where it comes from, for messages
     * @throws HubException if it is not understood, or a name in it could leave the cache
     */
    static List<RepoFile> page(byte[] utf8, String source) {
        JsonElement page = parse(utf8, source);
        if (!(page instanceof JsonArray entries)) {
            throw broken(source, "it is no JSON array");
        }
        List<RepoFile> files = new ArrayList<>();
        for (JsonElement element : entries) {
            if (!(element instanceof JsonObject entry)) {
                throw broken(source, "an entry is no JSON object");
            }
            if ("file".equals(text(entry, "type"))) {
                JsonObject lfs = entry.get("lfs") instanceof JsonObject object ? object : null;
                files.add(file(
                        text(entry, "path"),
                        number(lfs == null || !lfs.has("size") ? entry : lfs, "size"),
                        text(entry, "oid"),
                        lfs == null ? null : required(text(lfs, "oid"), source, "lfs.oid"),
                        text(entry, "xetHash"),
                        source));
            }
        }
        return files;
    }

    /**
     * Reads a listing that Python or this class wrote into the cache.
     *
     * @throws HubException if it is not understood, or a name in it could leave the cache
     */
    static List<RepoFile> ofCache(byte[] utf8, String source) {
        if (!(parse(utf8, source) instanceof JsonObject root)
                || number(root, "format_version") != VERSION
                || !(root.get("files") instanceof JsonObject byPath)) {
            throw broken(source, "it has another format");
        }
        List<RepoFile> files = new ArrayList<>();
        for (Map.Entry<String, JsonElement> entry : byPath.entrySet()) {
            if (!(entry.getValue() instanceof JsonObject info)) {
                throw broken(source, "an entry is no JSON object");
            }
            String sha256 = text(info, "lfs_sha256");
            files.add(file(
                    entry.getKey(),
                    number(info, sha256 == null || !info.has("lfs_size") ? "size" : "lfs_size"),
                    text(info, "blob_id"),
                    sha256,
                    text(info, "xet_hash"),
                    source));
        }
        return files;
    }

    /** Writes what {@link #ofCache} and Python read. */
    static byte[] forCache(List<RepoFile> files) {
        Map<String, Map<String, Object>> byPath = new TreeMap<>();
        for (RepoFile file : files) {
            Map<String, Object> info = new java.util.LinkedHashMap<>();
            info.put("size", file.size());
            info.put("blob_id", file.gitHash());
            if (file.sha256() != null) {
                info.put("lfs_sha256", file.sha256());
                info.put("lfs_size", file.size());
            }
            if (file.xetHash() != null) {
                info.put("xet_hash", file.xetHash());
            }
            byPath.put(file.path(), info);
        }
        Map<String, Object> root = new java.util.LinkedHashMap<>();
        root.put("format_version", VERSION);
        root.put("files", byPath);
        return PRETTY.toJson(root).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The files that an index of weights names, below its own folder.
     *
     * @throws HubException if it is none
     */
    static Set<String> shards(byte[] utf8, String source) {
        if (!(parse(utf8, source) instanceof JsonObject root)
                || !(root.get("weight_map") instanceof JsonObject byTensor)
                || byTensor.size() == 0) {
            throw broken(source, "it has no 'weight_map'");
        }
        Set<String> shards = new TreeSet<>();
        for (String tensor : byTensor.keySet()) {
            shards.add(required(text(byTensor, tensor), source, tensor));
        }
        return shards;
    }

    /** The commit that the hub's description of a revision names. */
    static String commit(byte[] utf8, String source) {
        String commit = parse(utf8, source) instanceof JsonObject root ? text(root, "sha") : null;
        if (commit == null || !Names.isCommit(commit)) {
            throw broken(source, "its 'sha' is no commit");
        }
        return commit;
    }

    private static RepoFile file(
            @Nullable String path,
            long size,
            @Nullable String gitHash,
            @Nullable String sha256,
            @Nullable String xetHash,
            String source) {
        String name = required(path, source, "path");
        if (Names.leavesFolder(name)) {
            throw new HubException(
                    Reason.INVALID_ANSWER,
                    source + " lists a file '" + Names.shown(name)
                            + "', which could be written outside the cache or not at all. Nothing was written; do not use this"
                            + " model.");
        }
        if (size < 0
                || !Names.isCommit(required(gitHash, source, "oid"))
                || (sha256 != null && !Names.isSha256(sha256))) {
            throw broken(source, "size or hash of '" + Names.shown(name) + "' are none");
        }
        // Python refuses a whole listing for a hash that it does not understand.
        return new RepoFile(
                name,
                size,
                required(gitHash, source, "oid"),
                sha256,
                xetHash != null && Names.isSha256(xetHash) ? xetHash : null);
    }

    static List<RepoFile> sorted(List<RepoFile> files) {
        // Small files first: what is wrong with a model shows before the large ones.
        return files.stream()
                .sorted(Comparator.comparing((RepoFile f) -> f.sha256() != null).thenComparing(RepoFile::path))
                .toList();
    }

    private static JsonElement parse(byte[] utf8, String source) {
        try {
            return JsonParser.parseString(new String(utf8, StandardCharsets.UTF_8));
        } catch (JsonParseException | StackOverflowError e) {
            throw new HubException(
                    Reason.INVALID_ANSWER,
                    source
                            + " is no JSON. Is this the address of a hub (endpoint(..), HF_ENDPOINT), or does a proxy or a"
                            + " login page stand between?",
                    e);
        }
    }

    private static @Nullable String text(JsonObject object, String key) {
        return object.get(key) instanceof JsonPrimitive value && value.isString() ? value.getAsString() : null;
    }

    private static long number(JsonObject object, String key) {
        // Not through BigDecimal: a number of a million digits would take minutes.
        String digits = object.get(key) instanceof JsonPrimitive value && value.isNumber() ? value.getAsString() : "";
        return digits.matches("\\d{1,18}") ? Long.parseLong(digits) : -1;
    }

    private static String required(@Nullable String value, String source, String key) {
        if (value == null) {
            throw broken(source, "an entry has no '" + key + "'");
        }
        return value;
    }

    private static HubException broken(String source, String what) {
        return new HubException(
                Reason.INVALID_ANSWER,
                source + " is not understood: " + what + ". Is this the address of a hub (endpoint(..), HF_ENDPOINT)?");
    }
}

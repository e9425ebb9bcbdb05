package io.langbridge.hub;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A hub on this machine that speaks as the real one does, and goes wrong as told. Large files (weights) come from a
 * second server, as from a CDN: another port, so another origin, which must never see a token.
 */
final class FakeHub implements AutoCloseable {
    static final String REPOSITORY = "org/model";
    static final String COMMIT = "a".repeat(40);

    /** What happens in place of the right answer. */
    interface Fault {
        /** Answers, or does nothing and returns false to let the right answer follow. */
        boolean answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    record Seen(
            String server,
            String method,
            String path,
            @Nullable String range,
            @Nullable String ifRange,
            @Nullable String authorization) {}

    private record Rule(String part, Fault fault, boolean once) {}

    final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final Map<String, Map<String, byte[]>> commits = new ConcurrentHashMap<>();
    private final Map<String, String> refs = new ConcurrentHashMap<>();
    private final ConcurrentLinkedDeque<Rule> rules = new ConcurrentLinkedDeque<>();
    private final HttpServer hub;
    private final HttpServer cdn;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private volatile int pageSize = 1000;
    private volatile int chunk = Integer.MAX_VALUE;
    private volatile long pauseMillis;

    FakeHub() throws IOException {
        this(0);
    }

    FakeHub(int port) throws IOException {
        hub = server(port);
        cdn = server(0);
        hub.createContext("/", exchange -> handle("hub", exchange));
        cdn.createContext("/", exchange -> handle("cdn", exchange));
        hub.start();
        cdn.start();
        refs.put("main", COMMIT);
        commits.put(COMMIT, new TreeMap<>());
    }

    private HttpServer server(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        return server;
    }

    String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    String cdn() {
        // Another name too: Python tells hosts apart by that alone.
        return "http://localhost:" + cdn.getAddress().getPort();
    }

    FakeHub file(String path, String text) {
        return file(path, text.getBytes(StandardCharsets.UTF_8));
    }

    FakeHub file(String path, byte[] bytes) {
        return file(COMMIT, path, bytes);
    }

    FakeHub file(String commit, String path, byte[] bytes) {
        commits.computeIfAbsent(commit, c -> new TreeMap<>()).put(path, bytes);
        return this;
    }

    FakeHub ref(String revision, String commit) {
        refs.put(revision, commit);
        return this;
    }

    FakeHub pages(int size) {
        pageSize = size;
        return this;
    }

    /** Sends slowly, for drills. */
    FakeHub slow(int chunk, long pauseMillis) {
        this.chunk = chunk;
        this.pauseMillis = pauseMillis;
        return this;
    }

    /** The next request whose address contains the part goes wrong. */
    FakeHub once(String part, Fault fault) {
        rules.add(new Rule(part, fault, true));
        return this;
    }

    /** Every request whose address contains the part goes wrong. */
    FakeHub always(String part, Fault fault) {
        rules.add(new Rule(part, fault, false));
        return this;
    }

    FakeHub wellAgain() {
        rules.clear();
        return this;
    }

    long requests(String part) {
        return seen.stream().filter(s -> s.path().contains(part)).count();
    }

    /** As small models are: a few texts, weights of some hundred kilobytes, and what nobody needs. */
    FakeHub smallModel() {
        return file("config.json", "{\"model_type\":\"llava\"}")
                .file("tokenizer.json", "{\"version\":\"1.0\"}")
                .file("README.md", "---\nlicense: mit\n---\n")
                .file("model.safetensors", bytes(300_000, 1))
                .file("pytorch_model.bin", bytes(1000, 2))
                .file("original/consolidated.pth", bytes(1000, 3))
                .file("model-q4.gguf", bytes(1000, 4));
    }

    static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new java.util.Random(seed).nextBytes(bytes);
        return bytes;
    }

    static String blob(String path, byte[] bytes) {
        return large(path) ? sha256(bytes) : git(bytes);
    }

    static String sha256(byte[] bytes) {
        return hash("SHA-256", bytes);
    }

    static String git(byte[] bytes) {
        byte[] header = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] all = Arrays.copyOf(header, header.length + bytes.length);
        System.arraycopy(bytes, 0, all, header.length, bytes.length);
        return hash("SHA-1", all);
    }

    private static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean large(String path) {
        return path.matches(".*\\.(safetensors|bin|pth|gguf)");
    }

    private void handle(String server, HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().toString();
        seen.add(new Seen(
                server,
                exchange.getRequestMethod(),
                path,
                exchange.getRequestHeaders().getFirst("Range"),
                exchange.getRequestHeaders().getFirst("If-Range"),
                exchange.getRequestHeaders().getFirst("Authorization")));
        try (exchange) {
            for (Rule rule : rules) {
                if ((server + path).contains(rule.part()) && (!rule.once() || rules.remove(rule))) {
                    byte[] content = content(server, exchange);
                    if (rule.fault().answer(exchange, content == null ? new byte[0] : content)) {
                        return;
                    }
                }
            }
            if (server.equals("cdn")) {
                send(exchange, content(server, exchange), "\"cdn-" + path.hashCode() + "\"");
            } else if (path.startsWith("/api/models/")) {
                api(exchange, path);
            } else {
                resolve(exchange, path);
            }
        }
    }

    /** The bytes that an address stands for; null if none. */
    private byte @Nullable [] content(String server, HttpExchange exchange) {
        String path = URLDecoder.decode(exchange.getRequestURI().getRawPath(), StandardCharsets.UTF_8);
        String[] parts = path.split("/resolve/", 2);
        if (server.equals("cdn")) {
            String hash = path.substring(path.lastIndexOf('/') + 1);
            return commits.values().stream()
                    .flatMap(files -> files.values().stream())
                    .filter(bytes -> sha256(bytes).equals(hash))
                    .findAny()
                    .orElse(null);
        }
        if (parts.length < 2) {
            return null;
        }
        String revision = parts[1].substring(0, parts[1].indexOf('/'));
        Map<String, byte[]> files = commits.get(refs.getOrDefault(revision, revision));
        return files == null ? null : files.get(parts[1].substring(parts[1].indexOf('/') + 1));
    }

    private void resolve(HttpExchange exchange, String address) throws IOException {
        byte[] content = content("hub", exchange);
        if (!address.startsWith("/" + REPOSITORY + "/")) {
            error(404, "RepoNotFound").answer(exchange, new byte[0]);
        } else if (content == null) {
            error(404, "EntryNotFound").answer(exchange, new byte[0]);
        } else {
            String[] parts = address.split("/resolve/", -1)[1].split("/", 2);
            String revision = parts[0];
            String path = parts[1];
            exchange.getResponseHeaders().set("X-Repo-Commit", refs.getOrDefault(revision, revision));
            if (large(path)) {
                exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256(content) + "\"");
                exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(content.length));
                redirect(302, cdn() + "/signed/" + sha256(content) + "?signature=secret")
                        .answer(exchange, content);
            } else {
                send(exchange, content, "\"" + git(content) + "\"");
            }
        }
    }

    private void api(HttpExchange exchange, String path) throws IOException {
        String rest = path.substring("/api/models/".length());
        if (!rest.startsWith(REPOSITORY + "/") && !rest.equals(REPOSITORY)) {
            error(401, "RepoNotFound").answer(exchange, new byte[0]);
            return;
        }
        String[] parts =
                rest.substring(Math.min(rest.length(), REPOSITORY.length() + 1)).split("[/?]", -1);
        String revision = parts.length < 2 ? "main" : URLDecoder.decode(parts[1], StandardCharsets.UTF_8);
        String commit = refs.getOrDefault(revision, revision);
        Map<String, byte[]> files = commits.get(commit);
        if (files == null) {
            error(404, "RevisionNotFound").answer(exchange, new byte[0]);
        } else if (parts[0].equals("tree")) {
            tree(exchange, path, files);
        } else {
            json(Map.of("sha", commit, "id", REPOSITORY, "siblings", List.of())).answer(exchange, new byte[0]);
        }
    }

    private void tree(HttpExchange exchange, String path, Map<String, byte[]> files) throws IOException {
        List<Map<String, Object>> entries = new ArrayList<>();
        files.forEach((name, bytes) -> entries.add(entry(name, bytes)));
        int from = path.contains("cursor=") ? Integer.parseInt(path.replaceAll(".*cursor=(\\d+).*", "$1")) : 0;
        int to = Math.min(entries.size(), from + pageSize);
        if (to < entries.size()) {
            String next = endpoint() + path.replaceAll("&cursor=\\d+", "") + "&cursor=" + to;
            exchange.getResponseHeaders().set("Link", "<" + next + ">; rel=\"next\"");
        }
        json(entries.subList(from, to)).answer(exchange, new byte[0]);
    }

    static Map<String, Object> entry(String name, byte[] bytes) {
        Map<String, Object> entry = new HashMap<>();
        entry.put("type", "file");
        entry.put("path", name);
        entry.put("size", bytes.length);
        entry.put("oid", git(bytes));
        if (large(name)) {
            entry.put("oid", git(("pointer to " + name).getBytes(StandardCharsets.UTF_8)));
            entry.put("lfs", Map.of("oid", sha256(bytes), "size", bytes.length, "pointerSize", 134));
        }
        return entry;
    }

    private void send(HttpExchange exchange, byte @Nullable [] content, String etag) throws IOException {
        if (content == null) {
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        exchange.getResponseHeaders().set("ETag", etag);
        exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        String ifRange = exchange.getRequestHeaders().getFirst("If-Range");
        int from = 0;
        if (range != null && (ifRange == null || ifRange.equals(etag))) {
            from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
            String last = range.substring(range.indexOf('-') + 1);
            int end = last.isEmpty() ? content.length : Math.min(content.length, Integer.parseInt(last) + 1);
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (end - 1) + "/" + content.length);
            exchange.sendResponseHeaders(206, end - from);
            write(exchange.getResponseBody(), Arrays.copyOf(content, end), from);
            return;
        } else {
            exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
        }
        write(exchange.getResponseBody(), content, from);
    }

    private void write(OutputStream out, byte[] content, int from) throws IOException {
        for (int at = from; at < content.length; ) {
            int count = Math.min(chunk, content.length - at);
            out.write(content, at, count);
            out.flush();
            at += count;
            if (pauseMillis > 0) {
                java.util.concurrent.locks.LockSupport.parkNanos(pauseMillis * 1_000_000);
            }
        }
    }

    /** Announces everything and sends the first bytes of it. */
    static Fault cutAfter(int bytes) {
        return (exchange, content) -> {
            String range = exchange.getRequestHeaders().getFirst("Range");
            int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
            exchange.getResponseHeaders()
                    .set("ETag", "\"cdn-" + exchange.getRequestURI().toString().hashCode() + "\"");
            if (range != null) {
                exchange.getResponseHeaders()
                        .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
            }
            exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
            exchange.getResponseBody().write(content, from, Math.min(bytes, content.length - from));
            exchange.getResponseBody().flush();
            return true;
        };
    }

    /** Answers with these bytes, whatever part was asked for. */
    static Fault whole(byte[] bytes) {
        return (exchange, content) -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            return true;
        };
    }

    /** As long as the content, and other bytes. */
    static Fault wrongBytes() {
        return (exchange, content) -> whole(bytes(content.length, 99)).answer(exchange, content);
    }

    static Fault status(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
            return true;
        };
    }

    static Fault error(int status, String code) {
        return status(status, "X-Error-Code", code, "X-Error-Message", "said by the hub");
    }

    static Fault redirect(int status, String target) {
        return status(status, "Location", target);
    }

    static Fault json(Object value) {
        return (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            return whole(new Gson().toJson(value).getBytes(StandardCharsets.UTF_8))
                    .answer(exchange, content);
        };
    }

    @Override
    public void close() {
        hub.stop(0);
        cdn.stop(0);
        threads.shutdownNow();
    }
}

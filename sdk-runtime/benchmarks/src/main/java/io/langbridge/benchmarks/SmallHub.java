package io.langbridge.benchmarks;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A hub on this machine with one model, which it sends slowly enough to be interrupted. */
final class SmallHub implements AutoCloseable {
    static final String REPOSITORY = "org/model";

    private static final String COMMIT = "a".repeat(40);
    private static final int CHUNK = 1 << 15;
    private static final long PAUSE_NANOS = 3_000_000;
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int FOUND = 302;
    private static final int NOT_FOUND = 404;

    private final Map<String, byte[]> files = new TreeMap<>();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** Serves the files of a folder. */
    SmallHub(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (path.startsWith("/api/models/" + REPOSITORY)) {
                List<Object> tree = new ArrayList<>();
                files.forEach((name, bytes) -> tree.add(entry(name, bytes)));
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                Object said =
                        path.contains("/tree/") ? tree : Map.of("sha", COMMIT, "id", REPOSITORY, "siblings", List.of());
                byte[] text = new Gson().toJson(said).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(OK, text.length);
                exchange.getResponseBody().write(text);
                return;
            }
            String name = path.replaceFirst("^/(stored|" + REPOSITORY + "/resolve/[^/]+)/", "");
            byte[] bytes = files.get(name);
            if (bytes == null) {
                exchange.sendResponseHeaders(NOT_FOUND, -1);
            } else if (isLarge(name) && !path.startsWith("/stored/")) {
                exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
                exchange.getResponseHeaders().set("X-Linked-Etag", '"' + hash("SHA-256", bytes) + '"');
                exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(bytes.length));
                exchange.getResponseHeaders().set("Location", endpoint() + "/stored/" + name);
                exchange.sendResponseHeaders(FOUND, -1);
            } else {
                exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
                send(exchange, bytes, '"' + (isLarge(name) ? hash("SHA-256", bytes) : git(bytes)) + '"');
            }
        }
    }

    private static void send(HttpExchange exchange, byte[] bytes, String tag) throws IOException {
        exchange.getResponseHeaders().set("ETag", tag);
        exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
        if (range != null) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(bytes.length));
            exchange.sendResponseHeaders(OK, -1);
            return;
        }
        exchange.sendResponseHeaders(range == null ? OK : PARTIAL, bytes.length == from ? -1 : bytes.length - from);
        OutputStream out = exchange.getResponseBody();
        for (int at = from; at < bytes.length; at += CHUNK) {
            out.write(bytes, at, Math.min(CHUNK, bytes.length - at));
            out.flush();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static Map<String, Object> entry(String name, byte[] bytes) {
        Map<String, Object> entry = new HashMap<>();
        entry.put("type", "file");
        entry.put("path", name);
        entry.put("size", bytes.length);
        entry.put("oid", git(bytes));
        if (isLarge(name)) {
            entry.put("oid", git(name.getBytes(StandardCharsets.UTF_8)));
            entry.put("lfs", Map.of("oid", hash("SHA-256", bytes), "size", bytes.length, "pointerSize", 134));
        }
        return entry;
    }

    private static boolean isLarge(String name) {
        return name.endsWith(".safetensors");
    }

    private static String git(byte[] bytes) {
        return hash("SHA-1", ("blob " + bytes.length + '\0').getBytes(StandardCharsets.US_ASCII), bytes);
    }

    private static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}

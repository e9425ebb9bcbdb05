package io.langbridge.examples.webservice;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.FinishReason;
import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/** Routes requests to the model and its answers back. */
final class Server implements AutoCloseable {
    private static final Gson GSON =
            new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final String JSON = "application/json";

    /** Seconds that a request may take to arrive; a caller who sends a byte a minute must not hold a thread. */
    private static final String ARRIVAL = "30";

    /**
     * What is set when the service starts.
     *
     * @param model what callers call the model
     * @param key what callers must send, or null
     * @param hosts names that the service is called by, beside this machine's
     * @param pictureHosts hosts that pictures may be fetched from
     * @param timeLimit seconds of an answer
     * @param maxBody bytes of a request
     * @param most requests whose bodies are held at a time
     */
    record Settings(
            String model,
            String key,
            List<String> hosts,
            List<String> pictureHosts,
            int timeLimit,
            int maxBody,
            int most) {}

    /** A patch of a picture in shares of its width and height, and its strongest words. */
    private record Patch(double left, double top, double right, double bottom, List<String> words) {}

    /** What answers one address. */
    private interface Route {
        void answer(HttpExchange exchange) throws IOException;
    }

    private final VisionLanguageModel model;
    private final Settings settings;
    private final Metrics metrics;
    private final Pictures pictures;
    private final Semaphore bodies;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer http;

    Server(VisionLanguageModel model, Settings settings, Metrics metrics) {
        this.model = model;
        this.settings = settings;
        this.metrics = metrics;
        pictures = new Pictures(settings.pictureHosts(), settings.maxBody());
        bodies = new Semaphore(settings.most());
    }

    /** @return where it is */
    String start(InetAddress address, int port) throws IOException {
        if (System.getProperty("sun.net.httpserver.maxReqTime") == null) {
            System.setProperty("sun.net.httpserver.maxReqTime", ARRIVAL);
        }
        http = HttpServer.create(new InetSocketAddress(address, port), 0);
        http.setExecutor(threads);
        route("GET", "/", exchange -> send(exchange, 200, "text/html; charset=utf-8", page()), false);
        route("GET", "/health", exchange -> send(exchange, 200, JSON, "{\"status\":\"ok\"}"), false);
        route("GET", "/metrics", exchange -> send(exchange, 200, "text/plain; version=0.0.4", metrics.text()), true);
        route("GET", "/v1/models", exchange -> send(exchange, 200, JSON, GSON.toJson(models())), true);
        route("POST", "/v1/chat/completions", this::complete, true);
        route("POST", "/words", this::words, true);
        http.start();
        InetSocketAddress bound = http.getAddress();
        String host = bound.getAddress().isLoopbackAddress() ? "localhost" : bound.getHostString();
        return "http://" + host + ":" + bound.getPort();
    }

    private void route(String method, String path, Route route, boolean guarded) {
        http.createContext(path, exchange -> {
            try (exchange) {
                try {
                    check(exchange, method, path, guarded);
                    route.answer(exchange);
                } catch (ApiError e) {
                    fail(exchange, e);
                } catch (BusyException e) {
                    exchange.getResponseHeaders().set("Retry-After", "1");
                    fail(exchange, ApiError.of(429, "rate_limit_error", e.getMessage()));
                } catch (PromptException | ImageException e) {
                    fail(exchange, ApiError.invalid("messages", e.getMessage()));
                } catch (LangBridgeException | IllegalStateException e) {
                    fail(exchange, ApiError.of(500, "server_error", e.getMessage()));
                }
            } catch (IOException e) {
                // The caller is gone, and his answer was cancelled.
            }
        });
    }

    private void check(HttpExchange exchange, String method, String path, boolean guarded) {
        String host = exchange.getRequestHeaders().getFirst("Host");
        String origin = exchange.getRequestHeaders().getFirst("Origin");
        // A page elsewhere may send the browser here, under a name that it owns; it is not to read the answers.
        if (host == null || !isOurs("http://" + host) || origin != null && !isOurs(origin)) {
            throw ApiError.of(403, "permission_error", "Host or Origin is not one of this service; see --host");
        }
        if (!exchange.getRequestURI().getPath().equals(path)) {
            throw ApiError.of(
                    404,
                    "not_found_error",
                    "There is nothing at " + exchange.getRequestURI().getPath());
        }
        if (!exchange.getRequestMethod().equals(method)) {
            exchange.getResponseHeaders().set("Allow", method);
            throw ApiError.of(405, "invalid_request_error", path + " takes " + method);
        }
        if (guarded && settings.key() != null) {
            String given = exchange.getRequestHeaders().getFirst("Authorization");
            byte[] wanted = ("Bearer " + settings.key()).getBytes(StandardCharsets.UTF_8);
            if (given == null || !MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), wanted)) {
                throw ApiError.of(401, "authentication_error", "Authorization must be Bearer and the service's key");
            }
        }
    }

    private boolean isOurs(String address) {
        try {
            String host = new URI(address).getHost();
            return host != null
                    && (List.of("localhost", "127.0.0.1", "[::1]").contains(host.toLowerCase(Locale.ROOT))
                            || host.equals(http.getAddress().getHostString())
                            || settings.hosts().contains(host));
        } catch (java.net.URISyntaxException e) {
            return false;
        }
    }

    private JsonObject models() {
        JsonObject one = new JsonObject();
        one.addProperty("id", settings.model());
        one.addProperty("object", "model");
        one.addProperty("created", 0);
        one.addProperty("owned_by", "langbridge");
        JsonArray all = new JsonArray();
        all.add(one);
        JsonObject list = new JsonObject();
        list.addProperty("object", "list");
        list.add("data", all);
        return list;
    }

    private void complete(HttpExchange exchange) throws IOException {
        if (!bodies.tryAcquire()) {
            exchange.getResponseHeaders().set("Retry-After", "1");
            throw ApiError.of(429, "rate_limit_error", "Too many requests wait");
        }
        try {
            ChatRequest request = ChatRequest.of(
                    body(exchange), settings.model(), pictures, Duration.ofSeconds(settings.timeLimit()));
            Completion completion = new Completion(settings.model());
            // Closing the stream cancels it, also where writing has failed because the caller is gone.
            try (AnswerStream stream = model.stream(request.request())) {
                if (request.stream()) {
                    stream(exchange, stream, completion, request.usage());
                } else {
                    whole(exchange, stream, completion, request.logProbabilities());
                }
            }
        } finally {
            bodies.release();
        }
    }

    /** Spaces in front of the answer cost nothing and tell whether the caller is still there. */
    private void whole(HttpExchange exchange, AnswerStream stream, Completion completion, boolean logProbabilities)
            throws IOException {
        Iterator<AnswerStream.Piece> pieces = stream.iterator();
        boolean some = pieces.hasNext(); // what is wrong with a request shows before the first
        exchange.getResponseHeaders().set("Content-Type", JSON);
        begin(exchange, 200, 0);
        OutputStream out = exchange.getResponseBody();
        while (some) {
            pieces.next();
            out.write(' ');
            out.flush();
            some = pieces.hasNext();
        }
        out.write(utf8(GSON.toJson(completion.whole(stream.answer(), logProbabilities))));
        out.close();
    }

    private void stream(HttpExchange exchange, AnswerStream stream, Completion completion, boolean usage)
            throws IOException {
        Iterator<AnswerStream.Piece> pieces = stream.iterator();
        boolean some = pieces.hasNext();
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        begin(exchange, 200, 0);
        OutputStream out = exchange.getResponseBody();
        event(out, GSON.toJson(completion.first()));
        while (some) {
            event(out, GSON.toJson(completion.piece(pieces.next())));
            some = pieces.hasNext();
        }
        Answer answer = stream.answer();
        if (answer.finishReason() != FinishReason.CANCELLED) {
            event(out, GSON.toJson(completion.last(answer.finishReason())));
            if (usage) {
                event(out, GSON.toJson(completion.usageChunk(answer.usage())));
            }
            event(out, "[DONE]");
            out.close();
        }
    }

    private static void event(OutputStream out, String data) throws IOException {
        out.write(utf8("data: " + data + "\n\n"));
        out.flush();
    }

    /** For the page: which words each patch of a picture is made of. */
    private void words(HttpExchange exchange) throws IOException {
        Fields fields = new Fields(body(exchange), "");
        String image = fields.requiredText("image");
        fields.end();
        boolean ofWords = model.langBridge().isPresent();
        Explanation explanation;
        try {
            explanation = model.explain(
                    model.encode(pictures.read(image, "image")),
                    ExplainOptions.builder()
                            .measure(ofWords ? Explanation.Measure.COEFFICIENT : Explanation.Measure.COSINE)
                            .wordsPerPatch(3)
                            .build());
        } catch (UnsupportedModelException e) {
            throw ApiError.invalid("image", e.getMessage());
        }
        List<Patch> patches = new ArrayList<>();
        for (Explanation.Patch patch : explanation.patches()) {
            Explanation.Area area = patch.area();
            patches.add(new Patch(
                    area.left() / explanation.width(),
                    area.top() / explanation.height(),
                    area.right() / explanation.width(),
                    area.bottom() / explanation.height(),
                    patch.words().stream()
                            .map(weight -> weight.word().text().strip())
                            .toList()));
        }
        send(exchange, 200, JSON, GSON.toJson(patches));
    }

    private JsonElement body(HttpExchange exchange) throws IOException {
        byte[] bytes = exchange.getRequestBody().readNBytes(settings.maxBody() + 1);
        if (bytes.length > settings.maxBody()) {
            throw ApiError.of(413, "invalid_request_error", "The body has more than " + settings.maxBody() + " bytes");
        }
        try {
            return JsonParser.parseString(new String(bytes, StandardCharsets.UTF_8));
        } catch (JsonParseException e) {
            throw ApiError.invalid(null, "The body is no JSON");
        }
    }

    private static String page() throws IOException {
        try (InputStream in = Server.class.getResourceAsStream("/page.html")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Says what is wrong and then hears the caller out: who is cut off while he sends never reads the answer. */
    private void fail(HttpExchange exchange, ApiError error) throws IOException {
        if (exchange.getResponseCode() < 0) { // nothing was said yet
            InputStream rest = exchange.getRequestBody();
            send(exchange, error.status, JSON, GSON.toJson(error.json()));
            exchange.getResponseBody().flush();
            rest.transferTo(OutputStream.nullOutputStream()); // until it has taken too long to arrive
        }
    }

    private void send(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = utf8(body);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
        exchange.getResponseHeaders()
                .set(
                        "Content-Security-Policy",
                        "default-src 'none'; img-src 'self' data: blob:; style-src 'unsafe-inline';"
                                + " script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'");
        begin(exchange, status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /** Counts before it sends: who has his answer and then asks for the counts finds himself among them. */
    private void begin(HttpExchange exchange, int status, long length) throws IOException {
        metrics.responded(status);
        exchange.sendResponseHeaders(status, length);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        if (http != null) { // else it could not start, and what is behind it is to be closed all the same
            http.stop(1);
        }
        threads.shutdownNow();
    }
}

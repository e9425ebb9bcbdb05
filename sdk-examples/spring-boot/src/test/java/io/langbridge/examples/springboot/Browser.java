package io.langbridge.examples.springboot;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Chromium without a window, led by its DevTools protocol: keys, files and eyes of somebody who uses a page. */
final class Browser implements AutoCloseable {
    private static final int PATIENCE = 180;

    private final Process process;
    private final WebSocket socket;
    private final AtomicInteger last = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonObject>> asked = new ConcurrentHashMap<>();

    /** @return the program, if this machine has it */
    static Optional<Path> program() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Arrays.stream(path.split(File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Starts it.
     *
     * @param folder for what it keeps, its own
     */
    Browser(Path program, Path folder) throws IOException, InterruptedException {
        process = new ProcessBuilder(
                        program.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--no-first-run",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + folder,
                        "--window-size=1000,700",
                        "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("chromium.log").toFile())
                .start();
        try {
            Path port = folder.resolve("DevToolsActivePort");
            for (long end = System.nanoTime() + PATIENCE * 1_000_000_000L;
                    !Files.exists(port) || Files.size(port) == 0; ) {
                if (!process.isAlive() || System.nanoTime() > end) {
                    throw new IOException(
                            "Chromium did not start: " + Files.readString(folder.resolve("chromium.log")));
                }
                Thread.sleep(20);
            }
            String address = "http://127.0.0.1:" + Files.readAllLines(port).get(0);
            HttpClient http = HttpClient.newHttpClient();
            String pages = http.send(
                            HttpRequest.newBuilder(URI.create(address + "/json/list"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            JsonObject page = JsonParser.parseString(pages).getAsJsonArray().asList().stream()
                    .map(JsonElement::getAsJsonObject)
                    .filter(each -> each.get("type").getAsString().equals("page"))
                    .findFirst()
                    .orElseThrow();
            socket = http.newWebSocketBuilder()
                    .buildAsync(URI.create(page.get("webSocketDebuggerUrl").getAsString()), new Replies())
                    .join();
        } catch (IOException | RuntimeException | InterruptedException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Hands every reply to whoever asked; events are passed over. */
    private final class Replies implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean end) {
            text.append(part);
            if (end) {
                JsonObject message = JsonParser.parseString(text.toString()).getAsJsonObject();
                text.setLength(0);
                if (message.has("id")) {
                    asked.remove(message.get("id").getAsInt()).complete(message);
                }
            }
            from.request(1);
            return null;
        }
    }

    private JsonObject send(String method, JsonObject parameters) {
        int id = last.incrementAndGet();
        JsonObject command = new JsonObject();
        command.addProperty("id", id);
        command.addProperty("method", method);
        command.add("params", parameters);
        CompletableFuture<JsonObject> reply = new CompletableFuture<>();
        asked.put(id, reply);
        socket.sendText(command.toString(), true).join();
        JsonObject message = reply.orTimeout(PATIENCE, TimeUnit.SECONDS).join();
        if (message.has("error")) {
            throw new AssertionError(method + ": " + message.get("error"));
        }
        return message.getAsJsonObject("result");
    }

    private JsonObject send(String method, String parameters) {
        return send(method, JsonParser.parseString(parameters).getAsJsonObject());
    }

    void open(String address) {
        send("Page.navigate", "{\"url\": \"" + address + "\"}");
        await("document.readyState === 'complete' && location.href.startsWith('" + address + "')");
    }

    /** @return what an expression is in the page */
    JsonElement see(String expression) {
        JsonObject parameters = new JsonObject();
        parameters.addProperty("expression", expression);
        parameters.addProperty("returnByValue", true);
        parameters.addProperty("awaitPromise", true);
        JsonObject result = send("Runtime.evaluate", parameters);
        if (result.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + result.get("exceptionDetails"));
        }
        return result.getAsJsonObject("result").get("value");
    }

    String text(String id) {
        return see("document.getElementById('" + id + "').textContent").getAsString();
    }

    /** Waits until an expression is true in the page. */
    void await(String expression) {
        for (long end = System.nanoTime() + PATIENCE * 1_000_000_000L; System.nanoTime() < end; ) {
            try {
                if (see(expression).getAsBoolean()) {
                    return;
                }
                Thread.sleep(20);
            } catch (AssertionError e) {
                // The page has just given way to another one, or is not there yet.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw new AssertionError("Never came true: " + expression + "; the page shows "
                + see("document.body.innerText").getAsString());
    }

    /** Presses Tab, Enter or the space bar. */
    void press(String key) {
        int code = Map.of("Tab", 9, "Enter", 13, " ", 32).get(key);
        String text = key.equals("Tab") ? "" : ", \"text\": \"" + (key.equals("Enter") ? "\\r" : key) + "\"";
        String rest = "\", \"key\": \"" + key + "\", \"windowsVirtualKeyCode\": " + code;
        send("Input.dispatchKeyEvent", "{\"type\": \"keyDown" + rest + text + "}");
        send("Input.dispatchKeyEvent", "{\"type\": \"keyUp" + rest + "}");
    }

    /** Types where the focus is. */
    void type(String text) {
        JsonObject parameters = new JsonObject();
        parameters.addProperty("text", text);
        send("Input.insertText", parameters);
    }

    /** Chooses a file as the dialogue of a field does. */
    void choose(String id, Path file) {
        int document = send("DOM.getDocument", "{}")
                .getAsJsonObject("root")
                .get("nodeId")
                .getAsInt();
        int field = send("DOM.querySelector", "{\"nodeId\": " + document + ", \"selector\": \"#" + id + "\"}")
                .get("nodeId")
                .getAsInt();
        JsonObject parameters = new JsonObject();
        parameters.addProperty("nodeId", field);
        parameters.add("files", list(file));
        send("DOM.setFileInputFiles", parameters);
    }

    /** Drags a file over an element and lets it go there. */
    void drop(String id, Path file) {
        JsonArray middle = see("(box => [box.left + box.width / 2, box.top + box.height / 2])(document.getElementById('"
                        + id + "').getBoundingClientRect())")
                .getAsJsonArray();
        for (String type : List.of("dragEnter", "dragOver", "drop")) {
            JsonObject data = new JsonObject();
            data.add("items", new JsonArray());
            data.add("files", list(file));
            data.addProperty("dragOperationsMask", 1);
            JsonObject parameters = new JsonObject();
            parameters.addProperty("type", type);
            parameters.add("x", middle.get(0));
            parameters.add("y", middle.get(1));
            parameters.add("data", data);
            send("Input.dispatchDragEvent", parameters);
        }
    }

    private static JsonArray list(Path file) {
        JsonArray files = new JsonArray();
        files.add(file.toAbsolutePath().toString());
        return files;
    }

    /** @param scheme {@code light} or {@code dark} */
    void prefer(String scheme) {
        send(
                "Emulation.setEmulatedMedia",
                "{\"features\": [{\"name\": \"prefers-color-scheme\", \"value\": \"" + scheme + "\"}]}");
    }

    /** @return {@code role name} of everything that a screen reader speaks of */
    List<String> spoken() {
        return send("Accessibility.getFullAXTree", "{}").getAsJsonArray("nodes").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(node -> !node.get("ignored").getAsBoolean())
                .map(node -> value(node, "role") + " " + value(node, "name"))
                .toList();
    }

    private static String value(JsonObject node, String key) {
        JsonObject value = node.getAsJsonObject(key);
        return value == null || !value.has("value") ? "" : value.get("value").getAsString();
    }

    /** Takes a picture of the page, to be looked at. */
    void picture(Path file) throws IOException {
        String data = send("Page.captureScreenshot", "{\"format\": \"png\"}")
                .get("data")
                .getAsString();
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(data));
    }

    @Override
    public void close() throws InterruptedException {
        socket.abort();
        process.destroy();
        if (!process.waitFor(PATIENCE, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}

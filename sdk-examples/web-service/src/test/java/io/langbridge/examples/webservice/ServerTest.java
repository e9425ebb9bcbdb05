package io.langbridge.examples.webservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.BusyException;
import io.langbridge.Explanation;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300) // nothing takes so long; what hangs ends
class ServerTest {
    @TempDir
    Path scratch;

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private FakeModel model;
    private String address;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private void serve(FakeModel.Builder fake) throws IOException {
        serve(fake, null, 1 << 20);
    }

    private void serve(FakeModel.Builder fake, String key, int maxBody) throws IOException {
        Metrics metrics = new Metrics();
        model = fake.listener(metrics).build();
        serve(model, metrics, key, maxBody);
        opened.add(model);
    }

    private void serve(VisionLanguageModel some, Metrics metrics, String key, int maxBody) throws IOException {
        Server server =
                new Server(some, new Server.Settings("fake", key, List.of(), List.of(), 600, maxBody, 4), metrics);
        opened.add(server);
        address = server.start(InetAddress.getLoopbackAddress(), 0);
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(address + path)).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    /** A question in text, with more fields. */
    private static String asking(String more) {
        return "{\"model\": \"fake\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello?\"}]" + more + "}";
    }

    private static String picture() throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB), "png", png);
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png.toByteArray());
    }

    private static JsonObject json(HttpResponse<String> response) {
        return JsonParser.parseString(response.body()).getAsJsonObject();
    }

    private static JsonObject error(HttpResponse<String> response) {
        return json(response).getAsJsonObject("error");
    }

    @Test
    void answersAsOpenAiDoes() throws Exception {
        serve(FakeModel.builder().when("What is it?", "A red heart."));

        HttpResponse<String> response = post("{\"model\": \"fake\", \"max_completion_tokens\": 20, \"temperature\": 0,"
                + " \"seed\": 7, \"stop\": [\"###\"], \"messages\": [{\"role\": \"developer\", \"content\": \"Be brief.\"},"
                + " {\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \""
                + picture()
                + "\", \"detail\": \"auto\"}}, {\"type\": \"text\", \"text\": \"What is it?\"}]}]}");

        assertThat(response.statusCode()).isEqualTo(200);
        JsonObject json = json(response);
        assertThat(json.get("object").getAsString()).isEqualTo("chat.completion");
        JsonObject choice = json.getAsJsonArray("choices").get(0).getAsJsonObject();
        assertThat(choice.getAsJsonObject("message").get("content").getAsString())
                .isEqualTo("A red heart.");
        assertThat(choice.get("finish_reason").getAsString()).isEqualTo("stop");
        JsonObject usage = json.getAsJsonObject("usage");
        assertThat(usage.get("total_tokens").getAsInt())
                .isEqualTo(usage.get("prompt_tokens").getAsInt()
                        + usage.get("completion_tokens").getAsInt());
        Request request = model.requests().get(0);
        assertThat(request.messages())
                .extracting(Message::role)
                .containsExactly(Message.Role.SYSTEM, Message.Role.USER);
        assertThat(request.messages().get(1).parts()).hasSize(2);
        GenerationOptions options = request.options();
        assertThat(options.maxNewTokens()).isEqualTo(20);
        assertThat(options.temperature()).isZero();
        assertThat(options.seed()).isEqualTo(7);
        assertThat(options.stopStrings()).containsExactly("###");
    }

    @Test
    void streamsPiecesThenTheReasonTheCountsAndTheEnd() throws Exception {
        serve(FakeModel.builder().next(FakeAnswer.ofPieces("A ", "heart")));

        HttpResponse<String> response =
                post(asking(", \"stream\": true, \"stream_options\": {\"include_usage\": true}"));

        assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
        String[] events = response.body().split("\n\n");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < events.length - 2; i++) {
            JsonObject choice = choice(events[i]);
            JsonElement content = choice.getAsJsonObject("delta").get("content");
            text.append(content == null ? "" : content.getAsString());
        }
        assertThat(text).hasToString("A heart");
        assertThat(choice(events[events.length - 3]).get("finish_reason").getAsString())
                .isEqualTo("stop");
        JsonObject counts =
                JsonParser.parseString(events[events.length - 2].substring(6)).getAsJsonObject();
        assertThat(counts.getAsJsonArray("choices")).isEmpty();
        assertThat(counts.getAsJsonObject("usage").get("completion_tokens").getAsInt())
                .isPositive();
        assertThat(events[events.length - 1]).isEqualTo("data: [DONE]");
    }

    private static JsonObject choice(String event) {
        JsonArray choices = JsonParser.parseString(event.substring("data: ".length()))
                .getAsJsonObject()
                .getAsJsonArray("choices");
        return choices.get(0).getAsJsonObject();
    }

    @Test
    void endsByLengthAreSaid() throws Exception {
        serve(FakeModel.builder().next(FakeAnswer.of("A long").endingWith(FinishReason.MAX_NEW_TOKENS)));

        JsonObject choice =
                json(post(asking(""))).getAsJsonArray("choices").get(0).getAsJsonObject();

        assertThat(choice.get("finish_reason").getAsString()).isEqualTo("length");
    }

    @Test
    void schemasReachTheModel() throws Exception {
        serve(FakeModel.builder().otherwise("{\"n\": 1}"));

        HttpResponse<String> response =
                post(asking(", \"response_format\": {\"type\": \"json_schema\", \"json_schema\":"
                        + " {\"name\": \"count\", \"strict\": true, \"schema\": {\"type\": \"object\", \"properties\": {\"n\":"
                        + " {\"type\": \"integer\"}}, \"required\": [\"n\"], \"additionalProperties\": false}}}"));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(model.requests().get(0).options().jsonSchema()).contains("\"n\"");
    }

    @Test
    void valuesThatAskForNothingAreTakenAndOthersRefusedByName() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));

        assertThat(post(asking(
                                ", \"n\": 1, \"tools\": [], \"tool_choice\": \"none\", \"logit_bias\": {}, \"user\": \"u\","
                                        + " \"store\": false, \"audio\": null, \"modalities\": [\"text\"]"))
                        .statusCode())
                .isEqualTo(200);
        Map<String, String> refused = Map.of(
                ", \"n\": 2", "n",
                ", \"tools\": [{\"type\": \"function\"}]", "tools",
                ", \"logit_bias\": {\"5\": 1}", "logit_bias",
                ", \"reasoning_effort\": \"high\"", "reasoning_effort",
                ", \"temperature\": \"warm\"", "temperature",
                ", \"max_tokens\": 1.5", "max_tokens",
                ", \"stop\": [1]", "stop",
                ", \"response_format\": {\"type\": \"json_object\"}", "response_format.type",
                ", \"logprobs\": true, \"stream\": true", "logprobs");
        for (Map.Entry<String, String> each : refused.entrySet()) {
            HttpResponse<String> response = post(asking(each.getKey()));
            assertThat(response.statusCode()).as(each.getKey()).isEqualTo(400);
            assertThat(error(response).get("param").getAsString()).isEqualTo(each.getValue());
            assertThat(error(response).get("message").getAsString()).contains(each.getValue());
        }
    }

    @Test
    void addressesOfPicturesAreNotFetched() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));
        for (String url : List.of("http://169.254.169.254/latest", "file:///etc/passwd", "nonsense")) {
            HttpResponse<String> response =
                    post("{\"model\": \"fake\", \"messages\": [{\"role\": \"user\", \"content\":"
                            + " [{\"type\": \"image_url\", \"image_url\": {\"url\": \"" + url + "\"}}]}]}");
            assertThat(response.statusCode()).as(url).isEqualTo(400);
            assertThat(error(response).get("param").getAsString()).endsWith("image_url.url");
        }
        assertThat(model.requests()).isEmpty();
    }

    @Test
    void otherModelsWrongRolesAndBrokenBodiesAreRefused() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));

        assertThat(post(asking("").replace("fake", "other")).statusCode()).isEqualTo(404);
        assertThat(post(asking("").replace("user", "tool")).statusCode()).isEqualTo(400);
        assertThat(post("{\"model\": \"fake\", \"messages\": [{\"role\": \"assistant\", \"content\": \"x\"}]}")
                        .statusCode())
                .isEqualTo(400);
        for (String broken : List.of("", "{", "[]", "7", "{\"a\":".repeat(5000), "[".repeat(100_000))) {
            HttpResponse<String> response = post(broken);
            assertThat(response.statusCode()).isEqualTo(400);
            assertThat(error(response).get("type").getAsString()).isEqualTo("invalid_request_error");
        }
        assertThat(get("/v1/nothing").statusCode()).isEqualTo(404);
        assertThat(get("/v1/chat/completions").statusCode()).isEqualTo(405);
    }

    @Test
    void largeBodiesAreRefused() throws Exception {
        serve(FakeModel.builder().otherwise("yes"), null, 1000);

        assertThat(post(asking(", \"user\": \"" + "x".repeat(2000) + "\"")).statusCode())
                .isEqualTo(413);
        assertThat(post(asking("")).statusCode()).isEqualTo(200);
    }

    @Test
    void whoeverIsRefusedWhileHeSendsReadsWhy() throws Exception {
        serve(FakeModel.builder().otherwise("yes"), "secret", 1000);

        String large = asking(", \"user\": \"" + "x".repeat(8_000_000) + "\"");
        for (int i = 0; i < 20; i++) {
            assertThat(post(large).statusCode()).isEqualTo(401);
            assertThat(post(large, "Authorization", "Bearer secret").statusCode())
                    .isEqualTo(413);
        }
    }

    @Test
    void bodiesWithoutAnEndAreRefused() throws Exception {
        serve(FakeModel.builder().otherwise("yes"), null, 1000);

        String head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        assertThat(raw(head + "Transfer-Encoding: chunked\r\n\r\n"
                        + "1000\r\n".concat("x".repeat(0x1000) + "\r\n").repeat(8) + "0\r\n\r\n"))
                .startsWith("HTTP/1.1 413");
        // Packed bodies are not unpacked, so they cannot grow.
        assertThat(post("\u001f\u008b", "Content-Encoding", "gzip").statusCode())
                .isEqualTo(400);
    }

    @Test
    void whoeverSendsTooSlowlyIsCutOff() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));
        List<Socket> slow = new ArrayList<>();
        for (int i = 0; i < 4; i++) { // as many as may send bodies at a time
            slow.add(sendsSlowly());
        }
        for (int status = 200; status != 429; Thread.sleep(10)) { // until they have taken all places
            for (int i = 0; i < slow.size(); i++) {
                // Refused, as the question below was in its place, or cut off before the others had theirs.
                if (hearsOrIsClosed(slow.get(i), 1)) {
                    slow.set(i, sendsSlowly());
                }
            }
            status = post(asking("")).statusCode();
            assertThat(status).isIn(200, 429);
        }
        for (Socket socket : slow) {
            assertThat(hearsOrIsClosed(socket, 120_000))
                    .as("closed by the service")
                    .isTrue();
        }
        int last = 429;
        while (last == 429) { // a place is free when its thread has seen that there is nobody
            last = post(asking("")).statusCode();
        }
        assertThat(last).as("their places are free").isEqualTo(200);
    }

    private Socket sendsSlowly() throws IOException {
        String head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
        URI uri = URI.create(address);
        Socket socket = new Socket(uri.getHost(), uri.getPort());
        opened.add(socket);
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static boolean hearsOrIsClosed(Socket socket, int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            socket.getInputStream().read();
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (SocketException e) {
            return true; // reset
        }
    }

    @Test
    void aPictureThatIsLargeOnceUnpackedIsRefused() throws Exception {
        // The size that it says it has stands at bytes 16 to 23 of a PNG.
        byte[] png = Base64.getDecoder().decode(picture().substring(picture().indexOf(',') + 1));
        for (int at : new int[] {17, 21}) {
            png[at] = 2; // 131,072 and more
        }
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        try (DemoModel demo = DemoModel.open();
                VisionLanguageModel real = VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .withoutCache()
                        .build()) {
            serve(real, new Metrics(), null, 1 << 20);
            HttpResponse<String> response =
                    post("{\"model\": \"fake\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\":"
                            + " \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,"
                            + Base64.getEncoder().encodeToString(png) + "\", \"detail\": \"low\"}}]}]}");
            assertThat(response.statusCode()).isEqualTo(400);
            assertThat(error(response).get("message").getAsString()).contains("131");
        }
    }

    @Test
    void manyClientsAreAnsweredOrToldToComeBack() throws Exception {
        serve(FakeModel.builder().otherwise("A red heart."));
        Path picture = Files.write(scratch.resolve("picture.png"), new byte[] {1, 2, 3});

        String report = Load.run(address, "fake", 16, Duration.ofSeconds(1), picture);

        assertThat(report).matches("16 clients, 1 s: [1-9][0-9]* answers, .*, 0 errors.*");
    }

    @Test
    void whereThereIsAKeyItIsAskedFor() throws Exception {
        serve(FakeModel.builder().otherwise("yes"), "secret", 1000);

        assertThat(post(asking("")).statusCode()).isEqualTo(401);
        assertThat(post(asking(""), "Authorization", "Bearer secrets").statusCode())
                .isEqualTo(401);
        assertThat(post(asking(""), "Authorization", "Bearer secret").statusCode())
                .isEqualTo(200);
        assertThat(get("/v1/models").statusCode()).isEqualTo(401);
        assertThat(get("/health").statusCode()).isEqualTo(200);
    }

    @Test
    void pagesElsewhereAndForeignNamesAreRefused() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));

        assertThat(post(asking(""), "Origin", "https://elsewhere.example").statusCode())
                .isEqualTo(403);
        assertThat(post(asking(""), "Origin", "null").statusCode()).isEqualTo(403);
        assertThat(post(asking(""), "Origin", address).statusCode()).isEqualTo(200);
        assertThat(raw("GET /health HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 403");
    }

    private String raw(String request) throws IOException {
        URI uri = URI.create(address);
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    @Test
    void aFullQueueIsSaidAsTooManyRequests() throws Exception {
        serve(FakeModel.builder().next(FakeAnswer.failure(new BusyException(2, 16))));

        HttpResponse<String> response = post(asking(""));

        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(response.headers().firstValue("Retry-After")).contains("1");
    }

    @Test
    void whoeverGoesAwayCancelsHisAnswer() throws Exception {
        // More than the system's buffers between the two hold.
        int tokens = 3_000_000;
        for (String more : List.of(", \"stream\": true", "")) {
            String[] pieces = Collections.nCopies(tokens, "x").toArray(new String[0]);
            serve(FakeModel.builder().next(FakeAnswer.ofPieces(pieces)).contextLength(2 * tokens));
            HttpResponse<InputStream> response = client.send(
                    HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    asking(more + ", \"max_completion_tokens\": " + tokens)))
                            .build(),
                    BodyHandlers.ofInputStream());
            assertThat(response.body().read()).isNotNegative();
            assertThat(model.openStreams()).isEqualTo(1);
            response.body().close();
            while (model.openStreams() > 0) { // long before its time is over
                Thread.sleep(10);
            }
        }
    }

    @Test
    void wordsStandWherePatchesAre() throws Exception {
        Explanation.Area area = new Explanation.Area(8, 0, 16, 4);
        Explanation.Word heart = new Explanation.Word(7, "\u0120heart", " heart");
        Explanation explanation = new Explanation(
                16,
                8,
                Explanation.Measure.COSINE,
                false,
                List.of(new Explanation.Tile(0, 0, 0, 1, 1, area)),
                List.of(new Explanation.Patch(0, 0, 0, area, List.of(new Explanation.Weight(heart, 0.5f)))),
                List.of());
        serve(FakeModel.builder().explanation(explanation));

        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create(address + "/words"))
                        .POST(HttpRequest.BodyPublishers.ofString("{\"image\": \"" + picture() + "\"}"))
                        .build(),
                BodyHandlers.ofString());

        assertThat(response.body())
                .isEqualTo("[{\"left\":0.5,\"top\":0.0,\"right\":1.0,\"bottom\":0.5,\"words\":[\"heart\"]}]");
    }

    @Test
    void countsForPrometheus() throws Exception {
        serve(FakeModel.builder().otherwise("yes"));
        post(asking(""));
        post(asking(", \"n\": 2"));

        String text = get("/metrics").body();

        assertThat(text)
                .contains("langbridge_answers_total{reason=\"stop_token\"} 1")
                .contains("langbridge_http_responses_total{status=\"200\"} 1")
                .contains("langbridge_http_responses_total{status=\"400\"} 1")
                .contains("langbridge_requests_running 0");
        assertThat(text.lines().filter(line -> !line.startsWith("#")))
                .allMatch(line -> line.matches("[a-z_]+(\\{[a-z]+=\"[a-z0-9_]+\"\\})? [0-9.E-]+"));
    }

    @Test
    void thePageAndTheListAreThere() throws Exception {
        serve(FakeModel.builder());

        assertThat(get("/").body()).contains("<title>Ask a picture</title>");
        assertThat(get("/v1/models").body()).contains("\"id\":\"fake\"");
    }
}

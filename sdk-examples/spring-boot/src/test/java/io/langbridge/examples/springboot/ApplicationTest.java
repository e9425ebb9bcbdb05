package io.langbridge.examples.springboot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts the application and asks it over HTTP. */
class ApplicationTest {
    private static final Path PICTURE = Path.of("src/test/resources/picture.png");

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void answersInPiecesAndTellsOfIt() throws Exception {
        try (ConfigurableApplicationContext context =
                SpringApplication.run(Application.class, "--server.port=0", "--spring.main.banner-mode=off")) {
            String address = "http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port");
            HttpResponse<String> answer = ask(address, Files.readAllBytes(PICTURE));
            assertEquals(200, answer.statusCode(), answer.body());
            List<String> pieces = answer.body()
                    .lines()
                    .filter(line -> line.startsWith("data:"))
                    .map(line -> line.substring("data:{\"text\":\"".length(), line.length() - "\"}".length()))
                    .collect(Collectors.toList());
            assertTrue(pieces.size() > 2, answer.body());
            assertEquals("a purple crescent", String.join("", pieces));

            HttpResponse<String> refused = ask(address, "no picture".getBytes(StandardCharsets.UTF_8));
            assertEquals(400, refused.statusCode(), refused.body());
            assertTrue(refused.body().contains("picture"), refused.body());

            String health = get(address + "/actuator/health");
            assertTrue(health.contains("\"langBridge\"") && health.contains("\"contextLength\""), health);
            String tokens = get(address + "/actuator/metrics/langbridge.tokens?tag=kind:visual");
            assertTrue(tokens.contains("64.0"), tokens);
        }
    }

    private HttpResponse<String> ask(String address, byte[] picture) throws Exception {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        String part = "--part\r\nContent-Disposition: form-data; name=\"";
        body.writeBytes((part + "question\"\r\n\r\nWhat is on the right?\r\n").getBytes(StandardCharsets.UTF_8));
        body.writeBytes((part + "picture\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        body.writeBytes(picture);
        body.writeBytes("\r\n--part--\r\n".getBytes(StandardCharsets.UTF_8));
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + "/ask"))
                .header("Content-Type", "multipart/form-data; boundary=part")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private String get(String address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}

package io.langbridge.examples.webservice;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Many clients at once, each with one question after the other, for minutes. Needs nothing but Java:
 *
 * <pre>
 * {@code java src/test/java/io/langbridge/examples/webservice/Load.java http://localhost:8080 demo 16 10 picture.png}
 * </pre>
 *
 * <p>A 429 is no error: whoever gets one waits as long as it says, and the wait counts.
 */
public final class Load {
    private Load() {}

    /**
     * Asks, and prints a line.
     *
     * @param args address, model, clients, minutes, a picture
     */
    public static void main(String[] args) throws Exception {
        Duration time = Duration.ofMinutes(Long.parseLong(args[3]));
        System.out.println(run(args[0], args[1], Integer.parseInt(args[2]), time, Path.of(args[4])));
    }

    /** @return how many answers, how long they took, how many errors */
    static String run(String address, String model, int clients, Duration time, Path picture) throws Exception {
        String body =
                "{\"model\": \"" + model + "\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\":"
                        + " [{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,"
                        + Base64.getEncoder().encodeToString(Files.readAllBytes(picture))
                        + "\"}}, {\"type\": \"text\", \"text\": \"What is in the picture?\"}]}]}";
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                .timeout(Duration.ofMinutes(5))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        String key = System.getenv("LANGBRIDGE_API_KEY");
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        ConcurrentLinkedQueue<Long> answered = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();
        AtomicInteger comeBack = new AtomicInteger();
        HttpClient client = HttpClient.newHttpClient();
        long end = System.nanoTime() + time.toNanos();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            Thread thread = new Thread(() -> {
                do {
                    long start = System.nanoTime();
                    try {
                        HttpResponse<String> response =
                                ask(client, request.copy().build(), comeBack);
                        if (response.statusCode() == 200 && response.body().endsWith("data: [DONE]\n\n")) {
                            answered.add(System.nanoTime() - start);
                        } else {
                            errors.add(response.statusCode() + " " + response.body());
                        }
                    } catch (IOException e) {
                        errors.add(e.toString());
                    } catch (InterruptedException e) {
                        return;
                    }
                } while (System.nanoTime() < end);
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        long[] sorted = answered.stream().mapToLong(each -> each).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "%d clients, %d s: %d answers, %.1f/s, p50 %.0f ms, p99 %.0f ms, %d times 429, %d errors%s",
                clients,
                time.toSeconds(),
                sorted.length,
                sorted.length / (double) time.toSeconds(),
                quantile(sorted, 0.5),
                quantile(sorted, 0.99),
                comeBack.get(),
                errors.size(),
                errors.isEmpty() ? "" : ", the first: " + errors.peek());
    }

    private static HttpResponse<String> ask(HttpClient client, HttpRequest request, AtomicInteger comeBack)
            throws IOException, InterruptedException {
        while (true) {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 429) {
                return response;
            }
            comeBack.incrementAndGet();
            Thread.sleep(1000L
                    * Integer.parseInt(
                            response.headers().firstValue("Retry-After").orElse("1")));
        }
    }

    private static double quantile(long[] sorted, double share) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.ceil(share * sorted.length) - 1] / 1e6;
    }
}

package io.langbridge.examples.webservice;

import io.langbridge.Answer;
import io.langbridge.FinishReason;
import io.langbridge.ModelListener;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/** Counts for {@code /metrics}, in the text form that Prometheus reads. */
final class Metrics implements ModelListener {
    private final Map<String, LongAdder> answers = new ConcurrentHashMap<>();
    private final Set<Long> running = ConcurrentHashMap.newKeySet();
    private final LongAdder promptTokens = new LongAdder();
    private final LongAdder newTokens = new LongAdder();
    private final LongAdder firstTokens = new LongAdder();
    private final DoubleAdder firstTokenSeconds = new DoubleAdder();
    private final DoubleAdder decodeSeconds = new DoubleAdder();
    private final Map<Integer, LongAdder> responses = new ConcurrentHashMap<>();

    @Override
    public void started(long request, Duration waited) {
        running.add(request);
    }

    @Override
    public void firstToken(long request, Duration time) {
        firstTokens.increment();
        firstTokenSeconds.add(seconds(time));
    }

    @Override
    public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
        running.remove(request);
        count(reason.name().toLowerCase(Locale.ROOT));
        promptTokens.add(usage.promptTokens());
        newTokens.add(usage.newTokens());
        decodeSeconds.add(seconds(timings.decode()));
    }

    @Override
    public void failed(long request, Throwable failure) {
        running.remove(request);
        count("failed");
    }

    void responded(int status) {
        responses.computeIfAbsent(status, s -> new LongAdder()).increment();
    }

    private void count(String reason) {
        answers.computeIfAbsent(reason, r -> new LongAdder()).increment();
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    String text() {
        StringBuilder text = new StringBuilder();
        text.append("# TYPE langbridge_http_responses_total counter\n");
        new TreeMap<>(responses)
                .forEach((status, n) -> text.append("langbridge_http_responses_total{status=\"")
                        .append(status)
                        .append("\"} ")
                        .append(n)
                        .append('\n'));
        text.append("# TYPE langbridge_answers_total counter\n");
        new TreeMap<>(answers)
                .forEach((reason, n) -> text.append("langbridge_answers_total{reason=\"")
                        .append(reason)
                        .append("\"} ")
                        .append(n)
                        .append('\n'));
        add(text, "langbridge_requests_running", "gauge", running.size());
        add(text, "langbridge_prompt_tokens_total", "counter", promptTokens);
        add(text, "langbridge_new_tokens_total", "counter", newTokens);
        add(text, "langbridge_decode_seconds_total", "counter", decodeSeconds);
        text.append("# TYPE langbridge_first_token_seconds summary\n");
        text.append("langbridge_first_token_seconds_sum ")
                .append(firstTokenSeconds)
                .append('\n');
        text.append("langbridge_first_token_seconds_count ").append(firstTokens).append('\n');
        return text.toString();
    }

    private static void add(StringBuilder text, String name, String type, Number value) {
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        text.append(name).append(' ').append(value).append('\n');
    }
}

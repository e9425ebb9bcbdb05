package io.langbridge.spring.boot;

import io.langbridge.Answer;
import io.langbridge.FinishReason;
import io.langbridge.ModelListener;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * What a model does, as meters: {@code langbridge.requests} (a timer, by {@code outcome}), {@code langbridge.waiting}
 * and {@code langbridge.first.token} (timers), {@code langbridge.requests.active} (a gauge) and
 * {@code langbridge.tokens} (a counter, by {@code kind}: prompt, visual, cached, new). Safe for use by several threads.
 *
 * @since 0.1
 */
public final class LangBridgeMetrics implements ModelListener, MeterBinder {
    private final List<MeterRegistry> registries = new CopyOnWriteArrayList<>();
    private final Map<Long, Long> started = new ConcurrentHashMap<>();

    /** Tells nobody until {@link #bindTo} is called. */
    public LangBridgeMetrics() {}

    @Override
    public void bindTo(MeterRegistry registry) {
        registries.add(registry);
        Gauge.builder("langbridge.requests.active", started, Map::size)
                .description("Requests that are being answered")
                .register(registry);
    }

    @Override
    public void started(long request, Duration waited) {
        started.put(request, System.nanoTime());
        tell(registry -> registry.timer("langbridge.waiting").record(waited));
    }

    @Override
    public void firstToken(long request, Duration time) {
        tell(registry -> registry.timer("langbridge.first.token").record(time));
    }

    @Override
    public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
        ended(request, reason.name().toLowerCase(Locale.ROOT));
        tokens("prompt", usage.promptTokens());
        tokens("visual", usage.visualTokens());
        tokens("cached", usage.cachedTokens());
        tokens("new", usage.newTokens());
    }

    @Override
    public void failed(long request, Throwable failure) {
        ended(request, failure.getClass().getSimpleName());
    }

    /** Whether nothing is being answered. */
    boolean idle() {
        return started.isEmpty();
    }

    private void ended(long request, String outcome) {
        Long start = started.remove(request);
        Duration time = start == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - start);
        tell(registry ->
                registry.timer("langbridge.requests", "outcome", outcome).record(time));
    }

    private void tokens(String kind, int count) {
        tell(registry -> registry.counter("langbridge.tokens", "kind", kind).increment(count));
    }

    private void tell(Consumer<MeterRegistry> what) {
        registries.forEach(what);
    }
}

package io.langbridge.examples.observation;

import io.langbridge.Answer;
import io.langbridge.FinishReason;
import io.langbridge.ModelListener;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes an observation of each request, out of which Micrometer makes metrics and spans. Names are those of
 * OpenTelemetry's conventions for generative AI, which still change: change them here.
 *
 * <p>Requests are told of in threads of the model, where the caller's observation is not the current one: those made
 * here stand beside it, not in it.
 */
public final class AnswerObservations implements ModelListener {
    private final Map<Long, Observation> running = new ConcurrentHashMap<>();
    private final ObservationRegistry registry;
    private final String model;

    /**
     * Creates a listener for one model.
     *
     * @param registry is told of every request
     * @param model what the model is called there
     */
    public AnswerObservations(ObservationRegistry registry, String model) {
        this.registry = registry;
        this.model = model;
    }

    private Observation begin() {
        return Observation.createNotStarted("gen_ai.client.operation", registry)
                .contextualName("chat " + model)
                .lowCardinalityKeyValue("gen_ai.operation.name", "chat")
                .lowCardinalityKeyValue("gen_ai.provider.name", "langbridge")
                .lowCardinalityKeyValue("gen_ai.request.model", model)
                .start();
    }

    @Override
    public void started(long request, Duration waited) {
        running.put(request, begin().highCardinalityKeyValue("langbridge.waited_ms", "" + waited.toMillis()));
    }

    @Override
    public void encoded(long request, Encoding picture) {
        event(request, "picture encoded");
    }

    @Override
    public void prefilled(long request, Prompt prompt) {
        event(request, "prompt read");
    }

    @Override
    public void firstToken(long request, Duration time) {
        event(request, "first token");
    }

    private void event(long request, String name) {
        Observation observation = running.get(request); // none, if a picture was encoded by itself
        if (observation != null) {
            observation.event(Observation.Event.of(name));
        }
    }

    @Override
    public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
        Observation observation = running.remove(request);
        if (observation != null) {
            observation.lowCardinalityKeyValue(
                    "gen_ai.response.finish_reasons", reason.name().toLowerCase(Locale.ROOT));
            observation.highCardinalityKeyValue("gen_ai.usage.input_tokens", "" + usage.promptTokens());
            observation.highCardinalityKeyValue("gen_ai.usage.output_tokens", "" + usage.newTokens());
            observation.stop();
        }
    }

    @Override
    public void failed(long request, Throwable failure) {
        Observation observation = running.remove(request);
        if (observation == null) {
            observation = begin(); // it was refused before it began
        }
        observation.error(failure).stop();
    }
}

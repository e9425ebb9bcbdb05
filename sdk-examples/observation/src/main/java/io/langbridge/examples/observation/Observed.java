package io.langbridge.examples.observation;

import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.ObservationTextPublisher;
import java.io.IOException;
import java.io.InputStream;

/** Asks the bundled model and prints what is observed. */
public final class Observed {
    private Observed() {}

    /**
     * Asks once.
     *
     * @param args none
     */
    public static void main(String[] args) throws IOException {
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig().observationHandler(new ObservationTextPublisher(System.out::println));
        try (InputStream picture = Observed.class.getResourceAsStream("/picture.png");
                DemoModel demo = DemoModel.open();
                VisionLanguageModel model = VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .listener(new AnswerObservations(registry, "demo"))
                        .build()) {
            System.out.println(
                    model.ask(Image.of(picture), "What is on the right?").text());
        }
    }
}

package example.consumer;

import io.langbridge.Answer;
import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.nio.file.Path;

/** Uses the public API as a user's application would. */
public final class Consumer {
    private Consumer() {}

    /**
     * Asks the demo model about a picture.
     *
     * @param args a picture, a question and the answer that is right
     */
    public static void main(String[] args) {
        Module module = VisionLanguageModel.class.getModule();
        try (DemoModel demo = DemoModel.open();
                VisionLanguageModel model = VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .build()) {
            Answer answer = model.ask(Image.of(Path.of(args[0])), args[1]);
            System.out.println(
                    "langbridge-api " + (module.isNamed() ? "as module " + module.getName() : "on the class path")
                            + " answered: " + answer.text());
            if (!answer.text().equals(args[2])) {
                throw new IllegalStateException("The right answer is: " + args[2]);
            }
        }
    }
}

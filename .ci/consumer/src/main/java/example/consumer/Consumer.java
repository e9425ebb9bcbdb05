package example.consumer;

import io.langbridge.Answer;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;

/** Uses the public API as a user's application would. */
public final class Consumer {
    private Consumer() {}

    /**
     * Asks about a picture.
     *
     * @param args the folder of a model and a picture
     */
    public static void main(String[] args) {
        Module module = VisionLanguageModel.class.getModule();
        try (VisionLanguageModel model = VisionLanguageModel.load(Path.of(args[0]))) {
            Answer answer = model.answer(Request.builder()
                    .image(Image.of(Path.of(args[1])))
                    .text("What is this?")
                    .options(GenerationOptions.builder().maxNewTokens(8).build())
                    .build());
            System.out.println(
                    "langbridge-api " + (module.isNamed() ? "as module " + module.getName() : "on the class path")
                            + " answered with " + answer.usage().newTokens() + " tokens about "
                            + answer.usage().visualTokens() + " visual ones");
        }
    }
}

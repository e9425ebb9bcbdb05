package io.langbridge.contract;

import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.model.Loader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;

/** Loads a model, uses it in every way, and closes it; for a class loader of its own. */
public final class LoadedElsewhere implements Callable<Integer> {
    private final Path scratch;

    /** Uses a folder. */
    public LoadedElsewhere(Path scratch) {
        this.scratch = scratch;
    }

    static VisionLanguageModel load(Path scratch, CountingEngine engine) {
        return VisionLanguageModel.builder()
                .folder(Fixtures.bundled(scratch).resolve("end-to-end/llava-next-native/checkpoint"))
                .threads(1)
                .cacheDirectory(scratch.resolve("cache"))
                .build(new Loader(engine));
    }

    static Request request() {
        int[] pixels = new int[90 * 60];
        Arrays.fill(pixels, 0xff336699);
        return Request.builder()
                .image(Image.ofArgb(pixels, 90, 60))
                .text("What is it?")
                .options(GenerationOptions.greedy().toBuilder()
                        .stopTokens()
                        .maxNewTokens(5)
                        .build())
                .build();
    }

    @Override
    public Integer call() {
        try (VisionLanguageModel model = load(scratch, new CountingEngine())) {
            model.stream(request()).iterator().next(); // and dropped
            try (AnswerStream stream = model.stream(request());
                    Chat chat = model.chat()) {
                return stream.answer().tokenIds().length
                        + chat.stream(request().messages().get(0)).answer().tokenIds().length;
            }
        }
    }
}

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.LangBridgeException;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The process that a drill harms: loads the model in a folder, answers, and answers again for each line it is sent.
 * What it prints is an answer or the error that an application would see.
 */
final class DrillChild {
    private DrillChild() {}

    /**
     * Loads and answers.
     *
     * @param args folder of the bundled model, cache directory, engine, precision
     */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        try (VisionLanguageModel model = VisionLanguageModel.builder()
                .encoder(Encoder.of(folder.resolve("encoder")))
                .adapter(Adapter.langBridge(folder.resolve("adapter")))
                .llm(Llm.of(folder.resolve("llm")))
                .engine(EngineName.parse(args[2]))
                .precision(Precision.valueOf(args[3]))
                .device(Device.CPU)
                .cacheDirectory(Path.of(args[1]))
                .build()) {
            do {
                print("answer", ask(model));
            } while (System.in.read() == '\n');
        } catch (LangBridgeException e) {
            print("error", e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private static String ask(VisionLanguageModel model) {
        int[] pixels = new int[64 * 64];
        Arrays.fill(pixels, 0xff3060c0);
        // Tokens, since what is near a tie may be spelt alike.
        return Arrays.toString(model.answer(Request.builder()
                        .image(Image.ofArgb(pixels, 64, 64))
                        .text("What is it?")
                        .options(GenerationOptions.greedy().toBuilder()
                                .stopTokens()
                                .maxNewTokens(24)
                                .build())
                        .build())
                .tokenIds());
    }

    private static void print(String what, String text) {
        JsonObject line = new JsonObject();
        line.addProperty(what, text);
        System.out.println(line);
    }
}

package io.langbridge.examples.langbridge;

import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Moves an adapter to another language model and asks both the same question. */
@Command(
        name = "transfer",
        mixinStandardHelpOptions = true,
        description =
                "Moves the adapter to another language model, without training, and asks both the same question about"
                        + " a picture that is encoded once.")
final class Transfer implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Parts parts;

    @Option(names = "--to", required = true, paramLabel = "FOLDER", description = "the other language model")
    private Path to;

    @Option(names = "--image", required = true, paramLabel = "FILE", description = "the picture")
    private Path image;

    @Option(names = "--question", paramLabel = "TEXT", description = "default: ${DEFAULT-VALUE}")
    private String question = "What is in this picture?";

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "default: ${DEFAULT-VALUE}")
    private int maxNewTokens = 128;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = parts.builder().build();
                VisionLanguageModel moved = model.langBridge().orElseThrow().withLlm(Llm.of(to))) {
            EncodedImage seen = model.encode(Image.of(image));
            Request request = Request.builder()
                    .image(seen)
                    .text(question)
                    .options(GenerationOptions.builder()
                            .temperature(0)
                            .maxNewTokens(maxNewTokens)
                            .build())
                    .build();
            out.println("before: " + model.answer(request).text());
            out.println("after:  " + moved.answer(request).text());
            return 0;
        }
    }
}

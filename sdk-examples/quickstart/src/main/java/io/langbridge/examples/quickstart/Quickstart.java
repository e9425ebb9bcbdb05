package io.langbridge.examples.quickstart;

import io.langbridge.Adapter;
import io.langbridge.AnswerStream;
import io.langbridge.Encoder;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.LangBridgeException;
import io.langbridge.Llm;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks a model about a picture from the command line. */
@Command(
        name = "quickstart",
        mixinStandardHelpOptions = true,
        version = "0.1.0",
        sortOptions = false,
        description = "Answers a question about a picture, on this machine. Without a model it uses a bundled"
                + " small one, which knows drawings of a few shapes, letters and digits and nothing else.")
public final class Quickstart implements Callable<Integer> {
    @Option(
            names = "--model",
            paramLabel = "FOLDER",
            description = "a Hugging Face folder that holds all parts: LLaVA, LLaVA-NeXT or LangBridge")
    private Path model;

    @ArgGroup(exclusive = false)
    private Parts parts;

    @Option(names = "--image", paramLabel = "FILE", description = "the picture; default is a bundled one")
    private Path image;

    @Option(names = "--question", paramLabel = "TEXT", description = "default: ${DEFAULT-VALUE}")
    private String question = "Describe the picture.";

    @Option(names = "--system", paramLabel = "TEXT", description = "instructions for the model")
    private String system;

    @Option(
            names = "--batch",
            paramLabel = "FILE",
            description =
                    "answer every line {\"image\": \"..\", \"question\": \"..\"} of FILE (- for standard input) with"
                            + " one JSON line; relative pictures are looked for here, then beside FILE")
    private Path batch;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "default: the checkpoint's, or 512")
    private Integer maxNewTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 for the likeliest words; default: the checkpoint's")
    private Double temperature;

    @Option(names = "--seed", paramLabel = "N", description = "makes sampling repeatable")
    private Long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "computing threads; default: all processors, at most 8")
    private Integer threads;

    /** The parts of a model, named one by one. */
    private static final class Parts {
        @Option(names = "--encoder", required = true, paramLabel = "FOLDER", description = "CLIP or SigLIP")
        private Path encoder;

        @Option(names = "--adapter", required = true, paramLabel = "FOLDER", description = "a LangBridge adapter")
        private Path adapter;

        @Option(names = "--llm", required = true, paramLabel = "FOLDER", description = "the language model")
        private Path llm;
    }

    /**
     * Runs the command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        // Answers are UTF-8 whatever the console's own encoding is.
        System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
        CommandLine command = new CommandLine(new Quickstart());
        command.setExecutionExceptionHandler((e, line, parsed) -> {
            if (e instanceof LangBridgeException || e instanceof IOException) {
                boolean missing = e instanceof NoSuchFileException;
                line.getErr().println("quickstart: " + (missing ? "there is no file " : "") + e.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            if (e instanceof IllegalArgumentException) { // an option out of its range
                line.getErr().println("quickstart: " + e.getMessage());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        if (model != null && parts != null) {
            System.err.println("quickstart: give either --model or --encoder, --adapter and --llm");
            return CommandLine.ExitCode.USAGE;
        }
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder();
        if (parts != null) {
            builder.encoder(Encoder.of(parts.encoder))
                    .adapter(Adapter.langBridge(parts.adapter))
                    .llm(Llm.of(parts.llm));
            return run(builder);
        }
        if (model != null) {
            return run(builder.folder(model));
        }
        System.err.println("No --model given: a small one answers, which knows drawings of a few shapes, letters and"
                + " digits and nothing else.");
        try (DemoModel demo = DemoModel.open()) {
            return run(builder.encoder(demo.encoder())
                    .adapter(demo.adapter())
                    .llm(demo.llm())
                    .withoutCache());
        }
    }

    private int run(VisionLanguageModel.Builder builder) throws IOException {
        if (threads != null) {
            builder.threads(threads);
        }
        try (VisionLanguageModel loaded = builder.build()) {
            if (batch != null) {
                new Batch(loaded, options()).run(batch, System.out);
            } else {
                answer(loaded, image != null ? Image.of(image) : picture());
            }
            return 0;
        }
    }

    private static Image picture() throws IOException {
        try (InputStream in = Quickstart.class.getResourceAsStream("/picture.png")) {
            return Image.of(in.readAllBytes());
        }
    }

    private void answer(VisionLanguageModel loaded, Image picture) {
        Request.Builder request = Request.builder();
        if (system != null) {
            request.system(system);
        }
        request.image(picture).text(question).options(options());
        try (AnswerStream answer = loaded.stream(request.build())) {
            for (AnswerStream.Piece piece : answer) {
                System.out.print(piece.text());
                System.out.flush();
            }
            System.out.println();
        }
    }

    private GenerationOptions options() {
        GenerationOptions.Builder options = GenerationOptions.builder();
        if (maxNewTokens != null) {
            options.maxNewTokens(maxNewTokens);
        }
        if (temperature != null) {
            options.temperature(temperature);
        }
        if (seed != null) {
            options.seed(seed);
        }
        return options.build();
    }
}

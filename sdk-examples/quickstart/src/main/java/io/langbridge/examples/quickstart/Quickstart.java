package io.langbridge.examples.quickstart;

import io.langbridge.Adapter;
import io.langbridge.AnswerStream;
import io.langbridge.Choice;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks a model about a picture from the command line. Answers go to standard output, everything else to the other. */
@Command(
        name = "quickstart",
        mixinStandardHelpOptions = true,
        version = "0.1.0",
        sortOptions = false,
        subcommands = {Doctor.class, Cache.class},
        description = "Answers a question about a picture, on this machine. Without a model it uses a bundled"
                + " small one, which knows drawings of a few shapes, letters and digits and nothing else.")
public final class Quickstart implements Callable<Integer> {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "a Hugging Face folder that holds all parts; or ORG/NAME, which is downloaded from the hub"
                    + " unless it is in its cache")
    private String model;

    @Option(names = "--revision", paramLabel = "REV", description = "branch, tag or commit of ORG/NAME")
    private String revision;

    @Option(names = "--offline", description = "connect to nothing: take ORG/NAME from the cache")
    private boolean offline;

    @ArgGroup(exclusive = false)
    private Parts parts;

    @Option(names = "--image", paramLabel = "FILE", description = "the picture; default is a bundled one")
    private Path image;

    @Option(names = "--question", paramLabel = "TEXT", description = "default: ${DEFAULT-VALUE}")
    private String question = "Describe the picture.";

    @Option(names = "--system", paramLabel = "TEXT", description = "instructions for the model")
    private String system;

    @ArgGroup
    private Form form = new Form();

    @Option(
            names = "--batch",
            paramLabel = "FILE",
            description = "answer every line {\"image\": \"..\", \"question\": \"..\"} of FILE (- for standard input)"
                    + " with one JSON line; relative pictures are looked for here, then beside FILE. A line may also"
                    + " hold a \"schema\": {..} or \"choices\": [..]")
    private Path batch;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "${COMPLETION-CANDIDATES}: of the weights; fewer bits need less memory. Default: FULL")
    private Precision precision = Precision.FULL;

    @Option(names = "--device", paramLabel = "D", description = "auto, cpu, cuda or cuda:N; default: auto")
    private Device device = Device.AUTO;

    @Option(names = "--engine", paramLabel = "E", description = "onnx or pytorch; default: what is there")
    private EngineName engine;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "computing threads; default: all processors, at most 8")
    private Integer threads;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "most tokens of prompt and answer together; default: the model's limit, at most 4096")
    private Integer context;

    @Option(
            names = {"--max-tokens", "--max-new-tokens"},
            paramLabel = "N",
            description = "longest answer; default: the checkpoint's, or 512")
    private Integer maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 for the likeliest words; default: the checkpoint's")
    private Double temperature;

    @Option(names = "--seed", paramLabel = "N", description = "makes sampling repeatable")
    private Long seed;

    /** The parts of a model, named one by one. */
    private static final class Parts {
        @Option(names = "--encoder", required = true, paramLabel = "FOLDER", description = "CLIP or SigLIP")
        private Path encoder;

        @Option(names = "--adapter", required = true, paramLabel = "FOLDER", description = "a LangBridge adapter")
        private Path adapter;

        @Option(names = "--llm", required = true, paramLabel = "FOLDER", description = "the language model")
        private Path llm;
    }

    /** What the answer is held to. */
    private static final class Form {
        @Option(names = "--schema", paramLabel = "FILE", description = "a JSON Schema: the answer is such a value")
        private Path schema;

        @Option(
                names = "--choices",
                paramLabel = "A,B,..",
                split = ",",
                description = "the probability of each of these answers")
        private List<String> choices;
    }

    /**
     * Runs the command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        // Answers are UTF-8 whatever the console's own encoding is.
        System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Quickstart())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .registerConverter(Device.class, Messages.converter(Device::parse))
                .registerConverter(EngineName.class, Messages.converter(EngineName::parse))
                .setParameterExceptionHandler(Messages::usage)
                .setExecutionExceptionHandler(Messages::failure);
    }

    @Override
    public Integer call() throws IOException {
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().precision(precision).device(device);
        if (engine != null) {
            builder.engine(engine);
        }
        if (threads != null) {
            builder.threads(threads);
        }
        if (context != null) {
            builder.contextLength(context);
        }
        GenerationOptions options = options();
        if (model != null && parts != null) {
            throw new IllegalArgumentException("give either --model or --encoder, --adapter and --llm");
        }
        if (revision != null && (model == null || Files.exists(Path.of(model)))) {
            throw new IllegalArgumentException("--revision is for a --model ORG/NAME of the hub");
        }
        if (question.isBlank()) {
            throw new IllegalArgumentException("--question is empty");
        }
        for (Path file : new Path[] {image, batch}) {
            if (file != null && !file.toString().equals("-") && !Files.exists(file)) {
                throw new NoSuchFileException(file.toString()); // before a model is fetched or loaded
            }
        }
        if (parts != null) {
            return run(
                    builder.encoder(Encoder.of(parts.encoder))
                            .adapter(Adapter.langBridge(parts.adapter))
                            .llm(Llm.of(parts.llm)),
                    options);
        }
        if (model != null) {
            Path folder = Path.of(model);
            return run(
                    builder.folder(
                            Files.exists(folder) ? folder : Download.get(model, revision, offline, builder, precision)),
                    options);
        }
        System.err.println("No --model given: a small one answers, which knows drawings of a few shapes, letters and"
                + " digits and nothing else.");
        try (DemoModel demo = DemoModel.open()) {
            return run(
                    builder.encoder(demo.encoder())
                            .adapter(demo.adapter())
                            .llm(demo.llm())
                            .withoutCache(),
                    options);
        }
    }

    private int run(VisionLanguageModel.Builder builder, GenerationOptions options) throws IOException {
        long start = System.nanoTime();
        if (model != null) {
            System.err.println("Loading; the first time, weights are converted.");
        }
        boolean onWhite = model == null && parts == null; // what lies under transparent drawings is often black
        try (VisionLanguageModel loaded = builder.build()) {
            if (model != null) {
                System.err.printf(Locale.ROOT, "Loaded in %.1f s.%n", (System.nanoTime() - start) / 1e9);
            }
            if (batch != null) {
                new Batch(loaded, options, form.choices, onWhite).run(batch, System.out);
                return 0;
            }
            Request.Builder request = Request.builder();
            if (system != null) {
                request.system(system);
            }
            Image picture = image != null ? Image.of(image) : picture();
            request.image(onWhite ? picture.onGround(0xffffff) : picture)
                    .text(question)
                    .options(options);
            if (form.choices != null) {
                choose(loaded, request.build());
            } else {
                answer(loaded, request.build());
            }
            return 0;
        }
    }

    private static Image picture() throws IOException {
        try (InputStream in = Quickstart.class.getResourceAsStream("/picture.png")) {
            return Image.of(in.readAllBytes());
        }
    }

    private void choose(VisionLanguageModel loaded, Request request) {
        Choice choice = loaded.choose(request, form.choices);
        choice.probabilities().forEach((label, p) -> System.out.printf(Locale.ROOT, "%.4f %s%n", p, label));
        System.err.printf(Locale.ROOT, "All of them together: %.4f of what the model could say.%n", choice.total());
    }

    private static void answer(VisionLanguageModel loaded, Request request) {
        try (AnswerStream answer = loaded.stream(request)) {
            for (AnswerStream.Piece piece : answer) {
                System.out.print(piece.text());
                System.out.flush();
            }
            System.out.println();
            if (answer.answer().finishReason() == FinishReason.MAX_NEW_TOKENS) {
                System.err.println("The answer was cut off; --max-tokens allows a longer one.");
            }
        }
    }

    private GenerationOptions options() throws IOException {
        GenerationOptions.Builder options = GenerationOptions.builder();
        if (maxTokens != null) {
            options.maxNewTokens(maxTokens);
        }
        if (temperature != null) {
            options.temperature(temperature);
        }
        if (seed != null) {
            options.seed(seed);
        }
        if (form.schema != null) {
            options.jsonSchema(Files.readString(form.schema));
        }
        return options.build();
    }
}

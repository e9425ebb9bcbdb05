package io.langbridge.examples.batch;

import io.langbridge.LangBridgeException;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.Hub;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks one question about every picture of a folder. */
@Command(
        name = "batch",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Asks one question about every picture in a folder and below it, and writes a line of JSON for each."
                        + " Pictures that have a line already are passed over, so a run that was stopped goes on.")
public final class Batch implements Callable<Integer> {
    private static final String ENDINGS = ".*\\.(jpe?g|png|gif|bmp|webp|tiff?|heic|heif|avif|jxl|jp2)";

    @Option(names = "--pictures", paramLabel = "FOLDER", required = true, description = "where the pictures are")
    private Path pictures;

    @Option(names = "--question", paramLabel = "TEXT", required = true, description = "asked about each of them")
    private String question;

    @ArgGroup
    private Form form = new Form();

    /** What an answer may be. */
    static final class Form {
        @Option(names = "--choices", paramLabel = "A,B,..", split = ",", description = "answers, with probabilities")
        private List<String> choices;

        @Option(names = "--schema", paramLabel = "FILE", description = "a JSON Schema that answers are held to")
        private Path schema;
    }

    @Option(names = "--out", paramLabel = "FILE", description = "is added to; default: ${DEFAULT-VALUE}")
    private Path out = Path.of("answers.jsonl");

    @Option(
            names = "--model",
            paramLabel = "FOLDER|ORG/NAME",
            description =
                    "a folder, or what Hugging Face calls a model; default: the bundled one, which knows drawings")
    private String model;

    @Option(names = "--precision", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES}; default: FULL")
    private Precision precision = Precision.FULL;

    @Option(names = "--max-tokens", paramLabel = "N", description = "of an answer; default: ${DEFAULT-VALUE}")
    private int maxTokens = 128;

    @Option(names = "--concurrent", paramLabel = "N", description = "asked at a time; default: ${DEFAULT-VALUE}")
    private int concurrent = 4;

    /**
     * Runs until all is answered, or it is interrupted.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        int code = command().execute(args);
        if (code != 0) {
            System.exit(code);
        }
    }

    static CommandLine command() {
        return new CommandLine(new Batch()).setExecutionExceptionHandler((e, line, parsed) -> {
            if (e instanceof LangBridgeException || e instanceof IOException || e instanceof IllegalArgumentException) {
                line.getErr().println("batch: " + e.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            throw e;
        });
    }

    @Override
    public Integer call() throws IOException {
        List<Path> files = pictures(pictures);
        if (files.isEmpty()) {
            throw new IllegalArgumentException("There is no picture in " + pictures);
        }
        String schema = form.schema == null ? null : Files.readString(form.schema);
        Task task = new Task(question, form.choices, schema, maxTokens);
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().precision(precision).maxConcurrentRequests(concurrent);
        try (DemoModel demo = model == null ? DemoModel.open() : null) {
            Path folder = demo != null ? demo.folder() : folder(model);
            if (demo == null) {
                builder.folder(folder);
            } else {
                builder.encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .withoutCache();
            }
            String revision =
                    (demo != null ? "demo@" + Revision.ofContent(folder) : Revision.of(folder)) + " " + precision;
            try (Answers answers = new Answers(out)) {
                Job job = new Job(builder::build, task, revision, answers, concurrent);
                Runtime.getRuntime().addShutdownHook(new Thread(job::stop)); // Ctrl-C
                boolean whole = job.run(pictures, files, new Progress(System.err, System.console() != null));
                return whole ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
            }
        }
    }

    private static Path folder(String model) {
        Path folder = Path.of(model);
        return Files.isDirectory(folder) ? folder : Hub.get(model);
    }

    /** Files that are called as pictures are. Of formats that cannot be read their lines say so. */
    static List<Path> pictures(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + " is no folder");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.getFileName()
                            .toString()
                            .toLowerCase(Locale.ROOT)
                            .matches(ENDINGS))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) { // a folder in it that cannot be read
            throw e.getCause();
        }
    }
}

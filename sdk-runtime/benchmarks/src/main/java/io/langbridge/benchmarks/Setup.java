package io.langbridge.benchmarks;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is measured and how: the options that all sets share, and what they open. */
final class Setup {
    private static final int CONTEXT_MARGIN = 64;
    private static final int BUNDLED_CONTEXT = 256;

    @Option(
            names = "--models",
            paramLabel = "FOLDER",
            description = "where random models are written once and looked for; default: ${DEFAULT-VALUE}")
    private Path models = Path.of(System.getProperty("user.home"), ".cache", "langbridge-benchmarks");

    @Option(names = "--encoder", paramLabel = "FOLDER|SHAPE", description = "default: ${DEFAULT-VALUE}")
    private String encoder = "clip-l-336";

    @Option(names = "--adapter", paramLabel = "FOLDER|SHAPE", description = "default: ${DEFAULT-VALUE}")
    private String adapter = "langbridge-19200";

    @Option(
            names = "--llm",
            paramLabel = "FOLDER|SHAPE",
            description = "qwen2-0.5b, qwen2-7b, llama3.2-1b, qwen3-1.7b, qwen3.5-0.8b, gemma3-4b or a folder;"
                    + " default: ${DEFAULT-VALUE}")
    private String llm = "qwen2-0.5b";

    @Option(
            names = "--model",
            paramLabel = "FOLDER",
            description = "a whole model for answer, explain and load, in place of --encoder, --adapter and --llm")
    private @Nullable Path model;

    @Option(names = "--bundled", description = "the bundled model in place of --encoder, --adapter and --llm")
    private boolean bundled;

    @Option(names = "--questions", paramLabel = "N", description = "of soak; default: ${DEFAULT-VALUE}")
    int questions = 10_000;

    @Option(names = "--loads", paramLabel = "N", description = "of soak; default: ${DEFAULT-VALUE}")
    int loads = 200;

    @Option(names = "--storm", paramLabel = "SECONDS", description = "of soak; default: ${DEFAULT-VALUE}")
    int stormSeconds = 600;

    @Option(
            names = "--drill",
            paramLabel = "PATTERN",
            description = "of drills, those alone in whose names it is found")
    private @Nullable Pattern drill;

    @Option(names = "--engine", paramLabel = "NAME", description = "onnx or pytorch; default: ${DEFAULT-VALUE}")
    private String engine = "onnx";

    @Option(names = "--device", paramLabel = "NAME", description = "cpu, cuda or cuda:N; default: ${DEFAULT-VALUE}")
    private String device = "cpu";

    @Option(names = "--precision", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES}; default: FULL")
    private Precision precision = Precision.FULL;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            description = "positions of a prompt that run at a time; default: ${DEFAULT-VALUE}")
    private int prefillChunk = EngineOptions.PREFILL_CHUNK;

    @Option(names = "--threads", paramLabel = "N", description = "default: ${DEFAULT-VALUE}")
    int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--spinning", description = "idle threads burn cycles waiting for work")
    private boolean spinning;

    @Option(
            names = "--two-forms",
            paramLabel = "true|false",
            description = "whether quantised layers are in memory in a form for prompts and one for tokens; default: as"
                    + " the engine has them")
    private @Nullable Boolean twoForms;

    @Option(names = "--half-kv-cache", description = "the KV cache has 16 bits for a value")
    boolean halfKvCache;

    @Option(
            names = "--affinity",
            paramLabel = "N",
            split = ",",
            description = "processors that the threads but the first stay on, counted from 0")
    private List<Integer> affinity = List.of();

    @Option(
            names = "--cache",
            paramLabel = "FOLDER",
            description = "converted weights; default: the folder cache in --models")
    private @Nullable Path cache;

    @Option(names = "--reps", paramLabel = "N", description = "samples per figure; default: ${DEFAULT-VALUE}")
    int reps = 3;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            description =
                    "longest wait for a quiet moment before a sample; default: ${DEFAULT-VALUE}, or BENCH_PATIENCE",
            defaultValue = "${env:BENCH_PATIENCE:-45}")
    double patience;

    @Option(names = "--prompt", paramLabel = "N", description = "tokens of the prompt; default: ${DEFAULT-VALUE}")
    int prompt = 640;

    @Option(names = "--gen", paramLabel = "N", description = "tokens to decode; default: ${DEFAULT-VALUE}")
    int gen = 128;

    @Option(
            names = "--lengths",
            paramLabel = "N",
            split = ",",
            description = "tokens of the prompts of context; default: ${DEFAULT-VALUE}")
    List<Integer> lengths = List.of(640, 1024, 2048, 4096, 8192, 16384);

    @Option(
            names = "--layer",
            paramLabel = "N",
            description = "hidden state that encoder gives: -2 as LangBridge takes it, -1 for the whole tower with the"
                    + " class token, as peers run it; default: ${DEFAULT-VALUE}")
    int layer = -2;

    @Option(
            names = "--inputs",
            paramLabel = "NPY",
            description = "inputs of encoder [1, 3, size, size], adapter [patches, mm_hidden] or decoder"
                    + " [tokens, hidden]; default: random")
    private @Nullable Path inputs;

    @Option(
            names = "--check",
            paramLabel = "NPY",
            description = "what a reference gave for --inputs (decoder: logits of the last position); prints the"
                    + " relative error, |ours - reference| / |reference|")
    private @Nullable Path check;

    @Option(names = "--save", paramLabel = "NPY", description = "writes what --check of another run compares with")
    private @Nullable Path save;

    private List<String> given = List.of();

    /** Takes the options of the command line as they were written, for {@link #arguments}. */
    void given(List<String> options) {
        given = List.copyOf(options);
    }

    /** The command line of another process that measures under the same conditions; later options win. */
    List<String> arguments(List<String> more) {
        List<String> arguments = new ArrayList<>(given);
        arguments.addAll(more);
        return arguments;
    }

    /** Whether a drill is wanted. */
    boolean drills(String name) {
        return drill == null || drill.matcher(name).find();
    }

    /** The command of another process that runs the engine that is measured. */
    List<String> child(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(Child.java());
        command.add(main.getName());
        command.addAll(List.of(arguments));
        command.addAll(List.of(engine, precision.name()));
        return command;
    }

    Path encoder() throws IOException {
        return folder(encoder);
    }

    Path adapter() throws IOException {
        return folder(adapter);
    }

    Path llm() throws IOException {
        return folder(llm);
    }

    /** The tokenizer alone; of a shape, no weights are written for it. */
    Path tokenizer() throws IOException {
        Path folder = Path.of(llm);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        Path random = models.resolve("tokenizer-" + llm);
        RandomModels.tokenizer(llm, random);
        return random;
    }

    private Path folder(String folderOrShape) throws IOException {
        Path folder = Path.of(folderOrShape);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        Path random = models.resolve(folderOrShape);
        RandomModels.complete(folderOrShape, random);
        return random;
    }

    Path models() throws IOException {
        return Files.createDirectories(models);
    }

    Path cache() {
        return cache != null ? cache : models.resolve("cache");
    }

    Engine engine() {
        List<String> names = new ArrayList<>();
        for (Engine found : ServiceLoader.load(Engine.class)) {
            if (found.name().equals(engine)) {
                return found;
            }
            names.add(found.name());
        }
        throw new IllegalArgumentException("There is no engine '" + engine + "', there are " + names);
    }

    EngineOptions options() {
        return options(cache());
    }

    EngineOptions options(Path cacheDirectory) {
        return new EngineOptions(
                threads,
                spinning,
                cacheDirectory,
                Device.parse(device),
                false,
                precision,
                prefillChunk,
                halfKvCache,
                affinity,
                twoForms,
                null);
    }

    /** Opens the whole model through the same door as an application. */
    VisionLanguageModel model() throws IOException {
        return builder().build();
    }

    /** What {@link #model} builds. */
    VisionLanguageModel.Builder builder() throws IOException {
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder();
        if (model != null) {
            builder.folder(model);
        } else if (bundled) {
            Path folder = models().resolve("bundled");
            if (!Files.isDirectory(folder)) {
                DemoModel.copyTo(folder);
            }
            builder.encoder(Encoder.of(folder.resolve("encoder")))
                    .adapter(Adapter.langBridge(folder.resolve("adapter")))
                    .llm(Llm.of(folder.resolve("llm")));
        } else {
            builder.encoder(Encoder.of(encoder()))
                    .adapter(Adapter.langBridge(adapter()))
                    .llm(Llm.of(llm()));
        }
        builder.engine(EngineName.parse(engine))
                .device(Device.parse(device))
                .threads(threads)
                .spinning(spinning)
                .precision(precision)
                .prefillChunk(prefillChunk)
                .halfKvCache(halfKvCache)
                .contextLength(bundled ? BUNDLED_CONTEXT : prompt + gen + CONTEXT_MARGIN)
                .cacheDirectory(cache());
        if (twoForms != null) {
            builder.twoForms(twoForms);
        }
        if (!affinity.isEmpty()) {
            builder.affinity(affinity.stream().mapToInt(Integer::intValue).toArray());
        }
        return builder;
    }

    /** The bundled model. */
    VisionLanguageModel.Builder bundled(DemoModel demo) {
        return VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .engine(EngineName.parse(engine))
                .device(Device.parse(device))
                .threads(threads)
                .spinning(spinning)
                .precision(precision)
                .cacheDirectory(cache());
    }

    /**
     * A line of the report with all that the figure depends on.
     *
     * @param part what is measured: {@code encoder}, {@code adapter}, {@code llm} or {@code model}, which is all of it
     */
    Line line(String phase, String part) {
        String name = switch (part) {
            case "encoder" -> encoder;
            case "adapter" -> adapter;
            case "llm" -> bundled ? "bundled" : llm;
            default -> model != null ? model.toString() : bundled ? "bundled" : llm;
        };
        return new Line(phase)
                .put("engine", engine)
                .put("device", device)
                .put("model", String.valueOf(Path.of(name).getFileName()))
                .put("precision", precision.name().toLowerCase(Locale.ROOT))
                .put("two_forms", EngineOptions.inTwoForms(precision, twoForms))
                .put("threads", threads)
                .put("spinning", spinning)
                .put("half_kv_cache", halfKvCache)
                .put("affinity", affinity.toString());
    }

    /** The inputs that were asked for, or small random ones. */
    FloatTensor inputs(float deviation, int... shape) throws IOException {
        if (inputs == null) {
            return random(deviation, shape);
        }
        FloatTensor given = Npy.read(inputs);
        FloatTensor wanted = FloatTensor.allocate(shape);
        if (given.count() != wanted.count()) {
            throw new IllegalArgumentException(inputs + " holds " + given + ", but the inputs are " + wanted
                    + "; --inputs serves one of the sets encoder, adapter and decoder at a time");
        }
        return given.reshape(shape);
    }

    /** Random ones. */
    FloatTensor random(float deviation, int... shape) {
        FloatTensor tensor = FloatTensor.allocate(shape);
        Random random = new Random(7);
        FloatBuffer values = tensor.data();
        while (values.hasRemaining()) {
            values.put(deviation * (float) random.nextGaussian());
        }
        return tensor;
    }

    /** Saves a result if that was asked for, and adds its error to a line if there is a reference. */
    void compare(FloatTensor result, Line line) throws IOException {
        if (save != null) {
            Npy.write(save, result);
        }
        if (check != null) {
            FloatTensor reference = Npy.read(check);
            if (reference.count() != result.count()) {
                throw new IllegalArgumentException(
                        check + " holds " + reference + ", but the result has the shape " + result);
            }
            line.put("rel_err", relativeError(result.data(), reference.data()));
        }
    }

    private static double relativeError(FloatBuffer result, FloatBuffer reference) {
        double difference = 0;
        double norm = 0;
        while (reference.hasRemaining()) {
            double expected = reference.get();
            double error = result.get() - expected;
            difference += error * error;
            norm += expected * expected;
        }
        return Math.sqrt(difference / norm);
    }
}

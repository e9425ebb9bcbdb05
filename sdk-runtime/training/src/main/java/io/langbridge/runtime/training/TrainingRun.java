package io.langbridge.runtime.training;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.Llm;
import io.langbridge.PromptException;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import io.langbridge.runtime.pytorch.PyTorchEngine;
import io.langbridge.runtime.pytorch.PyTorchTraining;
import io.langbridge.runtime.pytorch.PyTorchTraining.Batch;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import io.langbridge.runtime.pytorch.PyTorchTraining.Networks;
import io.langbridge.runtime.pytorch.PyTorchTraining.Parameter;
import io.langbridge.runtime.pytorch.PyTorchTraining.Part;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run of a {@link Training}: opens everything, updates, saves, and writes the result. Not thread-safe. */
final class TrainingRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);
    private static final long LOG_EVERY = Duration.ofSeconds(10).toNanos();
    private static final Duration EXIT_WAITS = Duration.ofMinutes(2);
    private static final int NAMED_BAD_RECORDS = 100;
    private static final int CHUNK = 1 << 20;

    private final Training wanted;
    private final Settings settings;
    private final Closing closing = new Closing();
    private final Parts parts;
    private final PyTorchTraining training;
    private final Batches batches;
    private final ExampleSource source;
    private final RecordQueue records;
    private final Schedule schedule;
    private final Checkpoint checkpoint;
    private final Curves curves = new Curves();
    private final List<String> badRecords = new ArrayList<>();
    private int badRecordCount;
    private int step;
    /** Records up to the last one that was learnt from or left out, and passes through the data. */
    private long drawn;

    private double epoch;
    /** Of this run: time that updates took, positions and records that went through. */
    private long updating;

    private long tokens;
    private long examples;
    private long lastLog;

    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean stopping;
    private final Thread atExit = new Thread(this::stop, "langbridge-training-exit");

    TrainingRun(Training wanted) {
        this.wanted = wanted;
        settings = wanted.settings;
        boolean complete = false;
        try {
            Files.createDirectories(wanted.output);
            checkpoint = new Checkpoint(wanted.output.resolve("checkpoints"), settings.kept());
            source = new ExampleSource(
                    wanted.data, settings.seed(), settings.steps() == null ? settings.epochs() : null);
            parts = closing.add(Parts.open(wanted));
            schedule = Schedule.of(steps(), settings.warmupRatio());
            EngineOptions options = options();
            VisionPart encoder = parts.vision();
            boolean trainEncoder = settings.encoderLearningRate() != null;
            Running vision = trainEncoder || encoder == null
                    ? null
                    : closing.add(new PyTorchEngine().open(encoder.network(), encoder.weights(), Map.of(), options));
            batches =
                    new Batches(preprocessor(encoder), reader(parts.llm(), parts.tokenizer()), parts.patches(), vision);
            records = closing.add(new RecordQueue(source, batches, settings.microBatchSize()));
            Networks networks = networks(trainEncoder ? encoder : null, parts.llm());
            training = closing.add(new PyTorchTraining(
                    networks, settings.weightDecay(), settings.optimizer() == Optimizer.MUON, options));
            complete = true;
        } catch (IOException e) {
            throw Output.failed(wanted.output, e);
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private int steps() {
        return settings.steps() != null
                ? settings.steps()
                : (int) Math.max(1, (source.most() + settings.batchSize() - 1) / settings.batchSize());
    }

    private EngineOptions options() {
        Device device = settings.device();
        if (device.kind() == Device.Kind.AUTO) {
            device = Device.cuda(0);
            try {
                new PyTorchEngine().require(device, false);
            } catch (RuntimeUnavailableException e) {
                LOG.info("Training on the CPU: {}", e.getMessage());
                device = Device.CPU;
            }
        }
        return new EngineOptions(settings.threads(), false, wanted.output.toAbsolutePath(), device);
    }

    private @Nullable ImagePreprocessor preprocessor(@Nullable VisionPart encoder) {
        return encoder == null ? null : new ImagePreprocessor(encoder.pictures(parts.tiling()));
    }

    private Batches.Reader reader(@Nullable LlmPart llm, @Nullable Tokenizer tokenizer) {
        if (llm == null || tokenizer == null) {
            return new PatchLabels(wanted.labels, parts.patches());
        }
        ChatTemplate template = llm.chatTemplate(wanted.llm == null ? null : wanted.llm.chatTemplate());
        if (template == null && settings.conversations()) {
            throw new UnsupportedModelException("The language model in " + llm.folder()
                    + " has no chat template, so nothing says how a question is put to it; add"
                    + " chat_template.jinja, or use the instruction-tuned version of the model");
        }
        SequenceEncoder sequences = new SequenceEncoder(
                tokenizer,
                template == null
                        ? null
                        : new PromptAssembler(
                                tokenizer,
                                template,
                                new ImagePrompt.Splice(),
                                llm.generation().eosTokenIds()),
                llm.folder().toString(),
                Math.min(settings.maxLength(), llm.config().maxPositionEmbeddings()));
        return (example, layouts, tiles) -> new Batches.Prepared(
                settings.conversations()
                        ? sequences.conversation(example, layouts)
                        : sequences.caption(example, layouts),
                new int[0],
                new int[0],
                tiles);
    }

    private Networks networks(@Nullable VisionPart trainedEncoder, @Nullable LlmPart llm) {
        return new Networks(
                parts.adapterConfig(),
                parts.vocabulary() == null ? null : parts.vocabulary().ids(),
                parts.hasNewline(),
                settings.trainAdapter(),
                llm == null ? null : llm.config(),
                llm == null ? null : llm.weights(),
                settings.stage().trainsLlm(),
                trainedEncoder == null ? null : trainedEncoder.config(),
                trainedEncoder == null ? null : trainedEncoder.weights());
    }

    /** PyTorch crashes if the process ends while it computes, so the end waits for the current update. */
    private void stop() {
        stopping = true;
        try {
            if (!closed.await(EXIT_WAITS.toSeconds(), TimeUnit.SECONDS)) {
                LOG.warn("The current update is still not over; the process ends without it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    TrainingResult run() {
        Runtime.getRuntime().addShutdownHook(atExit);
        Checkpoint.State state = checkpoint.restore(deciding(), schedule.steps(), training);
        if (state == null) {
            initialise();
        } else {
            step = state.step();
            source.skip(state.drawn());
            drawn = state.drawn();
            badRecordCount = state.badRecords();
            badRecords.addAll(state.firstBadRecords());
            state.curve().forEach(curves::add);
            LOG.info("Going on after update {} of {} in {}", step, schedule.steps(), wanted.output);
        }
        long start = System.nanoTime();
        int first = step;
        boolean exhausted = false;
        while (step < schedule.steps() && !exhausted) {
            exhausted = !update(first, start);
            if (stopping && !exhausted && step < schedule.steps()) {
                save();
                throw new TrainingException("The training was stopped after update " + step + " of " + schedule.steps()
                        + " because the process ends; run it again to go on from there");
            }
        }
        if (curves.points().isEmpty()) {
            throw new TrainingDataException("None of the " + drawn
                    + " records could be used; the first problems: "
                    + String.join("; ", badRecords.subList(0, Math.min(3, badRecords.size()))));
        }
        if (exhausted || step > first) {
            save();
        }
        return result();
    }

    private Map<String, String> deciding() {
        Map<String, String> deciding = new LinkedHashMap<>(settings.deciding());
        deciding.put("adapter", String.valueOf(parts.adapterConfig()));
        if (parts.llm() != null) {
            deciding.put(
                    "llm", parts.llm().config().modelType() + " " + parts.llm().elements());
        }
        if (parts.vision() != null) {
            deciding.put(
                    "encoder",
                    parts.vision().config().kind() + " " + parts.vision().elements());
        }
        return deciding;
    }

    /** The given adapter, or random weights. */
    private void initialise() {
        SplittableRandom random = new SplittableRandom(settings.seed());
        for (Parameter parameter : training.parameters()) {
            if (parameter.part() != Part.ADAPTER) {
                continue;
            }
            boolean newline = parameter.name().equals("image_newline");
            if (parts.adapter() == null) {
                uniform(parameter, random);
            } else if (!newline) {
                Checkpoint.load(
                        parts.adapter().weights().get(parameter.name(), parameter.shape()),
                        Kind.PARAMETER,
                        parameter,
                        training);
            } else {
                newline(parameter, random);
            }
        }
    }

    /** One that fits goes on; it does not move between language models, so another begins anew. */
    private void newline(Parameter parameter, SplittableRandom random) {
        var stored = parts.adapter() == null ? null : parts.adapter().imageNewline();
        if (stored != null && stored.elements() == parameter.elements()) {
            Checkpoint.load(stored, Kind.PARAMETER, parameter, training);
        } else {
            uniform(parameter, random);
        }
    }

    /** As PyTorch's linear layers begin, weights and biases alike. */
    private void uniform(Parameter parameter, SplittableRandom random) {
        double bound = 1 / Math.sqrt((double) inputs(parameter));
        for (long first = 0; first < parameter.elements(); first += CHUNK) {
            FloatTensor values = FloatTensor.allocate((int) Math.min(CHUNK, parameter.elements() - first));
            FloatBuffer data = values.data();
            while (data.hasRemaining()) {
                data.put((float) ((2 * random.nextDouble() - 1) * bound));
            }
            training.write(Kind.PARAMETER, parameter, first, values);
        }
    }

    private long inputs(Parameter parameter) {
        if (parameter.shape().length == 2) {
            return parameter.shape()[1];
        }
        String weight = parameter.name().replace("bias", "weight");
        return training.parameters().stream()
                .filter(other -> other.part() == Part.ADAPTER && other.name().equals(weight))
                .mapToLong(other -> other.shape()[other.shape().length - 1])
                .findFirst()
                .orElse(parameter.elements());
    }

    /** False if there is no record left. */
    private boolean update(int first, long start) {
        long began = System.nanoTime();
        double loss = 0;
        long answers = 0;
        int count = 0;
        List<Batches.Prepared> micro = new ArrayList<>();
        while (count < settings.batchSize()) {
            Batches.Prepared prepared = nextGood();
            if (prepared == null) {
                break;
            }
            micro.add(prepared);
            count++;
            if (micro.size() == settings.microBatchSize()) {
                answers += answers(micro);
                loss += accumulate(micro);
            }
        }
        if (!micro.isEmpty()) {
            answers += answers(micro);
            loss += accumulate(micro);
        }
        if (count == 0) {
            return false;
        }
        // Gradients are those of the sum; the mean is taken here, when it is known over how many.
        double norm = training.gradientNorm() / answers;
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TrainingException("In update " + (step + 1) + " of " + schedule.steps() + " the loss is "
                    + loss / answers + " and the gradient's norm " + norm + "; checkpoints before it are kept in "
                    + wanted.output + ". Lower the learning rate (" + settings.learningRate()
                    + ") or look at the data");
        }
        double clipped = Math.min(1, settings.maxGradientNorm() / (norm + 1e-6));
        double factor = schedule.factor(step);
        Map<Part, Double> rates = new EnumMap<>(Part.class);
        rates.put(Part.ADAPTER, factor * settings.learningRate());
        rates.put(Part.LLM, factor * settings.llmLearningRate());
        rates.put(Part.ENCODER, settings.encoderLearningRate() == null ? 0 : factor * settings.encoderLearningRate());
        training.update(rates, clipped / answers);
        step++;
        if (settings.averagedUpdates() != null) {
            training.average(1.0 / Math.min(step, settings.averagedUpdates()));
        }
        updating += System.nanoTime() - began;
        examples += count;

        boolean last = step == schedule.steps();
        Double evaluation = null;
        if (wanted.evaluationData != null && (last || step % settings.evaluateEvery() == 0)) {
            evaluation = evaluate(wanted.evaluationData);
        }
        curves.add(new Curves.Point(step, epoch, loss / answers, evaluation, factor * settings.learningRate(), norm));
        if (!last && step % settings.saveEvery() == 0) {
            save();
        }
        report(first, start, curves.points().get(curves.points().size() - 1));
        return true;
    }

    private static int answers(List<Batches.Prepared> records) {
        return records.stream().mapToInt(Batches.Prepared::answers).sum();
    }

    private double accumulate(List<Batches.Prepared> micro) {
        Batch batch = batches.of(micro);
        micro.clear();
        tokens += batch.ids().length;
        return training.accumulate(batch, 1);
    }

    /** Null if there is none left, or only bad ones. */
    private Batches.@Nullable Prepared nextGood() {
        while (true) {
            RecordQueue.Drawn next = records.next();
            if (next == null) {
                return null;
            }
            drawn = next.number();
            epoch = next.epoch();
            if (next.problem() == null) {
                return next.prepared();
            }
            bad(next.problem(), "record " + drawn + " drawn");
        }
    }

    private void bad(LangBridgeException problem, String which) {
        String text =
                problem instanceof TrainingDataException ? problem.getMessage() : which + ": " + problem.getMessage();
        LOG.warn("Left out: {}", text);
        badRecordCount++;
        if (badRecords.size() < NAMED_BAD_RECORDS) {
            badRecords.add(text);
        }
        if (badRecordCount > settings.maxBadRecords()) {
            throw new TrainingDataException(
                    badRecordCount + " of " + drawn + " records are bad, more than maxBadRecords "
                            + settings.maxBadRecords() + "; the last one: " + text,
                    problem);
        }
    }

    private double evaluate(Iterable<TrainingExample> data) {
        double loss = 0;
        long answers = 0;
        List<Batches.Prepared> micro = new ArrayList<>();
        Iterator<TrainingExample> iterator = data.iterator();
        while (iterator.hasNext()) {
            try {
                micro.add(batches.prepare(iterator.next()));
            } catch (TrainingDataException | ImageException | PromptException e) {
                LOG.warn("Left out of the evaluation: {}", e.getMessage());
            }
            if (micro.size() == settings.microBatchSize() || !iterator.hasNext() && !micro.isEmpty()) {
                answers += answers(micro);
                loss += training.evaluate(batches.of(micro));
                micro.clear();
            }
        }
        if (answers == 0) {
            throw new TrainingDataException("The evaluation data has no record that can be used");
        }
        return loss / answers;
    }

    private void report(int first, long start, Curves.Point point) {
        long now = System.nanoTime();
        long elapsed = now - start;
        long remaining = elapsed / (step - first) * (schedule.steps() - step);
        TrainingProgress progress = new TrainingProgress(
                step,
                schedule.steps(),
                point.epoch(),
                point.loss(),
                point.evaluation(),
                point.learningRate(),
                point.gradientNorm(),
                tokens,
                examples / (updating / 1e9),
                Duration.ofNanos(elapsed),
                Duration.ofNanos(remaining),
                badRecordCount);
        if (wanted.listener != null) {
            wanted.listener.onStep(progress);
        } else if (now - lastLog >= LOG_EVERY || lastLog == 0 || step == schedule.steps()) {
            lastLog = now;
            LOG.info(
                    "Update {} of {}, loss {}{}, {} records/s, {} left",
                    step,
                    schedule.steps(),
                    String.format(Locale.ROOT, "%.4f", progress.loss()),
                    point.evaluation() == null
                            ? ""
                            : String.format(Locale.ROOT, " (evaluation %.4f)", point.evaluation()),
                    String.format(Locale.ROOT, "%.2f", progress.examplesPerSecond()),
                    Duration.ofSeconds(progress.remaining().toSeconds()));
        }
    }

    private void save() {
        checkpoint.save(
                new Checkpoint.State(
                        deciding(), schedule.steps(), step, drawn, badRecordCount, badRecords, curves.points()),
                training,
                settings.keptCheckpoints());
        curves.write(wanted.output);
    }

    private TrainingResult result() {
        Results results = new Results(parts, training, settings.result());
        Encoder encoder = wanted.encoder;
        Llm llm = wanted.llm;
        Adapter adapter = null;
        try {
            if (parts.llm() != null && parts.adapterConfig() != null) {
                Path folder = wanted.output.resolve("adapter");
                results.adapter(
                        folder, parts.adapterConfig(), parts.llm().config().hiddenSize());
                adapter = adapter(folder, parts.adapterConfig());
            }
            if (parts.llm() != null && settings.stage().trainsLlm()) {
                results.llm(wanted.output.resolve("llm"), parts.llm());
                llm = Llm.of(wanted.output.resolve("llm"));
            }
            if (parts.vision() != null && settings.encoderLearningRate() != null) {
                results.encoder(wanted.output.resolve("encoder"), parts.vision());
                encoder = Encoder.of(wanted.output.resolve("encoder"));
            }
        } catch (IOException e) {
            throw Output.failed(wanted.output, e);
        }
        return new TrainingResult(
                encoder,
                adapter,
                llm,
                wanted.output.resolve(Curves.CSV),
                step,
                curves.lastLoss(),
                List.copyOf(badRecords),
                badRecordCount);
    }

    private static Adapter adapter(Path folder, AdapterConfig config) {
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            return Adapter.projector(folder);
        }
        return langBridge.softmax() ? Adapter.langBridge(folder).softmax() : Adapter.langBridge(folder);
    }

    @Override
    public void close() {
        try {
            Closing.all(closing.opened());
        } finally {
            closed.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(atExit);
            } catch (IllegalStateException e) {
                LOG.debug("The process is ending", e);
            }
        }
    }
}

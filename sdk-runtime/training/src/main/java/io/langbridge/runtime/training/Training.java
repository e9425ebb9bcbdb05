package io.langbridge.runtime.training;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.runtime.training.Settings.Stage;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Trains an adapter, and with it the language model, as LLaVA and LangBridge were trained.
 *
 * <pre>{@code
 * TrainingResult aligned = Training.pretraining()                        // stage 1: the adapter, on captions
 *         .encoder(Encoder.of(Path.of("clip-vit-large-patch14-336")))
 *         .llm(Llm.of(Path.of("Qwen2-0.5B-Instruct")))
 *         .newAdapter(NewAdapter.langBridge(Path.of("vocabulary.json")))
 *         .data(LlavaDataset.of(Path.of("blip_laion_cc_sbu_558k.json"), Path.of("images")))
 *         .output(Path.of("stage1"))
 *         .build()
 *         .run();
 * TrainingResult tuned = Training.instructionTuning()                    // stage 2: adapter and language model
 *         .encoder(aligned.encoder())
 *         .llm(aligned.llm())
 *         .adapter(aligned.adapter())
 *         .data(LlavaDataset.of(Path.of("llava_v1_5_mix665k.json"), Path.of("images")))
 *         .output(Path.of("stage2"))
 *         .build()
 *         .run();
 * }</pre>
 *
 * <p>Stage 1 shows the picture alone and learns its caption; encoder and language model stay as they are. Stage 2 shows
 * conversations in the language model's chat template and learns the answers. In both, the loss is the mean over the
 * learnt tokens of a batch. Sequences are packed one after the other without padding. {@link Optimizer#ADAMW} unless
 * told otherwise; what is trained is kept in float32, networks that are not trained compute as in use: float32 on the
 * CPU, bfloat16 on CUDA. Needs PyTorch's natives, see {@code langbridge-pytorch}. LangBridge's vocabulary matrix is
 * made of the language model's own embeddings and is tuned with them, where the authors' code keeps the one from
 * before.
 *
 * <p>The output folder gets {@code adapter}, {@code llm} and {@code encoder} (those that were trained, in the layouts
 * they are read from), {@code curves.csv}, {@code curves.png} and {@code checkpoints}. If there are checkpoints, the
 * training goes on from the newest: on the CPU, with the same data, settings and threads, to the same numbers, bit for
 * bit. Immutable; {@link #run} may be called again.
 *
 * @since 0.1
 */
public final class Training {
    final @Nullable Encoder encoder;
    final @Nullable Llm llm;
    final @Nullable Adapter adapter;
    final @Nullable NewAdapter newAdapter;
    final List<String> labels;
    final Iterable<TrainingExample> data;
    final @Nullable Iterable<TrainingExample> evaluationData;
    final Path output;
    final Settings settings;
    final @Nullable TrainingListener listener;

    private Training(Builder builder) {
        Stage stage = builder.stage;
        encoder = part(builder.encoder, "an encoder", "encoder", stage, stage.hasEncoder());
        llm = part(builder.llm, "a language model", "llm", stage, stage.hasLlm());
        data = required(builder.data, "data: data(..)");
        output = required(builder.output, "an output folder: output(..)");
        adapter = builder.adapter;
        newAdapter = builder.newAdapter;
        labels = builder.labels;
        if (stage.hasAdapter() == ((adapter == null) == (newAdapter == null))) {
            throw new IllegalStateException(
                    stage.hasAdapter()
                            ? "A training needs either adapter(..), to go on with one, or newAdapter(..), not "
                                    + (adapter == null ? "none" : "both")
                            : "Training on " + stage + " has no adapter; leave out adapter(..) and newAdapter(..)");
        }
        if (labels.isEmpty() == (stage == Stage.PATCHES)) {
            throw new IllegalStateException("labels(..) are what an encoder learns to tell, in"
                    + " Training.encoderPretraining() and nowhere else");
        }
        if (builder.conversations && stage == Stage.PATCHES) {
            throw new IllegalStateException(
                    "conversations() need a language model; leave it out in Training.encoderPretraining()");
        }
        if (!builder.trainAdapter && stage != Stage.INSTRUCTION_TUNING) {
            throw new IllegalStateException("freezeAdapter() belongs to Training.instructionTuning()");
        }
        evaluationData = builder.evaluationData;
        listener = builder.listener;
        if (stage != Stage.INSTRUCTION_TUNING
                && (builder.llmLearningRate != null || builder.encoderLearningRate != null)) {
            throw new IllegalStateException("llmLearningRate and encoderLearningRate belong to"
                    + " Training.instructionTuning(); elsewhere learningRate is that of all that is trained");
        }
        if (builder.microBatchSize > builder.batchSize) {
            throw new IllegalStateException("microBatchSize " + builder.microBatchSize + " is more than batchSize "
                    + builder.batchSize + "; a batch is made of micro-batches");
        }
        settings = new Settings(
                stage,
                builder.trainAdapter,
                builder.conversations || stage.trainsLlm(),
                builder.learningRate,
                builder.llmLearningRate == null ? builder.learningRate : builder.llmLearningRate,
                stage == Stage.PATCHES ? Double.valueOf(builder.learningRate) : builder.encoderLearningRate,
                builder.warmupRatio,
                builder.optimizer,
                builder.weightDecay,
                builder.maxGradientNorm,
                builder.averagedUpdates,
                builder.batchSize,
                builder.microBatchSize,
                builder.epochs,
                builder.steps,
                builder.maxLength,
                builder.seed,
                builder.evaluateEvery,
                builder.saveEvery,
                builder.keptCheckpoints,
                builder.maxBadRecords,
                builder.threads,
                builder.device);
    }

    private static <T> @Nullable T part(@Nullable T value, String what, String setter, Stage stage, boolean hasOne) {
        if (hasOne) {
            return required(value, what + ": " + setter + "(..)");
        }
        if (value != null) {
            throw new IllegalStateException(
                    "Training on " + stage + " has no " + setter + "; leave out " + setter + "(..)");
        }
        return null;
    }

    private static <T> T required(@Nullable T value, String what) {
        if (value == null) {
            throw new IllegalStateException("A training needs " + what);
        }
        return value;
    }

    /**
     * Stage 1: trains the adapter on pictures and captions. Published settings: batches of 256, learning rate 2e-5.
     *
     * @return a builder with these defaults
     */
    public static Builder pretraining() {
        return new Builder(Stage.PRETRAINING, 256);
    }

    /**
     * Stage 2: trains adapter and language model on conversations. Published settings: batches of 128, learning rate
     * 2e-5.
     *
     * @return a builder with these defaults
     */
    public static Builder instructionTuning() {
        return new Builder(Stage.INSTRUCTION_TUNING, 128);
    }

    /**
     * Trains a language model alone, on conversations without pictures; there is no encoder and no adapter. For one
     * that is to learn the words of a small world first.
     *
     * @return a builder with the defaults of {@link #instructionTuning}
     */
    public static Builder textPretraining() {
        return new Builder(Stage.TEXT, 128);
    }

    /**
     * Trains an encoder alone to tell what lies on each patch; there is no language model and no adapter. A record is
     * one picture and, as its caption, {@link Builder#labels labels}: one line for each patch, row by row from the top
     * left, with the patch's labels between blanks, or none. All labels of a patch are learnt alike, each as one answer
     * of a softmax over all labels, whose layer is forgotten afterwards.
     *
     * @return a builder with the defaults of {@link #pretraining}
     */
    public static Builder encoderPretraining() {
        return new Builder(Stage.PATCHES, 256);
    }

    /**
     * Trains, or goes on from the newest checkpoint, and writes the result.
     *
     * @return what came out
     * @throws TrainingDataException if there are no records, or more bad ones than allowed
     * @throws TrainingException if the loss is no longer a finite number, the output folder cannot be written to, its
     *     checkpoints belong to other settings, or the process ends
     * @throws io.langbridge.CheckpointException if a file is missing or damaged, or the parts do not fit each other
     * @throws io.langbridge.UnsupportedModelException if a part is of a kind that is not supported
     * @throws io.langbridge.InsufficientMemoryException if memory runs out
     * @throws io.langbridge.RuntimeUnavailableException if PyTorch's natives or the device are missing
     */
    public TrainingResult run() {
        try (TrainingRun run = new TrainingRun(this)) {
            return run.run();
        }
    }

    /**
     * Collects parts and settings; each setter checks its value at once. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final Stage stage;
        private boolean trainAdapter = true;
        private boolean conversations;
        private List<String> labels = List.of();
        private @Nullable Encoder encoder;
        private @Nullable Llm llm;
        private @Nullable Adapter adapter;
        private @Nullable NewAdapter newAdapter;
        private @Nullable Iterable<TrainingExample> data;
        private @Nullable Iterable<TrainingExample> evaluationData;
        private @Nullable Path output;
        private double learningRate = 2e-5;
        private @Nullable Double llmLearningRate;
        private @Nullable Double encoderLearningRate;
        private double warmupRatio = 0.03;
        private Optimizer optimizer = Optimizer.ADAMW;
        private double weightDecay;
        private double maxGradientNorm = 1;
        private @Nullable Integer averagedUpdates;
        private int batchSize;
        private int microBatchSize = 8;
        private double epochs = 1;
        private @Nullable Integer steps;
        private int maxLength = 2048;
        private long seed = 42;
        private int evaluateEvery = 500;
        private int saveEvery = 500;
        private int keptCheckpoints = 2;
        private int maxBadRecords = 100;
        private int threads = Math.min(8, Runtime.getRuntime().availableProcessors());
        private Device device = Device.AUTO;
        private @Nullable TrainingListener listener;

        private Builder(Stage stage, int batchSize) {
            this.stage = stage;
            this.batchSize = batchSize;
        }

        /**
         * The encoder; which layer and which form of the picture are taken from it, or else from the adapter, or else
         * are LLaVA's: layer -2, padded to a square.
         *
         * @param encoder CLIP or SigLIP
         * @return this builder
         */
        public Builder encoder(Encoder encoder) {
            this.encoder = Objects.requireNonNull(encoder, "encoder");
            return this;
        }

        /**
         * The language model.
         *
         * @param llm any that the runtime loads
         * @return this builder
         */
        public Builder llm(Llm llm) {
            this.llm = Objects.requireNonNull(llm, "llm");
            return this;
        }

        /**
         * An adapter to go on with; a LangBridge adapter may come from another language model.
         *
         * @param adapter any that the runtime loads
         * @return this builder
         */
        public Builder adapter(Adapter adapter) {
            this.adapter = Objects.requireNonNull(adapter, "adapter");
            return this;
        }

        /**
         * A new adapter to begin with.
         *
         * @param newAdapter its kind and size
         * @return this builder
         */
        public Builder newAdapter(NewAdapter newAdapter) {
            this.newAdapter = Objects.requireNonNull(newAdapter, "newAdapter");
            return this;
        }

        /**
         * Leaves the adapter as it is and tunes the language model to it, so that several language models can share one
         * adapter. In instruction tuning.
         *
         * @return this builder
         */
        public Builder freezeAdapter() {
            this.trainAdapter = false;
            return this;
        }

        /**
         * Learns the answers of whole conversations in the chat template in pretraining too, for a language model that
         * has seen nothing else. Default there is LLaVA's plain form, the picture and its caption.
         *
         * @return this builder
         */
        public Builder conversations() {
            this.conversations = true;
            return this;
        }

        /**
         * What an encoder learns to tell, in {@link Training#encoderPretraining}.
         *
         * @param labels words without blanks, all different
         * @return this builder
         */
        public Builder labels(List<String> labels) {
            check(
                    labels.stream().noneMatch(label -> label.isEmpty() || label.matches(".*\\s.*"))
                            && new HashSet<>(labels).size() == labels.size(),
                    "labels must be words without blanks, all different, not " + labels);
            this.labels = List.copyOf(labels);
            return this;
        }

        /**
         * What to learn from. A {@link java.util.List} with random access, as {@link LlavaDataset} is, is shuffled anew
         * for every pass; anything else comes in its own order, must give all records again each time it is asked for
         * an iterator, and is gone through once to count it unless {@link #steps} is set. {@code next()} may throw
         * {@link TrainingDataException} for a bad record and go on with the next one. Records are read on a thread of
         * the training, some ahead of those that are learnt from.
         *
         * @param data the records
         * @return this builder
         */
        public Builder data(Iterable<TrainingExample> data) {
            this.data = Objects.requireNonNull(data, "data");
            return this;
        }

        /**
         * Records that are not learnt from, to see how well others are predicted; all of them every
         * {@link #evaluateEvery} updates and at the end.
         *
         * @param evaluationData not too many
         * @return this builder
         */
        public Builder evaluationData(Iterable<TrainingExample> evaluationData) {
            this.evaluationData = Objects.requireNonNull(evaluationData, "evaluationData");
            return this;
        }

        /**
         * Where results, curves and checkpoints go.
         *
         * @param output made if it does not exist
         * @return this builder
         */
        public Builder output(Path output) {
            this.output = Objects.requireNonNull(output, "output");
            return this;
        }

        /**
         * Highest learning rate, of the adapter and, unless {@link #llmLearningRate} is set, of the language model.
         *
         * @param learningRate more than 0; default 2e-5
         * @return this builder
         */
        public Builder learningRate(double learningRate) {
            this.learningRate = rate("learningRate", learningRate);
            return this;
        }

        /**
         * Highest learning rate of the language model, in instruction tuning.
         *
         * @param llmLearningRate more than 0; default is {@link #learningRate}
         * @return this builder
         */
        public Builder llmLearningRate(double llmLearningRate) {
            this.llmLearningRate = rate("llmLearningRate", llmLearningRate);
            return this;
        }

        /**
         * Trains the encoder too, in instruction tuning, with this highest learning rate; LLaVA-NeXT takes 2e-6.
         * Default is an encoder that stays as it is.
         *
         * @param encoderLearningRate more than 0
         * @return this builder
         */
        public Builder encoderLearningRate(double encoderLearningRate) {
            this.encoderLearningRate = rate("encoderLearningRate", encoderLearningRate);
            return this;
        }

        private static double rate(String name, double value) {
            check(value > 0 && value < 1, name + " must be more than 0 and less than 1, not " + value);
            return value;
        }

        /**
         * Part of the updates during which the learning rate rises; then it falls along half a cosine to zero.
         *
         * @param warmupRatio 0 to 1; default 0.03
         * @return this builder
         */
        public Builder warmupRatio(double warmupRatio) {
            check(warmupRatio >= 0 && warmupRatio <= 1, "warmupRatio must be 0 to 1, not " + warmupRatio);
            this.warmupRatio = warmupRatio;
            return this;
        }

        /**
         * How updates are made of gradients.
         *
         * @param optimizer default AdamW, which is the published one
         * @return this builder
         */
        public Builder optimizer(Optimizer optimizer) {
            this.optimizer = Objects.requireNonNull(optimizer, "optimizer");
            return this;
        }

        /**
         * Weight decay, decoupled from the gradient, on matrices.
         *
         * @param weightDecay at least 0; default 0
         * @return this builder
         */
        public Builder weightDecay(double weightDecay) {
            check(weightDecay >= 0 && weightDecay < 1, "weightDecay must be 0 or more, below 1, not " + weightDecay);
            this.weightDecay = weightDecay;
            return this;
        }

        /**
         * Clips the gradient to this L2 norm.
         *
         * @param maxGradientNorm more than 0, infinity for no clipping; default 1
         * @return this builder
         */
        public Builder maxGradientNorm(double maxGradientNorm) {
            check(maxGradientNorm > 0, "maxGradientNorm must be more than 0, not " + maxGradientNorm);
            this.maxGradientNorm = maxGradientNorm;
            return this;
        }

        /**
         * Makes the result a running mean of the weights instead of the last ones, which errs less where updates are
         * small and noisy: of all so far in the first {@code updates}, from then on an exponential one, in which each
         * new one counts {@code 1 / updates}. The training itself goes on with the weights as they are, and these are
         * what curves and evaluations show. Takes 4 bytes per trained weight.
         *
         * @param updates at least 1, a part of all; default is no averaging
         * @return this builder
         */
        public Builder averageWeights(int updates) {
            this.averagedUpdates = atLeastOne("averageWeights", updates);
            return this;
        }

        /**
         * Records per update.
         *
         * @param batchSize at least 1; default 256 for pretraining, 128 for instruction tuning
         * @return this builder
         */
        public Builder batchSize(int batchSize) {
            this.batchSize = atLeastOne("batchSize", batchSize);
            return this;
        }

        /**
         * Records in memory at a time; gradients add up to the batch's. Changes speed and memory, and the result by no
         * more than rounding.
         *
         * @param microBatchSize at least 1, at most {@link #batchSize}; default 8
         * @return this builder
         */
        public Builder microBatchSize(int microBatchSize) {
            this.microBatchSize = atLeastOne("microBatchSize", microBatchSize);
            return this;
        }

        /**
         * Passes through the data.
         *
         * @param epochs more than 0; default 1
         * @return this builder
         */
        public Builder epochs(double epochs) {
            check(epochs > 0 && epochs < 1e6, "epochs must be more than 0 and below a million, not " + epochs);
            this.epochs = epochs;
            return this;
        }

        /**
         * Updates in all, however many passes that takes; {@link #epochs} has no effect then.
         *
         * @param steps at least 1
         * @return this builder
         */
        public Builder steps(int steps) {
            this.steps = atLeastOne("steps", steps);
            return this;
        }

        /**
         * Where a record is cut off, in positions, visual tokens among them.
         *
         * @param maxLength at least 2; default 2048, and not more than the language model takes
         * @return this builder
         */
        public Builder maxLength(int maxLength) {
            check(maxLength >= 2, "maxLength must be at least 2, not " + maxLength);
            this.maxLength = maxLength;
            return this;
        }

        /**
         * Decides a new adapter's weights and the order of the records.
         *
         * @param seed any number; default 42
         * @return this builder
         */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * How often to evaluate, if there is {@link #evaluationData}.
         *
         * @param updates at least 1; default 500
         * @return this builder
         */
        public Builder evaluateEvery(int updates) {
            this.evaluateEvery = atLeastOne("evaluateEvery", updates);
            return this;
        }

        /**
         * How often to write a checkpoint; one is written at the end too. A checkpoint takes 12 bytes per trained
         * weight, 16 with {@link #averageWeights}.
         *
         * @param updates at least 1; default 500
         * @return this builder
         */
        public Builder saveEvery(int updates) {
            this.saveEvery = atLeastOne("saveEvery", updates);
            return this;
        }

        /**
         * How many checkpoints to keep, the newest ones.
         *
         * @param checkpoints at least 1; default 2
         * @return this builder
         */
        public Builder keepCheckpoints(int checkpoints) {
            this.keptCheckpoints = atLeastOne("keepCheckpoints", checkpoints);
            return this;
        }

        /**
         * How many bad records to leave out before it is an error. Each is named in the log, the first hundred in the
         * result.
         *
         * @param records at least 0; default 100
         * @return this builder
         */
        public Builder maxBadRecords(int records) {
            check(records >= 0, "maxBadRecords must be at least 0, not " + records);
            this.maxBadRecords = records;
            return this;
        }

        /**
         * Computing threads.
         *
         * @param threads at least 1; default is the number of processors, at most 8
         * @return this builder
         */
        public Builder threads(int threads) {
            this.threads = atLeastOne("threads", threads);
            return this;
        }

        /**
         * Where to compute.
         *
         * @param device default is {@link Device#AUTO}: the first CUDA device if there is one, the CPU otherwise
         * @return this builder
         */
        public Builder device(Device device) {
            this.device = Objects.requireNonNull(device, "device");
            return this;
        }

        /**
         * Hears of every update; without one, the log does, every ten seconds.
         *
         * @param listener the listener
         * @return this builder
         */
        public Builder listener(TrainingListener listener) {
            this.listener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Checks that everything is there; reads nothing yet.
         *
         * @return the training, to be {@link Training#run}
         * @throws IllegalStateException if a part is missing or settings contradict each other
         */
        public Training build() {
            return new Training(this);
        }

        private static int atLeastOne(String name, int value) {
            check(value >= 1, name + " must be at least 1, not " + value);
            return value;
        }

        private static void check(boolean holds, String message) {
            if (!holds) {
                throw new IllegalArgumentException(message);
            }
        }
    }
}

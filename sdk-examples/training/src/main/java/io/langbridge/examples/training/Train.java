package io.langbridge.examples.training;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.LangBridgeException;
import io.langbridge.Llm;
import io.langbridge.runtime.training.LlavaDataset;
import io.langbridge.runtime.training.NewAdapter;
import io.langbridge.runtime.training.Training;
import io.langbridge.runtime.training.TrainingResult;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/**
 * Trains an adapter on pictures and captions in LLaVA's JSON, or with {@code --tune} adapter and language model on
 * conversations. Stopped and started again, it goes on from its last checkpoint.
 */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Trains an adapter between a vision encoder and a language model.")
public final class Train implements Callable<Integer> {
    @Option(names = "--encoder", required = true, description = "Folder of CLIP or SigLIP.")
    private Path encoder;

    @Option(names = "--llm", required = true, description = "Folder of the language model.")
    private Path llm;

    @ArgGroup(multiplicity = "1")
    private Start start;

    @Option(names = "--data", required = true, description = "LLaVA's JSON.")
    private Path data;

    @Option(names = "--images", required = true, description = "Folder that the paths in it start from.")
    private Path images;

    @Option(names = "--output", required = true, description = "Folder for results, curves and checkpoints.")
    private Path output;

    @Option(names = "--tune", description = "Stage 2: tune adapter and language model on conversations.")
    private boolean tune;

    @Option(
            names = "--conversations",
            description =
                    "Stage 1 on conversations too, in the chat template, and not on pairs of picture and caption.")
    private boolean conversations;

    @Option(names = "--learning-rate", defaultValue = "2e-5", description = "Highest learning rate.")
    private double learningRate;

    @Option(names = "--batch", converter = Count.class, defaultValue = "128", description = "Records per update.")
    private int batch;

    @Option(
            names = "--micro-batch",
            converter = Count.class,
            defaultValue = "8",
            description = "Records in memory at a time.")
    private int microBatch;

    @Option(names = "--steps", converter = Count.class, description = "Updates; all data once if not given.")
    private Integer steps;

    @Option(names = "--device", defaultValue = "auto", description = "auto, cpu or cuda:N.")
    private Device device;

    private Train() {}

    /** A number from 1 on. */
    private static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            try {
                int count = Integer.parseInt(text);
                if (count > 0) {
                    return count;
                }
            } catch (NumberFormatException e) {
                // said below
            }
            throw new TypeConversionException("'" + text + "' is no number from 1 on");
        }
    }

    /** What the adapter is to begin with. */
    private static final class Start {
        @Option(names = "--vocabulary", description = "A new LangBridge adapter over this shared vocabulary.")
        private Path vocabulary;

        @Option(names = "--mlp", description = "A new MLP adapter with so many layers.")
        private Integer layers;

        @Option(names = "--langbridge", description = "Go on with this LangBridge adapter.")
        private Path langBridge;

        @Option(names = "--projector", description = "Go on with this MLP or linear adapter.")
        private Path projector;

        private Start() {}

        void addTo(Training.Builder training) {
            if (vocabulary != null) {
                training.newAdapter(NewAdapter.langBridge(vocabulary));
            } else if (layers != null) {
                training.newAdapter(NewAdapter.mlp(layers));
            } else {
                training.adapter(langBridge != null ? Adapter.langBridge(langBridge) : Adapter.projector(projector));
            }
        }
    }

    /**
     * Runs.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Train())
                .registerConverter(Device.class, Train::device)
                .setExecutionExceptionHandler((error, command, parsed) -> {
                    if (!(error instanceof LangBridgeException)
                            && !(error instanceof IllegalStateException)
                            && !(error instanceof IllegalArgumentException)) {
                        throw error;
                    }
                    command.getErr().println("train: " + error.getMessage());
                    return 1;
                })
                .execute(arguments));
    }

    private static Device device(String name) {
        try {
            return Device.parse(name);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    @Override
    public Integer call() {
        try (ProgressBar bar = new ProgressBar("Training", -1)) {
            Training.Builder training = (tune ? Training.instructionTuning() : Training.pretraining())
                    .encoder(Encoder.of(encoder))
                    .llm(Llm.of(llm))
                    .data(LlavaDataset.of(data, images))
                    .output(output)
                    .learningRate(learningRate)
                    .batchSize(batch)
                    .microBatchSize(Math.min(microBatch, batch))
                    .device(device)
                    .listener(progress -> {
                        bar.maxHint(progress.steps());
                        bar.stepTo(progress.step());
                        bar.setExtraMessage(String.format(
                                Locale.ROOT,
                                "loss %.3f, %.1f records/s",
                                progress.loss(),
                                progress.examplesPerSecond()));
                    });
            start.addTo(training);
            if (conversations) {
                training.conversations();
            }
            if (steps != null) {
                training.steps(steps);
            }
            TrainingResult result = training.build().run();
            bar.pause();
            System.out.println();
            System.out.printf(
                    Locale.ROOT,
                    "%d updates, loss %.4f, %d bad records left out; curves in %s%nencoder  %s%nadapter  %s%nllm      %s%n",
                    result.steps(),
                    result.loss(),
                    result.badRecordCount(),
                    result.curves(),
                    result.encoder().folder(),
                    result.adapter().path(),
                    result.llm().folder());
            return 0;
        }
    }
}

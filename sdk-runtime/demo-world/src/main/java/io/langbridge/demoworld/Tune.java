package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.runtime.training.TrainingResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Goes on with a model of the world. */
@Command(
        name = "tune",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Tunes a model on as the world is now: its encoder, adapter and first language model together,"
                + " then the second language model. Stopped and started again, it goes on from its last checkpoint.")
final class Tune implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            description = "Folder with encoder, adapter, llm and other-llm, as train writes it.")
    private Path model;

    @Option(names = "--out", required = true, description = "Folder for all that is made.")
    private Path out;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random.")
    private long seed;

    @Option(names = "--steps", defaultValue = "1500", description = "Updates of encoder, adapter and llm.")
    private int steps;

    @Option(names = "--other-steps", defaultValue = "1500", description = "Updates of other-llm.")
    private int otherSteps;

    @Option(
            names = "--rate",
            defaultValue = "1",
            description = "How fast all of it learns, of which 1 is the recipe's own.")
    private double rate;

    @Option(names = "--threads", defaultValue = "1", description = "Computing threads.")
    private int threads;

    @Option(
            names = "--keep",
            defaultValue = "0",
            description = "How much the weights from before count in what is written, 0 to 1.")
    private double keep;

    @Option(names = "--keep-other", defaultValue = "0", description = "The same for other-llm.")
    private double keepOther;

    @Override
    public Integer call() throws IOException {
        Recipe recipe = new Recipe(out, seed, 1, Train::progress);
        TrainingResult tuned = recipe.again(
                        "again-A", Encoder.of(model.resolve("encoder")), Llm.of(model.resolve("llm")), steps, rate)
                .adapter(Adapter.langBridge(model.resolve("adapter")))
                .encoderLearningRate(4e-4 * rate)
                .threads(threads)
                .build()
                .run();
        Path written = out.resolve("model");
        Pack.mean(tuned.encoder().folder(), model.resolve("encoder"), keep, written.resolve("encoder"));
        Pack.mean(tuned.adapter().path(), model.resolve("adapter"), keep, written.resolve("adapter"));
        Pack.mean(tuned.llm().folder(), model.resolve("llm"), keep, written.resolve("llm"));
        if (otherSteps > 0) {
            Path other = recipe.again(
                            "again-B",
                            Encoder.of(written.resolve("encoder")),
                            Llm.of(model.resolve("other-llm")),
                            otherSteps,
                            rate)
                    .adapter(Adapter.langBridge(written.resolve("adapter")))
                    .freezeAdapter()
                    .threads(threads)
                    .build()
                    .run()
                    .llm()
                    .folder();
            Pack.mean(other, model.resolve("other-llm"), keepOther, written.resolve("other-llm"));
        }
        spec.commandLine().getOut().println("Written: " + written);
        return 0;
    }
}

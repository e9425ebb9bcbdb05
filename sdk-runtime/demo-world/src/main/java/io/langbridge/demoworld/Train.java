package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.runtime.training.TrainingListener;
import io.langbridge.runtime.training.TrainingResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a model of the world from nothing. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Trains an encoder, two language models and the LangBridge adapter between them. Stopped and"
                + " started again, it goes on from its last checkpoint.")
final class Train implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, description = "Folder for all that is made.")
    private Path out;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random.")
    private long seed;

    @Option(
            names = "--length",
            defaultValue = "1",
            description = "Of every step: 1 takes about six hours on two cores.")
    private double length;

    @Override
    public Integer call() throws IOException {
        Recipe recipe = new Recipe(out, seed, length, Train::progress);
        Encoder encoder = recipe.encoder();
        Llm a = recipe.text(LlmFolder.A);
        Llm b = recipe.text(LlmFolder.B);
        Adapter aligned = recipe.align("aligned", encoder, Recipe.langBridge(recipe.vocabulary(a, b)), a);
        TrainingResult tunedA = recipe.tuning("tuned-A", encoder, a, Recipe.TUNE_A_STEPS)
                .adapter(aligned)
                .build()
                .run();
        // The second one learns from what the adapter, which has moved, shows it; so one adapter serves both.
        TrainingResult tunedB = recipe.tuning("tuned-B", encoder, b, Recipe.TUNE_B_STEPS)
                .adapter(tunedA.adapter())
                .freezeAdapter()
                .build()
                .run();
        Path model = out.resolve("model");
        Pack.copy(encoder.folder(), model.resolve("encoder"));
        Pack.copy(tunedA.adapter().path(), model.resolve("adapter"));
        Pack.copy(tunedA.llm().folder(), model.resolve("llm"));
        Pack.copy(tunedB.llm().folder(), model.resolve("other-llm"));
        spec.commandLine().getOut().println("Written: " + model);
        return 0;
    }

    /** A bar for each step; it is drawn anew about once a second. */
    static TrainingListener progress(String step) {
        ProgressBar[] bar = new ProgressBar[1];
        return progress -> {
            if (bar[0] == null) {
                bar[0] = new ProgressBar(step, progress.steps());
            }
            bar[0].stepTo(progress.step());
            bar[0].setExtraMessage(String.format(
                    Locale.ROOT, "loss %.3f, %.0f records/s", progress.loss(), progress.examplesPerSecond()));
            if (progress.step() == progress.steps()) {
                bar[0].close();
            }
        };
    }
}

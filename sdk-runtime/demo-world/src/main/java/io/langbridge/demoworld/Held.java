package io.langbridge.demoworld;

import io.langbridge.VisionLanguageModel;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures answers that are held to a form, beside free ones. */
@Command(
        name = "held",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Asks a model about new scenes, freely and held to a schema or pattern, and lets it choose among"
                + " labels: how many answers are right, and how well probabilities say so.")
final class Held implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options;

    @Option(
            names = "--scenes",
            defaultValue = "300",
            description = "How many pictures to describe, of any number of things and of one.")
    private int scenes;

    @Option(names = "--questions", defaultValue = "3000", description = "How many questions to choose an answer of.")
    private int questions;

    @Option(names = "--seed", defaultValue = "1000003", description = "Of the scenes; one not used in training.")
    private long seed;

    @Override
    public Integer call() {
        if (scenes < 1 || questions < 1) {
            throw new ParameterException(spec.commandLine(), "--scenes and --questions must be at least 1");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = options.open();
                ProgressBar bar = new ProgressBar("Asking", scenes + questions)) {
            HeldEvaluation evaluation = HeldEvaluation.of(model, seed, scenes, questions, bar::stepTo);
            bar.pause();
            out.println();
            out.print(evaluation.table());
            out.println(evaluation.json());
            out.flush();
            return 0;
        }
    }
}

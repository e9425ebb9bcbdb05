package io.langbridge.demoworld;

import io.langbridge.VisionLanguageModel;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures whether the words of patches tell the truth. */
@Command(
        name = "words",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Explains new scenes in every way that the adapter allows: on how many patches that show a thing"
                + " its colour, its shape or its letter is among the 1, 3 and 10 strongest words, and on how many empty"
                + " ones anything of that kind is.")
final class Words implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options;

    @Option(names = "--scenes", defaultValue = "300", description = "How many pictures of each seed.")
    private int scenes;

    @Option(
            names = "--seeds",
            split = ",",
            defaultValue = "1000003,1000033,1000037",
            description = "Of the scenes; ones not used in training.")
    private List<Long> seeds;

    @Override
    public Integer call() {
        if (scenes < 1) {
            throw new ParameterException(spec.commandLine(), "--scenes must be at least 1");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = options.open();
                ProgressBar bar = new ProgressBar("Explaining", (long) scenes * seeds.size())) {
            WordScores scores = WordScores.of(model, seeds, scenes, bar::stepTo);
            bar.pause();
            out.println();
            out.print(scores.table());
            out.println(scores.json());
            out.flush();
            return 0;
        }
    }
}

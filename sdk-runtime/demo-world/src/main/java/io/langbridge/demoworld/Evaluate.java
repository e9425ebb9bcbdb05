package io.langbridge.demoworld;

import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures a model on scenes that it has never seen. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Asks a model about new scenes: a line for each kind of question, and all as one line of JSON.")
final class Evaluate implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options;

    @Option(names = "--scenes", defaultValue = "1000", description = "How many pictures, six questions each.")
    private int scenes;

    @Option(names = "--seed", defaultValue = "1000003", description = "Of the scenes; one not used in training.")
    private long seed;

    @Option(names = "--data", description = "Asks about these pictures instead: a folder as draw writes it.")
    private Path data;

    @Option(names = "--misses", defaultValue = "0", description = "How many wrong answers to show.")
    private int misses;

    @Override
    public Integer call() throws IOException {
        if (scenes < 1) {
            throw new ParameterException(spec.commandLine(), "--scenes must be at least 1");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = options.open();
                ProgressBar bar = new ProgressBar("Asking", data == null ? scenes : -1)) {
            Evaluation evaluation = data == null
                    ? Evaluation.of(model, seed, scenes, bar::stepTo)
                    : Evaluation.of(model, data, bar::stepTo);
            bar.pause();
            out.println();
            out.print(evaluation.table());
            evaluation.misses().stream()
                    .limit(misses)
                    .forEach(miss -> out.printf(
                            "%s | %s | %s%n",
                            miss.question().text(), miss.question().answer(), miss.answer()));
            out.println(evaluation.json());
            out.flush();
            return 0;
        }
    }
}

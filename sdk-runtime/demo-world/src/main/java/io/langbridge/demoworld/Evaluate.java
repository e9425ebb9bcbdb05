package io.langbridge.demoworld;

import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.SplittableRandom;
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

    @Option(names = "--aspect", defaultValue = "1", description = "Width of the pictures by their height.")
    private double aspect;

    @Option(names = "--ground", defaultValue = "ANY", description = "What things lie on: ${COMPLETION-CANDIDATES}.")
    private Background.Sort ground;

    @Option(
            names = "--transparent",
            description =
                    "Shows things on no ground: DROPPED leaves what lies under alpha, black; WHITE, GRAY and BLACK"
                            + " lay the picture on that.")
    private Under under;

    /** What becomes of transparency. */
    private enum Under {
        DROPPED,
        WHITE,
        GRAY,
        BLACK;

        Image laid(Image picture) {
            return switch (this) {
                case DROPPED -> picture;
                case WHITE -> picture.onGround(0xffffff);
                case GRAY -> picture.onGround(0x808080);
                case BLACK -> picture.onGround(0);
            };
        }
    }

    @Option(names = "--misses", defaultValue = "0", description = "How many wrong answers to show.")
    private int misses;

    @Override
    public Integer call() throws IOException {
        if (scenes < 1) {
            throw new ParameterException(spec.commandLine(), "--scenes must be at least 1");
        }
        if (!(aspect >= 0.1 && aspect <= 10)) {
            throw new ParameterException(spec.commandLine(), "--aspect must be from 0.1 to 10");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = options.open();
                ProgressBar bar = new ProgressBar("Asking", data == null ? scenes : -1)) {
            Evaluation evaluation = data == null
                    ? Evaluation.of(model, seed, scenes, this::show, bar::stepTo)
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

    private Evaluation.Shown show(SplittableRandom random) {
        Frame frame = Frame.of(aspect);
        Scene scene = Scene.random(frame, under == null ? ground : Background.Sort.WHITE, random);
        Image picture = under == null ? Painter.image(scene) : under.laid(Painter.withoutGround(scene));
        return new Evaluation.Shown(scene, picture);
    }
}

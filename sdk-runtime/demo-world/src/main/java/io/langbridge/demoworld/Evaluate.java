package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
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

    @ArgGroup(multiplicity = "1")
    private Choice choice;

    @Option(names = "--scenes", defaultValue = "1000", description = "How many pictures, six questions each.")
    private int scenes;

    @Option(names = "--seed", defaultValue = "1000003", description = "Of the scenes; one not used in training.")
    private long seed;

    @Option(names = "--data", description = "Asks about these pictures instead: a folder as draw writes it.")
    private Path data;

    @Option(names = "--engine", description = "onnx or pytorch; by default the one that suits best.")
    private String engine;

    @Option(names = "--precision", defaultValue = "FULL", description = "${COMPLETION-CANDIDATES}.")
    private Precision precision;

    @Option(names = "--misses", defaultValue = "0", description = "How many wrong answers to show.")
    private int misses;

    private static final class Choice {
        @Option(names = "--model", required = true, description = "A folder that holds all parts.")
        private Path model;

        @ArgGroup(exclusive = false)
        private Parts parts;
    }

    private static final class Parts {
        @Option(names = "--encoder", required = true, description = "Folder of the encoder.")
        private Path encoder;

        @ArgGroup(multiplicity = "1")
        private Kind adapter;

        @Option(names = "--llm", required = true, description = "Folder of the language model.")
        private Path llm;
    }

    private static final class Kind {
        @Option(names = "--adapter", required = true, description = "A LangBridge adapter.")
        private Path langBridge;

        @Option(names = "--projector", required = true, description = "An MLP or linear adapter.")
        private Path projector;
    }

    @Override
    public Integer call() throws IOException {
        if (scenes < 1) {
            throw new ParameterException(spec.commandLine(), "--scenes must be at least 1");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (VisionLanguageModel model = model();
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

    private VisionLanguageModel model() {
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder().precision(precision);
        if (engine != null) {
            builder.engine(EngineName.parse(engine));
        }
        Parts parts = choice.parts;
        if (parts == null) {
            return builder.folder(choice.model).build();
        }
        Path langBridge = parts.adapter.langBridge;
        return builder.encoder(Encoder.of(parts.encoder))
                .adapter(
                        langBridge != null
                                ? Adapter.langBridge(langBridge)
                                : Adapter.projector(parts.adapter.projector))
                .llm(Llm.of(parts.llm))
                .build();
    }
}

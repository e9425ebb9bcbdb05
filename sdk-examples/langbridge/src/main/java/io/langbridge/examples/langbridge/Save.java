package io.langbridge.examples.langbridge;

import io.langbridge.Adapter;
import io.langbridge.AdapterWriter;
import io.langbridge.Llm;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Puts an adapter into a folder of its own. */
@Command(
        name = "save",
        mixinStandardHelpOptions = true,
        description =
                "Puts a LangBridge adapter into a small folder of its own, bit for bit, with where it comes from.")
final class Save implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private AdapterOptions adapter;

    @Option(
            names = "--trained-with",
            paramLabel = "FOLDER",
            description = "the language model it was trained with, for the record")
    private Path trainedWith;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "made if it does not exist")
    private Path out;

    @Override
    public Integer call() {
        Adapter saved = AdapterWriter.save(adapter.adapter(), trainedWith == null ? null : Llm.of(trainedWith), out);
        spec.commandLine().getOut().println("Saved " + saved.path());
        return 0;
    }
}

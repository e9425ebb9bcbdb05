package io.langbridge.examples.langbridge;

import io.langbridge.Adapter;
import io.langbridge.AdapterWriter;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes an adapter, folded for one language model, as a plain projector. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description =
                "Folds a LangBridge adapter for one language model and writes it as LLaVA's mlp2x_gelu projector.")
final class Export implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private AdapterOptions adapter;

    @Option(names = "--llm", required = true, paramLabel = "FOLDER", description = "the language model")
    private Path llm;

    @Option(
            names = "--missing-tokens",
            paramLabel = "POLICY",
            description = "where the language model lacks shared tokens: ${COMPLETION-CANDIDATES}; default:"
                    + " ${DEFAULT-VALUE}")
    private MissingTokens missingTokens = MissingTokens.REFUSE;

    @Option(
            names = "--own-width",
            description = "keep the adapter's own width between the layers: always possible, but transformers does not"
                    + " accept it")
    private boolean ownWidth;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "made if it does not exist")
    private Path out;

    @Override
    public Integer call() {
        LangBridgeAdapter langBridge = adapter.adapter().missingTokens(missingTokens);
        Adapter exported = ownWidth
                ? AdapterWriter.fold(langBridge, Llm.of(llm), out)
                : AdapterWriter.export(langBridge, Llm.of(llm), out);
        spec.commandLine().getOut().println("Exported " + exported.path());
        return 0;
    }
}

package io.langbridge.examples.langbridge;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that name a model: one folder, or its parts. */
final class Parts {
    @ArgGroup(multiplicity = "1")
    private Choice choice;

    @Option(
            names = "--missing-tokens",
            paramLabel = "POLICY",
            description = "where the language model lacks shared tokens: ${COMPLETION-CANDIDATES}; default:"
                    + " ${DEFAULT-VALUE}")
    private MissingTokens missingTokens = MissingTokens.REFUSE;

    private static final class Choice {
        @Option(
                names = "--model",
                required = true,
                paramLabel = "FOLDER",
                description = "a Hugging Face folder that holds all parts: LLaVA, LLaVA-NeXT or LangBridge")
        private Path model;

        @ArgGroup(exclusive = false)
        private Separate separate;
    }

    private static final class Separate {
        @Option(names = "--encoder", required = true, paramLabel = "FOLDER", description = "CLIP or SigLIP")
        private Path encoder;

        @Option(names = "--adapter", required = true, paramLabel = "PATH", description = "a LangBridge adapter")
        private Path adapter;

        @Option(
                names = "--vocabulary",
                paramLabel = "FILE",
                description = "the shared vocabulary, if it does not lie beside the adapter")
        private Path vocabulary;

        @Option(names = "--llm", required = true, paramLabel = "FOLDER", description = "the language model")
        private Path llm;
    }

    VisionLanguageModel.Builder builder() {
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder();
        Separate parts = choice.separate;
        return parts == null
                ? builder.folder(choice.model)
                : builder.encoder(Encoder.of(parts.encoder))
                        .adapter(adapter(parts.adapter, parts.vocabulary).missingTokens(missingTokens))
                        .llm(Llm.of(parts.llm));
    }

    static LangBridgeAdapter adapter(Path adapter, Path vocabulary) {
        return vocabulary == null ? Adapter.langBridge(adapter) : Adapter.langBridge(adapter, vocabulary);
    }
}

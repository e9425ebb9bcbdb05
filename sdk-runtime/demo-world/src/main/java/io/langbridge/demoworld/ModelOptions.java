package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.ImageFit;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Which model a command asks. */
final class ModelOptions {
    @ArgGroup(multiplicity = "1")
    private Choice choice;

    @Option(names = "--engine", description = "onnx or pytorch; by default the one that suits best.")
    private String engine;

    @Option(names = "--precision", defaultValue = "FULL", description = "${COMPLETION-CANDIDATES}.")
    private Precision precision;

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

        @Option(
                names = "--fit",
                description =
                        "How pictures that are not square come to the encoder: ${COMPLETION-CANDIDATES}; by default as"
                                + " the adapter's config.json says.")
        private ImageFit fit;

        @Option(names = "--llm", required = true, description = "Folder of the language model.")
        private Path llm;
    }

    private static final class Kind {
        @Option(names = "--adapter", required = true, description = "A LangBridge adapter.")
        private Path langBridge;

        @Option(names = "--projector", required = true, description = "An MLP or linear adapter.")
        private Path projector;
    }

    /** Loads it; the caller closes it. */
    VisionLanguageModel open() {
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder().precision(precision);
        if (engine != null) {
            builder.engine(EngineName.parse(engine));
        }
        Parts parts = choice.parts;
        if (parts == null) {
            return builder.folder(choice.model).build();
        }
        Path langBridge = parts.adapter.langBridge;
        Encoder encoder = Encoder.of(parts.encoder);
        return builder.encoder(parts.fit == null ? encoder : encoder.fit(parts.fit))
                .adapter(
                        langBridge != null
                                ? Adapter.langBridge(langBridge)
                                : Adapter.projector(parts.adapter.projector))
                .llm(Llm.of(parts.llm))
                .build();
    }
}

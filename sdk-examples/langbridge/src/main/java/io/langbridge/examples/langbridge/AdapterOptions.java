package io.langbridge.examples.langbridge;

import io.langbridge.LangBridgeAdapter;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that name an adapter alone. */
final class AdapterOptions {
    @Option(
            names = "--adapter",
            required = true,
            paramLabel = "PATH",
            description = "the adapter, or a folder with a whole LangBridge model")
    private Path adapter;

    @Option(
            names = "--vocabulary",
            paramLabel = "FILE",
            description = "the shared vocabulary, if it does not lie beside the adapter")
    private Path vocabulary;

    LangBridgeAdapter adapter() {
        return Parts.adapter(adapter, vocabulary);
    }
}

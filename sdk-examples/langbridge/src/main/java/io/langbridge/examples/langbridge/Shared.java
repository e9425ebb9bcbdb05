package io.langbridge.examples.langbridge;

import io.langbridge.Llm;
import io.langbridge.tools.SharedVocabularies;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says between which language models an adapter moves with how many of its tokens. */
@Command(
        name = "shared",
        mixinStandardHelpOptions = true,
        description = "Prints, as a table in Markdown, how many tokens of an adapter's vocabulary each two language"
                + " models know, and each of them alone.")
final class Shared implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--vocabulary",
            required = true,
            paramLabel = "FILE",
            description = "the adapter's: JSON {token: id}, plain or gzip")
    private Path vocabulary;

    @Option(
            names = "--llm",
            required = true,
            arity = "1..*",
            paramLabel = "FOLDER",
            description = "language models, of which only the tokenizers are read")
    private List<Path> llms;

    @Override
    public Integer call() {
        Map<String, Llm> named = new LinkedHashMap<>();
        for (Path llm : llms) {
            String name = String.valueOf(llm.toAbsolutePath().normalize().getFileName());
            // Two folders may have the same name.
            named.put(named.containsKey(name) ? name + "-" + (named.size() + 1) : name, Llm.of(llm));
        }
        Map<String, Map<String, Integer>> known = SharedVocabularies.known(vocabulary, named);
        PrintWriter console = spec.commandLine().getOut();
        console.println("| | " + String.join(" | ", known.keySet()) + " |");
        console.println("|---|" + "---|".repeat(known.size()));
        known.forEach((name, others) -> {
            StringBuilder row = new StringBuilder("| " + name + " |");
            others.values().forEach(tokens -> row.append(String.format(Locale.ROOT, " %,d |", tokens)));
            console.println(row);
        });
        console.flush();
        return 0;
    }
}

package io.langbridge.examples.langbridge;

import io.langbridge.Llm;
import io.langbridge.tools.SharedVocabularies;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Builds the vocabulary that several language models share. */
@Command(
        name = "vocabulary",
        mixinStandardHelpOptions = true,
        description =
                "Builds the vocabulary that several language models share: of the tokens that all of them know the"
                        + " most frequent ones, one file for each language model.")
final class Vocabulary implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--llm",
            required = true,
            arity = "1..*",
            paramLabel = "FOLDER",
            description = "language models, of which only the tokenizers are read; two at least")
    private List<Path> llms;

    @ArgGroup(multiplicity = "1")
    private Source source;

    private static final class Source {
        @Option(
                names = "--counts",
                required = true,
                paramLabel = "FILE",
                description = "how often each token occurs: JSON {token: count}, plain or gzip")
        private Path counts;

        @Option(
                names = "--corpus",
                required = true,
                arity = "1..*",
                paramLabel = "FILE",
                description =
                        "text in UTF-8, plain or gzip, in which the tokens of the first language model are counted")
        private List<Path> corpus;
    }

    @Option(names = "--size", required = true, paramLabel = "N", description = "tokens to keep")
    private int size;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "made if it does not exist")
    private Path out;

    @Override
    public Integer call() throws IOException {
        PrintWriter console = spec.commandLine().getOut();
        if (llms.size() < 2 || size < 1) {
            throw new ParameterException(
                    spec.commandLine(), "A shared vocabulary needs at least two --llm, and a --size of at least 1");
        }
        Files.createDirectories(out);
        try {
            SharedVocabularies.Builder builder = SharedVocabularies.builder().size(size);
            Set<String> names = new LinkedHashSet<>();
            for (Path llm : llms) {
                // Two folders may have the same name.
                String name = String.valueOf(llm.toAbsolutePath().normalize().getFileName());
                String unique = names.contains(name) ? name + "-" + (names.size() + 1) : name;
                names.add(unique);
                builder.llm(unique, Llm.of(llm));
            }
            builder.counts(source.counts != null ? source.counts : count());
            builder.lookUp()
                    .forEach((name, found) -> console.printf(
                            Locale.ROOT,
                            "%s: of %d counted tokens %d exact, %d by text, %d ambiguous, %d missing%n",
                            name,
                            found.tokens(),
                            found.exact(),
                            found.byText(),
                            found.ambiguous(),
                            found.missing()));
            SharedVocabularies shared = builder.build();
            for (String name : names) {
                Path file = out.resolve(size + "_" + name + ".json");
                shared.save(name, file);
                console.println("Written: " + file);
            }
        } finally {
            console.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private Path count() {
        PrintWriter progress = spec.commandLine().getErr();
        int[] shown = {-1};
        Path file = out.resolve("counts.json");
        SharedVocabularies.count(Llm.of(llms.get(0)), source.corpus, file, (bytes, all, tokens) -> {
            int percent = (int) (all == 0 ? 100 : 100 * bytes / all);
            if (percent / 5 > shown[0]) {
                shown[0] = percent / 5;
                progress.printf(Locale.ROOT, "counted %d %%, %d tokens%n", percent, tokens);
                progress.flush();
            }
        });
        spec.commandLine().getOut().println("Written: " + file);
        return file;
    }
}

package io.langbridge.examples.langbridge;

import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.runtime.core.vocabulary.TokenCounts;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
        Map<String, Tokenizer> tokenizers = new LinkedHashMap<>();
        try {
            for (Path llm : llms) {
                // Two folders may have the same name.
                String name = String.valueOf(llm.toAbsolutePath().normalize().getFileName());
                String unique = tokenizers.containsKey(name) ? name + "-" + (tokenizers.size() + 1) : name;
                tokenizers.put(unique, Tokenizer.of(llm));
            }
            SharedVocabulary.Builder builder = SharedVocabulary.builder().size(size);
            tokenizers.forEach(builder::tokenizer);
            if (source.counts != null) {
                builder.counts(source.counts);
            } else {
                builder.counts(count(tokenizers.values().iterator().next()));
            }
            builder.lookUp()
                    .forEach((name, found) -> console.printf(
                            Locale.ROOT,
                            "%s: of %d counted tokens %d exact, %d by text, %d ambiguous, %d missing%n",
                            name,
                            found.tokens().size(),
                            found.count(SharedVocabulary.Match.EXACT),
                            found.count(SharedVocabulary.Match.BY_TEXT),
                            found.count(SharedVocabulary.Match.AMBIGUOUS),
                            found.count(SharedVocabulary.Match.MISSING)));
            builder.build().forEach((name, vocabulary) -> {
                Path file = out.resolve(size + "_" + name + ".json");
                vocabulary.save(file);
                console.println("Written: " + file);
            });
        } finally {
            console.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private Map<String, Long> count(Tokenizer tokenizer) {
        PrintWriter progress = spec.commandLine().getErr();
        int[] shown = {-1};
        Map<String, Long> counts = TokenCounts.count(tokenizer, source.corpus, (bytes, all, tokens) -> {
            int percent = (int) (all == 0 ? 100 : 100 * bytes / all);
            if (percent / 5 > shown[0]) {
                shown[0] = percent / 5;
                progress.printf(Locale.ROOT, "counted %d %%, %d tokens%n", percent, tokens);
                progress.flush();
            }
        });
        Path file = out.resolve("counts.json");
        TokenCounts.save(counts, file);
        spec.commandLine().getOut().println("Written: " + file);
        return counts;
    }
}

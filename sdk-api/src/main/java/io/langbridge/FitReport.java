package io.langbridge;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether encoder, adapter and language model fit each other, found out from their files without loading the weights.
 *
 * <pre>{@code
 * FitReport report = VisionLanguageModel.builder().encoder(encoder).adapter(adapter).llm(llm).check();
 * System.out.println(report);
 * if (!report.fits()) {
 *     report.problems().forEach(problem -> System.err.println(problem.text()));
 * }
 * }</pre>
 *
 * <p>That the parts fit says that the model runs and computes what it should, not that its answers are good: moved to
 * another language model, an adapter was evaluated by its authors after that model had been tuned with it. Immutable.
 *
 * @since 0.1
 */
public final class FitReport {
    /** How good a finding is. */
    public enum Verdict {
        /** As it should be. */
        FITS,
        /** It works, but the user should know. */
        NOTE,
        /** The model cannot be built. */
        PROBLEM
    }

    /**
     * One thing looked at.
     *
     * @param verdict the outcome
     * @param subject what was looked at: {@code encoder}, {@code feature size}, {@code vocabulary}, ..
     * @param text what was found, with the numbers
     */
    public record Finding(Verdict verdict, String subject, String text) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%-8s %-15s %s", verdict.name().toLowerCase(Locale.ROOT), subject, text);
        }
    }

    /**
     * How much of a LangBridge adapter's vocabulary a language model has.
     *
     * @param tokens shared tokens, which is the number of the adapter's columns
     * @param exact of them spelled the same in the language model's tokenizer
     * @param byText of them spelled in another way there, but standing for exactly the same text
     * @param ambiguous of them standing for the same text as several tokens there; counted as missing
     * @param missing the tokens without an id, ambiguous ones included, in the order of the vocabulary: the most
     *     frequent first
     * @param policy what is done with those
     */
    public record Coverage(
            int tokens, int exact, int byText, int ambiguous, List<String> missing, MissingTokens policy) {
        /**
         * Copies the list.
         *
         * @param tokens shared tokens
         * @param exact spelled the same
         * @param byText spelled in another way
         * @param ambiguous with several tokens of the same text
         * @param missing without an id
         * @param policy what is done with those
         */
        public Coverage {
            missing = Collections.unmodifiableList(new ArrayList<>(missing));
        }
    }

    /**
     * A licence that a part's folder names.
     *
     * @param part {@code encoder}, {@code adapter}, {@code language model} or {@code model}
     * @param file where it stands
     * @param name {@code license} of the front matter of {@code README.md}, or null for a licence's own text, which is
     *     not read
     */
    public record Licence(String part, Path file, @Nullable String name) {}

    /**
     * Something that needs memory.
     *
     * @param name what
     * @param bytes how much
     * @param firstTimeOnly whether only the first time: weights are converted, and then kept in the cache directory
     */
    public record Memory(String name, long bytes, boolean firstTimeOnly) {}

    private final List<Finding> findings;
    private final @Nullable Coverage coverage;
    private final List<Licence> licences;
    private final List<Memory> memory;
    private final long memoryToExplain;
    private final @Nullable Long memoryAvailable;

    /**
     * Creates a report; applications get theirs from {@link VisionLanguageModel.Builder#check()}.
     *
     * @param findings in the order in which they should be read
     * @param coverage null unless a LangBridge adapter's vocabulary was looked up
     * @param licences all that the folders name
     * @param memory what loading would need; empty if that cannot be told
     * @param memoryToExplain bytes that explaining would take beside it
     * @param memoryAvailable bytes that it may need, or null where nothing says so
     */
    public FitReport(
            List<Finding> findings,
            @Nullable Coverage coverage,
            List<Licence> licences,
            List<Memory> memory,
            long memoryToExplain,
            @Nullable Long memoryAvailable) {
        this.findings = Collections.unmodifiableList(new ArrayList<>(findings));
        this.coverage = coverage;
        this.licences = Collections.unmodifiableList(new ArrayList<>(licences));
        this.memory = Collections.unmodifiableList(new ArrayList<>(memory));
        this.memoryToExplain = memoryToExplain;
        this.memoryAvailable = memoryAvailable;
    }

    /** {@return whether {@link VisionLanguageModel.Builder#build()} would accept the parts} */
    public boolean fits() {
        return problems().isEmpty();
    }

    /** {@return all that was looked at} */
    public List<Finding> findings() {
        return findings;
    }

    /** {@return what keeps the model from being built; empty if it fits} */
    public List<Finding> problems() {
        return findings.stream()
                .filter(finding -> finding.verdict() == Verdict.PROBLEM)
                .collect(Collectors.toList());
    }

    /** {@return how much of the vocabulary is there, or null if it was not looked up} */
    public @Nullable Coverage coverage() {
        return coverage;
    }

    /** {@return licences named in the folders; that none is named does not mean that none applies} */
    public List<Licence> licences() {
        return licences;
    }

    /** {@return what needs memory; empty if a part could not be read} */
    public List<Memory> memory() {
        return memory;
    }

    /**
     * {@return bytes needed once converted weights are in the cache directory, of the whole process; 0 if a part could
     * not be read}
     */
    public long memoryNeeded() {
        return memory.stream()
                .filter(item -> !item.firstTimeOnly())
                .mapToLong(Memory::bytes)
                .sum();
    }

    /** {@return bytes needed the first time, when weights are converted; 0 if a part could not be read} */
    public long memoryNeededFirstTime() {
        return memory.stream().mapToLong(Memory::bytes).sum();
    }

    /**
     * {@return bytes that explaining a picture by coefficients takes beside that, from the first explanation on until
     * {@link LangBridgeModel#releaseExplanation}; 0 if the adapter is not made of words. One with a cut softmax has
     * most of it in memory anyway, and takes the rest while it explains}
     */
    public long memoryToExplain() {
        return memoryToExplain;
    }

    /**
     * {@return bytes that the model may need: {@link VisionLanguageModel.Builder#memoryLimit}, or what machine and
     * container have left now; null where nothing says so}
     */
    public @Nullable Long memoryAvailable() {
        return memoryAvailable;
    }

    /** One finding on a line. */
    @Override
    public String toString() {
        return findings.stream().map(Finding::toString).collect(Collectors.joining("\n"));
    }
}

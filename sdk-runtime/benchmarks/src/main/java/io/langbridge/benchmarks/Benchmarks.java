package io.langbridge.benchmarks;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.LangBridgeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs sets of benchmarks and prints one JSON line per figure. */
@Command(
        name = "benchmarks",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures sets, each in a process of its own, and prints one JSON line per figure.")
public final class Benchmarks implements Callable<Integer> {
    /** What concerns the whole run and not the processes that measure. */
    private static final Set<String> OWN = Set.of("--out", "--compare", "--versus", "--rounds", "--one-load", "--here");

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Parameters(
            paramLabel = "SET",
            arity = "0..*",
            description =
                    "encoder, adapter, fold, decoder, answer, explain, load, tokenizer, constrain, kernels, context, neighbour, soak,"
                            + " service, concurrency, drills; without any, all but the last six")
    private List<String> names = new ArrayList<>();

    @Mixin
    private Setup setup = new Setup();

    @Option(names = "--out", paramLabel = "FILE", description = "appends the lines to a file too")
    private @Nullable Path out;

    @Option(
            names = "--compare",
            paramLabel = "FILE",
            description = "lines of another run or of a peer; adds a line with the ratio for each figure in common"
                    + " (above 1: we are better)")
    private List<Path> compare = new ArrayList<>();

    @Option(
            names = "--versus",
            paramLabel = "COMMAND",
            description = "runs a peer's command, which prints such lines, in turn with ours, and compares round by"
                    + " round; several are run one after the other")
    private List<String> versus = new ArrayList<>();

    @Option(names = "--rounds", paramLabel = "N", description = "rounds of --versus; default: ${DEFAULT-VALUE}")
    private int rounds = 3;

    @Option(names = "--here", hidden = true, description = "measure in this process")
    private boolean here;

    @Option(names = "--one-load", hidden = true, description = "load once, in this process")
    private boolean oneLoad;

    private final Gson gson = new GsonBuilder()
            .disableHtmlEscaping()
            .serializeNulls()
            .serializeSpecialFloatingPointValues()
            .create();

    /**
     * Runs the command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs the command and returns its exit status. */
    static int run(String... args) {
        CommandLine command = new CommandLine(new Benchmarks());
        command.setOverwrittenOptionsAllowed(true); // a set adds its own to what was given
        command.setExecutionExceptionHandler((e, line, parsed) -> {
            if (e instanceof LangBridgeException || e instanceof IOException || e instanceof IllegalArgumentException) {
                line.getErr().println("benchmarks: " + e.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            throw e;
        });
        return command.execute(args);
    }

    @Override
    public Integer call() throws IOException {
        List<BenchmarkSet> sets = sets();
        setup.given(given());
        if (oneLoad) {
            LoadSet.once(setup, this::print);
            return 0;
        }
        if (here) {
            for (BenchmarkSet set : sets) {
                set.run(setup, this::print);
            }
            return 0;
        }
        List<JsonObject> ours = new ArrayList<>();
        List<JsonObject> theirs = new ArrayList<>();
        for (Path file : compare) {
            theirs.addAll(read(file));
        }
        for (int round = 0; round < (versus.isEmpty() ? 1 : rounds); round++) {
            // Who comes first changes from round to round: a machine that slows down harms both alike.
            if (round % 2 == 0) {
                measure(sets, ours);
                peers(theirs);
            } else {
                peers(theirs);
                measure(sets, ours);
            }
        }
        Comparison.of(ours, theirs).forEach(this::print);
        return 0;
    }

    private void measure(List<BenchmarkSet> sets, List<JsonObject> lines) throws IOException {
        for (BenchmarkSet set : sets) {
            List<String> arguments =
                    setup.arguments(List.of("--here", set.name().toLowerCase(Locale.ROOT)));
            lines.addAll(printed(Child.benchmarks(arguments)));
        }
    }

    private void peers(List<JsonObject> lines) throws IOException {
        for (String command : versus) {
            lines.addAll(printed(Child.shell(command)));
        }
    }

    private List<JsonObject> printed(List<JsonObject> lines) {
        lines.forEach(this::print);
        return lines;
    }

    private void print(JsonObject line) {
        String text = gson.toJson(line);
        System.out.println(text);
        if (out != null) {
            try {
                Files.writeString(out, text + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static List<JsonObject> read(Path file) throws IOException {
        List<JsonObject> lines = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("{")) {
                lines.add(JsonParser.parseString(line).getAsJsonObject());
            }
        }
        return lines;
    }

    private List<BenchmarkSet> sets() {
        if (names.isEmpty()) {
            return List.copyOf(EnumSet.complementOf(EnumSet.of(
                    BenchmarkSet.CONTEXT,
                    BenchmarkSet.NEIGHBOUR,
                    BenchmarkSet.SOAK,
                    BenchmarkSet.SERVICE,
                    BenchmarkSet.CONCURRENCY,
                    BenchmarkSet.DRILLS)));
        }
        List<BenchmarkSet> sets = new ArrayList<>();
        for (String name : names) {
            sets.add(BenchmarkSet.valueOf(name.toUpperCase(Locale.ROOT)));
        }
        return sets;
    }

    private List<String> given() {
        List<String> given = new ArrayList<>();
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            String name = option.longestName();
            if (!OWN.contains(name)) {
                given.add(name);
                if (option.arity().max() > 0) {
                    given.add(option.originalStringValues().get(0));
                }
            }
        }
        return given;
    }
}

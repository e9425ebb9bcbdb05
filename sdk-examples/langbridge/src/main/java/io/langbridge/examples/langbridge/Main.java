package io.langbridge.examples.langbridge;

import io.langbridge.LangBridgeException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What a LangBridge adapter can do besides answering, one command each. */
@Command(
        name = "langbridge",
        mixinStandardHelpOptions = true,
        version = "0.1.0",
        description = "Works with LangBridge adapters.",
        subcommands = {
            Check.class,
            Transfer.class,
            Explain.class,
            Save.class,
            Export.class,
            Analyse.class,
            Vocabulary.class,
            Shared.class
        })
public final class Main {
    /**
     * Runs a command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        // Words of a vocabulary are UTF-8 whatever the console's own encoding is.
        System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        CommandLine command = new CommandLine(new Main());
        command.setExecutionExceptionHandler((e, line, parsed) -> {
            if (e instanceof LangBridgeException || e instanceof IOException) {
                line.getErr().println(line.getCommandName() + ": " + e.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            throw e;
        });
        return command;
    }
}

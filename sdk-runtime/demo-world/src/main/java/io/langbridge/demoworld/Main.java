package io.langbridge.demoworld;

import io.langbridge.LangBridgeException;
import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** A small world of drawn scenes to train vision-language models in and to measure them with. */
@Command(
        name = "demo-world",
        mixinStandardHelpOptions = true,
        version = "0.1.0",
        description = "A small world of drawn scenes, to train models in and to measure them.",
        subcommands = {
            Draw.class,
            Train.class,
            Tune.class,
            Evaluate.class,
            Words.class,
            Held.class,
            Table.class,
            Move.class
        })
public final class Main {
    private Main() {}

    /**
     * Runs a command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.setProperty("java.awt.headless", "true");
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

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Other processes that print JSON lines. */
final class Child {
    private Child() {}

    /** Runs this program once more, with the same JVM options, and returns what it printed. */
    static List<JsonObject> benchmarks(List<String> arguments) throws IOException {
        List<String> command = java();
        command.add(Benchmarks.class.getName());
        command.addAll(arguments);
        return run("benchmarks " + String.join(" ", arguments), command);
    }

    /** Java as it runs here, up to the name of a class. */
    static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return command;
    }

    /** Runs a command line with the system's shell and returns what it printed. */
    static List<JsonObject> shell(String commandLine) throws IOException {
        boolean windows = System.getProperty("os.name").startsWith("Windows");
        return run(commandLine, windows ? List.of("cmd", "/c", commandLine) : List.of("sh", "-c", commandLine));
    }

    private static List<JsonObject> run(String name, List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<JsonObject> lines = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith("{")) {
                    try {
                        lines.add(JsonParser.parseString(line).getAsJsonObject());
                    } catch (JsonParseException e) {
                        System.err.println("Not a JSON line: " + line);
                    }
                }
            }
        }
        int status = process.onExit().join().exitValue();
        if (status != 0) {
            throw new IOException("Exit status " + status + " of " + name);
        }
        return lines;
    }
}

package io.langbridge.examples.quickstart;

import io.langbridge.LangBridgeException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Errors of the library in the words of this command: its flags in place of methods. */
final class Messages {
    /** Patterns of what the library says, and what it is called here. */
    private static final Map<String, String> WORDS = new LinkedHashMap<>();

    static {
        WORDS.put("^(temperature|threads|seed)\\b", "--$1");
        WORDS.put("precision\\(Precision\\.(\\w+)\\)", "--precision $1");
        WORDS.put("precision\\(\\.\\.\\)", "--precision");
        WORDS.put("contextLength\\(\\.\\.\\)|\\bcontextLength\\b", "--context");
        WORDS.put("maxNewTokens\\(\\.\\.\\)|\\bmaxNewTokens\\b", "--max-tokens");
        WORDS.put("offline\\(true\\)", "--offline");
        WORDS.put("(?:cache|token|endpoint|proxy)\\(\\.\\.\\)(?: or | and |, )", "");
        WORDS.put("(?: or | and |, )(?:cache|token|endpoint|proxy)\\(\\.\\.\\)", "");
        WORDS.put("Hub\\.list\\(\\)[^,]*, Hub\\.delete\\(\\.\\.\\)[^)]*", "quickstart doctor says what lies there");
        WORDS.put("device\\(\"?(\\w+)\"?\\)", "--device $1");
        WORDS.put("engine\\(\"?(\\w+)\"?\\)", "--engine $1");
        WORDS.put("(?:, )?cacheDirectory\\(\\.\\.\\)(?: or withoutCache\\(\\))?", "");
    }

    private Messages() {}

    static String inFlags(String message) {
        String text = message;
        for (Map.Entry<String, String> word : WORDS.entrySet()) {
            text = text.replaceAll(word.getKey(), word.getValue());
        }
        return text;
    }

    /** For picocli: what a method makes of a word, and what it says of one that it refuses. */
    static <T> ITypeConverter<T> converter(Function<String, T> parse) {
        return word -> {
            try {
                return parse.apply(word);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
    }

    /** The command line is wrong: a line that says so, without the whole help behind it. */
    static int usage(ParameterException e, String[] args) {
        List<String> near = e instanceof UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
        e.getCommandLine()
                .getErr()
                .println("quickstart: " + e.getMessage().replaceFirst("^Error: ", "")
                        + (near.isEmpty()
                                ? "; see --help"
                                : "; did you mean " + String.join(" or ", near) + "? See --help."));
        return CommandLine.ExitCode.USAGE;
    }

    /** Something failed: errors that were foreseen are a line, others a stack trace. */
    static int failure(Exception e, CommandLine line, ParseResult parsed) throws Exception {
        String message = String.valueOf(e.getMessage());
        int code = CommandLine.ExitCode.SOFTWARE;
        if (e instanceof NoSuchFileException) {
            message = "there is no file " + message;
        } else if (e instanceof AccessDeniedException) {
            message = message + " cannot be read: access is denied";
        } else if (e instanceof IllegalArgumentException) {
            code = CommandLine.ExitCode.USAGE; // a flag out of its range
        } else if (!(e instanceof LangBridgeException || e instanceof IOException)) {
            throw e;
        }
        line.getErr().println("quickstart: " + inFlags(message));
        return code;
    }
}

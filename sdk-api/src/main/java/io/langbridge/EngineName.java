package io.langbridge;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Names an engine that may be on the path. Not a closed list: an engine is found as a service, and one that is asked
 * for and not there is an error of {@link VisionLanguageModel.Builder#build()}, which says which there are.
 *
 * @param name in small letters
 * @since 0.1
 */
public record EngineName(String name) {
    private static final Pattern WORD = Pattern.compile("[a-z0-9_-]+");

    /** ONNX Runtime, from {@code langbridge-onnx}. */
    public static final EngineName ONNX = new EngineName("onnx");

    /** PyTorch, from {@code langbridge-pytorch}. */
    public static final EngineName PYTORCH = new EngineName("pytorch");

    /**
     * Checks the name.
     *
     * @param name see the record
     * @throws IllegalArgumentException if it is no word in small letters
     */
    public EngineName {
        if (!WORD.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "An engine's name is a word such as onnx or pytorch, not '" + name + "'");
        }
    }

    /**
     * Reads a name in any case, for a command line or a file of settings.
     *
     * @param name such as {@code onnx}
     * @return the name
     * @throws IllegalArgumentException if it is no word
     */
    public static EngineName parse(String name) {
        return new EngineName(Objects.requireNonNull(name, "name").toLowerCase(Locale.ROOT));
    }

    @Override
    public String toString() {
        return name;
    }
}

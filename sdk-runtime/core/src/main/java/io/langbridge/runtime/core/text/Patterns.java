package io.langbridge.runtime.core.text;

/** Reads {@code {"String": ..}} and {@code {"Regex": ..}}. */
final class Patterns {
    private Patterns() {}

    static SplitPattern of(Part part) {
        Part literal = part.part("String");
        Part regex = part.part("Regex");
        if (literal.isNull() == regex.isNull()) {
            throw part.damaged("has neither a String nor a Regex, or both");
        }
        if (literal.isNull()) {
            return SplitPattern.regex(regex.text(), part.file());
        }
        if (literal.text().isEmpty()) {
            throw literal.damaged("is empty");
        }
        return SplitPattern.literal(literal.text());
    }
}

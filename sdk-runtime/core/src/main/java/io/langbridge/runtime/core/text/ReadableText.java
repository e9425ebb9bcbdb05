package io.langbridge.runtime.core.text;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Writes the bytes of a token so that people can read them and see what cannot be seen. */
public final class ReadableText {
    private static final String VISIBLE_SPACE = "\u2423";
    private static final String DOTTED_CIRCLE = "\u25cc";

    private ReadableText() {}

    /**
     * Text of a token, see {@link io.langbridge.Explanation.Word}.
     *
     * @param bytes of the token; they may begin or end inside a character
     * @return without the space in front, never blank unless there are no bytes
     */
    public static String of(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        int at = bytes.length > 1 && bytes[0] == ' ' && bytes[1] != ' ' ? 1 : 0;
        int end = bytes.length;
        while (end > at && bytes[end - 1] == ' ') {
            end--;
        }
        while (at < end && bytes[at] == ' ') {
            text.append(VISIBLE_SPACE);
            at++;
        }
        while (at < end) {
            int length = characterAt(bytes, at);
            if (length == 0) {
                text.append(String.format(Locale.ROOT, "\\x%02X", bytes[at]));
                at++;
            } else {
                append(text, new String(bytes, at, length, StandardCharsets.UTF_8).codePointAt(0));
                at += length;
            }
        }
        for (; end < bytes.length; end++) {
            text.append(VISIBLE_SPACE);
        }
        return text.toString();
    }

    private static void append(StringBuilder text, int codePoint) {
        switch (codePoint) {
            case '\n' -> text.append("\\n");
            case '\r' -> text.append("\\r");
            case '\t' -> text.append("\\t");
            case '\\' -> text.append("\\\\");
            case ' ' -> text.append(' ');
            default -> {
                if (isInvisible(codePoint)) {
                    text.append(String.format(Locale.ROOT, "\\{U+%04X}", codePoint));
                    return;
                }
                if (text.length() == 0 && isCombining(codePoint)) {
                    text.append(DOTTED_CIRCLE); // else it would sit on whatever is written before the word
                }
                text.appendCodePoint(codePoint);
            }
        }
    }

    private static boolean isInvisible(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.CONTROL
                || type == Character.FORMAT
                || type == Character.SPACE_SEPARATOR
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR
                || type == Character.PRIVATE_USE
                || type == Character.UNASSIGNED;
    }

    private static boolean isCombining(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.NON_SPACING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK;
    }

    /** Length of the UTF-8 character that begins here, 0 if none does. */
    private static int characterAt(byte[] bytes, int at) {
        int first = bytes[at] & 0xFF;
        int length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
        if (length == 0 || at + length > bytes.length) {
            return 0;
        }
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        return text.codePointCount(0, text.length()) == 1 && (text.codePointAt(0) != 0xFFFD || isReplacement(bytes, at))
                ? length
                : 0;
    }

    /** Whether U+FFFD stands there as such. */
    private static boolean isReplacement(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) == 0xEF && (bytes[at + 1] & 0xFF) == 0xBF && (bytes[at + 2] & 0xFF) == 0xBD;
    }
}

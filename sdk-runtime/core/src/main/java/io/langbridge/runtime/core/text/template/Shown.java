package io.langbridge.runtime.core.text.template;

/** Texts out of files and messages as they may stand in an error: on one line, without control characters, not long. */
final class Shown {
    private static final int LONGEST = 500;

    private Shown() {}

    static String of(String text) {
        StringBuilder out = new StringBuilder();
        int shown = Math.min(text.length(), LONGEST);
        for (int i = 0; i < shown; i++) {
            char c = text.charAt(i);
            int named = "\n\r\t".indexOf(c);
            if (named >= 0) {
                out.append('\\').append("nrt".charAt(named));
            } else if (Python.isPrintable(c) || Character.isSurrogate(c)) {
                out.append(c);
            } else {
                out.append(String.format("\\u%04x", (int) c));
            }
        }
        return text.length() > LONGEST ? out.append("...").toString() : out.toString();
    }
}

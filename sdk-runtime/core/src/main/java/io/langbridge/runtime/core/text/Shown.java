package io.langbridge.runtime.core.text;

import java.util.Locale;

/** Text out of a file, as a message shows it: short, and without characters that a terminal would obey. */
final class Shown {
    private static final int MOST = 100;

    private Shown() {}

    static String text(String text) {
        StringBuilder shown = new StringBuilder("'");
        for (int i = 0; i < Math.min(text.length(), MOST); i++) {
            char c = text.charAt(i);
            int type = Character.getType(c);
            if (type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR) {
                shown.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                shown.append(c);
            }
        }
        return shown.append(text.length() > MOST ? "...'" : "'").toString();
    }
}

package io.langbridge;

/** Text that can be shown anywhere, whatever it was made from. */
final class Visible {
    private static final int LONGEST = 8_000;

    private Visible() {}

    /** {@code text} with all that does not show as itself escaped, and without its middle if it is very long. */
    static String text(String text) {
        if (text.length() > LONGEST) {
            int half = LONGEST / 2;
            return text(text.substring(0, half)) + " [" + (text.length() - 2 * half) + " characters left out] "
                    + text(text.substring(text.length() - half));
        }
        StringBuilder visible = new StringBuilder(text.length());
        text.codePoints().forEach(c -> append(visible, c));
        return visible.toString();
    }

    private static void append(StringBuilder visible, int c) {
        switch (c) {
            case '\n' -> visible.append("\\n");
            case '\r' -> visible.append("\\r");
            case '\t' -> visible.append("\\t");
            default -> {
                switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE -> {
                        for (char unit : Character.toChars(c)) {
                            visible.append(String.format("\\u%04x", (int) unit));
                        }
                    }
                    default -> visible.appendCodePoint(c);
                }
            }
        }
    }
}

package io.langbridge.runtime.core.text.template;

/** Line and column in one number. */
final class Position {
    private static final int LAST_COLUMN = (1 << 11) - 1;

    private Position() {}

    static int of(int line, int column) {
        return line << 11 | Math.min(column, LAST_COLUMN);
    }

    static String text(int position) {
        int column = position & LAST_COLUMN;
        return "line " + (position >>> 11) + (column < LAST_COLUMN ? ", column " + column : "");
    }
}

package io.langbridge;

/**
 * Tells a listener the values of a JSON answer as they become complete. Reads the text again from its start whenever a
 * value may have ended: of a few thousand characters that is nothing beside a step of a model.
 */
final class JsonProgress {
    private static final String ENDS = ",]}\"";

    private final AnswerListener listener;
    private final StringBuilder text = new StringBuilder();
    private int told;

    JsonProgress(AnswerListener listener) {
        this.listener = listener;
    }

    /** Takes the next piece of the answer's text. */
    void add(String piece) {
        text.append(piece);
        if (piece.chars().anyMatch(c -> ENDS.indexOf(c) >= 0) && isObjectOrList()) {
            told = JsonValue.tell(text.toString(), told, listener);
        }
    }

    private boolean isObjectOrList() {
        int at = 0;
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at < text.length() && (text.charAt(at) == '{' || text.charAt(at) == '[');
    }
}

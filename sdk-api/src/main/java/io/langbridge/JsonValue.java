package io.langbridge;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the text of an answer as JSON, strictly. */
final class JsonValue {
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    private static final int DEEPEST = 500;
    /** Of a long; what is longer becomes a BigDecimal. */
    private static final int MOST_DIGITS = 18;

    private final String text;
    private int at;
    private int depth;
    /** Where the value is now, as a pointer. */
    private final StringBuilder path = new StringBuilder();
    /** The pointer whose value is looked for, or null; and where in the text it was found. */
    private final @Nullable String wanted;

    private int @Nullable [] found;

    /** Who is told values as they end, or null; and how many it has been told already. */
    private final @Nullable AnswerListener listener;

    private final int told;
    private int complete;

    private JsonValue(String text, @Nullable String wanted, @Nullable AnswerListener listener, int told) {
        this.text = text;
        this.wanted = wanted;
        this.listener = listener;
        this.told = told;
    }

    /** What stands where something else should. */
    private static final class Wrong extends Exception {
        private static final long serialVersionUID = 1L;

        Wrong(String message) {
            super(message, null, false, false);
        }
    }

    static @Nullable Object of(Answer answer) {
        return read(answer, new JsonValue(answer.text(), null, null, 0));
    }

    /** {@return where in the text a value begins and ends} */
    static int[] span(Answer answer, String pointer) {
        JsonValue reader = new JsonValue(answer.text(), pointer, null, 0);
        read(answer, reader);
        if (reader.found == null) {
            throw new IllegalArgumentException("The answer has no value at '" + pointer
                    + "'; a pointer is empty or made of '/' and a name or a place in a list, again and again");
        }
        return reader.found;
    }

    /**
     * Tells the values that are complete in the beginning of a text.
     *
     * @param told so many of them are known already
     * @return how many are complete
     */
    static int tell(String beginning, int told, AnswerListener listener) {
        JsonValue reader = new JsonValue(beginning, null, listener, told);
        try {
            reader.value();
        } catch (Wrong e) {
            return reader.complete; // the rest is to come, or is not JSON, which whoever reads the whole is told
        }
        return reader.complete;
    }

    private static @Nullable Object read(Answer answer, JsonValue reader) {
        try {
            Object value = reader.value();
            reader.skipBlanks();
            if (reader.at < reader.text.length()) {
                throw new Wrong("something follows its end");
            }
            return value;
        } catch (Wrong e) {
            throw new AnswerException(
                    "The answer is no JSON value: " + e.getMessage() + " (at " + reader.at + "), and it ended with "
                            + answer.finishReason() + ". "
                            + (answer.finishReason() == FinishReason.STOP_TOKEN
                                    ? "Hold it to a schema with GenerationOptions.jsonSchema(..)"
                                    : "Give it more of what it lacked, maxNewTokens(..) for example"),
                    answer);
        }
    }

    private @Nullable Object value() throws Wrong {
        skipBlanks();
        int start = at;
        Object value = plainValue();
        if (wanted != null && wanted.contentEquals(path)) {
            found = new int[] {start, at};
        }
        if (listener != null && !(value instanceof Number && mayGoOn()) && ++complete > told) {
            listener.onValue(path.toString(), value);
        }
        return value;
    }

    /** Whether what follows may belong to the number in front of it. */
    private boolean mayGoOn() {
        return at == text.length() || ",]} \n\r\t".indexOf(text.charAt(at)) < 0;
    }

    private @Nullable Object member(String name) throws Wrong {
        int length = path.length();
        if (wanted != null || listener != null) {
            path.append('/').append(name.replace("~", "~0").replace("/", "~1"));
        }
        Object value = value();
        path.setLength(length);
        return value;
    }

    private @Nullable Object plainValue() throws Wrong {
        if (at == text.length()) {
            throw new Wrong("it ends where a value is expected");
        }
        switch (text.charAt(at)) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private @Nullable Object word(String word, @Nullable Object value) throws Wrong {
        if (!text.startsWith(word, at)) {
            throw new Wrong("a value is expected");
        }
        at += word.length();
        return value;
    }

    private Object number() throws Wrong {
        Matcher matcher = NUMBER.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            throw new Wrong("a value is expected");
        }
        at = matcher.end();
        String number = matcher.group();
        try {
            return matcher.group(2) == null && matcher.group(3) == null && number.length() <= MOST_DIGITS
                    ? (Object) Long.valueOf(number)
                    : new BigDecimal(number);
        } catch (NumberFormatException e) {
            throw new Wrong("a number is too large");
        }
    }

    private Map<String, @Nullable Object> object() throws Wrong {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        enter();
        for (boolean more = !closes('}'); more; more = continues('}')) {
            skipBlanks();
            if (!text.startsWith("\"", at)) {
                throw new Wrong("a name in quotation marks is expected");
            }
            String name = string();
            skipBlanks();
            if (!text.startsWith(":", at)) {
                throw new Wrong("a colon is expected");
            }
            at++;
            if (members.containsKey(name)) {
                throw new Wrong("the name '" + name + "' stands there twice");
            }
            members.put(name, member(name));
        }
        return Collections.unmodifiableMap(members);
    }

    private List<@Nullable Object> array() throws Wrong {
        List<@Nullable Object> items = new ArrayList<>();
        enter();
        for (boolean more = !closes(']'); more; more = continues(']')) {
            items.add(member(Integer.toString(items.size())));
        }
        return Collections.unmodifiableList(items);
    }

    private void enter() throws Wrong {
        if (++depth > DEEPEST) {
            throw new Wrong("it nests more than " + DEEPEST + " objects and lists");
        }
        at++;
    }

    private boolean closes(char end) {
        skipBlanks();
        if (at == text.length() || text.charAt(at) != end) {
            return false;
        }
        at++;
        depth--;
        return true;
    }

    private boolean continues(char end) throws Wrong {
        if (closes(end)) {
            return false;
        }
        if (!text.startsWith(",", at)) {
            throw new Wrong("a comma or '" + end + "' is expected");
        }
        at++;
        return true;
    }

    private String string() throws Wrong {
        StringBuilder out = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                return out.toString();
            }
            if (c < ' ') {
                throw new Wrong("a control character stands in a text");
            }
            out.append(c == '\\' ? escaped() : c);
        }
        throw new Wrong("it ends within a text");
    }

    private char escaped() throws Wrong {
        if (++at == text.length()) {
            throw new Wrong("it ends within a text");
        }
        char c = text.charAt(at);
        int plain = "\"\\/bfnrt".indexOf(c);
        if (plain >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(plain);
        }
        int value = 0;
        for (int i = 1; c == 'u' && i <= 4; i++) {
            int digit = at + i < text.length() ? Character.digit(text.charAt(at + i), 16) : -1;
            value = digit < 0 || value < 0 ? -1 : value << 4 | digit;
        }
        if (c != 'u' || value < 0) {
            throw new Wrong("an escape in a text means nothing");
        }
        at += 4;
        return (char) value;
    }

    private void skipBlanks() {
        while (at < text.length() && " \n\r\t".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }
}

package io.langbridge.runtime.core.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.langbridge.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON as Python's {@code json} does, {@code NaN} and {@code Infinity} included, and refuses what that refuses;
 * duplicate keys too. Every error says in its own words what stands where. The number of values and their depth are
 * bounded, so that memory stays in proportion to the text. Not thread-safe.
 */
final class JsonText {
    private static final int MAX_DEPTH = 200;

    /** Values of one member of a document; no configuration comes near, and more of them would not be one. */
    private static final int MAX_VALUES = 1_000_000;

    private static final int MAX_DIGITS = 5_000;

    private final byte[] text;
    private final String source;
    private int at;
    private int depth;
    private int values;

    JsonText(byte[] utf8, String source) {
        this.text = utf8;
        this.source = source;
    }

    /** Told about every member of the outermost object, so that no tree of all of them is in memory. */
    interface Member {
        void read(String key, JsonElement value);
    }

    /** Told about every item of the outermost list. */
    interface Item {
        void read(JsonElement value);
    }

    /** {@code number} as it stands in the text: nothing is computed from it before somebody asks. */
    private static final class Literal extends Number {
        private static final long serialVersionUID = 1L;

        private final String number;

        Literal(String number) {
            this.number = number;
        }

        @Override
        public int intValue() {
            return (int) doubleValue();
        }

        @Override
        public long longValue() {
            return (long) doubleValue();
        }

        @Override
        public float floatValue() {
            return (float) doubleValue();
        }

        @Override
        public double doubleValue() {
            return Double.parseDouble(number);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Literal literal && literal.number.equals(number);
        }

        @Override
        public int hashCode() {
            return number.hashCode();
        }

        @Override
        public String toString() {
            return number;
        }
    }

    /** The document as a tree. */
    JsonElement tree() {
        start();
        JsonElement value = value();
        end();
        return value;
    }

    /** Whether the document is an object, rather than a list or a single value. */
    boolean isObject() {
        start();
        boolean object = peek() == '{';
        at = 0;
        return object;
    }

    /** Reads the document, an object, member by member. */
    void members(Member member) {
        start();
        if (peek() != '{') {
            value();
            throw new CheckpointException(source + " is JSON, but not an object.");
        }
        at++;
        depth++;
        for (boolean more = !closes('}'); more; more = continues('}')) {
            String key = key();
            values = 0;
            member.read(key, value());
        }
        end();
    }

    /** Reads the document, a list, item by item. */
    void items(Item item) {
        start();
        if (peek() != '[') {
            value();
            throw new CheckpointException(source + " is JSON, but not a list.");
        }
        at++;
        depth++;
        for (boolean more = !closes(']'); more; more = continues(']')) {
            values = 0;
            item.read(value());
        }
        end();
    }

    private void start() {
        if (startsWith(0xef, 0xbb, 0xbf)) {
            throw new CheckpointException(
                    source + " begins with a byte order mark, which JSON must not have; save it as UTF-8 without one.");
        }
        if (startsWith(0xff, 0xfe) || startsWith(0xfe, 0xff) || zerosAlternate()) {
            throw new CheckpointException(source + " is not JSON: it looks like UTF-16 text; save it as UTF-8.");
        }
        skipBlanks();
        if (at == text.length) {
            throw new CheckpointException(
                    source + (text.length == 0 ? " is empty" : " is not JSON: it is blank") + "; download it again.");
        }
    }

    /** As in UTF-16 of a text that begins with two ASCII characters. */
    private boolean zerosAlternate() {
        return text.length >= 4
                && (text[0] == 0) != (text[1] == 0)
                && (text[0] == 0) == (text[2] == 0)
                && (text[1] == 0) == (text[3] == 0);
    }

    private boolean startsWith(int... bytes) {
        if (text.length < bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if ((text[i] & 0xff) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    private void end() {
        skipBlanks();
        if (at < text.length) {
            throw bad(
                    text[at] == 0
                            ? "bytes of zero follow its end; the file is damaged, download it again"
                            : "something follows its end");
        }
    }

    private JsonElement value() {
        skipBlanks();
        if (++values > MAX_VALUES) {
            throw new CheckpointException(
                    source + " is refused: one of its members holds more than " + MAX_VALUES + " values.");
        }
        int c = peek();
        return switch (c) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> new JsonPrimitive(string());
            case 't' -> literal("true", new JsonPrimitive(true));
            case 'f' -> literal("false", new JsonPrimitive(false));
            case 'n' -> literal("null", JsonNull.INSTANCE);
            case 'N' -> literal("NaN", new JsonPrimitive(Double.NaN));
            case 'I' -> literal("Infinity", new JsonPrimitive(Double.POSITIVE_INFINITY));
            default -> {
                if (c == '-' && at + 1 < text.length && text[at + 1] == 'I') {
                    yield literal("-Infinity", new JsonPrimitive(Double.NEGATIVE_INFINITY));
                }
                if (c == '-' || isDigit(c)) {
                    yield number();
                }
                throw unexpected("a value");
            }
        };
    }

    private JsonObject object() {
        enter();
        JsonObject object = new JsonObject();
        for (boolean more = !closes('}'); more; more = continues('}')) {
            int start = at;
            String key = key();
            if (object.has(key)) {
                at = start;
                throw bad("the key '" + key + "' stands there twice");
            }
            object.add(key, value());
        }
        return object;
    }

    private JsonArray array() {
        enter();
        JsonArray array = new JsonArray();
        for (boolean more = !closes(']'); more; more = continues(']')) {
            array.add(value());
        }
        return array;
    }

    private void enter() {
        if (++depth > MAX_DEPTH) {
            throw bad("it nests more than " + MAX_DEPTH + " objects and lists");
        }
        at++;
    }

    /** Whether the object or list ends before its first member. */
    private boolean closes(char end) {
        skipBlanks();
        if (peek() != end) {
            return false;
        }
        at++;
        depth--;
        return true;
    }

    /** Whether another member follows. */
    private boolean continues(char end) {
        if (closes(end)) {
            return false;
        }
        if (peek() != ',') {
            throw unexpected("a comma or '" + end + "'");
        }
        at++;
        skipBlanks();
        if (peek() == end) {
            throw bad("a comma stands before '" + end + "'");
        }
        return true;
    }

    private String key() {
        skipBlanks();
        if (peek() != '"') {
            throw unexpected("a key in double quotes");
        }
        String key = string();
        skipBlanks();
        if (peek() != ':') {
            throw unexpected("a colon after the key '" + key + "'");
        }
        at++;
        return key;
    }

    private JsonElement literal(String word, JsonElement value) {
        for (int i = 0; i < word.length(); i++) {
            if (at + i >= text.length) {
                at = text.length;
                throw truncated();
            }
            if (text[at + i] != word.charAt(i)) {
                throw unexpected("a value");
            }
        }
        at += word.length();
        return value;
    }

    private JsonElement number() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
        } else {
            digits();
        }
        if (at < text.length && text[at] == '.') {
            at++;
            digits();
        }
        if (at < text.length && (text[at] == 'e' || text[at] == 'E')) {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
        if (at - start > MAX_DIGITS) {
            throw bad("a number of " + (at - start) + " characters");
        }
        return new JsonPrimitive(new Literal(new String(text, start, at - start, StandardCharsets.US_ASCII)));
    }

    private void digits() {
        if (!isDigit(peek())) {
            throw unexpected("a digit");
        }
        while (at < text.length && isDigit(text[at])) {
            at++;
        }
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private String string() {
        int start = ++at;
        boolean plain = true;
        while (peek() != '"') {
            int c = text[at];
            if (c >= 0 && c < ' ') {
                throw bad(
                        c == 0
                                ? "a byte of zero stands in a text; the file is damaged, download it again"
                                : "a control character stands unescaped in a text");
            }
            plain &= c != '\\' && c > 0;
            at += c == '\\' ? 2 : 1;
        }
        int end = at++;
        return plain ? new String(text, start, end - start, StandardCharsets.US_ASCII) : unescaped(start, end);
    }

    private String unescaped(int start, int end) {
        String raw;
        try {
            raw = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text, start, end - start))
                    .toString();
        } catch (CharacterCodingException e) {
            at = start;
            throw bad("a text is not UTF-8");
        }
        if (raw.indexOf('\\') < 0) {
            return raw;
        }
        StringBuilder result = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '\\') {
                result.append(c);
                continue;
            }
            char escape = raw.charAt(++i);
            switch (escape) {
                case '"', '\\', '/' -> result.append(escape);
                case 'b' -> result.append('\b');
                case 'f' -> result.append('\f');
                case 'n' -> result.append('\n');
                case 'r' -> result.append('\r');
                case 't' -> result.append('\t');
                case 'u' -> {
                    result.append(unit(raw, i + 1, start));
                    i += 4;
                }
                default -> {
                    at = start;
                    throw bad("the escape '\\" + escape + "' in a text means nothing");
                }
            }
        }
        return result.toString();
    }

    private char unit(String raw, int from, int start) {
        int unit = 0;
        for (int i = from; i < from + 4; i++) {
            int digit = i < raw.length() && raw.charAt(i) < 128 ? Character.digit(raw.charAt(i), 16) : -1;
            if (digit < 0) {
                at = start;
                throw bad("an escape in a text has fewer than four digits");
            }
            unit = unit << 4 | digit;
        }
        return (char) unit;
    }

    private void skipBlanks() {
        while (at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at++;
        }
    }

    private int peek() {
        if (at >= text.length) {
            at = text.length;
            throw truncated();
        }
        return text[at];
    }

    private CheckpointException truncated() {
        return bad("it ends before its end; it is truncated, download it again");
    }

    private CheckpointException unexpected(String expected) {
        int c = at < text.length ? text[at] & 0xff : 0;
        if (c == 0) {
            return bad("a byte of zero stands where " + expected + " is expected; the file is damaged, download it"
                    + " again");
        }
        if (c == '/' || c == '#') {
            return bad("a comment, which JSON does not have, stands where " + expected + " is expected");
        }
        String found = c < 128 ? "'" + (char) c + "'" : String.format(Locale.ROOT, "byte 0x%02x", c);
        return bad(found + " stands where " + expected + " is expected");
    }

    private CheckpointException bad(String what) {
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < Math.min(at, text.length); i++) {
            if (text[i] == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new CheckpointException(source + " is not JSON that can be read: " + what + " (line " + line
                + ", column " + (at - lineStart + 1) + ").");
    }
}

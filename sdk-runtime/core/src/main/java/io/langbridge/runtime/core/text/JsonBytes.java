package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON in memory, read from front to back and strictly (RFC 8259), but for the numbers that Python writes as NaN and
 * Infinity. A vocabulary has hundreds of thousands of strings; they are handed over as UTF-8, without a {@code String}
 * for each.
 */
final class JsonBytes {
    /** What the reference allows too. */
    private static final int MAX_DEPTH = 127;

    private final Path file;
    private final byte[] json;
    private int at;
    /** The string read last, unescaped. */
    private byte[] text = new byte[64];

    private int length;

    JsonBytes(Path file, byte[] json) {
        this.file = file;
        this.json = json;
    }

    /** Where the next value begins, for {@link #seek}. */
    int position() {
        space();
        return at;
    }

    void seek(int position) {
        at = position;
    }

    /** Takes the character if it is the next one that is no white space. */
    boolean take(char c) {
        space();
        if (at < json.length && json[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    void expect(char c) {
        if (!take(c)) {
            throw broken("'" + c + "' is missing");
        }
    }

    /** The next character that is no white space, 0 at the end. */
    char peek() {
        space();
        return at < json.length ? (char) (json[at] & 0xFF) : 0;
    }

    void end() {
        if (position() < json.length) {
            throw broken("there is more after the end of the value");
        }
    }

    /** Reads a string; {@link #bytes}, {@link #length} and {@link #string} then tell what it is. */
    void readString() {
        expect('"');
        length = 0;
        while (true) {
            int b = at < json.length ? json[at++] : '\n';
            if (b == '"') {
                return;
            }
            if (b >= 0 && b < ' ') {
                throw broken("a string is not closed, or has a raw control character");
            }
            if (b == '\\') {
                escape();
            } else if (b >= 0) {
                add(b);
            } else {
                at--;
                character();
            }
        }
    }

    byte[] bytes() {
        return text;
    }

    int length() {
        return length;
    }

    String string() {
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    private void add(int b) {
        if (length == text.length) {
            text = Arrays.copyOf(text, 2 * length);
        }
        text[length++] = (byte) b;
    }

    private void escape() {
        int c = at < json.length ? json[at++] : 0;
        switch (c) {
            case '"', '\\', '/' -> add(c);
            case 'b' -> add('\b');
            case 'f' -> add('\f');
            case 'n' -> add('\n');
            case 'r' -> add('\r');
            case 't' -> add('\t');
            case 'u' -> addCodePoint(unicode());
            default -> throw broken("a string has an unknown escape");
        }
    }

    private int unicode() {
        int high = hex();
        if (high < 0xD800 || high > 0xDFFF) {
            return high;
        }
        if (high < 0xDC00 && at + 1 < json.length && json[at] == '\\' && json[at + 1] == 'u') {
            at += 2;
            int low = hex();
            if (low >= 0xDC00 && low <= 0xDFFF) {
                return Character.toCodePoint((char) high, (char) low);
            }
        }
        throw broken("a string has half a surrogate pair");
    }

    private int hex() {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            int digit = at < json.length ? Character.digit(json[at++], 16) : -1;
            if (digit < 0) {
                throw broken("a string has an unknown escape");
            }
            value = value << 4 | digit;
        }
        return value;
    }

    private void addCodePoint(int c) {
        if (text.length < length + 4) {
            text = Arrays.copyOf(text, 2 * text.length);
        }
        length += Utf8.write(c, text, length);
    }

    private void character() {
        int bytes = Utf8.characterAt(json, at, json.length);
        if (bytes == 0) {
            throw broken("a string is not UTF-8");
        }
        for (int i = 0; i < bytes; i++) {
            add(json[at++]);
        }
    }

    /** An integer, or null for a number with a fraction or beyond 32 bits. */
    @Nullable
    Integer readInteger() {
        double value = readNumber();
        return value == Math.rint(value) && Math.abs(value) <= Integer.MAX_VALUE ? (Integer) (int) value : null;
    }

    double readNumber() {
        int start = position();
        take('-');
        if (at < json.length && json[at] == '0') {
            at++;
        } else {
            digits();
        }
        if (at < json.length && json[at] == '.') {
            at++;
            digits();
        } else if (at - start < 10 && !isExponent()) {
            return smallInteger(start);
        }
        if (isExponent()) {
            at++;
            if (at < json.length && (json[at] == '+' || json[at] == '-')) {
                at++;
            }
            digits();
        }
        return Double.parseDouble(new String(json, start, at - start, StandardCharsets.US_ASCII));
    }

    private boolean isExponent() {
        return at < json.length && (json[at] == 'e' || json[at] == 'E');
    }

    private void digits() {
        int start = at;
        while (at < json.length && json[at] >= '0' && json[at] <= '9') {
            at++;
        }
        if (at == start) {
            throw broken("a value is missing, or a number is not written as JSON writes it");
        }
    }

    private int smallInteger(int start) {
        int value = 0;
        int first = json[start] == '-' ? start + 1 : start;
        for (int i = first; i < at; i++) {
            value = 10 * value + json[i] - '0';
        }
        return first == start ? value : -value;
    }

    /** Passes over one value of any kind. */
    void skip() {
        int depth = 0;
        // One bit per open bracket, set for an object.
        long[] objects = new long[2];
        while (true) {
            char c = peek();
            if (c == '{' || c == '[') {
                if (depth == MAX_DEPTH) {
                    throw tooDeep();
                }
                at++;
                boolean object = c == '{';
                setBit(objects, depth++, object);
                if (take(object ? '}' : ']')) {
                    depth--;
                } else {
                    if (object) {
                        name();
                    }
                    continue;
                }
            } else {
                scalar();
            }
            while (depth > 0 && !take(',')) {
                depth--;
                expect((objects[depth >> 6] >>> depth & 1) != 0 ? '}' : ']');
            }
            if (depth == 0) {
                return;
            }
            if ((objects[depth - 1 >> 6] >>> depth - 1 & 1) != 0) {
                name();
            }
        }
    }

    private static void setBit(long[] bits, int index, boolean value) {
        long bit = 1L << index;
        bits[index >> 6] = value ? bits[index >> 6] | bit : bits[index >> 6] & ~bit;
    }

    private void name() {
        readString();
        expect(':');
    }

    private @Nullable Object scalar() {
        char c = peek();
        if (c == '"') {
            readString();
            return null;
        }
        if (c == 'N' || c == 'I' || c == '-' && at + 1 < json.length && json[at + 1] == 'I') {
            return unlimited();
        }
        return c == 't' || c == 'f' || c == 'n' ? word() : (Object) readNumber();
    }

    private @Nullable Boolean word() {
        if (takeWord("true")) {
            return true;
        }
        if (takeWord("false")) {
            return false;
        }
        if (takeWord("null")) {
            return null;
        }
        throw broken("an unknown word stands for a value");
    }

    /** As Python writes what is no JSON number. */
    private double unlimited() {
        if (takeWord("NaN")) {
            return Double.NaN;
        }
        if (takeWord("Infinity")) {
            return Double.POSITIVE_INFINITY;
        }
        if (takeWord("-Infinity")) {
            return Double.NEGATIVE_INFINITY;
        }
        throw broken("an unknown word stands for a value");
    }

    private boolean takeWord(String word) {
        int end = at + word.length();
        boolean found =
                end <= json.length && new String(json, at, word.length(), StandardCharsets.US_ASCII).equals(word);
        at = found ? end : at;
        return found;
    }

    /** Reads one value of any kind: a map, a list, a string, a double, a boolean or null. */
    @Nullable
    Object readTree() {
        return readTree(0);
    }

    private @Nullable Object readTree(int depth) {
        if (depth == MAX_DEPTH) {
            throw tooDeep();
        }
        if (take('{')) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            if (!take('}')) {
                do {
                    name();
                    String name = string();
                    if (map.containsKey(name)) {
                        throw broken("the key " + Shown.text(name) + " is there twice");
                    }
                    map.put(name, readTree(depth + 1));
                } while (take(','));
                expect('}');
            }
            return map;
        }
        if (take('[')) {
            List<@Nullable Object> list = new ArrayList<>();
            if (!take(']')) {
                do {
                    list.add(readTree(depth + 1));
                } while (take(','));
                expect(']');
            }
            return list;
        }
        char c = peek();
        Object scalar = scalar();
        return c == '"' ? string() : scalar;
    }

    private void space() {
        while (at < json.length && (json[at] == ' ' || json[at] == '\n' || json[at] == '\r' || json[at] == '\t')) {
            at++;
        }
    }

    private CheckpointException tooDeep() {
        return broken("its brackets are nested more than " + MAX_DEPTH + " deep");
    }

    CheckpointException broken(String what) {
        return new CheckpointException(file + " is damaged at byte " + at + ": " + what + ". Download the file again.");
    }
}

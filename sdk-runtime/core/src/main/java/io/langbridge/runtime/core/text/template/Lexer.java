package io.langbridge.runtime.core.text.template;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Cuts a chat template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} on as all chat templates are
 * written for: a block tag takes the blanks before it on its line and the line break after it along. Every character is
 * looked at a fixed number of times.
 */
final class Lexer {
    enum Kind {
        DATA,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    record Token(Kind kind, String text, int position) {
        boolean is(Kind wanted, String wantedText) {
            return kind == wanted && text.equals(wantedText);
        }
    }

    /** The longest published templates have some 20,000 characters. */
    static final int LONGEST_SOURCE = 1 << 20;

    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";"
    };

    private final String source;
    private final String where;
    private final List<Token> tokens = new ArrayList<>();
    private final Map<String, String> names = new HashMap<>();
    private int line = 1;
    private int lineStart;
    private int counted;

    private Lexer(String source, String where) {
        this.source = source;
        this.where = where;
    }

    static List<Token> tokens(String source, String where) {
        if (source.length() > LONGEST_SOURCE) {
            throw new CheckpointException("The chat template in " + where + " has " + source.length()
                    + " characters, more than the " + LONGEST_SOURCE + " allowed.");
        }
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        // One line break at the end of a template file is not part of the template.
        String whole = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        Lexer lexer = new Lexer(whole, where);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        int at = 0;
        while (at < source.length()) {
            int open = nextTag(at);
            if (open < 0) {
                add(Kind.DATA, source.substring(at), at);
                break;
            }
            char kind = source.charAt(open + 1);
            char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
            String data = before(at, open, sign, kind != '{');
            if (!data.isEmpty()) {
                add(Kind.DATA, data, at);
            }
            int inside = open + (sign == '-' || sign == '+' ? 3 : 2);
            if (kind == '#') {
                at = comment(inside);
            } else if (kind == '{') {
                at = tag(inside, Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
            } else {
                int raw = afterRawTag(inside);
                at = raw >= 0 ? raw(raw) : tag(inside, Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
            }
        }
        add(Kind.END, "end of template", source.length());
    }

    private int nextTag(int from) {
        for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** The text before a tag, without the white space that the tag takes along. */
    private String before(int from, int tag, char sign, boolean block) {
        int end = tag;
        while (sign == '-' && end > from && Python.isSpace(source.charAt(end - 1))) {
            end--;
        }
        if (block && sign != '-' && sign != '+') {
            int begin = tag;
            while (begin > from && source.charAt(begin - 1) != '\n' && Python.isSpace(source.charAt(begin - 1))) {
                begin--;
            }
            end = begin == 0 || source.charAt(begin - 1) == '\n' ? begin : tag;
        }
        return source.substring(from, end);
    }

    private int skipSpace(int from) {
        int at = from;
        while (at < source.length() && Python.isSpace(source.charAt(at))) {
            at++;
        }
        return at;
    }

    private int comment(int from) {
        int end = source.indexOf("#}", from);
        if (end < 0) {
            throw error("a comment is not closed", from);
        }
        return afterTag(end + 2, end > from ? source.charAt(end - 1) : ' ');
    }

    /** Where the raw text begins, or -1 if this tag does not begin one. */
    private int afterRawTag(int inside) {
        int at = skipSpace(inside);
        if (!source.startsWith("raw", at)) {
            return -1;
        }
        at = skipSpace(at + 3);
        return source.startsWith("%}", at) ? at + 2 : source.startsWith("-%}", at) ? skipSpace(at + 3) : -1;
    }

    private int raw(int from) {
        for (int word = source.indexOf("endraw", from); word >= 0; word = source.indexOf("endraw", word + 1)) {
            int open = word;
            while (open > from && Python.isSpace(source.charAt(open - 1))) {
                open--;
            }
            char sign = open > from ? source.charAt(open - 1) : ' ';
            sign = sign == '-' || sign == '+' ? sign : ' ';
            open -= sign == ' ' ? 2 : 3;
            int end = skipSpace(word + 6);
            char endSign = end < source.length() && "+-".indexOf(source.charAt(end)) >= 0 ? source.charAt(end) : ' ';
            end += endSign == ' ' ? 0 : 1;
            if (open >= from && source.startsWith("{%", open) && source.startsWith("%}", end)) {
                add(Kind.DATA, before(from, open, sign, true), from);
                return afterTag(end + 2, endSign);
            }
        }
        throw error("a raw block is not closed with endraw", from);
    }

    /** Where the text goes on after a block or comment: {@code -} eats white space, {@code +} nothing. */
    private int afterTag(int end, char sign) {
        return sign == '-'
                ? skipSpace(end)
                : sign != '+' && end < source.length() && source.charAt(end) == '\n' ? end + 1 : end;
    }

    private int tag(int from, Kind begin, Kind end, String closing) {
        add(begin, closing, from);
        Deque<Character> brackets = new ArrayDeque<>();
        int at = from;
        while (true) {
            at = skipSpace(at);
            if (at >= source.length()) {
                throw error("a tag is not closed with " + closing, from);
            }
            char c = source.charAt(at);
            boolean signed = (c == '-' || c == '+' && end == Kind.BLOCK_END) && source.startsWith(closing, at + 1);
            // Inside brackets a }} closes two dictionaries.
            if (brackets.isEmpty() && (signed || source.startsWith(closing, at))) {
                add(end, closing, at);
                int after = at + (signed ? 3 : 2);
                return end == Kind.BLOCK_END
                        ? afterTag(after, signed ? c : ' ')
                        : signed ? afterTag(after, '-') : after;
            }
            int open = "([{".indexOf(c);
            if (open >= 0) {
                brackets.push(")]}".charAt(open));
            } else if (")]}".indexOf(c) >= 0 && (brackets.isEmpty() || brackets.pop() != c)) {
                throw error("unexpected '" + c + "'", at);
            }
            at = word(at);
        }
    }

    private int word(int at) {
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return string(at, c);
        }
        if (isDigit(at)) {
            return number(at);
        }
        if (c == '_' || Character.isUnicodeIdentifierStart(c)) {
            int end = at + 1;
            while (end < source.length()
                    && (source.charAt(end) == '_' || Character.isUnicodeIdentifierPart(source.charAt(end)))) {
                end++;
            }
            String name = source.substring(at, end);
            String known = names.putIfAbsent(name, name);
            return add(Kind.NAME, known == null ? name : known, at, end);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                return add(Kind.OPERATOR, operator, at, at + operator.length());
            }
        }
        throw error("unexpected character '" + Shown.of(String.valueOf(c)) + "'", at);
    }

    private boolean isDigit(int at) {
        return at < source.length() && source.charAt(at) >= '0' && source.charAt(at) <= '9';
    }

    private int number(int at) {
        int radix = radix(at);
        if (radix > 0) {
            int end = digits(at + 1, radix);
            if (end > at + 2) {
                return add(Kind.INTEGER, source.substring(at, end).replace("_", ""), at, end);
            }
        }
        int whole = digits(at, 10);
        int end = whole;
        if (end < source.length() && source.charAt(end) == '.' && isDigit(end + 1)) {
            end = digits(end + 1, 10);
        }
        if (end < source.length() && (source.charAt(end) == 'e' || source.charAt(end) == 'E')) {
            boolean sign = end + 1 < source.length() && "+-".indexOf(source.charAt(end + 1)) >= 0;
            int exponent = end + (sign ? 2 : 1);
            end = isDigit(exponent) ? digits(exponent, 10) : end;
        }
        // a.0.5 is two items, not one float.
        if (end > whole && !(at > 0 && source.charAt(at - 1) == '.')) {
            return add(Kind.FLOAT, source.substring(at, end).replace("_", ""), at, end);
        }
        if (source.charAt(at) == '0') {
            whole = at + 1;
            while (whole < source.length() && source.charAt(whole) == '0') {
                whole++;
            }
        }
        return add(Kind.INTEGER, source.substring(at, whole).replace("_", ""), at, whole);
    }

    private int radix(int at) {
        if (source.charAt(at) != '0' || at + 1 >= source.length()) {
            return 0;
        }
        int letter = "xXoObB".indexOf(source.charAt(at + 1));
        return letter < 0 ? 0 : new int[] {16, 8, 2}[letter / 2];
    }

    /** The end of digits with single underscores between them; a letter before them may be followed by one too. */
    private int digits(int from, int radix) {
        int at = radix == 10 ? from : from + 1;
        while (at < source.length()) {
            int digit = source.charAt(at) == '_' ? at + 1 : at;
            boolean first = at == from;
            if (digit >= source.length()
                    || source.charAt(digit) >= 0x80
                    || Character.digit(source.charAt(digit), radix) < 0
                    || first && digit > at) {
                break;
            }
            at = digit + 1;
        }
        return at;
    }

    private int string(int start, char quote) {
        StringBuilder text = new StringBuilder();
        int at = start + 1;
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c != '\\' || at == source.length()) {
                text.append(c);
                continue;
            }
            at = escape(at, text);
        }
        if (at >= source.length()) {
            throw error("a string is not closed", start);
        }
        return add(Kind.STRING, text.toString(), start, at + 1);
    }

    private int escape(int at, StringBuilder text) {
        char escape = source.charAt(at);
        int named = "ntrabfv\\'\"".indexOf(escape);
        int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
        int end = at + 1;
        if (named >= 0) {
            text.append("\n\t\r\u0007\b\f\u000B\\'\"".charAt(named));
        } else if (digits > 0) {
            text.appendCodePoint(hex(end, digits));
            end += digits;
        } else if (escape >= '0' && escape <= '7') {
            int value = 0;
            for (end = at;
                    end < at + 3 && end < source.length() && "01234567".indexOf(source.charAt(end)) >= 0;
                    end++) {
                value = value * 8 + source.charAt(end) - '0';
            }
            text.append((char) value);
        } else if (escape == 'N') {
            throw new UnsupportedModelException("The chat template in " + where + ", line " + line(at)
                    + ", uses a character by its name (\\N), which is not supported. Write it as \\u and four digits.");
        } else if (escape != '\n') {
            text.append('\\').append(escape);
        }
        return end;
    }

    private int hex(int at, int digits) {
        int value = 0;
        for (int i = at; i < at + digits; i++) {
            char c = i < source.length() ? source.charAt(i) : ' ';
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw error("a string has an escape with wrong digits", at);
            }
            value = value << 4 | digit;
        }
        if (!Character.isValidCodePoint(value)) {
            throw error("a string has an escape beyond U+10FFFF", at);
        }
        return value;
    }

    private int add(Kind kind, String text, int at, int end) {
        add(kind, text, at);
        return end;
    }

    private void add(Kind kind, String text, int at) {
        int number = line(at);
        tokens.add(new Token(kind, text, Position.of(number, at - lineStart + 1)));
    }

    /** Tokens come in the order of the text, so every line break is counted once. */
    private int line(int at) {
        for (; counted < at; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
                lineStart = counted + 1;
            }
        }
        return line;
    }

    private CheckpointException error(String what, int at) {
        int number = line(at);
        return new CheckpointException("The chat template in " + where + ", line " + number + ", is damaged at column "
                + (Math.max(0, at - lineStart) + 1) + ": " + what + ".");
    }
}

package io.langbridge.runtime.core.text.template;

import io.langbridge.CheckpointException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a chat template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} on as all chat templates are
 * written for: a block tag takes the blanks before it on its line and the line break after it along.
 */
final class TemplateLexer {
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

    record Token(Kind kind, String text, int line) {
        boolean is(Kind wanted, String wantedText) {
            return kind == wanted && text.equals(wantedText);
        }
    }

    /** The longest published templates have some 20,000 characters. */
    private static final int LONGEST_SOURCE = 1 << 20;

    private static final Pattern RAW =
            Pattern.compile("\\s*raw\\s*(-?)%\\}(.*?)\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}", Pattern.DOTALL);
    private static final Pattern FLOAT = Pattern.compile("\\d[\\d_]*((\\.\\d[\\d_]*)?[eE][+-]?\\d+|\\.\\d[\\d_]*)");
    private static final Pattern INTEGER = Pattern.compile("0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\\d[\\d_]*");
    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ","
    };

    private final String source;
    private final String where;
    private final List<Token> tokens = new ArrayList<>();
    private int line = 1;
    private int counted;

    private TemplateLexer(String source, String where) {
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
        TemplateLexer lexer = new TemplateLexer(whole, where);
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
            String data = source.substring(at, open);
            if (sign == '-') {
                data = Python.strip(data, null, false, true);
            } else if (sign != '+' && kind != '{') {
                data = withoutIndent(data, at);
            }
            if (!data.isEmpty()) {
                add(Kind.DATA, data, at);
            }
            int inside = open + (sign == '-' || sign == '+' ? 3 : 2);
            if (kind == '#') {
                at = comment(inside);
            } else if (kind == '{') {
                at = tag(inside, Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
            } else {
                Matcher raw = RAW.matcher(source).region(inside, source.length());
                at = raw.lookingAt() ? raw(raw) : tag(inside, Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
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

    /** Drops what stands before a block tag on its line, if that is only white space. */
    private String withoutIndent(String data, int start) {
        int lineStart = data.lastIndexOf('\n') + 1;
        boolean atLineStart = lineStart > 0 || start == 0 || source.charAt(start - 1) == '\n';
        return atLineStart && Python.isBlank(data.substring(lineStart)) ? data.substring(0, lineStart) : data;
    }

    private int comment(int from) {
        int end = source.indexOf("#}", from);
        if (end < 0) {
            throw error("a comment is not closed", from);
        }
        char sign = end > from ? source.charAt(end - 1) : ' ';
        return afterTag(end + 2, sign);
    }

    private int raw(Matcher raw) {
        String text = raw.group(2);
        text = raw.group(1).isEmpty() ? text : Python.strip(text, null, true, false);
        text = raw.group(3).equals("-")
                ? Python.strip(text, null, false, true)
                : raw.group(3).isEmpty() ? withoutIndent(text, raw.start(2)) : text;
        add(Kind.DATA, text, raw.start(2));
        return afterTag(raw.end(), raw.group(4).isEmpty() ? ' ' : raw.group(4).charAt(0));
    }

    /** Where the text goes on after a block or comment: {@code -} eats white space, {@code +} nothing. */
    private int afterTag(int end, char sign) {
        int at = end;
        if (sign == '-') {
            while (at < source.length() && Python.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
            at++;
        }
        return at;
    }

    private int tag(int from, Kind begin, Kind end, String closing) {
        add(begin, closing, from);
        int brackets = 0;
        int at = from;
        while (true) {
            while (at < source.length() && Python.isSpace(source.charAt(at))) {
                at++;
            }
            if (at >= source.length()) {
                throw error("a tag is not closed with " + closing, from);
            }
            char c = source.charAt(at);
            boolean signed = (c == '-' || c == '+' && end == Kind.BLOCK_END) && source.startsWith(closing, at + 1);
            // Inside brackets a }} closes two dictionaries.
            if (brackets == 0 && (signed || source.startsWith(closing, at))) {
                add(end, closing, at);
                int after = at + (signed ? 3 : 2);
                return end == Kind.BLOCK_END
                        ? afterTag(after, signed ? c : ' ')
                        : signed ? afterTag(after, '-') : after;
            }
            if ("([{".indexOf(c) >= 0) {
                brackets++;
            } else if (")]}".indexOf(c) >= 0) {
                brackets--;
            }
            at = word(at);
        }
    }

    private int word(int at) {
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return string(at, c);
        }
        if (c >= '0' && c <= '9') {
            Matcher number = FLOAT.matcher(source).region(at, source.length());
            if (number.lookingAt()) {
                return add(Kind.FLOAT, number.group().replace("_", ""), at, number.end());
            }
            number = INTEGER.matcher(source).region(at, source.length());
            if (number.lookingAt()) {
                return add(Kind.INTEGER, number.group().replace("_", ""), at, number.end());
            }
        }
        if (c == '_' || Character.isUnicodeIdentifierStart(c)) {
            int end = at + 1;
            while (end < source.length()
                    && (source.charAt(end) == '_' || Character.isUnicodeIdentifierPart(source.charAt(end)))) {
                end++;
            }
            return add(Kind.NAME, source.substring(at, end), at, end);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                return add(Kind.OPERATOR, operator, at, at + operator.length());
            }
        }
        throw error("unexpected character '" + c + "'", at);
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
            char escape = source.charAt(at++);
            int named = "ntrabfv\\'\"".indexOf(escape);
            int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
            if (named >= 0) {
                text.append("\n\t\r\u0007\b\f\u000B\\'\"".charAt(named));
            } else if (digits > 0) {
                text.appendCodePoint(hex(at, digits));
                at += digits;
            } else if (escape == '0') {
                text.append('\0');
            } else if (escape != '\n') {
                text.append('\\').append(escape);
            }
        }
        if (at >= source.length()) {
            throw error("a string is not closed", start);
        }
        return add(Kind.STRING, text.toString(), start, at + 1);
    }

    private int hex(int at, int digits) {
        try {
            int codePoint = Integer.parseInt(source.substring(at, at + digits), 16);
            if (Character.isValidCodePoint(codePoint)) {
                return codePoint;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw error("a string has an escape with wrong digits", at);
        }
        throw error("a string has an escape beyond U+10FFFF", at);
    }

    private int add(Kind kind, String text, int at, int end) {
        add(kind, text, at);
        return end;
    }

    private void add(Kind kind, String text, int at) {
        tokens.add(new Token(kind, text, lineOf(at)));
    }

    private int lineOf(int at) {
        for (; counted < at; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private CheckpointException error(String what, int at) {
        return new CheckpointException(
                "The chat template in " + where + ", line " + lineOf(at) + ", is damaged: " + what + ".");
    }
}

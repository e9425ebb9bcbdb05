package io.langbridge.runtime.core.text.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** How one value is to be formatted: fill, sign, width, precision and type. */
final class Spec {
    static final int ABSENT = -1;

    /** A double has no more decimal places; what is asked beyond is zeros. */
    private static final int MOST_PLACES = 1100;

    String fill = " ";
    char align;
    char sign = '-';
    boolean alternate;
    boolean zero;
    long width;
    char grouping;
    int precision = ABSENT;
    char type;

    /** {@code [[fill]align][sign][#][0][width][grouping][.precision][type]}. */
    static Spec parse(String text) {
        Spec spec = new Spec();
        int at = 0;
        int first = text.isEmpty() ? 0 : text.offsetByCodePoints(0, 1);
        if (first < text.length() && "<>=^".indexOf(text.charAt(first)) >= 0) {
            spec.fill = text.substring(0, first);
            spec.align = text.charAt(first);
            at = first + 1;
        } else if (!text.isEmpty() && "<>=^".indexOf(text.charAt(0)) >= 0) {
            spec.align = text.charAt(0);
            at = 1;
        }
        if (at < text.length() && "+- ".indexOf(text.charAt(at)) >= 0) {
            spec.sign = text.charAt(at++);
        }
        if (at < text.length() && text.charAt(at) == '#') {
            spec.alternate = true;
            at++;
        }
        if (at < text.length() && text.charAt(at) == '0') {
            spec.zero = spec.align == 0;
            spec.fill = spec.fill.equals(" ") && spec.align != 0 && at == 1 ? "0" : spec.fill;
            at++;
        }
        while (at < text.length() && isDigit(text.charAt(at))) {
            spec.width = checked(spec.width * 10 + text.charAt(at++) - '0');
        }
        if (at < text.length() && ",_".indexOf(text.charAt(at)) >= 0) {
            spec.grouping = text.charAt(at++);
        }
        if (at + 1 < text.length() && text.charAt(at) == '.' && isDigit(text.charAt(at + 1))) {
            spec.precision = 0;
            for (at++; at < text.length() && isDigit(text.charAt(at)); at++) {
                spec.precision = checked(spec.precision * 10L + text.charAt(at) - '0');
            }
        }
        if (at < text.length()) {
            spec.type = text.charAt(at++);
        }
        if (at < text.length()) {
            throw new Failure("Invalid format specifier '" + Shown.of(text) + "'");
        }
        return spec;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** A width or precision that a text can have. */
    static int checked(long number) {
        if (number > Budget.LONGEST_TEXT) {
            throw new Failure("a text gets longer than " + Budget.LONGEST_TEXT + " characters");
        }
        return (int) number;
    }

    void text(String value, TextBuilder out, Budget budget) {
        if (type != 0 && type != 's') {
            throw new Failure("Unknown format code '" + Shown.of(String.valueOf(type)) + "' for object of type 'str'");
        }
        if (align == '=' || grouping != 0 || sign != '-' && align == 0) {
            throw new Failure("this format specifier is not for texts");
        }
        String shown = value;
        long length = Python.length(value, budget);
        if (precision != ABSENT && precision < length) {
            shown = value.substring(0, value.offsetByCodePoints(0, precision));
            length = precision;
        }
        aligned("", shown, length, zero ? "0" : fill, align == 0 ? '<' : align, out);
    }

    void integer(long value, TextBuilder out, Budget budget) {
        budget.steps(5);
        if (type == 'e' || type == 'E' || type == 'f' || type == 'F' || type == 'g' || type == 'G' || type == '%') {
            floating((double) value, out, budget);
            return;
        }
        int radix = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
        boolean decimal = radix == 10;
        if (decimal && type != 0 && type != 'd' && type != 'n' || value == Long.MIN_VALUE) {
            throw new Failure("Unknown format code '" + Shown.of(String.valueOf(type)) + "' for object of type 'int'");
        }
        String digits = Long.toString(Math.abs(value), radix);
        digits = type == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
        // With % a precision is a least number of digits.
        StringBuilder zeros = new StringBuilder();
        budget.text(Math.max(0, precision));
        for (int i = digits.length(); i < precision; i++) {
            zeros.append('0');
        }
        String prefix = !alternate || decimal ? "" : "0" + type;
        number(value < 0, prefix, zeros + digits, "", decimal ? 3 : 4, out);
    }

    void floating(double value, TextBuilder out, Budget budget) {
        budget.steps(40);
        boolean negative = value < 0 || value == 0 && 1 / value < 0;
        boolean upper = type == 'E' || type == 'F' || type == 'G';
        String text;
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            text = (Double.isNaN(value) ? "nan" : "inf") + (type == '%' ? "%" : "");
            negative &= !Double.isNaN(value);
        } else {
            text = digits(Math.abs(value), budget);
        }
        text = upper ? text.toUpperCase(Locale.ROOT) : text;
        int point = 0;
        while (point < text.length() && isDigit(text.charAt(point))) {
            point++;
        }
        number(negative, "", text.substring(0, point), text.substring(point), 3, out);
    }

    private String digits(double value, Budget budget) {
        int places = precision == ABSENT ? 6 : precision;
        switch (type) {
            case 'f', 'F':
                return fixed(Numbers.exact(value, budget), places, budget);
            case '%':
                return fixed(Numbers.exact(value * 100, budget), places, budget) + "%";
            case 'e', 'E':
                return scientific(value, places, budget);
            case 'g', 'G', 'n':
                return general(value, Math.max(1, places), 'g', budget);
            case 0:
                return precision == ABSENT
                        ? Repr.floatText(value, budget)
                        : general(value, Math.max(1, precision), (char) 0, budget);
            default:
                throw new Failure(
                        "Unknown format code '" + Shown.of(String.valueOf(type)) + "' for object of type 'float'");
        }
    }

    private String fixed(BigDecimal value, int places, Budget budget) {
        int exact = Math.min(places, MOST_PLACES);
        budget.text(exact + Math.max(0, value.precision() - value.scale()));
        StringBuilder text =
                new StringBuilder(value.setScale(exact, RoundingMode.HALF_EVEN).toPlainString());
        zeros(places - exact, text, budget);
        return text.append(alternate && places == 0 ? "." : "").toString();
    }

    private static void zeros(int count, StringBuilder text, Budget budget) {
        budget.text(count);
        for (int i = 0; i < count; i++) {
            text.append('0');
        }
    }

    private String scientific(double value, int places, Budget budget) {
        int exact = Math.min(places, MOST_PLACES);
        budget.text(exact);
        BigDecimal number = Numbers.exact(value, budget);
        BigDecimal rounded = value == 0
                ? BigDecimal.ZERO
                : number.setScale(exact - (number.precision() - number.scale() - 1), RoundingMode.HALF_EVEN);
        if (rounded.precision() > exact + 1) {
            rounded = rounded.setScale(rounded.scale() - 1, RoundingMode.HALF_EVEN);
        }
        StringBuilder digits = new StringBuilder(rounded.unscaledValue().toString());
        int exponent = value == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        zeros(places + 1 - digits.length(), digits, budget);
        if (places > 0 || alternate) {
            digits.insert(1, '.');
        }
        int size = Math.abs(exponent);
        return digits + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
    }

    private String general(double value, int significant, char kind, Budget budget) {
        String scientific = scientific(value, significant - 1, budget);
        int e = scientific.indexOf('e');
        int exponent = Integer.parseInt(scientific.substring(e + 1).replace("+", ""));
        // Without a type, a float never looks like an integer.
        int limit = kind == 0 ? significant - 1 : significant;
        if (exponent < -4 || exponent >= Math.max(limit, kind == 0 ? 1 : 0)) {
            return (alternate ? scientific.substring(0, e) : trimmed(scientific.substring(0, e)))
                    + scientific.substring(e);
        }
        String text = fixed(Numbers.exact(value, budget), Math.max(0, significant - 1 - exponent), budget);
        text = alternate ? text : trimmed(text);
        return kind == 0 && text.indexOf('.') < 0 ? text + ".0" : text;
    }

    private static String trimmed(String text) {
        if (text.indexOf('.') < 0) {
            return text;
        }
        int end = text.length();
        while (text.charAt(end - 1) == '0') {
            end--;
        }
        return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
    }

    private void number(boolean negative, String prefix, String whole, String rest, int group, TextBuilder out) {
        String signed = (negative ? "-" : sign == '-' ? "" : String.valueOf(sign)) + prefix;
        long inside = width - signed.length() - rest.length();
        String digits = whole;
        if (zero && align != '<' && align != '^' || zero && align == 0) {
            StringBuilder padded = new StringBuilder();
            long missing = grouping == 0 ? inside - whole.length() : groupedDigits(inside, group) - whole.length();
            for (long i = 0; i < missing; i++) {
                padded.append('0');
            }
            digits = padded + whole;
        }
        if (grouping != 0) {
            StringBuilder grouped = new StringBuilder();
            for (int i = 0; i < digits.length(); i++) {
                grouped.append(i > 0 && (digits.length() - i) % group == 0 ? String.valueOf(grouping) : "");
                grouped.append(digits.charAt(i));
            }
            digits = grouped.toString();
        }
        String body = digits + rest;
        aligned(signed, body, signed.length() + body.length(), fill, align == 0 ? '>' : align, out);
    }

    /** How many digits fill so many places with a separator before every group but the first. */
    private static long groupedDigits(long places, int group) {
        long digits = places - places / (group + 1);
        return digits > 0 && places % (group + 1) == 0 ? digits + 1 : digits;
    }

    private void aligned(String before, String text, long length, String filler, char how, TextBuilder out) {
        long missing = Math.max(0, width - length);
        long left = how == '>' ? missing : how == '^' ? missing / 2 : 0;
        out.repeat(filler, left).append(before);
        out.repeat(filler, how == '=' ? missing : 0);
        out.append(text).repeat(filler, how == '=' ? 0 : missing - left);
    }
}

package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Attributed;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.Namespace;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Range;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import io.langbridge.runtime.core.text.template.Values.View;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.List;

/** Python's {@code repr}. */
final class Repr {
    /** What guards a user's words from being read as special tokens; it has to come through unchanged. */
    private static final char MARK = '\uFDD0';

    private final Budget budget;
    private final TextBuilder out;

    private Repr(Budget budget) {
        this.budget = budget;
        out = new TextBuilder(budget);
    }

    static String of(Object value, Budget budget) {
        Repr repr = new Repr(budget);
        repr.add(value);
        return repr.out.toString();
    }

    private void add(Object value) {
        budget.enter();
        if (value instanceof String text) {
            string(text);
        } else if (value instanceof Markup markup) {
            out.append("Markup(");
            string(markup.text());
            out.append(")");
        } else if (value instanceof Double number) {
            out.append(floatText(number, budget));
        } else if (value instanceof List<?> list) {
            items("[", list, "]");
        } else if (value instanceof Tuple tuple) {
            items("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")");
        } else if (value instanceof Dict dict) {
            dict(dict);
        } else if (value instanceof View view) {
            out.append(Python.typeName(view)).append("(");
            items("[", Python.list(view, budget), "]");
            out.append(")");
        } else if (value instanceof Namespace namespace) {
            out.append("<Namespace ");
            dict(namespace.attributes);
            out.append(">");
        } else if (value instanceof Range range) {
            out.append("range(" + range.start() + ", " + range.stop());
            out.append(range.step() == 1 ? ")" : ", " + range.step() + ")");
        } else {
            out.append(word(value));
        }
        budget.leave();
    }

    private String word(Object value) {
        return value instanceof None
                ? "None"
                : value instanceof Boolean flag
                        ? flag ? "True" : "False"
                        : value instanceof Long
                                ? value.toString()
                                : value instanceof Undefined
                                        ? "Undefined"
                                        : value instanceof Attributed own
                                                ? own.repr(budget)
                                                : "<" + Python.typeName(value) + ">";
    }

    private void items(String open, List<?> items, String close) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            add(item);
            separator = ", ";
        }
        out.append(close);
    }

    private void dict(Dict dict) {
        out.append("{");
        String separator = "";
        Iterator<Object> values = dict.values().iterator();
        for (Object key : dict.keys()) {
            out.append(separator);
            add(key);
            out.append(": ");
            add(values.next());
            separator = ", ";
        }
        out.append("}");
    }

    private void string(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        budget.scan(2L * text.length());
        out.append(quote);
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            int named = "\n\r\t\\".indexOf(c);
            if (named >= 0) {
                out.append('\\').append("nrt\\".charAt(named));
            } else if (c == quote) {
                out.append('\\').append(quote);
            } else if (Python.isPrintable(c) || c == MARK) {
                out.appendCodePoint(c);
            } else {
                escape(c, out);
            }
        }
        out.append(quote);
    }

    static void escape(int c, TextBuilder out) {
        out.append('\\').append(c < 0x100 ? 'x' : c < 0x10000 ? 'u' : 'U');
        out.hex(c, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
    }

    /** The shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e16 on. */
    static String floatText(double number, Budget budget) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        // Cut, not rounded, so that what is rounded next is rounded once.
        BigDecimal shortest = Numbers.exact(number, budget).round(new MathContext(20, RoundingMode.DOWN));
        // Of any number with 15 digits or fewer, 15 are found again, but for the smallest of all.
        for (int digits = Math.abs(number) < Double.MIN_NORMAL ? 1 : 15; digits <= 17; digits++) {
            budget.steps(20 + Math.abs(Math.getExponent(number)) / 16);
            BigDecimal rounded = shortest.round(new MathContext(digits));
            if (rounded.doubleValue() == number) {
                shortest = rounded.stripTrailingZeros();
                break;
            }
        }
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            return shortest.scale() > 0 ? shortest.toPlainString() : shortest.toPlainString() + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        return (number < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }
}

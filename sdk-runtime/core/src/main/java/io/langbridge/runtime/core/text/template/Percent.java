package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Formatting with {@code %}. */
final class Percent {
    private final String format;
    private final boolean safe;
    private final Object values;
    private final List<Object> positional;
    private final Run run;
    private final TextBuilder out;
    private int at;
    private int used;

    private Percent(Object format, Object values, Run run) {
        this.format = Python.str(format, run.budget);
        this.safe = format instanceof Markup;
        this.values = values;
        this.positional = values instanceof Tuple tuple ? tuple.items() : Collections.singletonList(values);
        this.run = run;
        out = new TextBuilder(run.budget);
    }

    /** {@code format % values}. */
    static Object format(Object format, Object values, Run run) {
        Percent percent = new Percent(format, values, run);
        percent.all();
        return Nodes.markup(percent.safe, percent.out.toString());
    }

    private void all() {
        boolean mapping = false;
        while (at < format.length()) {
            int next = format.indexOf('%', at);
            out.append(format, at, next < 0 ? format.length() : next);
            if (next < 0) {
                break;
            }
            at = next + 1;
            mapping |= one();
        }
        boolean mayBeUnused = mapping
                || values instanceof Dict
                || values instanceof List
                || values instanceof Undefined
                || values instanceof Values.Range;
        if (used < positional.size() && !mayBeUnused) {
            throw new Failure("not all arguments converted during string formatting");
        }
    }

    private char peek() {
        if (at >= format.length()) {
            throw new Failure("incomplete format");
        }
        return format.charAt(at);
    }

    /** Writes one field; tells whether its value was looked up by name. */
    private boolean one() {
        String key = key();
        String flags = "";
        while ("-+ #0".indexOf(peek()) >= 0) {
            flags += flags.indexOf(peek()) < 0 ? peek() : "";
            at++;
        }
        long width = number();
        if (width < 0 && width != ABSENT) {
            flags += "-";
            width = -width;
        }
        long precision = ABSENT;
        if (peek() == '.') {
            at++;
            precision = Math.max(0, number());
        }
        if ("hlL".indexOf(peek()) >= 0) {
            at++;
        }
        char type = peek();
        at++;
        if (type == '%') {
            out.append('%');
            return key != null;
        }
        Object value = key == null ? next() : named(key);
        Spec spec = new Spec();
        spec.width = Math.max(0, width);
        spec.align = flags.indexOf('-') >= 0 ? '<' : '>';
        spec.sign = flags.indexOf('+') >= 0 ? '+' : flags.indexOf(' ') >= 0 ? ' ' : '-';
        spec.alternate = flags.indexOf('#') >= 0;
        spec.zero = flags.indexOf('0') >= 0 && flags.indexOf('-') < 0;
        spec.precision = precision == ABSENT ? Spec.ABSENT : Spec.checked(precision);
        spec.type = type;
        write(value, spec);
        return key != null;
    }

    private static final long ABSENT = Long.MIN_VALUE;

    private @Nullable String key() {
        if (peek() != '(') {
            return null;
        }
        int open = 1;
        int from = ++at;
        while (open > 0) {
            char c = peek();
            open += c == '(' ? 1 : c == ')' ? -1 : 0;
            at++;
        }
        return format.substring(from, at - 1);
    }

    private long number() {
        if (peek() == '*') {
            at++;
            return Python.toLong(next());
        }
        long number = ABSENT;
        while (peek() >= '0' && peek() <= '9') {
            number = (number == ABSENT ? 0 : number) * 10 + peek() - '0';
            Spec.checked(number);
            at++;
        }
        return number;
    }

    private Object next() {
        if (used >= positional.size()) {
            throw new Failure("not enough arguments for format string");
        }
        return positional.get(used++);
    }

    private Object named(String key) {
        if (!(values instanceof Dict dict)) {
            throw new Failure("format requires a mapping");
        }
        used = positional.size();
        Object value = dict.get(key, run.budget);
        if (value == null) {
            throw new Failure("the mapping has no '" + Shown.of(key) + "'");
        }
        return value;
    }

    private void write(Object value, Spec spec) {
        Budget budget = run.budget;
        switch (spec.type) {
            case 's', 'r', 'a' -> {
                String text = spec.type == 's' ? Python.str(value, budget) : Repr.of(value, budget);
                text = spec.type == 'a' ? Json.ascii(text, budget) : text;
                spec.zero = false;
                spec.type = 's';
                String shown = safe && !(value instanceof Markup) ? Operators.escaped(text, budget) : text;
                spec.text(shown, out, budget);
            }
            case 'c' -> {
                String text = Python.textOrNull(value);
                if (text == null) {
                    long c = Python.toLong(value);
                    if (c < 0 || c > Character.MAX_CODE_POINT) {
                        throw new Failure("the argument of %" + spec.type + " is not in range(0x110000)");
                    }
                    text = new String(Character.toChars((int) c));
                }
                if (text.isEmpty() || text.codePointCount(0, text.length()) != 1) {
                    throw new Failure("%" + spec.type + " requires int or char");
                }
                spec.zero = false;
                spec.precision = Spec.ABSENT;
                spec.type = 's';
                spec.text(text, out, budget);
            }
            case 'd', 'i', 'u' -> {
                spec.type = 'd';
                long number = value instanceof Double real ? Numbers.truncated(real) : real(value);
                spec.integer(number, out, budget);
            }
            case 'x', 'X', 'o' -> spec.integer(Python.toLong(value), out, budget);
            case 'e', 'E', 'f', 'F', 'g', 'G' ->
                spec.floating(Python.isNumber(value) ? Python.toDouble(value) : fromText(value), out, budget);
            default -> throw new Failure("unsupported format character '" + Shown.of(String.valueOf(spec.type)) + "'");
        }
    }

    private static long real(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (!Python.isInteger(value)) {
            throw new Failure("an integer format needs a real number, not " + Python.typeName(value));
        }
        return Python.toLong(value);
    }

    private double fromText(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        throw new Failure("must be real number, not " + Python.typeName(value));
    }
}

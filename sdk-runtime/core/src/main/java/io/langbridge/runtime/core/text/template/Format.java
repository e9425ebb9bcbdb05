package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Markup;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code str.format}: fields in braces, by number or name, with attributes, conversions and nested specifications. */
final class Format {
    private static final int DEEPEST = 2;

    private final List<Object> positional;
    private final Map<String, Object> named;
    private final @Nullable Dict mapping;
    private final Run run;
    private final boolean safe;
    private int automatic;
    private boolean numbered;

    private Format(boolean safe, List<Object> positional, Map<String, Object> named, @Nullable Dict mapping, Run run) {
        this.safe = safe;
        this.positional = positional;
        this.named = named;
        this.mapping = mapping;
        this.run = run;
    }

    static Object format(Object format, List<Object> positional, Map<String, Object> named, Run run) {
        boolean safe = format instanceof Markup;
        return new Format(safe, positional, named, null, run).expand(Python.str(format, run.budget), DEEPEST);
    }

    static Object formatMap(Object format, Object mapping, Run run) {
        if (!(mapping instanceof Dict dict)) {
            throw new Failure("format_map() needs a mapping, not " + Python.typeName(mapping));
        }
        boolean safe = format instanceof Markup;
        return new Format(safe, java.util.Collections.emptyList(), java.util.Collections.emptyMap(), dict, run)
                .expand(Python.str(format, run.budget), DEEPEST);
    }

    private String expand(String format, int depth) {
        if (depth < 0) {
            throw new Failure("Max string recursion exceeded");
        }
        TextBuilder out = new TextBuilder(run.budget);
        int at = 0;
        while (at < format.length()) {
            char c = format.charAt(at);
            if (c != '{' && c != '}') {
                out.append(c);
                at++;
            } else if (at + 1 < format.length() && format.charAt(at + 1) == c) {
                out.append(c);
                at += 2;
            } else if (c == '}') {
                throw new Failure("Single '}' encountered in format string");
            } else {
                int end = fieldEnd(format, at + 1);
                field(format.substring(at + 1, end), depth, out);
                at = end + 1;
            }
        }
        return out.toString();
    }

    private int fieldEnd(String format, int from) {
        int open = 1;
        for (int i = from; i < format.length(); i++) {
            run.budget.scan(1);
            open += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
            if (open == 0) {
                return i;
            }
        }
        throw new Failure("expected '}' before end of string");
    }

    private void field(String field, int depth, TextBuilder out) {
        int nameEnd = 0;
        boolean bracket = false;
        while (nameEnd < field.length() && (bracket || "!:".indexOf(field.charAt(nameEnd)) < 0)) {
            bracket = field.charAt(nameEnd) == '[' || bracket && field.charAt(nameEnd) != ']';
            nameEnd++;
        }
        String rest = field.substring(nameEnd);
        char conversion = 0;
        if (rest.startsWith("!")) {
            if (rest.length() < 2 || rest.length() > 2 && rest.charAt(2) != ':') {
                throw new Failure("expected ':' after conversion specifier");
            }
            conversion = rest.charAt(1);
            rest = rest.substring(2);
        }
        Object value = converted(value(field.substring(0, nameEnd)), conversion);
        String spec = rest.isEmpty() ? "" : expand(rest.substring(1), depth - 1);
        write(value, spec, out);
    }

    private Object converted(Object value, char conversion) {
        return switch (conversion) {
            case 0 -> value;
            case 's' -> Python.str(value, run.budget);
            case 'r' -> Repr.of(value, run.budget);
            case 'a' -> Json.ascii(Repr.of(value, run.budget), run.budget);
            default -> throw new Failure("Unknown conversion specifier");
        };
    }

    private Object value(String field) {
        int at = 0;
        while (at < field.length() && ".[".indexOf(field.charAt(at)) < 0) {
            at++;
        }
        Object value = first(field.substring(0, at));
        while (at < field.length()) {
            run.budget.steps(1);
            if (field.charAt(at) == '[') {
                int end = field.indexOf(']', at);
                if (end < 0 || end == at + 1) {
                    throw new Failure("Missing ']' in format string, or nothing in the brackets");
                }
                String index = field.substring(at + 1, end);
                value = run.item(value, isNumber(index) ? (Object) Long.valueOf(index) : index);
                at = end + 1;
            } else if (field.charAt(at) == '.') {
                int end = at + 1;
                while (end < field.length() && ".[".indexOf(field.charAt(end)) < 0) {
                    end++;
                }
                if (end == at + 1) {
                    throw new Failure("Empty attribute in format string");
                }
                value = run.attribute(value, field.substring(at + 1, end));
                at = end;
            } else {
                throw new Failure("Only '.' or '[' may follow ']' in format field specifier");
            }
        }
        return value;
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 18 && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private Object first(String name) {
        if (name.isEmpty() || isNumber(name)) {
            if (name.isEmpty() ? numbered : automatic > 0) {
                throw new Failure("cannot switch between manual field specification and automatic field numbering");
            }
            numbered |= !name.isEmpty();
            long index = name.isEmpty() ? automatic++ : Long.parseLong(name);
            if (index >= positional.size()) {
                throw new Failure("Replacement index " + index + " out of range for positional args tuple");
            }
            return positional.get((int) index);
        }
        Object value = mapping != null ? mapping.get(name, run.budget) : named.get(name);
        if (value == null) {
            throw new Failure("format() has no argument '" + Shown.of(name) + "'");
        }
        return value;
    }

    private void write(Object value, String spec, TextBuilder out) {
        Budget budget = run.budget;
        TextBuilder text = safe ? new TextBuilder(budget) : out;
        String given = Python.textOrNull(value);
        if (given != null && !(safe && value instanceof Markup)) {
            Spec.parse(spec).text(given, text, budget);
        } else if (value instanceof Boolean && spec.isEmpty()) {
            text.append(Python.str(value, budget));
        } else if (Python.isInteger(value)) {
            Spec parsed = Spec.parse(spec);
            if (parsed.precision != Spec.ABSENT && "eEfFgG%".indexOf(parsed.type) < 0) {
                throw new Failure("Precision not allowed in integer format specifier");
            }
            if (parsed.type == 'c') {
                throw new Failure.Unsupported("the format type 'c'");
            }
            parsed.integer(Python.toLong(value), text, budget);
        } else if (value instanceof Double number) {
            Spec.parse(spec).floating(number, text, budget);
        } else if (spec.isEmpty()) {
            text.append(Python.str(value, budget));
        } else if (value instanceof Markup) {
            throw new Failure("Unsupported format specification for Markup.");
        } else {
            throw new Failure("unsupported format string passed to " + Python.typeName(value) + ".__format__");
        }
        if (safe) {
            out.append(value instanceof Markup ? text.toString() : Operators.escaped(text.toString(), budget));
        }
    }
}

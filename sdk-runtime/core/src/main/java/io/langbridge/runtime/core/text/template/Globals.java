package io.langbridge.runtime.core.text.template;

import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.template.Function.Arguments;
import io.langbridge.runtime.core.text.template.Values.Namespace;
import io.langbridge.runtime.core.text.template.Values.Range;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names every template can use. */
final class Globals {
    static final Map<String, Object> ALL;

    private static final int LONGEST_RANGE = 100_000;

    private Globals() {}

    static {
        Map<String, Object> all = new HashMap<>();
        all.put("range", new Function("range", "start stop= step= /", Globals::range));
        all.put("dict", new Function("dict", "* **", Globals::dict));
        all.put("namespace", new Function("namespace", "* **", a -> {
            Namespace namespace = new Namespace();
            namespace.attributes.putAll(dict(a), a.budget);
            return namespace;
        }));
        all.put("joiner", new Function("joiner", "sep=", a -> new Joiner(a.get(0, ", "))));
        all.put("cycler", new Function("cycler", "*", a -> {
            if (a.more.isEmpty()) {
                throw new Failure("at least one item has to be provided");
            }
            return new Cycler(new ArrayList<>(a.more));
        }));
        all.put("lipsum", new Function("lipsum", "* **", a -> {
            throw new Failure.Unsupported("the function 'lipsum'");
        }));
        all.put("raise_exception", new Function("raise_exception", "message", a -> {
            throw new PromptException(Shown.of(a.str(0)));
        }));
        all.put(
                "strftime_now",
                new Function(
                        "strftime_now",
                        "format",
                        a -> strftime(LocalDateTime.now(ZoneId.systemDefault()), a.text(0), a.budget)));
        ALL = Collections.unmodifiableMap(all);
    }

    private static Object range(Arguments a) {
        long start = a.has(1) ? Python.toLong(a.get(0)) : 0;
        long stop = Python.toLong(a.get(a.has(1) ? 1 : 0));
        long step = a.number(2, 1);
        if (step == 0) {
            throw new Failure("range() arg 3 must not be zero");
        }
        // What does not fit is an ArithmeticException, which says so.
        Math.subtractExact(stop, start);
        Math.negateExact(step);
        Range range = new Range(start, stop, step);
        if (range.length() > LONGEST_RANGE) {
            throw new Failure("a range has more than " + LONGEST_RANGE + " numbers");
        }
        return range;
    }

    private static Dict dict(Arguments a) {
        if (a.more.size() > 1) {
            throw new Failure("dict expected at most 1 argument, got " + a.more.size());
        }
        Dict dict = new Dict();
        Object source = a.more.isEmpty() ? dict : a.more.get(0);
        if (source instanceof Dict other) {
            dict.putAll(other, a.budget);
        } else {
            for (Iterator<Object> i = Python.iterate(source, a.budget); i.hasNext(); ) {
                List<Object> pair = Python.list(i.next(), a.budget);
                if (pair.size() != 2) {
                    throw new Failure("a dictionary is made of pairs, not of " + pair.size() + " values");
                }
                dict.put(pair.get(0), pair.get(1), a.budget);
            }
        }
        a.named.forEach((name, value) -> dict.put(name, value, a.budget));
        return dict;
    }

    /** Gives nothing at first, then always the separator. */
    private static final class Joiner implements Values.Attributed, Values.Callable {
        private final Object separator;
        private boolean used;

        Joiner(Object separator) {
            this.separator = separator;
        }

        @Override
        public Object call(Run run, List<Object> positional, Map<String, Object> named) {
            return new Function("joiner", "", a -> {
                        Object now = used ? separator : "";
                        used = true;
                        return now;
                    })
                    .call(run, positional, named);
        }

        @Override
        public @Nullable Object attribute(String name, Run run) {
            return name.equals("sep") ? separator : name.equals("used") ? (Object) used : null;
        }

        @Override
        public String repr(Budget budget) {
            return "<Joiner>";
        }
    }

    /** Gives its values one after the other, again and again. */
    private static final class Cycler implements Values.Attributed {
        private final List<Object> items;
        private int at;

        Cycler(List<Object> items) {
            this.items = items;
        }

        @Override
        public @Nullable Object attribute(String name, Run run) {
            switch (name) {
                case "current":
                    return items.get(at);
                case "next":
                    return new Function("next", "", a -> {
                        Object now = items.get(at);
                        at = (at + 1) % items.size();
                        return now;
                    });
                case "reset":
                    return new Function("reset", "", a -> {
                        at = 0;
                        return Values.None.NONE;
                    });
                case "items":
                    return new Values.Tuple(items);
                case "pos":
                    return (long) at;
                default:
                    return null;
            }
        }

        @Override
        public String repr(Budget budget) {
            return "<Cycler>";
        }
    }

    static String strftime(LocalDateTime time, String format, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char code = format.charAt(++i);
            boolean unpadded = code == '-' && i + 1 < format.length();
            code = unpadded ? format.charAt(++i) : code;
            budget.steps(50);
            String text = field(time, code, budget);
            out.append(unpadded ? text.replaceFirst("^0+(?=.)", "") : text);
        }
        return out.toString();
    }

    private static String field(LocalDateTime time, char code, Budget budget) {
        switch (code) {
            case '%':
                return "%";
            case 'n':
                return "\n";
            case 't':
                return "\t";
            // A time without zone, as Python's datetime.now() gives it.
            case 'z', 'Z':
                return "";
            case 'F':
                return strftime(time, "%Y-%m-%d", budget);
            case 'T', 'X':
                return strftime(time, "%H:%M:%S", budget);
            case 'R':
                return strftime(time, "%H:%M", budget);
            case 'D', 'x':
                return strftime(time, "%m/%d/%y", budget);
            case 'c':
                return strftime(time, "%a %b %e %H:%M:%S %Y", budget);
            case 'e':
                return (time.getDayOfMonth() < 10 ? " " : "") + time.getDayOfMonth();
            case 'f':
                return time.format(DateTimeFormatter.ofPattern("SSSSSS", Locale.US));
            case 'u':
                return String.valueOf(time.getDayOfWeek().getValue());
            case 'w':
                return String.valueOf(time.getDayOfWeek().getValue() % 7);
            default:
                break;
        }
        int known = "dmYyHIMSpaAbBjh".indexOf(code);
        if (known < 0) {
            throw new Failure.Unsupported("%" + Shown.of(String.valueOf(code)) + " in strftime_now");
        }
        String[] patterns = {
            "dd", "MM", "yyyy", "yy", "HH", "hh", "mm", "ss", "a", "EEE", "EEEE", "MMM", "MMMM", "DDD", "MMM"
        };
        return time.format(DateTimeFormatter.ofPattern(patterns[known], Locale.US));
    }
}

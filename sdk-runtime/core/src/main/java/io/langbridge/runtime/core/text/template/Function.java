package io.langbridge.runtime.core.text.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A filter, test, method or function with its parameters as Python declares them. What is called with too many, too few
 * or unknown arguments fails as it does there; no argument is ever dropped.
 */
final class Function implements Values.Callable {
    interface Body {
        Object apply(Arguments arguments);
    }

    private final String name;
    private final List<String> parameters = new ArrayList<>();
    private final List<Boolean> optional = new ArrayList<>();
    private final Body body;
    private int positionalOnly;
    private boolean takesMore;
    private boolean takesNames;

    /**
     * @param parameters names with blanks between them; {@code =} ends one that may be left out, {@code /} stands after
     *     those that have no name for callers, {@code *} takes all further values and {@code **} all further names
     */
    Function(String name, String parameters, Body body) {
        this.name = name;
        this.body = body;
        for (String parameter : parameters.split(" ", -1)) {
            if (parameter.equals("/")) {
                positionalOnly = this.parameters.size();
            } else if (parameter.equals("*")) {
                takesMore = true;
            } else if (parameter.equals("**")) {
                takesNames = true;
            } else if (!parameter.isEmpty()) {
                boolean given = !parameter.endsWith("=");
                this.parameters.add(given ? parameter : parameter.substring(0, parameter.length() - 1));
                optional.add(!given);
            }
        }
    }

    String name() {
        return name;
    }

    /** The function with its first argument fixed, as a method of that value. */
    Values.Callable bound(Object receiver) {
        return (run, positional, named) -> call(run, prepend(receiver, positional), named);
    }

    static List<Object> prepend(Object first, List<Object> rest) {
        if (rest.isEmpty()) {
            return Collections.singletonList(first);
        }
        List<Object> all = new ArrayList<>(rest.size() + 1);
        all.add(first);
        all.addAll(rest);
        return all;
    }

    @Override
    public Object call(Run run, List<Object> positional, Map<String, Object> named) {
        run.budget.steps(1 + (long) positional.size() + named.size());
        @Nullable Object[] values = new @Nullable Object[parameters.size()];
        int given = Math.min(positional.size(), values.length);
        for (int i = 0; i < given; i++) {
            values[i] = positional.get(i);
        }
        if (positional.size() > given && !takesMore) {
            throw new Failure(name + "() takes at most " + values.length + " arguments (" + positional.size()
                    + " given), the value itself included");
        }
        Map<String, Object> more = named.isEmpty() ? Collections.emptyMap() : takeNamed(values, named);
        for (int i = 0; i < values.length; i++) {
            if (values[i] == null && !optional.get(i)) {
                throw new Failure(name + "() missing required argument '" + parameters.get(i) + "'");
            }
        }
        List<Object> rest = positional.subList(given, positional.size());
        return body.apply(new Arguments(run, name, values, rest, more));
    }

    private Map<String, Object> takeNamed(@Nullable Object[] values, Map<String, Object> named) {
        Map<String, Object> more = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : named.entrySet()) {
            int at = parameters.indexOf(entry.getKey());
            if (at >= positionalOnly) {
                if (values[at] != null) {
                    throw new Failure(name + "() got multiple values for argument '" + entry.getKey() + "'");
                }
                values[at] = entry.getValue();
            } else if (takesNames) {
                more.put(entry.getKey(), entry.getValue());
            } else {
                throw new Failure(
                        name + "() got an unexpected keyword argument '" + Shown.of(entry.getKey()) + "'; it has "
                                + Arrays.toString(parameters
                                        .subList(positionalOnly, parameters.size())
                                        .toArray()));
            }
        }
        return more;
    }

    /** What a function was given, by the places of its parameters. */
    static final class Arguments {
        final Run run;
        final Budget budget;
        final String function;
        final List<Object> more;
        final Map<String, Object> named;
        private final @Nullable Object[] values;

        Arguments(Run run, String function, @Nullable Object[] values, List<Object> more, Map<String, Object> named) {
            this.run = run;
            this.budget = run.budget;
            this.function = function;
            this.values = values;
            this.more = more;
            this.named = named;
        }

        Object get(int index) {
            return Objects.requireNonNull(values[index]);
        }

        Object get(int index, Object otherwise) {
            Object value = values[index];
            return value == null ? otherwise : value;
        }

        boolean has(int index) {
            return values[index] != null;
        }

        /** Whether a value other than none was given. */
        boolean given(int index) {
            return values[index] != null && values[index] != Values.None.NONE;
        }

        /** The value as {@code str(..)} prints it. */
        String str(int index) {
            return Python.str(get(index), budget);
        }

        /** A value that has to be a str. */
        String text(int index) {
            Object value = get(index);
            String text = Python.textOrNull(value);
            if (text != null) {
                return text;
            }
            if (value instanceof Values.Undefined undefined) {
                throw undefined.failure();
            }
            throw new Failure(function + "() needs a str, not " + Python.typeName(value));
        }

        String text(int index, String otherwise) {
            return has(index) ? text(index) : otherwise;
        }

        /** A str, or null for none and nothing. */
        @Nullable
        String textOrNone(int index) {
            return given(index) ? text(index) : null;
        }

        long number(int index, long otherwise) {
            return has(index) ? Python.toLong(get(index)) : otherwise;
        }

        boolean flag(int index) {
            return has(index) && Python.truth(get(index));
        }
    }
}

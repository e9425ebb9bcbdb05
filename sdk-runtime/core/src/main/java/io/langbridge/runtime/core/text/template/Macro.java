package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Run.Scope;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A macro where it was defined. */
final class Macro implements Values.Attributed, Values.Callable {
    private final MacroSource source;
    private final Scope defined;

    Macro(MacroSource source, Scope defined) {
        this.source = source;
        this.defined = defined;
    }

    @Override
    public Object call(Run run, List<Object> positional, Map<String, Object> named) {
        List<String> parameters = source.parameters();
        Map<String, Object> left = new LinkedHashMap<>(named);
        Scope scope = new Scope(defined);
        run.budget.objects(2 + parameters.size());
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i);
            Object value = i < positional.size() ? positional.get(i) : left.remove(name);
            if (value == null) {
                missing.add(i);
                value = new Undefined("parameter '" + name + "' was not provided");
            }
            scope.set(name, value);
        }
        if (uses("caller")) {
            Object caller = left.remove("caller");
            scope.set(
                    "caller",
                    caller == null || caller == Values.None.NONE ? new Undefined("No caller defined") : caller);
        }
        if (uses("kwargs")) {
            Dict rest = new Dict();
            left.forEach((name, value) -> rest.put(name, value, run.budget));
            scope.set("kwargs", rest);
        } else if (!left.isEmpty()) {
            throw new Failure("macro '" + source.name() + "' takes no keyword argument '"
                    + Shown.of(left.keySet().iterator().next()) + "'");
        }
        if (uses("varargs")) {
            int first = Math.min(parameters.size(), positional.size());
            scope.set("varargs", new Tuple(positional.subList(first, positional.size())));
        } else if (positional.size() > parameters.size()) {
            throw new Failure(
                    "macro '" + source.name() + "' takes not more than " + parameters.size() + " argument(s)");
        }
        int required = parameters.size() - source.defaults().size();
        for (int i : missing) {
            if (i >= required) {
                scope.set(parameters.get(i), source.defaults().get(i - required).evaluate(run, scope));
            }
        }
        return run.capture(source.body(), scope);
    }

    /** A parameter of the same name is just that. */
    private boolean uses(String name) {
        return source.uses().contains(name) && !source.parameters().contains(name);
    }

    @Override
    public @Nullable Object attribute(String name, Run run) {
        switch (name) {
            case "name":
                return source.name();
            case "arguments":
                return new Tuple(new ArrayList<>(source.parameters()));
            case "caller":
                return source.uses().contains("caller");
            case "catch_kwargs":
                return uses("kwargs");
            case "catch_varargs":
                return uses("varargs");
            case "explicit_caller":
                return source.parameters().contains("caller");
            default:
                return null;
        }
    }

    @Override
    public String repr(Budget budget) {
        return "<Macro '" + source.name() + "'>";
    }
}

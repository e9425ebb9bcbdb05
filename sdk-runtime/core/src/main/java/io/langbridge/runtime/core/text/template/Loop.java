package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}; it looks ahead and counts only when asked, because a lazy sequence may be without end. */
final class Loop implements Values.Attributed, Values.Callable {
    /** Renders the body of a recursive loop for other items. */
    interface Again {
        String render(Object items, int depth);
    }

    private final Budget budget;
    private final Object all;
    private final @Nullable Again again;
    private final int depth;
    private Iterator<Object> rest;
    private long index = -1;
    private long length = -1;
    private @Nullable Object before;
    private @Nullable Object current;
    private @Nullable Object after;
    private @Nullable List<Object> lastChanged;

    Loop(Object all, Iterator<Object> items, int depth, Budget budget, @Nullable Again again) {
        this.all = all;
        this.rest = items;
        this.depth = depth;
        this.budget = budget;
        this.again = again;
    }

    boolean next() {
        Object next = peek();
        if (next == null) {
            return false;
        }
        after = null;
        index++;
        before = current;
        current = next;
        return true;
    }

    private @Nullable Object peek() {
        if (after == null && rest.hasNext()) {
            after = rest.next();
        }
        return after;
    }

    Object current() {
        return Objects.requireNonNull(current);
    }

    long length() {
        if (length < 0) {
            boolean sized = Python.size(all) != null || Python.textOrNull(all) != null || all instanceof Undefined;
            if (sized) {
                length = Python.length(all, budget);
            } else {
                List<Object> ahead = Python.list(new Values.Lazy("generator", rest, budget), budget);
                rest = Python.indexed(ahead.size(), budget, ahead::get);
                length = ahead.size() + index + 1 + (after != null ? 1 : 0);
            }
        }
        return length;
    }

    @Override
    public @Nullable Object attribute(String name, Run run) {
        switch (name) {
            case "index":
                return index + 1;
            case "index0":
                return index;
            case "revindex":
                return length() - index;
            case "revindex0":
                return length() - index - 1;
            case "first":
                return index == 0;
            case "last":
                return peek() == null;
            case "length":
                return length();
            case "depth":
                return depth + 1L;
            case "depth0":
                return (long) depth;
            case "previtem":
                return index == 0 || before == null ? new Undefined("there is no previous item") : before;
            case "nextitem":
                Object next = peek();
                return next == null ? new Undefined("there is no next item") : next;
            case "cycle":
                return new Function("cycle", "*", arguments -> {
                    if (arguments.more.isEmpty()) {
                        throw new Failure("no items for cycling given");
                    }
                    return arguments.more.get((int) (index % arguments.more.size()));
                });
            case "changed":
                return new Function("changed", "*", arguments -> changed(arguments.more));
            default:
                return null;
        }
    }

    private boolean changed(List<Object> values) {
        boolean same =
                lastChanged != null && Python.equal(new Values.Tuple(lastChanged), new Values.Tuple(values), budget);
        lastChanged = values;
        return !same;
    }

    @Override
    public Object call(Run run, List<Object> positional, Map<String, Object> named) {
        return new Function("loop", "iterable", arguments -> {
                    if (again == null) {
                        throw new Failure("The loop must have the 'recursive' marker to be called recursively.");
                    }
                    return again.render(arguments.get(0), depth + 1);
                })
                .call(run, positional, named);
    }

    @Override
    public String repr(Budget charged) {
        return "<LoopContext " + (index + 1) + "/" + length() + ">";
    }
}

package io.langbridge.runtime.core.text.template;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of values that a template can have beside Boolean, Long, Double, String, List (list) and {@link Dict}.
 * Nothing else ever reaches a template, so nothing of Java can be reached from it.
 */
final class Values {
    private Values() {}

    enum None {
        NONE
    }

    /** A name or attribute that does not exist; prints as nothing, fails when anything is done with it. */
    record Undefined(String what) {
        Failure failure() {
            return new Failure(what);
        }
    }

    /** A text that {@code escape} or {@code safe} made: what is joined to it is escaped for HTML. */
    record Markup(String text) {}

    /** The names are those of a group that {@code groupby} makes. */
    record Tuple(List<Object> items, List<String> names) {
        Tuple(List<Object> items) {
            this(items, Collections.emptyList());
        }
    }

    /** Numbers from start up or down to, but without, stop. */
    record Range(long start, long stop, long step) {
        long length() {
            long distance = step > 0 ? stop - start : start - stop;
            return distance <= 0 ? 0 : (distance - 1) / Math.abs(step) + 1;
        }

        long get(long index) {
            return start + index * step;
        }
    }

    /** What {@code keys()}, {@code values()} and {@code items()} of a dictionary give. */
    record View(Part part, Dict dict) {
        enum Part {
            KEYS,
            VALUES,
            ITEMS
        }
    }

    /** The one value that templates may change, so that a loop can set something outside it. */
    static final class Namespace {
        final Dict attributes = new Dict();
    }

    /** What lazy filters give: always true, without length, used up after one pass. */
    static final class Lazy implements Iterator<Object> {
        private final String kind;
        private final Iterator<Object> items;
        private final Budget budget;

        Lazy(String kind, Iterator<Object> items, Budget budget) {
            this.kind = kind;
            this.items = items;
            this.budget = budget;
        }

        String kind() {
            return kind;
        }

        @Override
        public boolean hasNext() {
            // One lazy sequence may draw from another, and so on.
            budget.enter();
            boolean more = items.hasNext();
            budget.leave();
            return more;
        }

        @Override
        public Object next() {
            budget.enter();
            Object item = items.next();
            budget.leave();
            return item;
        }
    }

    /** Anything that can be called. */
    interface Callable {
        Object call(Run run, List<Object> positional, Map<String, Object> named);
    }

    /** A value with attributes of its own: the loop, a cycler, a macro. */
    interface Attributed {
        /** The attribute, or null if there is none of that name. */
        @Nullable
        Object attribute(String name, Run run);

        String repr(Budget budget);
    }

    /** An iterator that looks one item ahead. */
    abstract static class Ahead implements Iterator<Object> {
        private @Nullable Object next;
        private boolean done;

        /** The next item, or null at the end. */
        abstract @Nullable Object advance();

        @Override
        public boolean hasNext() {
            if (next == null && !done) {
                next = advance();
                done = next == null;
            }
            return next != null;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new java.util.NoSuchElementException();
            }
            Object item = java.util.Objects.requireNonNull(next);
            next = null;
            return item;
        }
    }
}

package io.langbridge.runtime.core.text.template;

import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.Nodes.Statement;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One rendering of one template: where it is, what it has written, what it may still use. */
final class Run {
    /** Names visible at one place; a loop body and a macro have their own, an {@code if} has not. */
    static final class Scope {
        private final @Nullable Scope outer;
        private final Map<String, Object> names = new HashMap<>();

        Scope(@Nullable Scope outer) {
            this.outer = outer;
        }

        void set(String name, Object value) {
            names.put(name, value);
        }

        Object get(String name, Budget budget) {
            for (Scope scope = this; scope != null; scope = scope.outer) {
                budget.scan(1);
                Object value = scope.names.get(name);
                if (value != null) {
                    return value;
                }
            }
            return new Undefined("'" + name + "' is undefined");
        }
    }

    final Budget budget;
    private final String where;
    private TextBuilder out;
    private int position = Position.of(1, 1);

    private Run(String where, Budget budget) {
        this.where = where;
        this.budget = budget;
        out = new TextBuilder(budget);
    }

    static String render(List<Statement> template, Map<String, Object> variables, String where, Budget budget) {
        return new Run(where, budget).run(template, variables);
    }

    private String run(List<Statement> template, Map<String, Object> variables) {
        try {
            Scope scope = new Scope(null);
            Globals.ALL.forEach(scope::set);
            variables.forEach((name, value) -> scope.set(name, Python.of(value, budget)));
            render(template, scope);
            return out.toString();
        } catch (Failure.Unsupported e) {
            throw new UnsupportedModelException("The chat template in " + where + ", " + Position.text(position)
                    + ", uses " + e.getMessage() + ", which is not supported. Give the model a template without it"
                    + " (chat_template.jinja).");
        } catch (Failure e) {
            throw failed(String.valueOf(e.getMessage()));
        } catch (ArithmeticException e) {
            throw failed("a number does not fit into 64 bits");
        } catch (StackOverflowError e) {
            throw failed("it nests too deep for the stack of this thread");
        }
    }

    private PromptException failed(String why) {
        return new PromptException("The chat template in " + where + " failed in " + Position.text(position) + ": "
                + Shown.of(why.endsWith(".") ? why.substring(0, why.length() - 1) : why)
                + ". Compare the messages with what the template expects.");
    }

    /** Where the template is, for errors. */
    void at(int place) {
        position = place;
    }

    /** Tells how the statements ended; what follows a break or continue was not rendered. */
    Nodes.Flow render(List<Statement> statements, Scope scope) {
        for (Statement statement : statements) {
            budget.enter();
            Nodes.Flow flow = statement.render(this, scope);
            budget.leave();
            if (flow != Nodes.Flow.NORMAL) {
                return flow;
            }
        }
        return Nodes.Flow.NORMAL;
    }

    void write(String text) {
        out.append(text);
    }

    /** What a block gives has to be a text already. */
    void writeText(Object value) {
        String text = Python.textOrNull(value);
        if (text == null) {
            throw new Failure("a block gives a " + Python.typeName(value) + ", not a str");
        }
        write(text);
    }

    private Nodes.Flow lastFlow = Nodes.Flow.NORMAL;

    /** How the last {@link #capture} ended; a break inside it belongs to the loop around it. */
    Nodes.Flow lastFlow() {
        return lastFlow;
    }

    String capture(List<Statement> body, Scope scope) {
        TextBuilder before = out;
        out = new TextBuilder(budget);
        try {
            lastFlow = render(body, scope);
            return out.toString();
        } finally {
            out = before;
        }
    }

    /** {@code a.b}: an attribute or method first, an item second. */
    Object attribute(Object target, String name) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object found = Methods.find(target, name, this);
        if (found == null) {
            found = target instanceof Dict dict ? dict.get(name) : null;
        }
        return found == null ? missing(target, name) : found;
    }

    /** {@code a[b]}: an item first, an attribute or method second. */
    Object item(Object target, Object index) {
        Object found = Python.item(target, index, budget);
        String name = Python.textOrNull(index);
        if (found == null && name != null) {
            found = Methods.find(target, name, this);
        }
        return found == null ? missing(target, index) : found;
    }

    private Object missing(Object target, Object index) {
        budget.objects(3);
        String kind = Python.typeName(target);
        String name = Python.textOrNull(index);
        return new Undefined(
                name != null
                        ? "'" + kind + " object' has no attribute '" + Shown.of(name) + "'"
                        : kind + " object has no element "
                                + (Python.isNumber(index) ? index : "of type " + Python.typeName(index)));
    }

    Object call(Object target, List<Object> positional, Map<String, Object> named) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (!(target instanceof Values.Callable function)) {
            throw new Failure("'" + Python.typeName(target) + "' object is not callable");
        }
        budget.enter();
        Object result = function.call(this, positional, named);
        budget.leave();
        return result;
    }

    Object filter(String name, List<Object> positional, Map<String, Object> named) {
        Function filter = Filters.ALL.get(name);
        if (filter == null) {
            throw new Failure.Unsupported("the filter '" + Shown.of(name) + "'");
        }
        return call(filter, positional, named);
    }

    boolean test(String name, List<Object> positional, Map<String, Object> named) {
        Function test = Tests.ALL.get(name);
        if (test == null) {
            throw new Failure.Unsupported("the test '" + Shown.of(name) + "'");
        }
        return Python.truth(call(test, positional, named));
    }
}

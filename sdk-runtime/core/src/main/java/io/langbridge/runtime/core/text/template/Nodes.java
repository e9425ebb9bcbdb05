package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Run.Scope;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The syntax tree of a chat template, each node with what it does. */
final class Nodes {
    private Nodes() {}

    /** How a list of statements ended. */
    enum Flow {
        NORMAL,
        BREAK,
        CONTINUE
    }

    interface Statement {
        Flow render(Run run, Scope scope);
    }

    interface Expression {
        /** To be called by {@link #evaluate} only. */
        Object value(Run run, Scope scope);

        default Object evaluate(Run run, Scope scope) {
            run.budget.enter();
            Object value = value(run, scope);
            run.budget.leave();
            return value;
        }
    }

    // What is written

    record Text(String text) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.write(text);
            return Flow.NORMAL;
        }
    }

    record Output(int position, Expression value) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.at(position);
            run.write(Python.str(value.evaluate(run, scope), run.budget));
            return Flow.NORMAL;
        }
    }

    record Group(List<Statement> body) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            return run.render(body, scope);
        }
    }

    /** A body that is written after a filter went over it. */
    record FilterBlock(int position, Filter filter, List<Statement> body) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            Scope inner = new Scope(scope);
            String text = run.capture(body, inner);
            if (run.lastFlow() == Flow.NORMAL) {
                run.at(position);
                run.writeText(filter.apply(text, run, inner));
                return Flow.NORMAL;
            }
            return run.lastFlow();
        }
    }

    // Branches and loops

    record Branch(int position, Expression test, List<Statement> body) {}

    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            for (Branch branch : branches) {
                run.at(branch.position);
                if (Python.truth(branch.test.evaluate(run, scope))) {
                    return run.render(branch.body, scope);
                }
            }
            return run.render(otherwise, scope);
        }
    }

    record For(
            int position,
            Target target,
            Expression items,
            @Nullable Expression filter,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.at(position);
            return render(items.evaluate(run, scope), 0, run, scope);
        }

        private Flow render(Object value, int depth, Run run, Scope scope) {
            Iterator<Object> iterator = Python.iterate(value, run.budget);
            if (filter != null) {
                iterator = filtered(filter, iterator, run, scope);
                value = new Values.Lazy("generator", iterator, run.budget);
            }
            Loop loop = new Loop(value, iterator, depth, run.budget, recursive ? again(run, scope) : null);
            boolean any = false;
            while (loop.next()) {
                run.budget.turn();
                Scope inner = new Scope(scope);
                inner.set("loop", loop);
                target.assign(loop.current(), run, inner);
                Flow flow = run.render(body, inner);
                // As in Jinja2, a turn that is left by continue does not count as one.
                any |= flow == Flow.NORMAL;
                if (flow == Flow.BREAK) {
                    break;
                }
            }
            return any ? Flow.NORMAL : run.render(otherwise, new Scope(scope));
        }

        private Loop.Again again(Run run, Scope scope) {
            return (items, depth) -> {
                Statement once = (inner, innerScope) -> render(items, depth, inner, innerScope);
                return run.capture(Collections.singletonList(once), scope);
            };
        }

        private Iterator<Object> filtered(Expression test, Iterator<Object> all, Run run, Scope scope) {
            return new Values.Ahead() {
                @Override
                @Nullable
                Object advance() {
                    while (all.hasNext()) {
                        run.budget.turn();
                        Scope inner = new Scope(scope);
                        target.assign(all.next(), run, inner);
                        if (Python.truth(test.evaluate(run, inner))) {
                            return target.read(run, inner);
                        }
                    }
                    return null;
                }
            };
        }
    }

    record Jump(Flow flow) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            return flow;
        }
    }

    // Names

    /** What a value is assigned to. */
    interface Target {
        void assign(Object value, Run run, Scope scope);

        /** The value just assigned, taken together again. */
        Object read(Run run, Scope scope);
    }

    record NameTarget(String name) implements Target {
        @Override
        public void assign(Object value, Run run, Scope scope) {
            scope.set(name, value);
        }

        @Override
        public Object read(Run run, Scope scope) {
            return scope.get(name, run.budget);
        }
    }

    record AttributeTarget(String name, String attribute) implements Target {
        @Override
        public void assign(Object value, Run run, Scope scope) {
            if (!(scope.get(name, run.budget) instanceof Values.Namespace namespace)) {
                throw new Failure("cannot assign attribute on non-namespace object '" + name + "'");
            }
            namespace.attributes.put(attribute, value, run.budget);
        }

        @Override
        public Object read(Run run, Scope scope) {
            return run.attribute(scope.get(name, run.budget), attribute);
        }
    }

    record TupleTarget(List<Target> targets) implements Target {
        @Override
        public void assign(Object value, Run run, Scope scope) {
            List<Object> values = new ArrayList<>();
            Iterator<Object> items = Python.iterate(value, run.budget);
            while (items.hasNext() && values.size() <= targets.size()) {
                values.add(items.next());
            }
            if (values.size() != targets.size()) {
                throw new Failure((values.size() < targets.size() ? "not enough" : "too many")
                        + " values to unpack into " + targets.size() + " names");
            }
            for (int i = 0; i < targets.size(); i++) {
                targets.get(i).assign(values.get(i), run, scope);
            }
        }

        @Override
        public Object read(Run run, Scope scope) {
            List<Object> items = new ArrayList<>();
            run.budget.slots(targets.size());
            targets.forEach(target -> items.add(target.read(run, scope)));
            return new Tuple(items);
        }
    }

    record Set(int position, Target target, Expression value) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.at(position);
            target.assign(value.evaluate(run, scope), run, scope);
            return Flow.NORMAL;
        }
    }

    record SetBlock(int position, Target target, @Nullable Filter filter, List<Statement> body) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            Scope inner = new Scope(scope);
            String text = run.capture(body, inner);
            if (run.lastFlow() != Flow.NORMAL) {
                return run.lastFlow();
            }
            run.at(position);
            target.assign(filter == null ? text : filter.apply(text, run, inner), run, scope);
            return Flow.NORMAL;
        }
    }

    record With(int position, List<Target> targets, List<Expression> values, List<Statement> body)
            implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.at(position);
            Scope inner = new Scope(scope);
            for (int i = 0; i < targets.size(); i++) {
                targets.get(i).assign(values.get(i).evaluate(run, scope), run, inner);
            }
            return run.render(body, inner);
        }
    }

    // Macros

    record DefineMacro(MacroSource source) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            scope.set(source.name(), new Macro(source, scope));
            return Flow.NORMAL;
        }
    }

    /** A call whose {@code caller} is the body. */
    record CallBlock(int position, Call call, MacroSource body) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            run.at(position);
            run.writeText(call.apply(new Macro(body, scope), run, scope));
            return Flow.NORMAL;
        }
    }

    /** Marks the assistant's words for training masks; the text is the same, names inside are its own. */
    record Generation(List<Statement> body) implements Statement {
        @Override
        public Flow render(Run run, Scope scope) {
            return run.render(body, new Scope(scope));
        }
    }

    // Values

    record Literal(Object value) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            return value;
        }
    }

    record Name(String name) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            return scope.get(name, run.budget);
        }
    }

    private static List<Object> evaluateAll(List<Expression> expressions, Run run, Scope scope) {
        run.budget.slots(expressions.size());
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(expression.evaluate(run, scope));
        }
        return values;
    }

    record ListOf(List<Expression> items) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            run.budget.objects(1);
            return evaluateAll(items, run, scope);
        }
    }

    record TupleOf(List<Expression> items) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            run.budget.objects(1);
            return new Tuple(evaluateAll(items, run, scope));
        }
    }

    record DictOf(List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            run.budget.objects(2);
            Dict dict = new Dict();
            for (int i = 0; i < keys.size(); i++) {
                Object key = keys.get(i).evaluate(run, scope);
                dict.put(key, values.get(i).evaluate(run, scope), run.budget);
            }
            return dict;
        }
    }

    record Attribute(int position, Expression target, String name) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object value = target.evaluate(run, scope);
            run.at(position);
            return run.attribute(value, name);
        }
    }

    record Subscript(int position, Expression target, Expression index) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object value = target.evaluate(run, scope);
            Object at = index.evaluate(run, scope);
            run.at(position);
            return run.item(value, at);
        }
    }

    record Slice(
            int position,
            Expression target,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step)
            implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object value = target.evaluate(run, scope);
            Object[] bounds = {bound(start, run, scope), bound(stop, run, scope), bound(step, run, scope)};
            run.at(position);
            return Python.slice(value, number(bounds[0]), number(bounds[1]), number(bounds[2]), run.budget);
        }

        private static Object bound(@Nullable Expression bound, Run run, Scope scope) {
            return bound == null ? None.NONE : bound.evaluate(run, scope);
        }

        private static @Nullable Long number(Object bound) {
            return bound instanceof None ? null : Long.valueOf(Python.toLong(bound));
        }
    }

    /** What stands in the brackets of a call, a filter or a test. */
    record CallArguments(
            List<Expression> positional,
            Map<String, Expression> named,
            @Nullable Expression morePositional,
            @Nullable Expression moreNamed) {
        List<Object> positional(Run run, Scope scope) {
            List<Object> values = evaluateAll(positional, run, scope);
            if (morePositional != null) {
                Object more = morePositional.evaluate(run, scope);
                for (Iterator<Object> i = Python.iterate(more, run.budget); i.hasNext(); ) {
                    run.budget.slots(1);
                    values.add(i.next());
                }
            }
            return values;
        }

        Map<String, Object> named(Run run, Scope scope) {
            Map<String, Object> values = new LinkedHashMap<>();
            for (Map.Entry<String, Expression> entry : named.entrySet()) {
                run.budget.objects(1);
                values.put(entry.getKey(), entry.getValue().evaluate(run, scope));
            }
            if (moreNamed != null) {
                if (!(moreNamed.evaluate(run, scope) instanceof Dict more)) {
                    throw new Failure("the argument after ** must be a mapping");
                }
                for (int i = 0; i < more.size(); i++) {
                    run.budget.objects(1);
                    String name = Python.textOrNull(more.keys().get(i));
                    if (name == null) {
                        throw new Failure("keywords must be strings");
                    }
                    if (values.put(name, more.values().get(i)) != null) {
                        throw new Failure("got multiple values for keyword argument '" + Shown.of(name) + "'");
                    }
                }
            }
            return values;
        }
    }

    record Call(int position, Expression target, CallArguments arguments) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            return apply(null, run, scope);
        }

        Object apply(@Nullable Macro caller, Run run, Scope scope) {
            Object function = target.evaluate(run, scope);
            List<Object> positional = arguments.positional(run, scope);
            Map<String, Object> named = arguments.named(run, scope);
            if (caller != null && named.put("caller", caller) != null) {
                throw new Failure("got multiple values for keyword argument 'caller'");
            }
            run.at(position);
            return run.call(function, positional, named);
        }
    }

    /** The input is null where a block is filtered. */
    record Filter(int position, @Nullable Expression input, String name, CallArguments arguments)
            implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            return apply(null, run, scope);
        }

        Object apply(@Nullable String block, Run run, Scope scope) {
            Object value = input instanceof Filter inner
                    ? inner.apply(block, run, scope)
                    : input != null ? input.evaluate(run, scope) : block != null ? block : "";
            List<Object> all = Function.prepend(value, arguments.positional(run, scope));
            Map<String, Object> named = arguments.named(run, scope);
            run.at(position);
            return run.filter(name, all, named);
        }
    }

    record Test(int position, Expression input, String name, CallArguments arguments) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object value = input.evaluate(run, scope);
            List<Object> all = Function.prepend(value, arguments.positional(run, scope));
            Map<String, Object> named = arguments.named(run, scope);
            run.at(position);
            return run.test(name, all, named);
        }
    }

    record Unary(int position, String operator, Expression operand) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object value = operand.evaluate(run, scope);
            run.at(position);
            return operator.equals("not") ? !Python.truth(value) : Operators.sign(operator, value);
        }
    }

    record Binary(int position, String operator, Expression left, Expression right) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object first = left.evaluate(run, scope);
            Object second = right.evaluate(run, scope);
            run.at(position);
            return Operators.apply(operator, first, second, run);
        }
    }

    record Logic(boolean and, Expression left, Expression right) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object first = left.evaluate(run, scope);
            return Python.truth(first) == and ? right.evaluate(run, scope) : first;
        }
    }

    /** {@code first op0 rest0 op1 rest1 ...}, each pair compared. */
    record Compare(int position, Expression first, List<String> operators, List<Expression> rest)
            implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            Object left = first.evaluate(run, scope);
            for (int i = 0; i < operators.size(); i++) {
                Object right = rest.get(i).evaluate(run, scope);
                run.at(position);
                if (!Operators.holds(operators.get(i), left, right, run.budget)) {
                    return false;
                }
                left = right;
            }
            return true;
        }
    }

    record Concat(List<Expression> parts) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            TextBuilder text = new TextBuilder(run.budget);
            for (Expression part : parts) {
                text.append(Python.str(part.evaluate(run, scope), run.budget));
            }
            return text.toString();
        }
    }

    record Conditional(
            Expression test, Expression then, @Nullable Expression otherwise) implements Expression {
        @Override
        public Object value(Run run, Scope scope) {
            if (Python.truth(test.evaluate(run, scope))) {
                return then.evaluate(run, scope);
            }
            return otherwise != null
                    ? otherwise.evaluate(run, scope)
                    : new Undefined("the inline if-expression evaluated to false and no else section was defined");
        }
    }

    static Object markup(boolean safe, String text) {
        return safe ? new Markup(text) : text;
    }
}

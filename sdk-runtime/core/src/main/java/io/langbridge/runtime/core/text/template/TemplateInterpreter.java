package io.langbridge.runtime.core.text.template;

import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.TemplateNode.Expression;
import io.langbridge.runtime.core.text.template.TemplateNode.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Renders one chat template once. */
final class TemplateInterpreter {
    /** How a list of statements ended. */
    private enum Flow {
        NORMAL,
        BREAK,
        CONTINUE
    }

    /** Names visible at one place; a loop body and a macro have their own, an {@code if} has not. */
    private static final class Scope {
        final @Nullable Scope outer;
        final Map<String, Object> names = new LinkedHashMap<>();

        Scope(@Nullable Scope outer) {
            this.outer = outer;
        }

        Object get(String name) {
            for (Scope scope = this; scope != null; scope = scope.outer) {
                Object value = scope.names.get(name);
                if (value != null) {
                    return value;
                }
            }
            return new Python.Undefined("'" + name + "' is undefined");
        }
    }

    /** {@code text.strip} before it is called. */
    private record Method(Object receiver, String name) implements Python.Callable {
        @Override
        public Object call(List<Object> positional, Map<String, Object> named) {
            throw new TemplateFailure("the method '" + name + "' cannot be passed around");
        }
    }

    /** A turn of a loop makes some thirty objects; a million turns are the most there can be. */
    private static final int LOOP_COST = 50;

    private final String where;
    private final TemplateBudget budget = new TemplateBudget();
    private final TemplateLibrary library = new TemplateLibrary(budget);
    private StringBuilder out = new StringBuilder();
    private int line = 1;

    private TemplateInterpreter(String where) {
        this.where = where;
    }

    static String render(List<Statement> template, Map<String, Object> variables, String where) {
        return new TemplateInterpreter(where).run(template, variables);
    }

    private String run(List<Statement> template, Map<String, Object> variables) {
        try {
            Scope scope = new Scope(null);
            scope.names.putAll(library.globals());
            scope.names.put("raise_exception", (Python.Callable) (positional, named) -> {
                throw new PromptException(positional.isEmpty() ? "" : Python.str(positional.get(0), budget));
            });
            variables.forEach((name, value) -> scope.names.put(name, Python.of(value)));
            render(template, scope);
            return out.toString();
        } catch (TemplateFailure e) {
            throw new PromptException(
                    "The chat template in " + where + " failed in line " + line + ": " + e.getMessage()
                            + ". Compare the messages with what the template expects.",
                    e);
        } catch (ArithmeticException e) {
            throw new PromptException(
                    "The chat template in " + where + " failed in line " + line + ": a number is too large.", e);
        }
    }

    private Flow render(List<Statement> statements, Scope scope) {
        for (Statement statement : statements) {
            budget.enter();
            Flow flow = render(statement, scope);
            budget.leave();
            if (flow != Flow.NORMAL) {
                return flow;
            }
        }
        return Flow.NORMAL;
    }

    private Flow render(Statement statement, Scope scope) {
        if (statement instanceof TemplateNode.Text text) {
            write(text.text());
        } else if (statement instanceof TemplateNode.Output output) {
            line = output.line();
            write(Python.str(evaluate(output.value(), scope), budget));
        } else if (statement instanceof TemplateNode.If choice) {
            line = choice.line();
            for (TemplateNode.Branch branch : choice.branches()) {
                if (Python.truth(evaluate(branch.test(), scope))) {
                    return render(branch.body(), scope);
                }
            }
            return render(choice.otherwise(), scope);
        } else if (statement instanceof TemplateNode.For loop) {
            line = loop.line();
            return renderLoop(loop, scope);
        } else if (statement instanceof TemplateNode.SetVariables set) {
            line = set.line();
            assign(set.targets(), evaluate(set.value(), scope), scope);
        } else if (statement instanceof TemplateNode.SetAttribute set) {
            line = set.line();
            if (!(scope.get(set.namespace()) instanceof Python.Namespace namespace)) {
                throw new TemplateFailure("cannot assign attribute on non-namespace object '" + set.namespace() + "'");
            }
            namespace.attributes().put(set.attribute(), evaluate(set.value(), scope));
        } else if (statement instanceof TemplateNode.SetBlock set) {
            line = set.line();
            scope.names.put(set.target(), capture(set.body(), new Scope(scope)));
        } else if (statement instanceof TemplateNode.Macro macro) {
            scope.names.put(
                    macro.name(), (Python.Callable) (positional, named) -> callMacro(macro, scope, positional, named));
        } else if (statement instanceof TemplateNode.Group group) {
            return render(group.body(), scope);
        } else {
            return statement instanceof TemplateNode.Break ? Flow.BREAK : Flow.CONTINUE;
        }
        return Flow.NORMAL;
    }

    private Flow renderLoop(TemplateNode.For loop, Scope scope) {
        List<Object> items = new ArrayList<>(Python.items(evaluate(loop.items(), scope)));
        budget.charge(items.size());
        Expression filter = loop.filter();
        if (filter != null) {
            List<Object> kept = new ArrayList<>();
            for (Object item : items) {
                Scope inner = new Scope(scope);
                assign(loop.targets(), item, inner);
                if (Python.truth(evaluate(filter, inner))) {
                    kept.add(item);
                }
            }
            items = kept;
        }
        if (items.isEmpty()) {
            return render(loop.otherwise(), scope);
        }
        for (int i = 0; i < items.size(); i++) {
            budget.charge(LOOP_COST);
            Scope inner = new Scope(scope);
            inner.names.put("loop", loopVariable(items, i));
            assign(loop.targets(), items.get(i), inner);
            if (render(loop.body(), inner) == Flow.BREAK) {
                break;
            }
        }
        return Flow.NORMAL;
    }

    private static Object loopVariable(List<Object> items, int i) {
        Map<String, Object> loop = new LinkedHashMap<>();
        int size = items.size();
        loop.put("index", i + 1L);
        loop.put("index0", (long) i);
        loop.put("revindex", (long) size - i);
        loop.put("revindex0", size - i - 1L);
        loop.put("first", i == 0);
        loop.put("last", i == size - 1);
        loop.put("length", (long) size);
        if (i > 0) {
            loop.put("previtem", items.get(i - 1));
        }
        if (i + 1 < size) {
            loop.put("nextitem", items.get(i + 1));
        }
        loop.put("cycle", (Python.Callable) (positional, named) -> {
            if (positional.isEmpty()) {
                throw new TemplateFailure("no items for cycling given");
            }
            return positional.get(i % positional.size());
        });
        return new Python.Namespace(loop);
    }

    private static void assign(List<String> targets, Object value, Scope scope) {
        if (targets.size() == 1) {
            scope.names.put(targets.get(0), value);
            return;
        }
        List<Object> values = Python.items(value);
        if (values.size() != targets.size()) {
            throw new TemplateFailure("cannot unpack " + values.size() + " values into " + targets.size() + " names");
        }
        for (int i = 0; i < targets.size(); i++) {
            scope.names.put(targets.get(i), values.get(i));
        }
    }

    private String capture(List<Statement> body, Scope scope) {
        StringBuilder before = out;
        out = new StringBuilder();
        render(body, scope);
        String captured = out.toString();
        out = before;
        return captured;
    }

    private Object callMacro(
            TemplateNode.Macro macro, Scope defined, List<Object> positional, Map<String, Object> named) {
        List<String> parameters = macro.parameters();
        if (positional.size() > parameters.size()) {
            throw new TemplateFailure(
                    "macro '" + macro.name() + "' takes not more than " + parameters.size() + " argument(s)");
        }
        Scope scope = new Scope(defined);
        for (String name : named.keySet()) {
            if (!parameters.contains(name)) {
                throw new TemplateFailure("macro '" + macro.name() + "' takes no keyword argument '" + name + "'");
            }
        }
        int required = parameters.size() - macro.defaults().size();
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i);
            Object value = i < positional.size() ? positional.get(i) : named.get(name);
            if (value == null) {
                value = i >= required
                        ? evaluate(macro.defaults().get(i - required), scope)
                        : new Python.Undefined("parameter '" + name + "' was not provided");
            }
            scope.names.put(name, value);
        }
        return capture(macro.body(), scope);
    }

    private void write(String text) {
        budget.charge(text.length());
        out.append(text);
    }

    private Object evaluate(Expression expression, Scope scope) {
        budget.enter();
        Object value = value(expression, scope);
        budget.leave();
        return value;
    }

    private Object value(Expression expression, Scope scope) {
        if (expression instanceof TemplateNode.Literal literal) {
            return literal.value();
        }
        if (expression instanceof TemplateNode.Name name) {
            return scope.get(name.name());
        }
        if (expression instanceof TemplateNode.ListOf list) {
            return evaluateAll(list.items(), scope);
        }
        if (expression instanceof TemplateNode.TupleOf tuple) {
            return new Python.Tuple(evaluateAll(tuple.items(), scope));
        }
        if (expression instanceof TemplateNode.DictOf dict) {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < dict.keys().size(); i++) {
                map.put(
                        Python.key(evaluate(dict.keys().get(i), scope)),
                        evaluate(dict.values().get(i), scope));
            }
            return map;
        }
        if (expression instanceof TemplateNode.Attribute attribute) {
            Object target = evaluate(attribute.target(), scope);
            return TemplateLibrary.isMethod(target, attribute.name())
                    ? new Method(target, attribute.name())
                    : TemplateLibrary.subscript(target, attribute.name());
        }
        if (expression instanceof TemplateNode.Subscript subscript) {
            return subscript(evaluate(subscript.target(), scope), evaluate(subscript.index(), scope));
        }
        if (expression instanceof TemplateNode.Slice slice) {
            Object target = evaluate(slice.target(), scope);
            budget.charge(Python.length(target));
            return Python.slice(
                    target, bound(slice.start(), scope), bound(slice.stop(), scope), bound(slice.step(), scope));
        }
        if (expression instanceof TemplateNode.Call call) {
            return call(call, scope);
        }
        if (expression instanceof TemplateNode.Filter filter) {
            Object input = evaluate(filter.input(), scope);
            Object result = library.filter(filter.name(), input, arguments(filter.arguments(), scope));
            return supported(result, "the filter '" + filter.name() + "'");
        }
        if (expression instanceof TemplateNode.Test test) {
            Object input = evaluate(test.input(), scope);
            Boolean result = library.test(test.name(), input, arguments(test.arguments(), scope));
            return supported(result, "the test '" + test.name() + "'") != test.negated();
        }
        if (expression instanceof TemplateNode.Unary unary) {
            return unary(unary.operator(), evaluate(unary.operand(), scope));
        }
        if (expression instanceof TemplateNode.Binary binary) {
            return binary(binary.operator(), evaluate(binary.left(), scope), evaluate(binary.right(), scope));
        }
        if (expression instanceof TemplateNode.Logic logic) {
            Object left = evaluate(logic.left(), scope);
            return Python.truth(left) == logic.and() ? evaluate(logic.right(), scope) : left;
        }
        if (expression instanceof TemplateNode.Compare compare) {
            return compare(compare, scope);
        }
        if (expression instanceof TemplateNode.Concat concat) {
            StringBuilder text = new StringBuilder();
            for (Object part : evaluateAll(concat.parts(), scope)) {
                String piece = Python.str(part, budget);
                budget.charge(piece.length());
                text.append(piece);
            }
            return text.toString();
        }
        TemplateNode.Conditional conditional = (TemplateNode.Conditional) expression;
        if (Python.truth(evaluate(conditional.test(), scope))) {
            return evaluate(conditional.then(), scope);
        }
        Expression otherwise = conditional.otherwise();
        return otherwise != null
                ? evaluate(otherwise, scope)
                : new Python.Undefined("the inline if-expression evaluated to false and no else section was defined");
    }

    private List<Object> evaluateAll(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>();
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private TemplateLibrary.Arguments arguments(TemplateNode.Arguments arguments, Scope scope) {
        if (arguments.positional().isEmpty() && arguments.named().isEmpty()) {
            return TemplateLibrary.Arguments.NONE;
        }
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, value) -> named.put(name, evaluate(value, scope)));
        return new TemplateLibrary.Arguments(evaluateAll(arguments.positional(), scope), named);
    }

    /** {@code a['b']} finds a key first and a method second, {@code a.b} the other way round. */
    private Object subscript(Object target, Object index) {
        budget.charge(target instanceof String text ? text.length() : 1);
        Object found = TemplateLibrary.subscript(target, index);
        return found instanceof Python.Undefined
                        && index instanceof String name
                        && TemplateLibrary.isMethod(target, name)
                ? new Method(target, name)
                : found;
    }

    private @Nullable Long bound(@Nullable Expression expression, Scope scope) {
        Object value = expression == null ? Python.None.NONE : evaluate(expression, scope);
        return value instanceof Python.None ? null : Long.valueOf(Python.toLong(value));
    }

    private Object call(TemplateNode.Call call, Scope scope) {
        Object target = evaluate(call.target(), scope);
        TemplateLibrary.Arguments arguments = arguments(call.arguments(), scope);
        if (target instanceof Method method) {
            return supported(
                    library.method(method.receiver(), method.name(), arguments),
                    "the method '" + method.name() + "' of " + Python.typeName(method.receiver()));
        }
        if (target instanceof Python.Callable function) {
            return function.call(arguments.positional(), arguments.named());
        }
        if (target instanceof Python.Undefined undefined) {
            throw undefined.failure();
        }
        throw new TemplateFailure("'" + Python.typeName(target) + "' object is not callable");
    }

    private <T> T supported(@Nullable T result, String what) {
        if (result == null) {
            throw unsupported(what);
        }
        return result;
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException("The chat template in " + where + ", line " + line + ", uses " + what
                + ", which is not supported. Give the model a template without it (chat_template.jinja).");
    }

    private Object unary(String operator, Object operand) {
        if (operator.equals("not")) {
            return !Python.truth(operand);
        }
        if (operand instanceof Double number) {
            return operator.equals("-") ? -number : number;
        }
        return operator.equals("-") ? Math.negateExact(Python.toLong(operand)) : Python.toLong(operand);
    }

    private Object binary(String operator, Object left, Object right) {
        if (left instanceof Python.Undefined undefined) {
            throw undefined.failure();
        }
        if (right instanceof Python.Undefined undefined) {
            throw undefined.failure();
        }
        if (Python.isNumber(left) && Python.isNumber(right)) {
            return Python.isInteger(left) && Python.isInteger(right) && !operator.equals("/")
                    ? integers(operator, Python.toLong(left), Python.toLong(right))
                    : floats(operator, Python.toDouble(left), Python.toDouble(right));
        }
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            budget.charge((long) a.length() + b.length());
            return a + b;
        }
        if (operator.equals("+") && left instanceof List && right instanceof List) {
            return joined(left, right);
        }
        if (operator.equals("+") && left instanceof Python.Tuple && right instanceof Python.Tuple) {
            return new Python.Tuple(joined(left, right));
        }
        if (operator.equals("*") && Python.isInteger(right) && (left instanceof String || left instanceof List)) {
            return repeated(left, Python.toLong(right));
        }
        if (operator.equals("%") && left instanceof String) {
            throw unsupported("string formatting with %");
        }
        throw new TemplateFailure("unsupported operand type(s) for " + operator + ": '" + Python.typeName(left)
                + "' and '" + Python.typeName(right) + "'");
    }

    private List<Object> joined(Object left, Object right) {
        List<Object> joined = new ArrayList<>(Python.items(left));
        joined.addAll(Python.items(right));
        budget.charge(joined.size());
        return joined;
    }

    private Object repeated(Object value, long times) {
        budget.charge(Math.max(0, Math.multiplyExact(Python.length(value) + 1, times)));
        StringBuilder text = new StringBuilder();
        List<Object> list = new ArrayList<>();
        for (long i = 0; i < times; i++) {
            if (value instanceof String part) {
                text.append(part);
            } else {
                list.addAll(Python.items(value));
            }
        }
        return value instanceof String ? text.toString() : list;
    }

    private Object integers(String operator, long left, long right) {
        switch (operator) {
            case "+":
                return Math.addExact(left, right);
            case "-":
                return Math.subtractExact(left, right);
            case "*":
                return Math.multiplyExact(left, right);
            case "//":
                TemplateLibrary.remainder(left, right);
                return Math.floorDiv(left, right);
            case "%":
                return TemplateLibrary.remainder(left, right);
            default:
                if (right < 0) {
                    return 1.0 / Math.pow(left * 1.0, -right * 1.0);
                }
                long power = 1;
                for (long i = 0; i < right; i++) {
                    budget.charge(1);
                    power = Math.multiplyExact(power, left);
                }
                return power;
        }
    }

    private static Object floats(String operator, double left, double right) {
        if (right == 0 && Arrays.asList("/", "//", "%").contains(operator)) {
            throw new TemplateFailure("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> Math.floor(left / right);
            case "%" -> left - Math.floor(left / right) * right;
            default -> Math.pow(left, right);
        };
    }

    private Object compare(TemplateNode.Compare compare, Scope scope) {
        Object left = evaluate(compare.first(), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            Object right = evaluate(compare.rest().get(i), scope);
            boolean holds = switch (compare.operators().get(i)) {
                case "==" -> Python.equal(left, right, budget);
                case "!=" -> !Python.equal(left, right, budget);
                case "in" -> Python.contains(right, left, budget);
                case "not in" -> !Python.contains(right, left, budget);
                case "<" -> Python.compare(left, right, budget) < 0;
                case "<=" -> Python.compare(left, right, budget) <= 0;
                case ">" -> Python.compare(left, right, budget) > 0;
                default -> Python.compare(left, right, budget) >= 0;
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }
}

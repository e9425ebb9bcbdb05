package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import java.util.ArrayList;
import java.util.List;

/** Python's operators. Integers have 64 bits; what does not fit is an error. */
final class Operators {
    private Operators() {}

    static Object sign(String operator, Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (value instanceof Double number) {
            return operator.equals("-") ? -number : number;
        }
        if (!Python.isInteger(value)) {
            throw new Failure("bad operand type for unary " + operator + ": '" + Python.typeName(value) + "'");
        }
        return operator.equals("-") ? Math.negateExact(Python.toLong(value)) : Python.toLong(value);
    }

    static boolean holds(String operator, Object left, Object right, Budget budget) {
        switch (operator) {
            case "==":
                return Python.equal(left, right, budget);
            case "!=":
                return !Python.equal(left, right, budget);
            case "in":
                return Python.contains(right, left, budget);
            case "not in":
                return !Python.contains(right, left, budget);
            default:
                int order = Python.compare(left, right, operator, budget);
                return order != Python.UNORDERED
                        && (order < 0
                                ? operator.startsWith("<")
                                : order > 0 ? operator.startsWith(">") : operator.endsWith("="));
        }
    }

    static Object apply(String operator, Object left, Object right, Run run) {
        run.budget.steps(1);
        if (operator.equals("%") && Python.textOrNull(left) != null) {
            return Percent.format(left, right, run);
        }
        if (left instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (Python.isNumber(left) && Python.isNumber(right)) {
            return Python.isInteger(left) && Python.isInteger(right) && !operator.equals("/")
                    ? integers(operator, Python.toLong(left), Python.toLong(right), run.budget)
                    : floats(operator, left, right);
        }
        Object result = operator.equals("+")
                ? joined(left, right, run.budget)
                : operator.equals("*")
                        ? Python.isInteger(right)
                                ? repeated(left, Python.toLong(right), run.budget)
                                : Python.isInteger(left)
                                        ? repeated(right, Python.toLong(left), run.budget)
                                        : Values.None.NONE
                        : Values.None.NONE;
        if (result instanceof Values.None) {
            throw new Failure("unsupported operand type(s) for " + operator + ": '" + Python.typeName(left) + "' and '"
                    + Python.typeName(right) + "'");
        }
        return result;
    }

    /** None if there is no sum. */
    static Object joined(Object left, Object right, Budget budget) {
        String a = Python.textOrNull(left);
        String b = Python.textOrNull(right);
        if (a != null && b != null) {
            boolean safe = left instanceof Markup || right instanceof Markup;
            String first = safe ? escaped(left, budget) : a;
            String second = safe ? escaped(right, budget) : b;
            budget.text((long) first.length() + second.length());
            return Nodes.markup(safe, first + second);
        }
        if (left instanceof List<?> x && right instanceof List<?> y) {
            return joined(x, y, budget);
        }
        return left instanceof Tuple x && right instanceof Tuple y
                ? new Tuple(joined(x.items(), y.items(), budget))
                : Values.None.NONE;
    }

    private static List<Object> joined(List<?> left, List<?> right, Budget budget) {
        budget.slots((long) left.size() + right.size());
        List<Object> joined = new ArrayList<>(left.size() + right.size());
        joined.addAll(left);
        joined.addAll(right);
        return joined;
    }

    /** A text for HTML: marked as safe it stays as it is. */
    static String escaped(Object value, Budget budget) {
        if (value instanceof Markup markup) {
            return markup.text();
        }
        String text = Python.str(value, budget);
        TextBuilder out = new TextBuilder(budget);
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            int at = "&<>'\"".indexOf(text.charAt(i));
            if (at >= 0) {
                out.append(text, from, i).append(new String[] {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"}[at]);
                from = i + 1;
            }
        }
        return out.append(text, from, text.length()).toString();
    }

    private static Object repeated(Object value, long times, Budget budget) {
        String text = Python.textOrNull(value);
        if (text != null) {
            return Nodes.markup(
                    value instanceof Markup,
                    new TextBuilder(budget).repeat(text, times).toString());
        }
        List<?> items = value instanceof List<?> list ? list : value instanceof Tuple tuple ? tuple.items() : null;
        if (items == null) {
            return Values.None.NONE;
        }
        long count = items.isEmpty() ? 0 : Math.max(0, times);
        budget.slots(count > Budget.WORK ? count : count * items.size());
        List<Object> repeated = new ArrayList<>((int) count * items.size());
        for (long i = 0; i < count; i++) {
            repeated.addAll(items);
        }
        return value instanceof Tuple ? new Tuple(repeated) : repeated;
    }

    private static Object integers(String operator, long left, long right, Budget budget) {
        return switch (operator) {
            case "+" -> Math.addExact(left, right);
            case "-" -> Math.subtractExact(left, right);
            case "*" -> Math.multiplyExact(left, right);
            case "//" -> quotient(left, right);
            case "%" -> remainder(left, right);
            default -> right < 0 ? floats("**", left, right) : (Object) power(left, right, budget);
        };
    }

    private static long quotient(long left, long right) {
        if (right == 0) {
            throw new Failure("integer division or modulo by zero");
        }
        return right == -1 ? Math.negateExact(left) : Math.floorDiv(left, right);
    }

    static long remainder(long value, long divisor) {
        if (divisor == 0) {
            throw new Failure("integer division or modulo by zero");
        }
        return Math.floorMod(value, divisor);
    }

    private static long power(long base, long exponent, Budget budget) {
        if (base == 0 || base == 1 || base == -1) {
            return exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
        }
        long power = 1;
        for (long i = 0; i < exponent; i++) {
            budget.steps(1);
            power = Math.multiplyExact(power, base);
        }
        return power;
    }

    private static Object floats(String operator, Object a, Object b) {
        double left = Python.toDouble(a);
        double right = Python.toDouble(b);
        if (right == 0 && ("/".equals(operator) || "//".equals(operator) || "%".equals(operator))) {
            throw new Failure("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> floorQuotient(left, right);
            case "%" -> floorRemainder(left, right);
            default -> floatPower(left, right);
        };
    }

    private static double floorRemainder(double left, double right) {
        double remainder = left % right;
        if (remainder == 0) {
            return Math.copySign(0, right);
        }
        return remainder < 0 != right < 0 ? remainder + right : remainder;
    }

    private static double floorQuotient(double left, double right) {
        double quotient = (left - floorRemainder(left, right)) / right;
        if (quotient == 0) {
            return Math.copySign(0, left / right);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double floatPower(double left, double right) {
        if (left == 0 && right < 0) {
            throw new Failure("0.0 cannot be raised to a negative power");
        }
        if (left < 0 && right != Math.rint(right) && !Double.isInfinite(left) && !Double.isInfinite(right)) {
            throw new Failure.Unsupported("a complex number");
        }
        if (left == 1) {
            return 1;
        }
        double power = Math.pow(left, right);
        if (Double.isInfinite(power) && !Double.isInfinite(left) && !Double.isInfinite(right)) {
            throw new Failure("the result of ** is too large");
        }
        return power;
    }
}

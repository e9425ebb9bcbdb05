package io.langbridge.runtime.core.text.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The syntax tree of a chat template. */
final class TemplateNode {
    private TemplateNode() {}

    sealed interface Statement {}

    record Text(String text) implements Statement {}

    record Output(int line, Expression value) implements Statement {}

    record Branch(Expression test, List<Statement> body) {}

    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {}

    record For(
            int line,
            List<String> targets,
            Expression items,
            @Nullable Expression filter,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record SetVariables(int line, List<String> targets, Expression value) implements Statement {}

    record SetAttribute(int line, String namespace, String attribute, Expression value) implements Statement {}

    record SetBlock(int line, String target, List<Statement> body) implements Statement {}

    /** Only the last parameters have defaults. */
    record Macro(int line, String name, List<String> parameters, List<Expression> defaults, List<Statement> body)
            implements Statement {}

    /** Statements that are rendered where they stand, as in {@code generation} blocks. */
    record Group(List<Statement> body) implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    sealed interface Expression {}

    record Literal(Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListOf(List<Expression> items) implements Expression {}

    record TupleOf(List<Expression> items) implements Expression {}

    record DictOf(List<Expression> keys, List<Expression> values) implements Expression {}

    record Attribute(Expression target, String name) implements Expression {}

    record Subscript(Expression target, Expression index) implements Expression {}

    record Slice(
            Expression target,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step) implements Expression {}

    record Arguments(List<Expression> positional, Map<String, Expression> named) {}

    record Call(Expression target, Arguments arguments) implements Expression {}

    record Filter(Expression input, String name, Arguments arguments) implements Expression {}

    record Test(Expression input, String name, Arguments arguments, boolean negated) implements Expression {}

    record Unary(String operator, Expression operand) implements Expression {}

    record Binary(String operator, Expression left, Expression right) implements Expression {}

    record Logic(boolean and, Expression left, Expression right) implements Expression {}

    /** {@code first op0 rest0 op1 rest1 ...}, each pair compared. */
    record Compare(Expression first, List<String> operators, List<Expression> rest) implements Expression {}

    record Concat(List<Expression> parts) implements Expression {}

    record Conditional(
            Expression test, Expression then, @Nullable Expression otherwise) implements Expression {}
}

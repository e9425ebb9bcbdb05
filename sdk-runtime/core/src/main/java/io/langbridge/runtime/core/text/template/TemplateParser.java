package io.langbridge.runtime.core.text.template;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.TemplateLexer.Kind;
import io.langbridge.runtime.core.text.template.TemplateLexer.Token;
import io.langbridge.runtime.core.text.template.TemplateNode.Arguments;
import io.langbridge.runtime.core.text.template.TemplateNode.Branch;
import io.langbridge.runtime.core.text.template.TemplateNode.Expression;
import io.langbridge.runtime.core.text.template.TemplateNode.Literal;
import io.langbridge.runtime.core.text.template.TemplateNode.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Recursive descent over the tokens of a chat template; binding strengths are those of Jinja2. */
final class TemplateParser {
    /** Real templates nest up to about ten deep; the limit keeps a hostile one from exhausting the stack. */
    private static final int DEEPEST = 100;

    private static final List<String> COMPARISONS = Arrays.asList("==", "!=", "<", "<=", ">", ">=");

    private final List<Token> tokens;
    private final String where;
    private int at;
    private int depth;
    /** The tag that ended the last body, already read up to its name. */
    private String endTag = "";

    private TemplateParser(List<Token> tokens, String where) {
        this.tokens = tokens;
        this.where = where;
    }

    static List<Statement> parse(String source, String where) {
        return new TemplateParser(TemplateLexer.tokens(source, where), where).body();
    }

    private List<Statement> body(String... ends) {
        enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = next();
            switch (token.kind()) {
                case DATA -> body.add(new TemplateNode.Text(token.text()));
                case OUTPUT_BEGIN -> {
                    body.add(new TemplateNode.Output(token.line(), tuple()));
                    expect(Kind.OUTPUT_END);
                }
                case BLOCK_BEGIN -> {
                    Token tag = expect(Kind.NAME);
                    if (Arrays.asList(ends).contains(tag.text())) {
                        endTag = tag.text();
                        depth--;
                        return body;
                    }
                    body.add(statement(tag));
                }
                default -> {
                    if (token.kind() == Kind.END && ends.length == 0) {
                        depth--;
                        return body;
                    }
                    throw error(token, "one of the tags " + Arrays.toString(ends));
                }
            }
        }
    }

    private Statement statement(Token tag) {
        int line = tag.line();
        switch (tag.text()) {
            case "if":
                return ifStatement(line);
            case "for":
                return forStatement(line);
            case "set":
                return setStatement(line);
            case "macro":
                return macro(line);
            case "break":
                expect(Kind.BLOCK_END);
                return new TemplateNode.Break();
            case "continue":
                expect(Kind.BLOCK_END);
                return new TemplateNode.Continue();
            case "generation":
                // Marks the assistant's words for training masks; the text is the same.
                expect(Kind.BLOCK_END);
                return new TemplateNode.Group(closed("endgeneration"));
            case "elif", "else", "endif", "endfor", "endset", "endmacro", "endgeneration", "endraw":
                throw error(tag, "a tag that opens a block");
            default:
                throw unsupported(tag, "the tag '" + tag.text() + "'");
        }
    }

    private List<Statement> closed(String end) {
        List<Statement> body = body(end);
        expect(Kind.BLOCK_END);
        return body;
    }

    private Statement ifStatement(int line) {
        List<Branch> branches = new ArrayList<>();
        do {
            Expression test = expression();
            expect(Kind.BLOCK_END);
            branches.add(new Branch(test, body("elif", "else", "endif")));
        } while (endTag.equals("elif"));
        return new TemplateNode.If(line, branches, otherwise("endif"));
    }

    /** The part after {@code else}, if that is the tag just read; reads up to the end tag in any case. */
    private List<Statement> otherwise(String end) {
        expect(Kind.BLOCK_END);
        return endTag.equals("else") ? closed(end) : Collections.emptyList();
    }

    private Statement forStatement(int line) {
        boolean bracketed = accept("(");
        List<String> targets = names();
        if (bracketed) {
            expect(")");
        }
        if (!acceptName("in")) {
            throw error(peek(), "'in'");
        }
        // No conditional expression here: an 'if' filters the items.
        Expression items = or();
        Expression filter = acceptName("if") ? expression() : null;
        if (peek().is(Kind.NAME, "recursive")) {
            throw unsupported(peek(), "a recursive loop");
        }
        expect(Kind.BLOCK_END);
        List<Statement> body = body("else", "endfor");
        return new TemplateNode.For(line, targets, items, filter, body, otherwise("endfor"));
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        do {
            names.add(expect(Kind.NAME).text());
        } while (accept(","));
        return names;
    }

    private Statement setStatement(int line) {
        String name = expect(Kind.NAME).text();
        if (accept(".")) {
            String attribute = expect(Kind.NAME).text();
            expect("=");
            Expression value = tuple();
            expect(Kind.BLOCK_END);
            return new TemplateNode.SetAttribute(line, name, attribute, value);
        }
        List<String> targets = new ArrayList<>();
        targets.add(name);
        while (accept(",")) {
            targets.add(expect(Kind.NAME).text());
        }
        if (accept("=")) {
            Expression value = tuple();
            expect(Kind.BLOCK_END);
            return new TemplateNode.SetVariables(line, targets, value);
        }
        if (peek().is(Kind.OPERATOR, "|")) {
            throw unsupported(peek(), "a filter on a set block");
        }
        expect(Kind.BLOCK_END);
        return new TemplateNode.SetBlock(line, name, closed("endset"));
    }

    private Statement macro(int line) {
        String name = expect(Kind.NAME).text();
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        expect("(");
        while (!accept(")")) {
            parameters.add(expect(Kind.NAME).text());
            if (accept("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty()) {
                throw error(peek(), "a default for '" + parameters.get(parameters.size() - 1) + "'");
            }
            if (!peek().is(Kind.OPERATOR, ")")) {
                expect(",");
            }
        }
        expect(Kind.BLOCK_END);
        return new TemplateNode.Macro(line, name, parameters, defaults, closed("endmacro"));
    }

    private Expression tuple() {
        Expression first = expression();
        if (!accept(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>();
        items.add(first);
        while (peek().kind() != Kind.OUTPUT_END && peek().kind() != Kind.BLOCK_END && !peek().is(Kind.OPERATOR, ")")) {
            items.add(expression());
            if (!accept(",")) {
                break;
            }
        }
        return new TemplateNode.TupleOf(items);
    }

    private Expression expression() {
        enter();
        Expression value = or();
        while (acceptName("if")) {
            Expression test = or();
            Expression otherwise = acceptName("else") ? expression() : null;
            value = new TemplateNode.Conditional(test, value, otherwise);
        }
        depth--;
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (acceptName("or")) {
            left = new TemplateNode.Logic(false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (acceptName("and")) {
            left = new TemplateNode.Logic(true, left, not());
        }
        return left;
    }

    private Expression not() {
        if (!acceptName("not")) {
            return compare();
        }
        enter();
        Expression negated = new TemplateNode.Unary("not", not());
        depth--;
        return negated;
    }

    private Expression compare() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> rest = new ArrayList<>();
        while (true) {
            Token token = peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                at++;
                operators.add(token.text());
            } else if (acceptName("in")) {
                operators.add("in");
            } else if (token.is(Kind.NAME, "not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
                at += 2;
                operators.add("not in");
            } else {
                return rest.isEmpty() ? first : new TemplateNode.Compare(first, operators, rest);
            }
            rest.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concat();
        while (true) {
            String operator = acceptAny("+", "-");
            if (operator == null) {
                return left;
            }
            left = new TemplateNode.Binary(operator, left, concat());
        }
    }

    private Expression concat() {
        Expression first = product();
        if (!peek().is(Kind.OPERATOR, "~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(first);
        while (accept("~")) {
            parts.add(product());
        }
        return new TemplateNode.Concat(parts);
    }

    private Expression product() {
        Expression left = power();
        while (true) {
            String operator = acceptAny("*", "/", "//", "%");
            if (operator == null) {
                return left;
            }
            left = new TemplateNode.Binary(operator, left, power());
        }
    }

    private Expression power() {
        Expression left = unary(true);
        while (accept("**")) {
            left = new TemplateNode.Binary("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        String sign = acceptAny("-", "+");
        Expression value;
        if (sign != null) {
            enter();
            value = new TemplateNode.Unary(sign, unary(false));
            depth--;
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filters(value) : value;
    }

    private Expression primary() {
        Token token = next();
        switch (token.kind()) {
            case NAME:
                return switch (token.text()) {
                    case "true", "True" -> new Literal(true);
                    case "false", "False" -> new Literal(false);
                    case "none", "None" -> new Literal(Python.None.NONE);
                    default -> new TemplateNode.Name(token.text());
                };
            case STRING:
                StringBuilder text = new StringBuilder(token.text());
                while (peek().kind() == Kind.STRING) {
                    text.append(next().text());
                }
                return new Literal(text.toString());
            case INTEGER:
                return new Literal(integer(token));
            case FLOAT:
                return new Literal(Double.valueOf(token.text()));
            default:
                break;
        }
        if (token.is(Kind.OPERATOR, "(")) {
            if (accept(")")) {
                return new TemplateNode.TupleOf(Collections.emptyList());
            }
            Expression inner = tuple();
            expect(")");
            return inner;
        }
        if (token.is(Kind.OPERATOR, "[")) {
            return new TemplateNode.ListOf(expressionsUntil("]"));
        }
        if (token.is(Kind.OPERATOR, "{")) {
            return dict();
        }
        throw error(token, "a value");
    }

    private Long integer(Token token) {
        String digits = token.text().toLowerCase(java.util.Locale.ROOT);
        int radix = digits.startsWith("0x") ? 16 : digits.startsWith("0o") ? 8 : digits.startsWith("0b") ? 2 : 10;
        try {
            return Long.valueOf(radix == 10 ? digits : digits.substring(2), radix);
        } catch (NumberFormatException e) {
            throw unsupported(token, "the number " + token.text());
        }
    }

    private List<Expression> expressionsUntil(String end) {
        List<Expression> items = new ArrayList<>();
        while (!accept(end)) {
            items.add(expression());
            if (!peek().is(Kind.OPERATOR, end)) {
                expect(",");
            }
        }
        return items;
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!accept("}")) {
            keys.add(expression());
            expect(":");
            values.add(expression());
            if (!peek().is(Kind.OPERATOR, "}")) {
                expect(",");
            }
        }
        return new TemplateNode.DictOf(keys, values);
    }

    private Expression postfix(Expression target) {
        Expression value = target;
        while (true) {
            if (accept(".")) {
                Token name = next();
                if (name.kind() == Kind.INTEGER) {
                    value = new TemplateNode.Subscript(value, new Literal(integer(name)));
                } else if (name.kind() == Kind.NAME) {
                    value = new TemplateNode.Attribute(value, name.text());
                } else {
                    throw error(name, "a name");
                }
            } else if (accept("[")) {
                value = subscript(value);
            } else if (accept("(")) {
                value = new TemplateNode.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression target) {
        Expression start = peek().is(Kind.OPERATOR, ":") ? null : expression();
        if (start != null && accept("]")) {
            return new TemplateNode.Subscript(target, start);
        }
        expect(":");
        Expression stop = sliceEnd();
        Expression step = accept(":") ? sliceEnd() : null;
        expect("]");
        return new TemplateNode.Slice(target, start, stop, step);
    }

    private @Nullable Expression sliceEnd() {
        return peek().is(Kind.OPERATOR, ":") || peek().is(Kind.OPERATOR, "]") ? null : expression();
    }

    private Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!accept(")")) {
            if (peek().is(Kind.OPERATOR, "*") || peek().is(Kind.OPERATOR, "**")) {
                throw unsupported(peek(), "arguments with " + peek().text());
            }
            if (peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
                String name = next().text();
                expect("=");
                named.put(name, expression());
            } else if (named.isEmpty()) {
                positional.add(expression());
            } else {
                throw error(peek(), "a named argument");
            }
            if (!peek().is(Kind.OPERATOR, ")")) {
                expect(",");
            }
        }
        return new Arguments(positional, named);
    }

    private Expression filters(Expression input) {
        Expression value = input;
        while (true) {
            if (accept("|")) {
                String name = expect(Kind.NAME).text();
                value = new TemplateNode.Filter(value, name, accept("(") ? arguments() : noArguments());
            } else if (acceptName("is")) {
                value = test(value);
            } else if (accept("(")) {
                value = new TemplateNode.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression test(Expression input) {
        boolean negated = acceptName("not");
        String name = expect(Kind.NAME).text();
        Arguments arguments = noArguments();
        Token token = peek();
        boolean operand = token.kind() == Kind.STRING
                || token.kind() == Kind.INTEGER
                || token.kind() == Kind.FLOAT
                || token.is(Kind.OPERATOR, "[")
                || token.is(Kind.OPERATOR, "{")
                || token.kind() == Kind.NAME
                        && !Arrays.asList("else", "or", "and", "is", "if", "in", "not")
                                .contains(token.text());
        if (accept("(")) {
            arguments = arguments();
        } else if (operand) {
            arguments = new Arguments(Collections.singletonList(postfix(primary())), Collections.emptyMap());
        }
        return new TemplateNode.Test(input, name, arguments, negated);
    }

    private static Arguments noArguments() {
        return new Arguments(Collections.emptyList(), Collections.emptyMap());
    }

    private Token peek() {
        return tokens.get(at);
    }

    private Token next() {
        Token token = tokens.get(at);
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    private boolean accept(String operator) {
        return acceptAny(operator) != null;
    }

    private @Nullable String acceptAny(String... operators) {
        Token token = peek();
        if (token.kind() == Kind.OPERATOR && Arrays.asList(operators).contains(token.text())) {
            at++;
            return token.text();
        }
        return null;
    }

    private boolean acceptName(String name) {
        boolean found = peek().is(Kind.NAME, name);
        if (found) {
            at++;
        }
        return found;
    }

    private void expect(String operator) {
        if (!accept(operator)) {
            throw error(peek(), "'" + operator + "'");
        }
    }

    private Token expect(Kind kind) {
        Token token = next();
        if (token.kind() != kind) {
            throw error(token, kind == Kind.NAME ? "a name" : kind == Kind.OUTPUT_END ? "}}" : "%}");
        }
        return token;
    }

    private void enter() {
        if (++depth > DEEPEST) {
            throw unsupported(peek(), "more than " + DEEPEST + " levels of nesting");
        }
    }

    private CheckpointException error(Token found, String expected) {
        return new CheckpointException("The chat template in " + where + ", line " + found.line()
                + ", is damaged: expected " + expected + ", found '" + found.text() + "'.");
    }

    private UnsupportedModelException unsupported(Token token, String what) {
        return new UnsupportedModelException("The chat template in " + where + ", line " + token.line() + ", uses "
                + what + ", which is not supported. Supported are if, for, set, macro, break, continue, raw and"
                + " generation.");
    }
}

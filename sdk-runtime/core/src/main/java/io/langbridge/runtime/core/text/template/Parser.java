package io.langbridge.runtime.core.text.template;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.Lexer.Kind;
import io.langbridge.runtime.core.text.template.Lexer.Token;
import io.langbridge.runtime.core.text.template.Nodes.Branch;
import io.langbridge.runtime.core.text.template.Nodes.CallArguments;
import io.langbridge.runtime.core.text.template.Nodes.Expression;
import io.langbridge.runtime.core.text.template.Nodes.Flow;
import io.langbridge.runtime.core.text.template.Nodes.Literal;
import io.langbridge.runtime.core.text.template.Nodes.Statement;
import io.langbridge.runtime.core.text.template.Nodes.Target;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Recursive descent over the tokens of a chat template; grammar and binding strengths are those of Jinja2. */
final class Parser {
    /** Real templates nest up to about ten deep; the limit keeps a hostile one from exhausting the stack. */
    private static final int DEEPEST = 100;

    private static final Set<String> COMPARISONS = new HashSet<>(Arrays.asList("==", "!=", "<", "<=", ">", ">="));
    private static final Set<String> CONSTANTS =
            new HashSet<>(Arrays.asList("true", "True", "false", "False", "none", "None"));
    private static final Set<String> SPECIAL_NAMES = new HashSet<>(Arrays.asList("caller", "kwargs", "varargs"));
    private static final Set<String> INNER_TAGS = new HashSet<>(Arrays.asList(
            "elif",
            "else",
            "endif",
            "endfor",
            "endset",
            "endmacro",
            "endcall",
            "endfilter",
            "endwith",
            "endgeneration",
            "endraw"));
    private static final CallArguments NO_ARGUMENTS =
            new CallArguments(Collections.emptyList(), Collections.emptyMap(), null, null);

    private final List<Token> tokens;
    private final String where;
    private int at;
    private int depth;
    /** The tag that ended the last body, already read up to its name. */
    private String endTag = "";
    /** Loops of which a break would end the innermost, and all loops in which {@code loop} may not be set. */
    private int breakable;

    private int loops;
    /** For each open macro, the special names its body reads. */
    private final Deque<Set<String>> macros = new ArrayDeque<>();
    /** Jinja2 looks filters and tests up at once, except where a condition may keep them from being used. */
    private boolean conditional;

    private final List<Token> unknown = new ArrayList<>();
    private final List<String> unknownWhat = new ArrayList<>();

    private Parser(List<Token> tokens, String where) {
        this.tokens = tokens;
        this.where = where;
    }

    static List<Statement> parse(String source, String where) {
        Parser parser = new Parser(Lexer.tokens(source, where), where);
        List<Statement> body = parser.body();
        if (!parser.unknown.isEmpty()) {
            throw parser.unsupported(parser.unknown.get(0), parser.unknownWhat.get(0));
        }
        return body;
    }

    // Statements

    private List<Statement> body(String... ends) {
        enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = next();
            switch (token.kind()) {
                case DATA -> body.add(new Nodes.Text(token.text()));
                case OUTPUT_BEGIN -> {
                    body.add(new Nodes.Output(token.position(), tuple(true)));
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
                    throw error(token, ends.length == 0 ? "the end" : "the tag " + String.join(" or ", ends));
                }
            }
        }
    }

    private Statement statement(Token tag) {
        int position = tag.position();
        switch (tag.text()) {
            case "if":
                return ifStatement(position);
            case "for":
                return forStatement(position);
            case "set":
                return setStatement(position);
            case "with":
                return with(position);
            case "filter":
                return filterBlock(position);
            case "macro":
                String name = expect(Kind.NAME).text();
                return new Nodes.DefineMacro(macro(name, "endmacro"));
            case "call":
                return callBlock(tag);
            case "print":
                return print(position);
            case "break", "continue":
                if (breakable == 0) {
                    throw error(tag, "'" + tag.text() + "' in a loop only");
                }
                expect(Kind.BLOCK_END);
                return new Nodes.Jump(tag.text().equals("break") ? Flow.BREAK : Flow.CONTINUE);
            case "generation":
                return generation();
            default:
                if (INNER_TAGS.contains(tag.text())) {
                    throw error(tag, "a tag that opens a block");
                }
                throw unsupported(tag, "the tag '" + Shown.of(tag.text()) + "'");
        }
    }

    /** The rest of the opening tag, the body and the closing tag, in a frame of its own. */
    private List<Statement> closed(String end) {
        boolean before = conditional;
        conditional = false;
        List<Statement> body = inner(end);
        expect(Kind.BLOCK_END);
        conditional = before;
        return body;
    }

    private List<Statement> inner(String... ends) {
        accept(":");
        expect(Kind.BLOCK_END);
        return body(ends);
    }

    private Statement ifStatement(int position) {
        boolean before = conditional;
        conditional = true;
        List<Branch> branches = new ArrayList<>();
        int place = position;
        do {
            Expression test = tuple(false);
            branches.add(new Branch(place, test, inner("elif", "else", "endif")));
            place = tokens.get(at - 1).position();
        } while (endTag.equals("elif"));
        List<Statement> otherwise = endTag.equals("else") ? inner("endif") : Collections.emptyList();
        expect(Kind.BLOCK_END);
        conditional = before;
        return new Nodes.If(branches, otherwise);
    }

    private Statement forStatement(int position) {
        loops++;
        Target target = target(false, true);
        if (!acceptName("in")) {
            throw error(peek(), "'in'");
        }
        // No conditional expression here: an 'if' filters the items.
        Expression items = tuple(false, "recursive");
        boolean before = conditional;
        conditional = false;
        Expression filter = acceptName("if") ? expression() : null;
        boolean recursive = acceptName("recursive");
        breakable++;
        List<Statement> body = inner("else", "endfor");
        breakable--;
        List<Statement> otherwise = endTag.equals("else") ? inner("endfor") : Collections.emptyList();
        expect(Kind.BLOCK_END);
        conditional = before;
        loops--;
        return new Nodes.For(position, target, items, filter, recursive, body, otherwise);
    }

    private Statement setStatement(int position) {
        Target target = target(true, false);
        if (accept("=")) {
            Expression value = tuple(true);
            expect(Kind.BLOCK_END);
            return new Nodes.Set(position, target, value);
        }
        boolean before = conditional;
        conditional = false;
        Nodes.Filter filter = null;
        while (accept("|")) {
            filter = filter(filter);
        }
        conditional = before;
        return new Nodes.SetBlock(position, target, filter, closed("endset"));
    }

    private Statement with(int position) {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (peek().kind() != Kind.BLOCK_END && !peek().is(Kind.OPERATOR, ":")) {
            if (!targets.isEmpty()) {
                expect(",");
            }
            int allowed = loops;
            loops = 0;
            targets.add(target(false, false));
            loops = allowed;
            expect("=");
            values.add(expression());
        }
        return new Nodes.With(position, targets, values, closed("endwith"));
    }

    private Statement filterBlock(int position) {
        boolean before = conditional;
        conditional = false;
        Nodes.Filter filter = filter(null);
        while (accept("|")) {
            filter = filter(filter);
        }
        conditional = before;
        return new Nodes.FilterBlock(position, filter, closed("endfilter"));
    }

    private MacroSource macro(String name, String end) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        signature(parameters, defaults);
        return macroBody(name, parameters, defaults, end);
    }

    private void signature(List<String> parameters, List<Expression> defaults) {
        expect("(");
        while (!accept(")")) {
            if (!parameters.isEmpty()) {
                expect(",");
            }
            Token parameter = expect(Kind.NAME);
            if (parameters.contains(parameter.text()) || CONSTANTS.contains(parameter.text())) {
                throw error(parameter, "another name");
            }
            // Each parameter is looked for among those before it.
            if (parameters.size() > DEEPEST) {
                throw unsupported(parameter, "more than " + DEEPEST + " parameters");
            }
            parameters.add(parameter.text());
            if (accept("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty()) {
                throw error(peek(), "a default for '" + parameter.text() + "'");
            }
        }
    }

    private MacroSource macroBody(String name, List<String> parameters, List<Expression> defaults, String end) {
        int outer = breakable;
        breakable = 0;
        macros.push(new LinkedHashSet<>());
        List<Statement> body = closed(end);
        breakable = outer;
        Set<String> uses = macros.pop();
        if (uses.contains("caller")
                && parameters.indexOf("caller") >= 0
                && parameters.indexOf("caller") < parameters.size() - defaults.size()) {
            throw error(peek(), "a default for the parameter 'caller' of '" + name + "'");
        }
        return new MacroSource(name, parameters, defaults, uses, body);
    }

    private Statement callBlock(Token tag) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (peek().is(Kind.OPERATOR, "(")) {
            signature(parameters, defaults);
        }
        Token start = peek();
        if (!(expression() instanceof Nodes.Call call)) {
            throw error(start, "a call");
        }
        return new Nodes.CallBlock(tag.position(), call, macroBody("caller", parameters, defaults, "endcall"));
    }

    private Statement generation() {
        int outer = breakable;
        breakable = 0;
        List<Statement> body = closed("endgeneration");
        breakable = outer;
        return new Nodes.Generation(body);
    }

    private Statement print(int position) {
        List<Statement> values = new ArrayList<>();
        while (peek().kind() != Kind.BLOCK_END) {
            if (!values.isEmpty()) {
                expect(",");
            }
            values.add(new Nodes.Output(position, expression()));
        }
        expect(Kind.BLOCK_END);
        return new Nodes.Group(values);
    }

    // Targets

    private Target target(boolean attributes, boolean untilIn) {
        List<Target> targets = new ArrayList<>();
        targets.add(oneTarget(attributes));
        boolean tuple = false;
        while (accept(",")) {
            tuple = true;
            if (untilIn && peek().is(Kind.NAME, "in")) {
                break;
            }
            targets.add(oneTarget(attributes));
        }
        return tuple ? new Nodes.TupleTarget(targets) : targets.get(0);
    }

    private Target oneTarget(boolean attributes) {
        if (accept("(")) {
            enter();
            List<Target> targets = new ArrayList<>();
            boolean tuple = false;
            while (!accept(")")) {
                targets.add(oneTarget(false));
                if (!peek().is(Kind.OPERATOR, ")")) {
                    expect(",");
                    tuple = true;
                }
            }
            depth--;
            return tuple || targets.isEmpty() ? new Nodes.TupleTarget(targets) : targets.get(0);
        }
        Token name = expect(Kind.NAME);
        if (CONSTANTS.contains(name.text())) {
            throw error(name, "a name that can be assigned to");
        }
        if (attributes && accept(".")) {
            return new Nodes.AttributeTarget(name.text(), expect(Kind.NAME).text());
        }
        if (loops > 0 && name.text().equals("loop")) {
            throw error(name, "a name other than that of the loop itself");
        }
        return new Nodes.NameTarget(name.text());
    }

    // Expressions

    private Expression tuple(boolean conditions) {
        return tuple(conditions, "");
    }

    private Expression tuple(boolean conditions, String end) {
        if (tupleEnds(end)) {
            throw error(peek(), "a value");
        }
        List<Expression> items = new ArrayList<>();
        boolean tuple = false;
        while (!tupleEnds(end)) {
            items.add(conditions ? expression() : or());
            if (!accept(",")) {
                break;
            }
            tuple = true;
        }
        return tuple ? new Nodes.TupleOf(items) : items.get(0);
    }

    private boolean tupleEnds(String end) {
        Token token = peek();
        return token.kind() == Kind.OUTPUT_END
                || token.kind() == Kind.BLOCK_END
                || token.is(Kind.OPERATOR, ")")
                || token.is(Kind.NAME, end);
    }

    private Expression expression() {
        enter();
        int checked = unknown.size();
        Expression value = or();
        while (acceptName("if")) {
            forget(checked);
            boolean before = conditional;
            conditional = true;
            Expression test = or();
            Expression otherwise = acceptName("else") ? expression() : null;
            conditional = before;
            value = new Nodes.Conditional(test, value, otherwise);
        }
        depth--;
        return value;
    }

    /** What was just read may never be evaluated. */
    private void forget(int checked) {
        unknown.subList(checked, unknown.size()).clear();
        unknownWhat.subList(checked, unknownWhat.size()).clear();
    }

    private void check(boolean known, Token token, String what) {
        if (!known && !conditional) {
            unknown.add(token);
            unknownWhat.add(what + " '" + Shown.of(token.text()) + "'");
        }
    }

    private Expression or() {
        Expression left = and();
        while (acceptName("or")) {
            left = new Nodes.Logic(false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (acceptName("and")) {
            left = new Nodes.Logic(true, left, not());
        }
        return left;
    }

    private Expression not() {
        Token token = peek();
        if (!acceptName("not")) {
            return compare();
        }
        enter();
        Expression negated = new Nodes.Unary(token.position(), "not", not());
        depth--;
        return negated;
    }

    private Expression compare() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> rest = new ArrayList<>();
        int position = peek().position();
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
                return rest.isEmpty() ? first : new Nodes.Compare(position, first, operators, rest);
            }
            rest.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concat();
        while (true) {
            int position = peek().position();
            String operator = acceptAny("+", "-");
            if (operator == null) {
                return left;
            }
            left = new Nodes.Binary(position, operator, left, concat());
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
        return new Nodes.Concat(parts);
    }

    private Expression product() {
        Expression left = power();
        while (true) {
            int position = peek().position();
            String operator = acceptAny("*", "/", "//", "%");
            if (operator == null) {
                return left;
            }
            left = new Nodes.Binary(position, operator, left, power());
        }
    }

    private Expression power() {
        Expression left = unary(true);
        while (true) {
            int position = peek().position();
            if (!accept("**")) {
                return left;
            }
            left = new Nodes.Binary(position, "**", left, unary(true));
        }
    }

    private Expression unary(boolean withFilters) {
        int position = peek().position();
        String sign = acceptAny("-", "+");
        Expression value;
        if (sign != null) {
            enter();
            value = new Nodes.Unary(position, sign, unary(false));
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
                return name(token);
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
                return new Nodes.TupleOf(Collections.emptyList());
            }
            Expression inner = tuple(true);
            expect(")");
            return inner;
        }
        if (token.is(Kind.OPERATOR, "[")) {
            return new Nodes.ListOf(expressionsUntil("]"));
        }
        if (token.is(Kind.OPERATOR, "{")) {
            return dict();
        }
        throw error(token, "a value");
    }

    private Expression name(Token token) {
        switch (token.text()) {
            case "true", "True":
                return new Literal(true);
            case "false", "False":
                return new Literal(false);
            case "none", "None":
                return new Literal(Values.None.NONE);
            default:
                if (SPECIAL_NAMES.contains(token.text())) {
                    macros.forEach(uses -> uses.add(token.text()));
                }
                return new Nodes.Name(token.text());
        }
    }

    private Long integer(Token token) {
        String digits = token.text().toLowerCase(Locale.ROOT);
        int radix = digits.startsWith("0x") ? 16 : digits.startsWith("0o") ? 8 : digits.startsWith("0b") ? 2 : 10;
        try {
            return Long.valueOf(radix == 10 ? digits : digits.substring(2), radix);
        } catch (NumberFormatException e) {
            throw unsupported(token, "the number " + Shown.of(token.text()) + ", beyond 64 bits");
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
        return new Nodes.DictOf(keys, values);
    }

    private Expression postfix(Expression target) {
        Expression value = target;
        while (true) {
            Token token = peek();
            if (accept(".")) {
                Token name = next();
                if (name.kind() == Kind.INTEGER) {
                    value = new Nodes.Subscript(token.position(), value, new Literal(integer(name)));
                } else if (name.kind() == Kind.NAME) {
                    value = new Nodes.Attribute(token.position(), value, name.text());
                } else {
                    throw error(name, "a name");
                }
            } else if (accept("[")) {
                value = subscript(token.position(), value);
            } else if (peek().is(Kind.OPERATOR, "(")) {
                value = call(value);
            } else {
                return value;
            }
        }
    }

    private Expression call(Expression target) {
        int position = peek().position();
        return new Nodes.Call(position, target, arguments());
    }

    private Expression subscript(int position, Expression target) {
        if (accept("]")) {
            return new Nodes.Subscript(position, target, new Nodes.TupleOf(Collections.emptyList()));
        }
        Expression start = peek().is(Kind.OPERATOR, ":") ? null : expression();
        if (start != null && !peek().is(Kind.OPERATOR, ":")) {
            if (accept("]")) {
                return new Nodes.Subscript(position, target, start);
            }
            List<Expression> items = new ArrayList<>(Collections.singletonList(start));
            while (!accept("]")) {
                expect(",");
                items.add(expression());
            }
            return new Nodes.Subscript(position, target, new Nodes.TupleOf(items));
        }
        expect(":");
        Expression stop = sliceEnd();
        Expression step = accept(":") ? sliceEnd() : null;
        expect("]");
        return new Nodes.Slice(position, target, start, stop, step);
    }

    private @Nullable Expression sliceEnd() {
        return peek().is(Kind.OPERATOR, ":") || peek().is(Kind.OPERATOR, "]") ? null : expression();
    }

    private CallArguments arguments() {
        expect("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        Expression morePositional = null;
        Expression moreNamed = null;
        while (!accept(")")) {
            Token token = peek();
            if (moreNamed != null) {
                throw error(token, "')' after the ** argument");
            }
            if (accept("**")) {
                moreNamed = expression();
            } else if (morePositional == null && accept("*")) {
                morePositional = expression();
            } else if (token.kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
                at += 2;
                if (named.put(token.text(), expression()) != null) {
                    throw error(token, "each argument once");
                }
            } else if (named.isEmpty() && morePositional == null) {
                positional.add(expression());
            } else {
                throw error(token, "a named argument");
            }
            if (!peek().is(Kind.OPERATOR, ")")) {
                expect(",");
            }
        }
        return new CallArguments(positional, named, morePositional, moreNamed);
    }

    private Expression filters(Expression input) {
        Expression value = input;
        while (true) {
            if (accept("|")) {
                value = filter(value);
            } else if (acceptName("is")) {
                value = test(value);
            } else if (peek().is(Kind.OPERATOR, "(")) {
                value = call(value);
            } else {
                return value;
            }
        }
    }

    private Nodes.Filter filter(@Nullable Expression input) {
        Token name = dotted();
        check(Filters.ALL.containsKey(name.text()), name, "the filter");
        CallArguments arguments = peek().is(Kind.OPERATOR, "(") ? arguments() : NO_ARGUMENTS;
        return new Nodes.Filter(name.position(), input, name.text(), arguments);
    }

    private Expression test(Expression input) {
        boolean negated = acceptName("not");
        Token name = dotted();
        check(Tests.ALL.containsKey(name.text()), name, "the test");
        Token token = peek();
        boolean operand = token.kind() == Kind.STRING
                || token.kind() == Kind.INTEGER
                || token.kind() == Kind.FLOAT
                || token.is(Kind.OPERATOR, "[")
                || token.is(Kind.OPERATOR, "{")
                || token.kind() == Kind.NAME
                        && !Arrays.asList("else", "or", "and").contains(token.text());
        CallArguments arguments = NO_ARGUMENTS;
        if (token.is(Kind.OPERATOR, "(")) {
            arguments = arguments();
        } else if (token.is(Kind.NAME, "is")) {
            throw error(token, "one test only");
        } else if (operand) {
            arguments = new CallArguments(
                    Collections.singletonList(postfix(primary())), Collections.emptyMap(), null, null);
        }
        Expression test = new Nodes.Test(name.position(), input, name.text(), arguments);
        return negated ? new Nodes.Unary(name.position(), "not", test) : test;
    }

    private Token dotted() {
        Token first = expect(Kind.NAME);
        StringBuilder name = new StringBuilder(first.text());
        while (accept(".")) {
            name.append('.').append(expect(Kind.NAME).text());
        }
        return name.length() == first.text().length() ? first : new Token(Kind.NAME, name.toString(), first.position());
    }

    // Tokens

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
        boolean found = peek().is(Kind.OPERATOR, operator);
        at += found ? 1 : 0;
        return found;
    }

    private @Nullable String acceptAny(String... operators) {
        for (String operator : operators) {
            if (accept(operator)) {
                return operator;
            }
        }
        return null;
    }

    private boolean acceptName(String name) {
        boolean found = peek().is(Kind.NAME, name);
        at += found ? 1 : 0;
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
        int column = found.position() & (1 << 11) - 1;
        return new CheckpointException("The chat template in " + where + ", line " + (found.position() >>> 11)
                + ", is damaged at column " + column + ": expected " + expected + ", found '"
                + Shown.of(found.text()) + "'.");
    }

    private UnsupportedModelException unsupported(Token token, String what) {
        return new UnsupportedModelException("The chat template in " + where + ", " + Position.text(token.position())
                + ", uses " + what + ", which is not supported. Supported are the tags if, for, set, with, filter,"
                + " macro, call, print, break, continue, raw and generation, and the filters and tests of Jinja2 but"
                + " lipsum, pprint, random and urlize.");
    }
}

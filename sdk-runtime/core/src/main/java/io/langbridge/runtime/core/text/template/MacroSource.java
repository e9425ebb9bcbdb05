package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Nodes.Expression;
import io.langbridge.runtime.core.text.template.Nodes.Statement;
import java.util.List;

/**
 * A macro, or the body of a call block, as written. Only the last parameters have defaults.
 *
 * @param uses which of {@code caller}, {@code kwargs} and {@code varargs} the body reads; the others are refused as
 *     arguments
 */
record MacroSource(
        String name,
        List<String> parameters,
        List<Expression> defaults,
        java.util.Set<String> uses,
        List<Statement> body) {}

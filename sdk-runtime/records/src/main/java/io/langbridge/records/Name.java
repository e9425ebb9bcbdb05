package io.langbridge.records;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What something is called in the model's answer, where that is not its name in Java: a component of a record, a
 * constant of an enum, or a record as an alternative of a sealed interface. Models know words better than code.
 *
 * <pre>{@code
 * enum Kind { INVOICE, @Name("credit note") CREDIT_NOTE }
 * }</pre>
 *
 * @since 0.1
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.FIELD, ElementType.TYPE})
public @interface Name {
    /** {@return any text that is not empty} */
    String value();
}

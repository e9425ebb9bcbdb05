package io.langbridge.records;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says what a component of a record, or a record, is meant to hold. The model reads it: {@link Records} adds all
 * descriptions to the question, each with the name of what it describes. It stands in the schema too, which the model
 * does not see.
 *
 * <pre>{@code
 * record Receipt(String shop, @Description("what was paid, taxes included") BigDecimal total) {}
 * }</pre>
 *
 * @since 0.1
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.TYPE})
public @interface Description {
    /** {@return a few words} */
    String value();
}

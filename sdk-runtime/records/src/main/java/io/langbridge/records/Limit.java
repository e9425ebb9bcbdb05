package io.langbridge.records;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Bounds what a model may write: how large a number is, how many characters a text has, how many items a list. A text
 * or list without one is as long as the model likes, at most {@code maxNewTokens}. Stands in front of the type that it
 * bounds, also within another one.
 *
 * <pre>{@code
 * record Receipt(
 *         @Limit(min = 1, max = 60) String shop,
 *         @Limit(max = 50) List<@Limit(max = 60) String> items,
 *         @Limit(pattern = "[A-Z]{2}\\d{9}") String taxNumber,
 *         @Limit(min = 0) BigDecimal total) {}
 * }</pre>
 *
 * <p>The annotation of an array stands in front of its brackets: {@code Item @Limit(max = 50) [] items}.
 *
 * @since 0.1
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE_USE)
public @interface Limit {
    /** {@return least value, or fewest characters or items} */
    double min() default Double.NEGATIVE_INFINITY;

    /** {@return greatest value, or most characters or items} */
    double max() default Double.POSITIVE_INFINITY;

    /**
     * What a text looks like.
     *
     * @return a regular expression of the whole text, as {@code GenerationOptions.pattern} has them; empty for any
     */
    String pattern() default "";
}

package io.langbridge.records;

import io.langbridge.AnswerException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How the values of a type are written and read. Immutable once built. */
interface Form {
    /** The keywords of its JSON Schema, each with its value in JSON. */
    Map<String, String> schema();

    /**
     * Makes the value.
     *
     * @param json as {@code Answer.json()} gives it
     * @param pointer where in the answer it stands
     * @throws AnswerException if it is not a value of the schema, or not one of the type
     */
    @Nullable
    Object read(@Nullable Object json, String pointer, Reading reading);

    /** Keywords with their values, in this order. */
    static Map<String, String> keywords(String... keysAndValues) {
        Map<String, String> keywords = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            keywords.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return keywords;
    }
}

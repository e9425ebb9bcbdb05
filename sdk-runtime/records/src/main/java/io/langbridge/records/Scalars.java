package io.langbridge.records;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Types whose values are a text, a number or a boolean. */
final class Scalars {
    /** Days as many as the month has, leap years by the rule. */
    private static final String DATE = "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
            + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

    private static final String TIME = "([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?";

    /** As far from Greenwich as places are; RFC 3339 would have more than java.time takes. */
    private static final String OFFSET = "(Z|[+-](0\\d|1[0-4]):[0-5]\\d)$";

    private static final Map<Class<?>, Form> TEXTS = new HashMap<>();
    private static final Map<Class<?>, Numbers> NUMBERS = new HashMap<>();

    static {
        text(UUID.class, Form.keywords("format", "\"uuid\""), UUID::fromString);
        text(LocalDate.class, Form.keywords("format", "\"date\""), LocalDate::parse);
        text(LocalTime.class, pattern("^" + TIME + "$"), LocalTime::parse);
        text(LocalDateTime.class, pattern("^" + DATE + "T" + TIME + "$"), LocalDateTime::parse);
        text(OffsetTime.class, offset("time"), OffsetTime::parse);
        text(OffsetDateTime.class, offset("date-time"), OffsetDateTime::parse);
        text(
                Instant.class,
                offset("date-time"),
                text -> OffsetDateTime.parse(text).toInstant());

        numbers(byte.class, Byte.class, new Numbers(Byte.MIN_VALUE, Byte.MAX_VALUE, BigDecimal::byteValueExact));
        numbers(short.class, Short.class, new Numbers(Short.MIN_VALUE, Short.MAX_VALUE, BigDecimal::shortValueExact));
        numbers(int.class, Integer.class, new Numbers(Integer.MIN_VALUE, Integer.MAX_VALUE, BigDecimal::intValueExact));
        numbers(long.class, Long.class, new Numbers(Long.MIN_VALUE, Long.MAX_VALUE, BigDecimal::longValueExact));
        numbers(float.class, Float.class, new Numbers(false, null, null, BigDecimal::floatValue));
        numbers(double.class, Double.class, new Numbers(false, null, null, BigDecimal::doubleValue));
        numbers(BigInteger.class, BigInteger.class, new Numbers(true, null, null, BigDecimal::toBigIntegerExact));
        numbers(BigDecimal.class, BigDecimal.class, new Numbers(false, null, null, number -> number));
    }

    private Scalars() {}

    private static void text(Class<?> type, Map<String, String> keywords, Function<String, Object> parse) {
        TEXTS.put(type, new Text(keywords, type.getSimpleName(), parse));
    }

    private static Map<String, String> pattern(String pattern) {
        return Form.keywords("pattern", Json.quoted(pattern));
    }

    private static Map<String, String> offset(String format) {
        return Form.keywords("format", Json.quoted(format), "pattern", Json.quoted(OFFSET));
    }

    private static void numbers(Class<?> type, Class<?> box, Numbers numbers) {
        NUMBERS.put(type, numbers);
        NUMBERS.put(box, numbers);
    }

    /** The form of a type that takes no limit, or null. */
    static @Nullable Form of(Class<?> type) {
        return type == boolean.class || type == Boolean.class ? Truth.FORM : TEXTS.get(type);
    }

    /** A type of numbers, or null. */
    static @Nullable Numbers numbers(Class<?> type) {
        return NUMBERS.get(type);
    }

    /** Any text, within a limit. */
    static Form text(@Nullable Limit limit) {
        Map<String, String> keywords = Form.keywords();
        if (limit != null) {
            Bounds.of(limit).count("minLength", "maxLength", keywords);
            if (!limit.pattern().isEmpty()) {
                keywords.put("pattern", Json.quoted("^(?:" + limit.pattern() + ")$"));
            }
        }
        return new Text(keywords, "text", text -> text);
    }

    /** What a {@link Limit} says in numbers; null is no bound. */
    record Bounds(@Nullable BigDecimal min, @Nullable BigDecimal max) {
        /**
         * Reads.
         *
         * @throws IllegalArgumentException if nothing lies within
         */
        static Bounds of(Limit limit) {
            if (!(limit.min() <= limit.max())) {
                throw new IllegalArgumentException("@Limit has nothing from " + limit.min() + " to " + limit.max());
            }
            return new Bounds(
                    limit.min() == Double.NEGATIVE_INFINITY ? null : BigDecimal.valueOf(limit.min()),
                    limit.max() == Double.POSITIVE_INFINITY ? null : BigDecimal.valueOf(limit.max()));
        }

        /**
         * Adds bounds of characters or items.
         *
         * @throws IllegalArgumentException if they are no whole numbers of at least 0
         */
        void count(String least, String most, Map<String, String> keywords) {
            put(least, min, keywords);
            put(most, max, keywords);
        }

        private static void put(String keyword, @Nullable BigDecimal count, Map<String, String> keywords) {
            if (count == null) {
                return;
            }
            if (count.signum() < 0 || count.stripTrailingZeros().scale() > 0) {
                throw new IllegalArgumentException("@Limit counts, so with whole numbers of at least 0, not " + count);
            }
            keywords.put(keyword, plain(count));
        }
    }

    private static String plain(BigDecimal number) {
        return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
    }

    /** A type of numbers; null is no bound. */
    record Numbers(
            boolean whole,
            @Nullable BigDecimal min,
            @Nullable BigDecimal max,
            Function<BigDecimal, Object> convert) {
        Numbers(long min, long max, Function<BigDecimal, Object> convert) {
            this(true, BigDecimal.valueOf(min), BigDecimal.valueOf(max), convert);
        }

        Form form(@Nullable Limit limit, String name) {
            Map<String, String> keywords = Form.keywords("type", whole ? "\"integer\"" : "\"number\"");
            Bounds bounds = limit == null ? new Bounds(null, null) : Bounds.of(limit);
            BigDecimal least =
                    min == null || bounds.min() != null && bounds.min().compareTo(min) > 0 ? bounds.min() : min;
            BigDecimal most =
                    max == null || bounds.max() != null && bounds.max().compareTo(max) < 0 ? bounds.max() : max;
            if (least != null) {
                keywords.put("minimum", plain(least));
            }
            if (most != null) {
                keywords.put("maximum", plain(most));
            }
            return new NumberForm(keywords, name, convert);
        }
    }

    private record NumberForm(Map<String, String> schema, String name, Function<BigDecimal, Object> convert)
            implements Form {
        @Override
        public Object read(@Nullable Object json, String pointer, Reading reading) {
            if (json instanceof Number) {
                try {
                    return convert.apply(new BigDecimal(json.toString()));
                } catch (ArithmeticException e) {
                    throw reading.wrong(pointer, json, "a value of " + name);
                }
            }
            throw reading.wrong(pointer, json, "a number");
        }
    }

    private record Text(Map<String, String> keywords, String name, Function<String, Object> parse) implements Form {
        @Override
        public Map<String, String> schema() {
            Map<String, String> schema = Form.keywords("type", "\"string\"");
            schema.putAll(keywords);
            return schema;
        }

        @Override
        public Object read(@Nullable Object json, String pointer, Reading reading) {
            if (json instanceof String text) {
                try {
                    return parse.apply(text);
                } catch (DateTimeException | IllegalArgumentException e) {
                    throw reading.wrong(pointer, json, "a value of " + name);
                }
            }
            throw reading.wrong(pointer, json, name.equals("text") ? "a text" : "a text of " + name);
        }
    }

    private enum Truth implements Form {
        FORM;

        @Override
        public Map<String, String> schema() {
            return Form.keywords("type", "\"boolean\"");
        }

        @Override
        public Object read(@Nullable Object json, String pointer, Reading reading) {
            if (json instanceof Boolean) {
                return json;
            }
            throw reading.wrong(pointer, json, "true or false");
        }
    }
}

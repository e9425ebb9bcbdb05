package io.langbridge.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.AnswerException;
import io.langbridge.AnswerListener;
import io.langbridge.Chat;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Apostrophes stand for quotation marks. */
@SuppressWarnings("SameNameButDifferent") // which is tested here
class RecordsTest {
    private static final Image IMAGE = Image.of(Path.of("receipt.jpg"));

    @Description("a shop's receipt")
    record Receipt(
            @Limit(min = 1, max = 60) String shop,
            Optional<LocalDate> date,
            @Limit(max = 50) List<Item> items,
            @Description("what was paid") BigDecimal total,
            Currency currency) {}

    record Item(
            @Limit(max = 40) String name,
            @Name("number of pieces") int count,
            @Description("of one") Optional<@Limit(min = 0, max = 1000) BigDecimal> price) {}

    enum Currency {
        @Name("euro")
        EUR,
        @Name("US dollar")
        USD
    }

    private static FakeModel model(String... answers) {
        FakeModel.Builder builder = FakeModel.builder();
        for (String answer : answers) {
            builder.next(answer.replace('\'', '"'));
        }
        return builder.build();
    }

    private static <T> T read(String answer, Class<T> type) {
        try (FakeModel model = model(answer)) {
            return Records.of(model).ask(IMAGE, "What is it?", type);
        }
    }

    private static String schema(Class<?> type) {
        return Records.schema(type).replace('"', '\'');
    }

    @Test
    void an_answer_becomes_a_record() {
        try (FakeModel model = model(
                "{'shop': 'Baker', 'date': '2026-03-01', 'items': [{'name': 'Bread', 'number of pieces': 2,"
                        + " 'price': 1.5}, {'name': 'Bag', 'number of pieces': 1, 'price': null}], 'total': 3, 'currency': 'US dollar'}")) {
            Receipt receipt = Records.of(model).ask(IMAGE, "Read the receipt.", Receipt.class);
            assertThat(receipt)
                    .isEqualTo(new Receipt(
                            "Baker",
                            Optional.of(LocalDate.of(2026, 3, 1)),
                            List.of(
                                    new Item("Bread", 2, Optional.of(new BigDecimal("1.5"))),
                                    new Item("Bag", 1, Optional.empty())),
                            new BigDecimal(3),
                            Currency.USD));
            Request asked = model.requests().get(0);
            assertThat(asked.options().jsonSchema()).isEqualTo(Records.schema(Receipt.class));
            assertThat(asked.messages().get(0).text())
                    .isEqualTo(
                            "Read the receipt.\n\na shop's receipt\n- items[].price: of one\n- total: what was paid");
        }
    }

    @Test
    void the_schema_says_what_the_type_says() {
        assertThat(schema(Receipt.class))
                .isEqualTo("{'type': 'object', 'description': 'a shop's receipt', 'properties': {"
                        + "'shop': {'type': 'string', 'minLength': 1, 'maxLength': 60}, "
                        + "'date': {'anyOf': [{'type': 'string', 'format': 'date'}, {'type': 'null'}]}, "
                        + "'items': {'type': 'array', 'items': {'$ref': '#/$defs/Item'}, 'maxItems': 50}, "
                        + "'total': {'type': 'number', 'description': 'what was paid'}, "
                        + "'currency': {'enum': ['euro', 'US dollar']}}, "
                        + "'required': ['shop', 'date', 'items', 'total', 'currency'], 'additionalProperties': false, "
                        + "'$defs': {'Item': {'type': 'object', 'properties': {"
                        + "'name': {'type': 'string', 'maxLength': 40}, "
                        + "'number of pieces': {'type': 'integer', 'minimum': -2147483648, 'maximum': 2147483647}, "
                        + "'price': {'anyOf': [{'type': 'number', 'minimum': 0, 'maximum': 1000}, {'type': 'null'}], "
                        + "'description': 'of one'}}, "
                        + "'required': ['name', 'number of pieces', 'price'], 'additionalProperties': false}}}");
    }

    record Plain(int a) {}

    @Test
    void a_question_without_descriptions_stays_as_it_is() {
        try (FakeModel model = model("{'a': 1}")) {
            Request request = Request.builder()
                    .system("Be brief.")
                    .image(IMAGE)
                    .image(IMAGE)
                    .text("How many?")
                    .options(GenerationOptions.builder().seed(3).pattern("x").build())
                    .build();
            assertThat(Records.of(model).ask(request, Plain.class)).isEqualTo(new Plain(1));
            Request asked = model.requests().get(0);
            assertThat(asked.messages()).isEqualTo(request.messages());
            assertThat(asked.options().seed()).isEqualTo(3);
            assertThat(asked.options().pattern()).isNull();
        }
    }

    record Numbers(
            byte a,
            Short b,
            long c,
            Integer d,
            float e,
            Double f,
            BigInteger g,
            @Limit(min = 0.5, max = 2) BigDecimal h,
            @Limit(min = 1) int i,
            @Limit(max = 1e30) int j) {}

    @Test
    void numbers_are_within_the_bounds_of_their_type_and_of_their_limit() {
        assertThat(schema(Numbers.class))
                .contains(
                        "'a': {'type': 'integer', 'minimum': -128, 'maximum': 127}",
                        "'b': {'type': 'integer', 'minimum': -32768, 'maximum': 32767}",
                        "'c': {'type': 'integer', 'minimum': -9223372036854775808, 'maximum': 9223372036854775807}",
                        "'e': {'type': 'number'}",
                        "'g': {'type': 'integer'}",
                        "'h': {'type': 'number', 'minimum': 0.5, 'maximum': 2}",
                        "'i': {'type': 'integer', 'minimum': 1, 'maximum': 2147483647}",
                        "'j': {'type': 'integer', 'minimum': -2147483648, 'maximum': 2147483647}");
        assertThat(read(
                        "{'a': -128, 'b': 7, 'c': 9223372036854775807, 'd': 0, 'e': 0.5, 'f': -2.25,"
                                + " 'g': 123456789012345678901, 'h': 1.50, 'i': 1, 'j': 2}",
                        Numbers.class))
                .isEqualTo(new Numbers(
                        (byte) -128,
                        (short) 7,
                        Long.MAX_VALUE,
                        0,
                        0.5f,
                        -2.25,
                        new BigInteger("123456789012345678901"),
                        new BigDecimal("1.50"),
                        1,
                        2));
    }

    record Times(
            LocalDate date,
            LocalTime time,
            LocalDateTime both,
            OffsetTime offsetTime,
            OffsetDateTime offset,
            Instant instant,
            UUID id,
            boolean yes,
            Boolean no) {}

    @Test
    void dates_and_times_are_those_of_java_time() {
        assertThat(read(
                        "{'date': '2024-02-29', 'time': '09:30', 'both': '2024-02-29T09:30:15', 'offsetTime': '09:30:00+02:00',"
                                + " 'offset': '2024-02-29T09:30:00.5Z', 'instant': '2024-02-29T09:30:00-01:00',"
                                + " 'id': '00000000-0000-0001-0000-000000000002', 'yes': true, 'no': false}",
                        Times.class))
                .isEqualTo(new Times(
                        LocalDate.of(2024, 2, 29),
                        LocalTime.of(9, 30),
                        LocalDateTime.of(2024, 2, 29, 9, 30, 15),
                        OffsetTime.of(9, 30, 0, 0, ZoneOffset.ofHours(2)),
                        OffsetDateTime.of(2024, 2, 29, 9, 30, 0, 500_000_000, ZoneOffset.UTC),
                        Instant.parse("2024-02-29T10:30:00Z"),
                        new UUID(1, 2),
                        true,
                        false));
    }

    record Holders(
            Collection<String> texts,
            Set<Currency> currencies,
            int[] numbers,
            Item @Limit(max = 2) [] items,
            @Limit(pattern = "[A-Z]+") String[][] grid,
            List<String>[] lists,
            Map<Currency, BigDecimal> prices,
            OptionalInt pages,
            @Limit(min = 0) OptionalLong bytes,
            OptionalDouble share,
            @Nullable String note,
            List<@Nullable Integer> gaps) {}

    @Test
    void what_holds_others_is_a_list_or_an_object() {
        assertThat(schema(Holders.class))
                .contains(
                        "'items': {'type': 'array', 'items': {'$ref': '#/$defs/Item'}, 'maxItems': 2}",
                        "'grid': {'type': 'array', 'items': {'type': 'array', 'items': {'type': 'string', 'pattern': '^(?:[A-Z]+)$'}}}",
                        "'prices': {'type': 'object', 'properties': {'euro': {'type': 'number'}, 'US dollar': {'type': 'number'}},"
                                + " 'additionalProperties': false}",
                        "'bytes': {'anyOf': [{'type': 'integer', 'minimum': 0, 'maximum': 9223372036854775807}, {'type': 'null'}]}");
        Holders read = read(
                "{'texts': ['a', 'a'], 'currencies': ['euro', 'euro'], 'numbers': [3, 4], 'items': [], 'grid': [['A'], []],"
                        + " 'lists': [['x']], 'prices': {'US dollar': 2.5}, 'pages': null, 'bytes': 5, 'share': 0.5, 'note': null,"
                        + " 'gaps': [1, null]}",
                Holders.class);
        assertThat(read.texts()).containsExactly("a", "a");
        assertThat(read.currencies()).containsExactly(Currency.EUR);
        assertThat(read.numbers()).containsExactly(3, 4);
        assertThat(read.items()).isEmpty();
        assertThat(read.grid()).isDeepEqualTo(new String[][] {{"A"}, {}});
        assertThat(read.lists()[0]).containsExactly("x");
        assertThat(read.prices()).isEqualTo(Map.of(Currency.USD, new BigDecimal("2.5")));
        assertThat(read.pages()).isEmpty();
        assertThat(read.bytes()).hasValue(5);
        assertThat(read.share()).hasValue(0.5);
        assertThat(read.note()).isNull();
        assertThat(read.gaps()).isEqualTo(Arrays.asList(1, null));
        assertThatThrownBy(() -> read.texts().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    sealed interface Document permits Invoice, Letter, Other {}

    @Description("asks for money")
    record Invoice(String number, LocalDate due) implements Document {}

    @Name("letter")
    record Letter(@Description("who wrote it") String from) implements Document {}

    sealed interface Other extends Document permits Nothing, Bundle {}

    record Nothing() implements Other {}

    record Bundle(List<Document> documents) implements Other {}

    @Test
    void a_sealed_interface_is_one_of_its_records_and_says_which() {
        assertThat(schema(Document.class))
                .startsWith(
                        "{'oneOf': [{'type': 'object', 'description': 'asks for money', 'properties': {'kind': {'const': 'Invoice'}, "
                                + "'number': {'type': 'string'}")
                .contains("'required': ['kind', 'number', 'due']", "'kind': {'const': 'letter'}", "{'$ref': '#'}");
        try (FakeModel model =
                model("{'kind': 'Bundle', 'documents': [{'kind': 'letter', 'from': 'Ann'}, {'kind': 'Nothing'}]}")) {
            assertThat(Records.of(model).ask(IMAGE, "What is it?", Document.class))
                    .isEqualTo(new Bundle(List.of(new Letter("Ann"), new Nothing())));
            assertThat(model.requests().get(0).messages().get(0).text())
                    .isEqualTo("What is it?\n\n- kind Invoice: asks for money\n- from: who wrote it");
        }
        assertThatExceptionOfType(AnswerException.class)
                .isThrownBy(() -> read("{'kind': 'Invoic'}", Document.class))
                .withMessageContaining("/kind is \"Invoic\" and not one of [Invoice, letter, Nothing, Bundle]");
    }

    record Part(String name, List<Part> parts, Optional<Part> spare) {}

    @Test
    void a_record_may_contain_itself() {
        assertThat(schema(Part.class)).contains("'items': {'$ref': '#'}");
        assertThat(read(
                        "{'name': 'a', 'parts': [{'name': 'b', 'parts': [], 'spare': null}], 'spare': {'name': 'c', 'parts': [], 'spare': null}}",
                        Part.class))
                .isEqualTo(new Part(
                        "a",
                        List.of(new Part("b", List.of(), Optional.empty())),
                        Optional.of(new Part("c", List.of(), Optional.empty()))));
        assertThat(schema(Part[].class))
                .startsWith("{'type': 'array', 'items': {'$ref': '#/$defs/Part'}, '$defs': {'Part': ");
    }

    @Test
    void several_are_an_array_and_one_value_is_itself() {
        assertThat(read("[{'a': 1}, {'a': 2}]", Plain[].class)).containsExactly(new Plain(1), new Plain(2));
        assertThat(read("'euro'", Currency.class)).isEqualTo(Currency.EUR);
        assertThat(read("7", int.class)).isEqualTo(7);
        assertThat(read("[true]", boolean[].class)).containsExactly(true);
    }

    static final class Outer {
        record Plain(@Nullable Integer b) {}

        record Both(RecordsTest.Plain one, Plain two) {}
    }

    @Test
    void two_records_of_one_name_are_two() {
        assertThat(read("{'one': {'a': 1}, 'two': {'b': null}}", Outer.Both.class))
                .isEqualTo(new Outer.Both(new Plain(1), new Outer.Plain(null)));
        assertThat(schema(Outer.Both.class)).contains("'#/$defs/Plain'", "'#/$defs/Plain.2'", "'Plain.2': {");
    }

    record OfChar(List<Plain> fine, Map<Currency, char[]> wrong) {}

    record ByText(Map<String, String> wrong) {}

    record Raw(@SuppressWarnings("rawtypes") List wrong) {}

    record Generic<T>(T value) {}

    record OfGeneric(Generic<String> wrong) {}

    record Wild(List<? extends Plain> wrong) {}

    record OfLocale(Locale wrong) {}

    record Twice(@Name("b") int a, int b) {}

    record Blank(@Name(" ") int a) {}

    record Limited(@Limit(max = 3) boolean wrong) {}

    record LimitedOutside(@Limit(max = 3) Optional<String> wrong) {}

    record Half(@Limit(max = 1.5) String wrong) {}

    record Turned(@Limit(min = 3, max = 2) int wrong) {}

    record PatternOfNumber(@Limit(pattern = "x") int wrong) {}

    record MaybeTwice(Optional<Optional<String>> wrong) {}

    sealed interface Open permits Free, Kinds {}

    static non-sealed class Free implements Open {}

    record Kinds(int a) implements Open {}

    sealed interface Taken permits OfKind {}

    record OfKind(String kind) implements Taken {}

    @SuppressWarnings("NullablePrimitive")
    record NullInt(@Nullable int wrong) {}

    enum None {}

    static List<Object[]> wrong() {
        return List.of(
                new Object[] {OfChar.class, "wrong[][]: char is not supported"},
                new Object[] {ByText.class, "a List of a record with a key and a value"},
                new Object[] {Raw.class, "List does not say what it holds"},
                new Object[] {Generic.class, "has type variables"},
                new Object[] {OfGeneric.class, "wrong: the record"},
                new Object[] {Wild.class, "wrong[]: ? extends"},
                new Object[] {OfLocale.class, "wrong: java.util.Locale is not supported. Supported are records"},
                new Object[] {Twice.class, "the name 'b' is there twice"},
                new Object[] {Blank.class, "the @Name of a is empty"},
                new Object[] {Limited.class, "@Limit says nothing of boolean"},
                new Object[] {LimitedOutside.class, "also within an Optional"},
                new Object[] {Half.class, "whole numbers of at least 0, not 1.5"},
                new Object[] {Turned.class, "nothing from 3.0 to 2.0"},
                new Object[] {PatternOfNumber.class, "for String only"},
                new Object[] {MaybeTwice.class, "in one way"},
                new Object[] {Open.class, "is neither a record nor sealed"},
                new Object[] {Taken.class, "kind: which record follows"},
                new Object[] {NullInt.class, "int cannot be null"},
                new Object[] {None.class, "has no constants"},
                new Object[] {Optional.class, "does not say what it holds"},
                new Object[] {OptionalInt.class, "a component of a record"},
                new Object[] {Object.class, "java.lang.Object is not supported"});
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void what_is_not_supported_is_refused_by_name_and_place_before_anything_is_asked(Class<?> type, String what) {
        try (FakeModel model = model("{}")) {
            assertThatExceptionOfType(PromptException.class)
                    .isThrownBy(() -> Records.of(model).ask(IMAGE, "What?", type))
                    .withMessageContaining(type.getTypeName())
                    .withMessageContaining(what);
            assertThat(model.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'name': 'x', 'number of pieces': 1.5, 'price': null}|/number of pieces is 1.5 and not a value of int",
                "{'name': 'x', 'number of pieces': 3000000000, 'price': null}|not a value of int",
                "{'name': 7, 'number of pieces': 1, 'price': null}|/name is 7 and not a text",
                "{'name': 'x', 'price': null}|/number of pieces is null and not a number",
                "[]|it is [] and not an object",
                "no JSON|no JSON value",
            })
    void an_answer_that_was_not_held_to_the_schema_is_an_error_that_holds_it(String answer, String what) {
        assertThatExceptionOfType(AnswerException.class)
                .isThrownBy(() -> read(answer, Item.class))
                .withMessageContaining(what)
                .satisfies(e -> assertThat(e.answer().text()).isEqualTo(answer.replace('\'', '"')));
    }

    record Even(int value) {
        Even {
            if (value % 2 != 0) {
                throw new IllegalArgumentException(value + " is odd");
            }
        }
    }

    @Test
    void what_a_constructor_refuses_is_an_error_that_holds_the_answer() {
        assertThatExceptionOfType(AnswerException.class)
                .isThrownBy(() -> read("[{'value': 2}, {'value': 3}]", Even[].class))
                .withMessageContaining("/1 is refused by Even: 3 is odd")
                .withCauseInstanceOf(IllegalArgumentException.class)
                .satisfies(e -> assertThat(e.answer().json()).isInstanceOf(List.class));
    }

    @Test
    void an_answer_that_ended_early_is_an_error_that_holds_it() {
        FakeAnswer part = FakeAnswer.of("{\"name\": \"Bre").endingWith(FinishReason.MAX_NEW_TOKENS);
        try (FakeModel model = FakeModel.builder().next(part).build()) {
            assertThatExceptionOfType(AnswerException.class)
                    .isThrownBy(() -> Records.of(model).ask(IMAGE, "What?", Item.class))
                    .withMessageContaining("MAX_NEW_TOKENS")
                    .satisfies(e -> assertThat(e.answer().text()).isEqualTo("{\"name\": \"Bre"));
        }
    }

    @Test
    void a_chat_is_held_by_its_options_and_a_stream_tells_values_on_the_way() {
        List<String> told = new ArrayList<>();
        List<Plain> read = new ArrayList<>();
        try (FakeModel model = model("{'a': 1}", "{'a': 22}");
                Chat chat = model.chat(
                        null,
                        GenerationOptions.builder()
                                .jsonSchema(Records.schema(Plain.class))
                                .build())) {
            assertThat(Records.read(chat.ask(IMAGE, "How many?"), Plain.class)).isEqualTo(new Plain(1));
            Message turn = new Message(Message.Role.USER, List.of(new Message.Text("And there?")));
            chat.stream(turn, Runnable::run, new AnswerListener() {
                @Override
                public void onValue(String pointer, @Nullable Object value) {
                    told.add(pointer + " " + value);
                }

                @Override
                public void onComplete(io.langbridge.Answer answer) {
                    read.add(Records.read(answer, Plain.class));
                }

                @Override
                public void onError(Throwable failure) {
                    throw new AssertionError(failure);
                }
            });
        }
        assertThat(told).containsExactly("/a 22", " {a=22}");
        assertThat(read).containsExactly(new Plain(22));
    }
}

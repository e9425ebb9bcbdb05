package io.langbridge.records;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.util.Objects;

/**
 * Answers as Java values: the answer is held to the JSON Schema of a type and read into it.
 *
 * <pre>{@code
 * record Receipt(String shop, Optional<LocalDate> date, @Limit(max = 50) List<Item> items, BigDecimal total) {}
 * record Item(String name, BigDecimal price) {}
 *
 * Receipt receipt = Records.of(model).ask(image, "Read the receipt.", Receipt.class);
 * }</pre>
 *
 * <p>A type is a record, or of these, also within records:
 *
 * <ul>
 *   <li>{@code String}, {@code boolean}, enums, {@code UUID}
 *   <li>numbers: {@code byte} to {@code long} within their bounds, {@code float}, {@code double}, their boxes,
 *       {@code BigInteger}, {@code BigDecimal}
 *   <li>{@code LocalDate}, {@code LocalTime}, {@code LocalDateTime}; {@code OffsetTime}, {@code OffsetDateTime} and
 *       {@code Instant} with an offset in the answer
 *   <li>{@code List}, {@code Collection}, {@code Set}, arrays; {@code Map} by an enum, with those keys that the model
 *       chooses
 *   <li>sealed interfaces and classes of records: the model says first, as {@code "kind"}, which of them follows
 * </ul>
 *
 * <p>What may be missing is {@code Optional}, {@code OptionalInt}, {@code OptionalLong}, {@code OptionalDouble}, or has
 * an annotation of the name {@code Nullable}; the model then writes {@code null} or a value. Everything else it has to
 * write, whether the picture has it or not. Records may contain themselves where that can end. {@link Name},
 * {@link Description} and {@link Limit} say more than Java does.
 *
 * <p>What is not supported, such as type variables, {@code char}, or a {@code Map} by texts (take a list of records),
 * is a {@link PromptException} that names the place. So is a record in a package that is not open to the module
 * {@code io.langbridge.records}. An answer that ended too early or that a record's own constructor refuses is an
 * {@link AnswerException}, which holds it.
 *
 * <p>Immutable, and safe for use by several threads as the model is, which stays the caller's to close.
 *
 * @since 0.1
 */
public final class Records {
    private static final ClassValue<Forms> FORMS = new ClassValue<>() {
        @Override
        protected Forms computeValue(Class<?> type) {
            return Forms.of(type);
        }
    };

    private final VisionLanguageModel model;

    private Records(VisionLanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * Asks a model.
     *
     * @param model the model; stays open
     * @return what asks it
     */
    public static Records of(VisionLanguageModel model) {
        return new Records(model);
    }

    /**
     * Asks about one picture with the checkpoint's own options.
     *
     * @param <T> the type
     * @param image the picture
     * @param question the question
     * @param type what the answer is to be; an array for several
     * @return the answer
     * @throws PromptException if the type is not supported
     * @throws AnswerException if the answer ended before it was complete, or a constructor refuses it
     */
    public <T> T ask(Image image, String question, Class<T> type) {
        return ask(Request.of(image, question), type);
    }

    /**
     * Asks about a picture that was encoded before.
     *
     * @param <T> the type
     * @param image made by {@link VisionLanguageModel#encode}
     * @param question the question
     * @param type what the answer is to be; an array for several
     * @return the answer
     * @throws PromptException if the type is not supported
     * @throws AnswerException if the answer ended before it was complete, or a constructor refuses it
     */
    public <T> T ask(EncodedImage image, String question, Class<T> type) {
        return ask(Request.of(image, question), type);
    }

    /**
     * Asks with options, several pictures or a conversation.
     *
     * @param <T> the type
     * @param request the conversation and the options; a schema or pattern of theirs is replaced
     * @param type what the answer is to be; an array for several
     * @return the answer
     * @throws PromptException if the type is not supported
     * @throws AnswerException if the answer ended before it was complete, or a constructor refuses it
     */
    public <T> T ask(Request request, Class<T> type) {
        return read(model.answer(request(request, type)), type);
    }

    /**
     * The request that {@link #ask(Request, Class)} makes, to be streamed or answered later: held to the schema, and
     * the descriptions behind the user's last words. {@link #read} takes its answer.
     *
     * <pre>{@code
     * Answer answer = model.answer(Records.request(request, Receipt.class));
     * Receipt receipt = Records.read(answer, Receipt.class);
     * double sure = answer.probability("/total"); // if the options have logProbabilities(..)
     * }</pre>
     *
     * @param request the conversation and the options
     * @param type what the answer is to be
     * @return the request
     * @throws PromptException if the type is not supported
     */
    public static Request request(Request request, Class<?> type) {
        Forms forms = forms(type);
        Request.Builder builder = request.toBuilder()
                .options(
                        request.options().toBuilder().jsonSchema(forms.schema()).build());
        if (!forms.descriptions().isEmpty()) {
            builder.text("\n\n" + String.join("\n", forms.descriptions()));
        }
        return builder.build();
    }

    /**
     * The JSON Schema of a type, for {@link GenerationOptions.Builder#jsonSchema}: in a chat, whose options hold for
     * all turns, or to look at.
     *
     * @param type a type
     * @return JSON
     * @throws PromptException if the type is not supported
     */
    public static String schema(Class<?> type) {
        return forms(type).schema();
    }

    /**
     * Reads an answer that was held to the schema of a type.
     *
     * @param <T> the type
     * @param answer the answer
     * @param type its type
     * @return the value
     * @throws PromptException if the type is not supported
     * @throws AnswerException if the answer is not a value of it, because it ended before it was complete, was not held
     *     to the schema, or a constructor refuses it
     */
    public static <T> T read(Answer answer, Class<T> type) {
        Objects.requireNonNull(answer, "answer");
        Object value = forms(type).read(answer);
        @SuppressWarnings("unchecked") // a primitive type's class is not that of its values
        T typed = type.isPrimitive() ? (T) value : type.cast(value);
        return typed;
    }

    private static Forms forms(Class<?> type) {
        return FORMS.get(Objects.requireNonNull(type, "type"));
    }
}

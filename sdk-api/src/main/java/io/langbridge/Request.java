package io.langbridge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A question with everything that belongs to it. Immutable; can be asked any number of times.
 *
 * <pre>{@code
 * Request request = Request.builder()
 *         .system("Answer in one word.")
 *         .image(before)
 *         .image(after)
 *         .text("What has changed?")
 *         .options(GenerationOptions.builder().maxNewTokens(20).build())
 *         .build();
 * }</pre>
 *
 * <p>Pictures at the start of a turn are followed by a line break, as LLaVA's training data has it; pictures between
 * texts stand where they were put. Most models were trained with the picture first: text before it is unusual for them.
 * A request without a picture is legal and asks the language model alone.
 *
 * @since 0.1
 */
public final class Request {
    private final List<Message> messages;
    private final GenerationOptions options;

    private Request(List<Message> messages, GenerationOptions options) {
        this.messages = Collections.unmodifiableList(messages);
        this.options = options;
    }

    /**
     * One picture, one question, the checkpoint's options.
     *
     * @param image the picture
     * @param question the question
     * @return the request
     * @throws IllegalArgumentException if the question is empty
     */
    public static Request of(Image image, String question) {
        return builder().image(image).text(notEmpty(question)).build();
    }

    /**
     * One picture that was encoded before, one question, the checkpoint's options.
     *
     * @param image the picture
     * @param question the question
     * @return the request
     * @throws IllegalArgumentException if the question is empty
     */
    public static Request of(EncodedImage image, String question) {
        return builder().image(image).text(notEmpty(question)).build();
    }

    private static String notEmpty(String question) {
        if (Objects.requireNonNull(question, "question").trim().isEmpty()) {
            throw new IllegalArgumentException("The question is empty; a picture without words is shown with"
                    + " Request.builder().image(..).build()");
        }
        return question;
    }

    /**
     * Starts an empty request.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that starts from this request; what is added joins the user's last turn.
     *
     * @return a builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.messages.addAll(messages);
        builder.turn.addAll(builder.messages.remove(messages.size() - 1).parts());
        builder.options = options;
        return builder;
    }

    /** {@return the conversation so far; the last message is the user's} */
    public List<Message> messages() {
        return messages;
    }

    /** {@return how to generate} */
    public GenerationOptions options() {
        return options;
    }

    /** {@return how long the answer may take, or null for as long as it needs} */
    public @Nullable Duration timeout() {
        return options.timeout();
    }

    /** Collects a conversation turn by turn; {@link #image} and {@link #text} add to the user's current turn. */
    public static final class Builder {
        private final List<Message> messages = new ArrayList<>();
        private final List<Message.Part> turn = new ArrayList<>();
        private GenerationOptions options = GenerationOptions.defaults();
        private @Nullable Duration timeout;

        private Builder() {}

        /**
         * Instructions for the whole conversation. Without it the chat template's own default applies.
         *
         * @param instructions the instructions
         * @return this builder
         * @throws IllegalStateException if something was added before
         */
        public Builder system(String instructions) {
            Objects.requireNonNull(instructions, "instructions");
            if (!messages.isEmpty() || !turn.isEmpty()) {
                throw new IllegalStateException("The system message comes first");
            }
            messages.add(new Message(Message.Role.SYSTEM, Collections.singletonList(new Message.Text(instructions))));
            return this;
        }

        /**
         * Adds a picture to the user's turn.
         *
         * @param image the picture
         * @return this builder
         */
        public Builder image(Image image) {
            turn.add(new Message.ImagePart(Objects.requireNonNull(image, "image")));
            return this;
        }

        /**
         * Adds a picture that was encoded before to the user's turn.
         *
         * @param image the picture
         * @return this builder
         */
        public Builder image(EncodedImage image) {
            turn.add(new Message.EncodedImagePart(Objects.requireNonNull(image, "image")));
            return this;
        }

        /**
         * Adds words to the user's turn.
         *
         * @param text taken literally
         * @return this builder
         */
        public Builder text(String text) {
            turn.add(new Message.Text(Objects.requireNonNull(text, "text")));
            return this;
        }

        /**
         * Ends the user's turn and adds what was answered to it, as text from elsewhere.
         *
         * @param answer see {@link Message#assistant(String)}
         * @return this builder
         * @throws IllegalStateException if the user has said nothing
         */
        public Builder assistant(String answer) {
            return assistant(Message.assistant(answer));
        }

        /**
         * Ends the user's turn and adds what the model answered to it.
         *
         * @param answer goes back with its own tokens, see {@link Message.Answered}
         * @return this builder
         * @throws IllegalStateException if the user has said nothing
         */
        public Builder assistant(Answer answer) {
            return assistant(Message.assistant(answer));
        }

        private Builder assistant(Message answer) {
            endTurn("The assistant answers; the user speaks first");
            messages.add(answer);
            return this;
        }

        /**
         * Adds messages as they are, after what was added so far.
         *
         * @param history whole turns
         * @return this builder
         */
        public Builder messages(List<Message> history) {
            Objects.requireNonNull(history, "history");
            for (Message message : history) {
                Objects.requireNonNull(message, "A message of history");
            }
            if (!turn.isEmpty()) {
                endTurn("");
            }
            messages.addAll(history);
            return this;
        }

        /**
         * Sets how to generate.
         *
         * @param options default {@link GenerationOptions#defaults()}
         * @return this builder
         */
        public Builder options(GenerationOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * How long the answer may take, as {@link GenerationOptions.Builder#timeout} says; wins over the options' own.
         *
         * @param timeout positive
         * @return this builder
         */
        public Builder timeout(Duration timeout) {
            this.timeout = GenerationOptions.builder().timeout(timeout).build().timeout();
            return this;
        }

        /**
         * The request.
         *
         * @return the request
         * @throws IllegalStateException if the last turn is not the user's, or a system message is not the first
         * @throws IllegalArgumentException if the user's turn says nothing and shows no picture
         */
        public Request build() {
            List<Message> all = new ArrayList<>(messages);
            if (!turn.isEmpty()) {
                all.add(new Message(Message.Role.USER, turn));
            }
            if (all.isEmpty() || all.get(all.size() - 1).role() != Message.Role.USER) {
                throw new IllegalStateException("A request ends with the user's turn: add text(..) or image(..)");
            }
            for (int i = 1; i < all.size(); i++) {
                if (all.get(i).role() == Message.Role.SYSTEM) {
                    throw new IllegalStateException("The system message comes first and once, but message " + (i + 1)
                            + " of " + all.size() + " is one; put later instructions into the user's turn");
                }
            }
            return new Request(
                    all,
                    timeout == null
                            ? options
                            : options.toBuilder().timeout(timeout).build());
        }

        private void endTurn(String complaint) {
            if (turn.isEmpty()) {
                throw new IllegalStateException(complaint);
            }
            messages.add(new Message(Message.Role.USER, turn));
            turn.clear();
        }
    }
}

package io.langbridge.testing;

import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.LangBridgeModel;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A model that computes nothing and says what it was told to, for unit tests of what asks a model.
 *
 * <pre>{@code
 * try (FakeModel model = FakeModel.builder()
 *         .when("colour", "It is red.")                          // whenever the user's last turn has this in it
 *         .next("A bicycle.", "Two bicycles.")                   // else one after the other
 *         .next(FakeAnswer.failure(new BusyException(1, 0)))
 *         .build()) {
 *     new Catalogue(model).describe(photo);
 *     assertThat(model.requests().get(0).options().maxNewTokens()).isEqualTo(40);
 *     assertThat(model.openStreams()).isZero();
 * }
 * }</pre>
 *
 * <p>Everything else is as {@link VisionLanguageModel}, {@link AnswerStream}, {@link Chat} and {@link ModelListener}
 * say: nothing is said before it is read, cancelling, closing, interrupting and timeouts end an answer with what was
 * said, and a closed model refuses. Of the options, {@code maxNewTokens} (512 unless set), {@code stopStrings} and
 * {@code timeout} have an effect. Each word is a token, a message takes four more and a picture 576. Pictures are not
 * looked at, so files need not exist and no decoder is needed; encoded, they are one tile of 336 x 336.
 *
 * <p>Safe for use by several threads. It has none of its own: what happens, happens in the thread that reads, and
 * listeners are told there.
 *
 * @since 0.1
 */
public final class FakeModel implements VisionLanguageModel {
    private static final int CONTEXT_LENGTH = 4096;

    private final List<Rule> rules;
    private final @Nullable Function<Request, FakeAnswer> otherwise;
    private final @Nullable Explanation explanation;
    private final int contextLength;
    private final Listeners listeners;
    private final int scripted;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private volatile boolean closed;

    /** Guarded by itself, as each of what follows. */
    private final Queue<FakeAnswer> script;

    private final List<Request> requests = new ArrayList<>();
    private final List<Image> encoded = new ArrayList<>();
    private final Set<FakeStream> running = new HashSet<>();

    private record Rule(Predicate<Request> holds, FakeAnswer answer) {}

    private FakeModel(Builder builder) {
        rules = List.copyOf(builder.rules);
        script = new ArrayDeque<>(builder.script);
        scripted = script.size();
        otherwise = builder.otherwise;
        explanation = builder.explanation;
        contextLength = builder.contextLength == null ? CONTEXT_LENGTH : builder.contextLength;
        listeners = new Listeners(List.copyOf(builder.listeners));
    }

    /**
     * Starts a model that has no answer yet.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * What was asked so far: each call of {@code ask}, {@code answer} and {@code stream}, also those that failed or
     * were not read. A turn of a chat is the conversation up to it, with the chat's options.
     *
     * @return in order, a copy
     */
    public List<Request> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    /**
     * The pictures that {@link #encode} was called with.
     *
     * @return in order, a copy
     */
    public List<Image> encodedImages() {
        synchronized (encoded) {
            return List.copyOf(encoded);
        }
    }

    /** {@return answers that have neither ended nor been closed: above zero after a test, somebody forgot to} */
    public int openStreams() {
        synchronized (running) {
            return running.size();
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws AssertionError if no rule holds, the script is at its end and {@link Builder#otherwise} was not set
     */
    @Override
    public AnswerStream stream(Request request) {
        Objects.requireNonNull(request, "request");
        return answer(request, 0, (messages, answer) -> {});
    }

    /**
     * Takes the next answer that was scripted and gives all probability to the label that it is.
     *
     * @return a total of 1, or where the answer is no label, of 0 with equal probabilities
     */
    @Override
    public Choice choose(Request request, List<String> labels) {
        Objects.requireNonNull(request, "request");
        Set<String> different = new LinkedHashSet<>(labels);
        if (labels.isEmpty() || different.size() < labels.size() || labels.contains("")) {
            throw new IllegalArgumentException("There must be labels, none empty and none twice, not " + labels);
        }
        String said = answer(request).text();
        boolean known = different.contains(said);
        Map<String, Double> probabilities = new LinkedHashMap<>();
        for (String label : labels) {
            probabilities.put(label, known ? (label.equals(said) ? 1.0 : 0.0) : 1.0 / labels.size());
        }
        return new Choice(probabilities, known ? 1 : 0);
    }

    FakeStream answer(Request request, int cachedTokens, FakeStream.Ending ending) {
        checkOpen();
        int number;
        synchronized (requests) {
            requests.add(request);
            number = requests.size();
        }
        Plan plan = new Plan(choose(request, number), request, contextLength);
        FakeStream stream = new FakeStream(this, plan, request, cachedTokens, ending);
        synchronized (running) {
            running.add(stream);
        }
        return stream;
    }

    private FakeAnswer choose(Request request, int number) {
        for (Rule rule : rules) {
            if (rule.holds().test(request)) {
                return rule.answer();
            }
        }
        synchronized (script) {
            FakeAnswer next = script.poll();
            if (next != null) {
                return next;
            }
        }
        if (otherwise == null) {
            throw new AssertionError("FakeModel has no answer to request " + number + ", '" + lastTurn(request)
                    + "': of its " + rules.size() + " rules none holds, and of the " + scripted
                    + " answers of its script none is left; add when(..), next(..) or otherwise(..)");
        }
        return Objects.requireNonNull(otherwise.apply(request), "what otherwise(..) gives");
    }

    private static String lastTurn(Request request) {
        List<Message> messages = request.messages();
        return messages.get(messages.size() - 1).text();
    }

    @Override
    public EncodedImage encode(Image image) {
        Objects.requireNonNull(image, "image");
        checkOpen();
        synchronized (encoded) {
            encoded.add(image);
        }
        FakePicture picture = new FakePicture();
        long number = Listeners.nextRequest();
        ModelListener.Encoding told = new ModelListener.Encoding(picture.tiles(), false, Duration.ZERO);
        listeners.tell(listener -> listener.encoded(number, told));
        return picture;
    }

    /**
     * The explanation that {@link Builder#explanation} set, whatever the picture and the options.
     *
     * @param image not looked at
     * @param options not looked at
     * @return the explanation
     * @throws UnsupportedOperationException if none was set
     */
    @Override
    public Explanation explain(EncodedImage image, ExplainOptions options) {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(options, "options");
        checkOpen();
        if (explanation == null) {
            throw new UnsupportedOperationException(
                    "This FakeModel explains nothing; give FakeModel.builder() an explanation(..)");
        }
        return explanation;
    }

    /**
     * None: no adapter is in here.
     *
     * @return always empty
     */
    @Override
    public Optional<LangBridgeModel> langBridge() {
        return Optional.empty();
    }

    @Override
    public Chat chat(@Nullable String system, GenerationOptions options) {
        Objects.requireNonNull(options, "options");
        checkOpen();
        return new FakeChat(this, system, options);
    }

    @Override
    public int contextLength() {
        checkOpen();
        return contextLength;
    }

    @Override
    public int visualTokenCount(int width, int height) {
        checkOpen();
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("A picture has at least one pixel, not " + width + " x " + height);
        }
        return Plan.TOKENS_PER_PICTURE;
    }

    Listeners listeners() {
        return listeners;
    }

    /** Begins a step; false if the model is closed. Every true is followed by {@link #leave}. */
    boolean enter() {
        lock.readLock().lock();
        if (closed) {
            lock.readLock().unlock();
            return false;
        }
        return true;
    }

    void leave() {
        lock.readLock().unlock();
    }

    void ended(FakeStream stream) {
        synchronized (running) {
            running.remove(stream);
        }
    }

    private void checkOpen() {
        listeners.refuseIfTelling();
        if (closed) {
            throw new IllegalStateException("The model is closed");
        }
    }

    @Override
    public void close() {
        listeners.refuseIfTelling();
        closed = true;
        cancelAll();
        lock.writeLock().lock(); // waits for the steps that run
        try {
            cancelAll(); // and those that began meanwhile
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void cancelAll() {
        List<FakeStream> open;
        synchronized (running) {
            open = new ArrayList<>(running);
        }
        open.forEach(FakeStream::cancel);
    }

    /**
     * Collects what to say. The first rule that holds answers; where none does, the next answer of the script; where
     * that is at its end, {@link #otherwise}. Not thread-safe.
     */
    public static final class Builder {
        private final List<Rule> rules = new ArrayList<>();
        private final List<FakeAnswer> script = new ArrayList<>();
        private final List<ModelListener> listeners = new ArrayList<>();
        private @Nullable Function<Request, FakeAnswer> otherwise;
        private @Nullable Explanation explanation;
        private @Nullable Integer contextLength;

        private Builder() {}

        /**
         * Adds a rule by words.
         *
         * @param part holds if the user's last turn has this in it, in any case
         * @param text the answer
         * @return this builder
         */
        public Builder when(String part, String text) {
            return when(part, FakeAnswer.of(text));
        }

        /**
         * Adds a rule by words.
         *
         * @param part holds if the user's last turn has this in it, in any case
         * @param answer the answer
         * @return this builder
         */
        public Builder when(String part, FakeAnswer answer) {
            int length = part.length();
            return when(
                    request -> {
                        String turn = lastTurn(request);
                        for (int i = 0; i <= turn.length() - length; i++) {
                            if (turn.regionMatches(true, i, part, 0, length)) {
                                return true;
                            }
                        }
                        return false;
                    },
                    answer);
        }

        /**
         * Adds a rule.
         *
         * @param rule asked in the thread that asks the model, by several at a time; whom it holds for
         * @param text the answer
         * @return this builder
         */
        public Builder when(Predicate<Request> rule, String text) {
            return when(rule, FakeAnswer.of(text));
        }

        /**
         * Adds a rule.
         *
         * @param rule asked in the thread that asks the model, by several at a time; whom it holds for
         * @param answer the answer
         * @return this builder
         */
        public Builder when(Predicate<Request> rule, FakeAnswer answer) {
            rules.add(new Rule(Objects.requireNonNull(rule, "rule"), Objects.requireNonNull(answer, "answer")));
            return this;
        }

        /**
         * Adds answers to the script, each for one request.
         *
         * @param texts the answers
         * @return this builder
         */
        public Builder next(String... texts) {
            Objects.requireNonNull(texts, "texts");
            for (String text : texts) {
                next(FakeAnswer.of(text));
            }
            return this;
        }

        /**
         * Adds an answer to the script, for one request.
         *
         * @param answer the answer
         * @return this builder
         */
        public Builder next(FakeAnswer answer) {
            script.add(Objects.requireNonNull(answer, "answer"));
            return this;
        }

        /**
         * The answer to all other requests. Without it they are an {@link AssertionError}.
         *
         * @param text the answer
         * @return this builder
         */
        public Builder otherwise(String text) {
            FakeAnswer answer = FakeAnswer.of(text);
            return otherwise(request -> answer);
        }

        /**
         * The answer to all other requests, made of the request.
         *
         * @param answer called in the thread that asks the model, by several at a time
         * @return this builder
         */
        public Builder otherwise(Function<Request, FakeAnswer> answer) {
            otherwise = Objects.requireNonNull(answer, "answer");
            return this;
        }

        /**
         * What {@link FakeModel#explain} gives. Without it that is an {@link UnsupportedOperationException}.
         *
         * @param explanation the explanation
         * @return this builder
         */
        public Builder explanation(Explanation explanation) {
            this.explanation = Objects.requireNonNull(explanation, "explanation");
            return this;
        }

        /**
         * Most positions that prompt and answer may have together; default is 4096.
         *
         * @param contextLength at least 1
         * @return this builder
         */
        public Builder contextLength(int contextLength) {
            if (contextLength < 1) {
                throw new IllegalArgumentException("contextLength must be at least 1, not " + contextLength);
            }
            this.contextLength = contextLength;
            return this;
        }

        /**
         * Adds somebody who is told what happens.
         *
         * @param listener may be called by several threads at a time
         * @return this builder
         */
        public Builder listener(ModelListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /** {@return the model; the caller closes it} */
        public FakeModel build() {
            return new FakeModel(this);
        }
    }
}

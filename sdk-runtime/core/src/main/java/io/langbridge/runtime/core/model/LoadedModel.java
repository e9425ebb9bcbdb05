package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.AnswerStream;
import io.langbridge.BatchAnswer;
import io.langbridge.Chat;
import io.langbridge.CheckpointException;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.LangBridgeModel;
import io.langbridge.Llm;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.SoftmaxCut;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.adapter.TopKAdapter;
import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.constrain.Constraints;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.explain.Explainer;
import io.langbridge.runtime.core.family.GenerationDefaults;
import io.langbridge.runtime.core.family.Positions;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TileMerge;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.spi.ModelSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model in memory. Work is done in threads of its own. Every piece of it holds the read lock for as long as one step
 * takes; closing takes the write lock.
 */
final class LoadedModel implements VisionLanguageModel, LangBridgeModel {
    /** How many prefixes are kept where nothing says so, if there is room in what is counted for running ones. */
    private static final int KEPT_PREFIXES = 8;

    private final Parts parts;
    private final IdleSessions idleSessions;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Set<Generation> running = Collections.synchronizedSet(new HashSet<>());
    private final Set<IdleSessions> chats = Collections.synchronizedSet(new HashSet<>());
    private final EngineThreads threads;
    private final SharedDecoder sharedDecoder;
    /** For reading and encoding, which take processors and memory. */
    private final Admission pictures;

    private final Admission admission;
    private final Listeners listeners;
    private final Constraints constraints;
    private final Dropped dropped = new Dropped();
    /**
     * Visual tokens of pictures that somebody still holds, so that a second question does not run the adapter again.
     */
    private final Map<EncodedPicture, FloatTensor> visualTokens = Collections.synchronizedMap(new WeakHashMap<>());

    /** Set before closing waits: no step begins after it. */
    private volatile boolean closing;

    private boolean closed;

    /**
     * All that a model consists of.
     *
     * @param name what {@link Answer#model} gives
     * @param encoder shared with other models
     * @param explainer of the adapter's visual tokens in words of the language model
     * @param newline {@code image_newline}, or null
     * @param positions where tokens stand, or null if one behind the other
     * @param resources closed at the end, last opened first
     */
    record Parts(
            String name,
            SharedEncoder encoder,
            AdapterNetwork adapter,
            DecoderNetwork decoder,
            Tokenizer tokenizer,
            PromptAssembler assembler,
            Explainer explainer,
            GenerationDefaults defaults,
            float @Nullable [] newline,
            @Nullable Positions positions,
            int contextLength,
            Closing resources) {}

    LoadedModel(Parts parts) {
        this.parts = parts;
        constraints = new Constraints(parts.tokenizer());
        ModelSpec spec = parts.encoder().spec;
        Integer most = spec.maxConcurrentRequests();
        Integer kept = spec.keptPrefixes();
        int rows = SharedDecoder.rows(most);
        sharedDecoder = new SharedDecoder(
                parts.decoder(),
                rows,
                most == null ? Long.MAX_VALUE : (long) most * parts.contextLength(),
                this::clearIdleSessions);
        Inventory decoder = Inventory.of(parts.decoder().config().network());
        IntToLongFunction bytes = positions -> Memory.kept(decoder, positions, spec.halfKvCache());
        idleSessions = new IdleSessions(
                sharedDecoder,
                parts.contextLength(),
                kept == null ? KEPT_PREFIXES : kept,
                Memory.sessions(most, kept) * bytes.applyAsLong(parts.contextLength()),
                bytes);
        // At least two, so that a token need not wait for somebody's picture.
        int atOnce = Math.max(2, parts.encoder().options.threads());
        pictures = new Admission(atOnce, atOnce, Integer.MAX_VALUE, null);
        threads = new EngineThreads(atOnce + rows); // most of them wait for a step
        admission = Admission.of(rows, most, spec.maxQueuedRequests());
        listeners = new Listeners(spec.listeners());
    }

    @Override
    public AnswerStream stream(Request request) {
        Objects.requireNonNull(request, "request");
        return generate(request.messages(), request.options(), idleSessions);
    }

    @Override
    public Stream<BatchAnswer> answerAll(Stream<Request> requests) {
        Integer most = parts.encoder().spec.maxConcurrentRequests();
        return most == null
                ? VisionLanguageModel.super.answerAll(requests)
                : answerAll(requests, SharedDecoder.rows(most));
    }

    /** Prepares an answer; nothing runs yet. */
    AnswerStream generate(List<Message> messages, GenerationOptions options, Generation.SessionSource sessions) {
        checkOpen();
        ResolvedOptions resolved = ResolvedOptions.of(options, parts.defaults());
        return start(new Generation(
                this,
                messages,
                sessions,
                resolved.sampler(constraint(options)),
                resolved.stopTokens(),
                resolved.maxNewTokens(),
                resolved.stopStrings(),
                options.thinking(),
                options.timeout(),
                null));
    }

    private AnswerStream start(Generation generation) {
        running.add(generation);
        GenerationStream stream = new GenerationStream(generation);
        stream.watchedBy(dropped.watch(stream, "An answer", generation::close));
        return stream;
    }

    @Override
    public Choice choose(Request request, List<String> labels) {
        Objects.requireNonNull(request, "request");
        List<String> copy = Collections.unmodifiableList(new ArrayList<>(labels));
        if (copy.isEmpty() || new HashSet<>(copy).size() < copy.size() || copy.contains("")) {
            throw new IllegalArgumentException("There must be labels, none empty and none twice, not " + copy);
        }
        checkOpen();
        ResolvedOptions resolved = ResolvedOptions.of(request.options(), parts.defaults());
        LabelScores scores = new LabelScores(copy, resolved.stopTokens(), parts.tokenizer());
        try (AnswerStream stream = start(new Generation(
                this,
                request.messages(),
                idleSessions,
                resolved.sampler(null),
                resolved.stopTokens(),
                scores.longest() + 1,
                Collections.emptyList(),
                parts.assembler().knowsThinking() ? Boolean.FALSE : null,
                request.timeout(),
                scores))) {
            Answer answer = stream.answer();
            if (answer.finishReason() != FinishReason.STOP_TOKEN) {
                throw new AnswerException(
                        "Nothing was chosen, because the request ended with " + answer.finishReason()
                                + " before all labels were compared; ask again, or give it more time",
                        answer);
            }
            return scores.choice();
        }
    }

    /** What an answer is held to, or null. */
    private @Nullable Constraint constraint(GenerationOptions options) {
        String schema = options.jsonSchema();
        String pattern = options.pattern();
        if (schema != null) {
            return constraints.jsonSchema(schema);
        }
        return pattern == null ? null : constraints.pattern(pattern);
    }

    @Override
    public EncodedImage encode(Image image) {
        Objects.requireNonNull(image, "image");
        checkOpen();
        long start = System.nanoTime();
        Runnable goOn = this::requireOpen;
        // Waits in the caller's thread: those of the model are for who has its turn.
        return inTurn(
                new Encoding(),
                goOn,
                () -> call(() -> {
                    AtomicBoolean before = new AtomicBoolean();
                    EncodedPicture picture = parts.encoder().encodeOnce(prepared(image), goOn, () -> before.set(true));
                    ModelListener.Encoding told = new ModelListener.Encoding(
                            picture.tiles(), before.get(), Duration.ofNanos(System.nanoTime() - start));
                    long number = Listeners.nextRequest();
                    listeners.tell(listener -> listener.encoded(number, told));
                    return picture;
                }));
    }

    /** Waits as a request does that lasts as long as the model. */
    private final class Encoding implements Admission.Guest {
        @Override
        public boolean isStopped() {
            return closing;
        }

        @Override
        public long remainingNanos() {
            return Long.MAX_VALUE;
        }

        @Override
        public void cancel() {
            // An interrupt does not end it; the caller stays interrupted.
        }

        @Override
        public void endIfIdle() {
            // It works.
        }
    }

    /** Works on a picture when few others do; {@code goOn} ends this by an exception if the guest is stopped. */
    private <T> T inTurn(Admission.Guest guest, Runnable goOn, Supplier<T> work) {
        try {
            pictures.enter(guest);
            goOn.run();
            return work.get();
        } finally {
            pictures.leave(guest);
        }
    }

    /** So that memory is there for those who run. */
    private void clearIdleSessions() {
        idleSessions.clear();
    }

    private PreparedImage prepared(Image image) {
        return parts.encoder().preprocessor.prepare(image);
    }

    /** Does a step in a thread of this model and waits for it. */
    private <T> T call(Callable<T> work) {
        checkOpen();
        return threads.call(() -> {
            if (!enter()) {
                throw closedError();
            }
            try {
                return work.call();
            } finally {
                leave();
            }
        });
    }

    @Override
    public Explanation explain(EncodedImage image, ExplainOptions options) {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(options, "options");
        return call(() -> {
            EncodedPicture picture = ours(image);
            return parts.explainer().explain(picture.features, picture.plan, options);
        });
    }

    @Override
    public Optional<LangBridgeModel> langBridge() {
        return parts.encoder().files.adapterConfig() instanceof AdapterConfig.LangBridge
                ? Optional.of(this)
                : Optional.empty();
    }

    @Override
    public Optional<SoftmaxCut> softmaxCut(EncodedImage image) {
        Objects.requireNonNull(image, "image");
        return call(() -> parts.adapter() instanceof TopKAdapter adapter
                ? Optional.of(adapter.measure(ours(image).features))
                : Optional.empty());
    }

    @Override
    public void releaseExplanation() {
        checkOpen();
        parts.adapter().releaseCoefficients();
    }

    @Override
    public Chat chat(@Nullable String system, GenerationOptions options) {
        Objects.requireNonNull(options, "options");
        checkOpen();
        Conversation chat = new Conversation(this, system, options);
        IdleSessions cache = chat.cache();
        chats.add(cache);
        chat.watchedBy(dropped.watch(chat, "A chat", () -> ended(cache)));
        return chat;
    }

    @Override
    public int contextLength() {
        requireOpen();
        return mostPositions();
    }

    /** The same for answers under way, which end by themselves when the model closes. */
    int mostPositions() {
        return parts.contextLength();
    }

    @Override
    public int visualTokenCount(int width, int height) {
        checkOpen();
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("A picture has at least one pixel, not " + width + " x " + height);
        }
        return parts.encoder()
                .preprocessor
                .plan(new Size(width, height))
                .layout()
                .tokens();
    }

    @Override
    public VisionLanguageModel withLlm(Llm llm) {
        Objects.requireNonNull(llm, "llm");
        if (!enter()) {
            throw closedError();
        }
        AutoCloseable use;
        try {
            use = parts.encoder().use();
        } finally {
            leave(); // loading takes long, and this model may be closed meanwhile
        }
        return Loader.withLlm(parts.encoder(), use, llm);
    }

    /**
     * The text of a conversation, token by token, before anything of a picture is computed.
     *
     * @return token ids between the pictures
     * @throws PromptException if the context has no room for them, one visual token per picture and an answer
     */
    List<int[]> text(List<Message> messages, @Nullable Boolean thinking) {
        int taken = 1;
        for (Message message : messages) {
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.EncodedImagePart encoded) {
                    EncodedPicture picture = ours(encoded.image());
                    taken += parts.assembler().positions(picture.plan.layout());
                } else if (part instanceof Message.ImagePart) {
                    taken++;
                }
            }
        }
        requireRoom(0, taken - 1);
        PromptAssembler assembler = parts.assembler().thinking(thinking);
        List<int[]> text = assembler.assemble(messages, parts.contextLength() - taken, parts.contextLength());
        if (Boolean.FALSE.equals(thinking) && assembler.endsInThought(text)) {
            throw new PromptException("thinking(false) asks the model not to think, but its chat template, "
                    + assembler.templateName() + ", always has it think; leave it out");
        }
        return text;
    }

    /** The token with which the model itself begins to think, or null. */
    @Nullable
    Integer thinkingToken() {
        return parts.tokenizer().idOf(PromptAssembler.THINKING_BEGINS);
    }

    /**
     * Takes thoughts out of an answer.
     *
     * @param text from {@link #text}
     * @return null if the model has no words for them
     */
    @Nullable
    Thinking thinking(List<int[]> text) {
        PromptAssembler assembler = parts.assembler();
        return assembler.knowsThinking() ? new Thinking(assembler.endsInThought(text)) : null;
    }

    /**
     * The conversation with every picture encoded.
     *
     * @param text from {@link #text}
     */
    List<Message> encodePictures(List<Message> messages, List<int[]> text, Generation generation) {
        int tokens = 0;
        for (int[] piece : text) {
            tokens += piece.length;
        }
        int visual = 0;
        List<Message> result = new ArrayList<>();
        for (Message message : messages) {
            List<Message.Part> encoded = new ArrayList<>();
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.ImagePart shown) {
                    long start = System.nanoTime();
                    int used = tokens + visual;
                    AtomicBoolean before = new AtomicBoolean();
                    Thread.interrupted(); // what a listener left is not meant for the request
                    EncodedPicture picture = inTurn(generation, generation.checkpoint(), () -> {
                        PreparedImage prepared = generation.prepare(() -> prepared(shown.image()));
                        requireRoom(
                                used,
                                parts.assembler().positions(prepared.plan().layout()));
                        return parts.encoder().encodeOnce(prepared, generation.checkpoint(), () -> before.set(true));
                    });
                    visual += parts.assembler().positions(picture.plan.layout());
                    generation.encoded(picture, before.get(), System.nanoTime() - start);
                    encoded.add(new Message.EncodedImagePart(picture));
                    continue;
                }
                if (part instanceof Message.EncodedImagePart known) {
                    generation.encoded(ours(known.image()), true, 0);
                }
                encoded.add(part);
            }
            result.add(new Message(message.role(), encoded));
        }
        return result;
    }

    /** Refuses a prompt that leaves no position for an answer. */
    void requireRoom(int textTokens, int visualTokens) {
        if (textTokens + visualTokens >= parts.contextLength()) {
            throw new PromptException("The prompt has " + (textTokens + visualTokens) + " tokens (" + visualTokens
                    + " of them from pictures), but the context holds " + parts.contextLength()
                    + " and the answer needs at least one; shorten it, use fewer pictures or maxVisualTokens(..) where the"
                    + " model allows it, or raise contextLength(..)"
                    + " if the language model allows more");
        }
    }

    /**
     * Puts the prompt together.
     *
     * @param text from {@link #text}
     */
    Prompt prompt(List<Message> messages, List<int[]> text, Generation generation) {
        Prompt prompt = new Prompt();
        prompt.add(text.get(0));
        int next = 1;
        for (Message message : messages) {
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.EncodedImagePart encoded) {
                    EncodedPicture picture = ours(encoded.image());
                    generation.checkpoint().run();
                    long start = System.nanoTime();
                    TokenLayout layout = picture.plan.layout();
                    prompt.add(
                            picture.serial,
                            visualTokens(picture),
                            layout,
                            parts.assembler().words(layout));
                    generation.addAdapterTime(System.nanoTime() - start);
                    prompt.add(text.get(next++));
                }
            }
        }
        return prompt;
    }

    private EncodedPicture ours(EncodedImage image) {
        if (!(image instanceof EncodedPicture picture)
                || !picture.encoder.equals(parts.encoder().name())) {
            throw new CheckpointException("The picture was encoded by "
                    + (image instanceof EncodedPicture other
                            ? other.encoder
                            : image.getClass().getName())
                    + ", but this model's encoder is " + parts.encoder().name() + "; encode it with this model");
        }
        return picture;
    }

    private FloatTensor visualTokens(EncodedPicture picture) {
        synchronized (picture.features) { // once for all who ask about it
            FloatTensor known = visualTokens.get(picture);
            if (known == null) {
                known = TileMerge.merge(parts.adapter().visualTokens(picture.features), parts.newline(), picture.plan);
                visualTokens.put(picture, known);
            }
            return known;
        }
    }

    String name() {
        return parts.name();
    }

    Tokenizer tokenizer() {
        return parts.tokenizer();
    }

    DecoderNetwork decoder() {
        return parts.decoder();
    }

    /** The prompt as ids, where it enters the model so; else none. */
    int[] idsSeen(Prompt prompt) {
        Integer image = parts.assembler().imageId();
        return image == null ? new int[0] : prompt.ids(image);
    }

    /** Where tokens of a prompt stand; null if one behind the other. */
    @Nullable
    Positions positions() {
        return parts.positions();
    }

    /** The same for those who run it beside each other. */
    SharedDecoder sharedDecoder() {
        return sharedDecoder;
    }

    EngineThreads threads() {
        return threads;
    }

    Admission admission() {
        return admission;
    }

    /** Has an answer see that it is stopped, wherever it waits. */
    void wake(Generation generation) {
        admission.wake(generation);
        pictures.wake(generation);
        sharedDecoder.wake();
    }

    Listeners listeners() {
        return listeners;
    }

    /** Begins a step; false if the model is closed. Every true is followed by {@link #leave}. */
    boolean enter() {
        if (closing) {
            return false;
        }
        lock.readLock().lock();
        if (closing) {
            lock.readLock().unlock();
            return false;
        }
        return true;
    }

    void leave() {
        lock.readLock().unlock();
    }

    void ended(Generation generation) {
        running.remove(generation);
    }

    /** A chat was closed, or dropped. */
    void ended(IdleSessions chat) {
        if (enter()) {
            try {
                chats.remove(chat);
                chat.close();
            } finally {
                leave();
            }
        }
    }

    private void checkOpen() {
        listeners.refuseIfTelling();
        requireOpen();
    }

    private void requireOpen() {
        if (closing) {
            throw closedError();
        }
    }

    private static IllegalStateException closedError() {
        return new IllegalStateException("The model is closed");
    }

    @Override
    public void close() {
        listeners.refuseIfTelling();
        closing = true;
        pictures.wakeAll();
        runningNow().forEach(Generation::cancel);
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            dropped.close();
            runningNow().forEach(Generation::release);
            List<IdleSessions> openChats;
            synchronized (chats) {
                openChats = new ArrayList<>(chats);
            }
            openChats.forEach(IdleSessions::close);
            idleSessions.close();
            sharedDecoder.close();
            visualTokens.clear();
            Closing.all(parts.resources().opened());
        } finally {
            lock.writeLock().unlock();
            threads.close();
        }
    }

    private List<Generation> runningNow() {
        synchronized (running) {
            return new ArrayList<>(running);
        }
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.CheckpointException;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.SoftmaxCut;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.adapter.TopKAdapter;
import io.langbridge.runtime.core.checkpoint.Closing;
import io.langbridge.runtime.core.config.GenerationDefaults;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.explain.Explainer;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.TileMerge;
import io.langbridge.runtime.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A model in memory. Every piece of work holds the read lock for as long as one step takes; closing takes the write
 * lock.
 */
final class LoadedModel implements VisionLanguageModel {
    private final Parts parts;
    private final IdleSession idleSession = new IdleSession(this);
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Set<Generation> running = Collections.synchronizedSet(new HashSet<>());
    private final Set<Conversation> chats = Collections.synchronizedSet(new HashSet<>());
    /**
     * Visual tokens of pictures that somebody still holds, so that a second question does not run the adapter again.
     */
    private final Map<EncodedPicture, FloatTensor> visualTokens = Collections.synchronizedMap(new WeakHashMap<>());

    private volatile boolean closed;

    /**
     * All that a model consists of.
     *
     * @param encoder shared with other models
     * @param explainer of the adapter's visual tokens in words of the language model
     * @param newline {@code image_newline}, or null
     * @param countsPromptTokens whether the repetition penalty sees the prompt, as it does where ids enter the model
     * @param resources closed at the end, last opened first
     */
    record Parts(
            SharedEncoder encoder,
            AdapterNetwork adapter,
            DecoderNetwork decoder,
            Tokenizer tokenizer,
            PromptAssembler assembler,
            Explainer explainer,
            GenerationDefaults defaults,
            float @Nullable [] newline,
            boolean countsPromptTokens,
            int contextLength,
            Closing resources) {}

    LoadedModel(Parts parts) {
        this.parts = parts;
    }

    @Override
    public AnswerStream stream(Request request) {
        return generate(request.messages(), request.options(), idleSession);
    }

    /** Prepares an answer; nothing runs yet. */
    AnswerStream generate(List<Message> messages, GenerationOptions options, Generation.SessionSource sessions) {
        checkOpen();
        ResolvedOptions resolved = ResolvedOptions.of(options, parts.defaults());
        Generation generation = new Generation(
                this,
                messages,
                sessions,
                new Sampler(resolved.sampling()),
                resolved.stopTokens(),
                resolved.maxNewTokens(),
                options.stopStrings());
        running.add(generation);
        return generation;
    }

    @Override
    public EncodedImage encode(Image image) {
        if (!enter()) {
            throw closedError();
        }
        try {
            return encoded(image);
        } finally {
            leave();
        }
    }

    private EncodedPicture encoded(Image image) {
        SharedEncoder encoder = parts.encoder();
        PreparedImage prepared = encoder.preprocessor.prepare(image);
        return new EncodedPicture(encoder.vision.features(prepared.pixels()), prepared.grid(), encoder.name());
    }

    @Override
    public Explanation explain(EncodedImage image, ExplainOptions options) {
        if (!enter()) {
            throw closedError();
        }
        try {
            EncodedPicture picture = ours(image);
            List<Explanation.Area> areas = parts.encoder().preprocessor.areas(picture.grid.picture());
            return parts.explainer().explain(picture.features, picture.grid, areas, options);
        } finally {
            leave();
        }
    }

    @Override
    public SoftmaxCut softmaxCut(EncodedImage image) {
        if (!enter()) {
            throw closedError();
        }
        try {
            if (!(parts.adapter() instanceof TopKAdapter adapter)) {
                throw new IllegalStateException("This model's adapter has no softmax that is cut; load it with"
                        + " Adapter.langBridge(..).softmax().topK(..)");
            }
            return adapter.measure(ours(image).features);
        } finally {
            leave();
        }
    }

    @Override
    public Chat chat(@Nullable String system, GenerationOptions options) {
        checkOpen();
        Conversation chat = new Conversation(this, system, options);
        chats.add(chat);
        return chat;
    }

    @Override
    public int contextLength() {
        return parts.contextLength();
    }

    @Override
    public VisionLanguageModel withLlm(Llm llm) {
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

    /** The conversation with every picture encoded. */
    List<Message> encodePictures(List<Message> messages, Generation generation) {
        long start = System.nanoTime();
        List<Message> result = new ArrayList<>();
        for (Message message : messages) {
            List<Message.Part> encoded = new ArrayList<>();
            for (Message.Part part : message.parts()) {
                encoded.add(
                        part instanceof Message.Picture picture
                                ? new Message.EncodedPicture(encoded(picture.image()))
                                : part);
            }
            result.add(new Message(message.role(), encoded));
        }
        generation.addEncodeTime(System.nanoTime() - start);
        return result;
    }

    /** Puts the prompt together. */
    Prompt prompt(List<Message> messages, Generation generation) {
        List<int[]> pieces = parts.assembler().assemble(messages);
        Prompt prompt = new Prompt();
        prompt.add(pieces.get(0));
        int next = 1;
        for (Message message : messages) {
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.EncodedPicture encoded) {
                    EncodedPicture picture = ours(encoded.image());
                    long start = System.nanoTime();
                    prompt.add(picture.serial, visualTokens(picture));
                    generation.addAdapterTime(System.nanoTime() - start);
                    prompt.add(pieces.get(next++));
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
        FloatTensor known = visualTokens.get(picture);
        if (known == null) {
            known = TileMerge.merge(parts.adapter().visualTokens(picture.features), parts.newline(), picture.grid);
            visualTokens.put(picture, known);
        }
        return known;
    }

    Tokenizer tokenizer() {
        return parts.tokenizer();
    }

    DecoderNetwork decoder() {
        return parts.decoder();
    }

    boolean countsPromptTokens() {
        return parts.countsPromptTokens();
    }

    boolean isClosed() {
        return closed;
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

    void ended(Generation generation) {
        running.remove(generation);
    }

    void ended(Conversation chat) {
        chats.remove(chat);
    }

    private void checkOpen() {
        if (closed) {
            throw closedError();
        }
    }

    private static IllegalStateException closedError() {
        return new IllegalStateException("The model is closed");
    }

    @Override
    public void close() {
        List<Generation> open;
        synchronized (running) {
            open = new ArrayList<>(running);
        }
        open.forEach(Generation::cancel);
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            synchronized (running) {
                open = new ArrayList<>(running);
            }
            open.forEach(Generation::release);
            List<Conversation> openChats;
            synchronized (chats) {
                openChats = new ArrayList<>(chats);
            }
            openChats.forEach(Conversation::close);
            idleSession.close();
            visualTokens.clear();
            Closing.all(parts.resources().opened());
        } finally {
            lock.writeLock().unlock();
        }
    }
}

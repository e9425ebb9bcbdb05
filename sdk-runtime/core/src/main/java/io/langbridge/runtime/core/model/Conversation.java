package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.GenerationOptions;
import io.langbridge.Message;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A chat: the messages so far and the KV cache that goes with them. */
final class Conversation implements Chat, Generation.SessionSource {
    private final LoadedModel model;
    private final GenerationOptions options;
    private final List<Message> messages = new ArrayList<>();
    private final IdleSessions cache;
    private Dropped.@Nullable Watch watch;
    private boolean answering;
    private boolean closed;

    Conversation(LoadedModel model, @Nullable String system, GenerationOptions options) {
        this.model = model;
        this.options = options;
        this.cache = new IdleSessions(
                model.sharedDecoder(), model.mostPositions(), 1, Long.MAX_VALUE, positions -> positions);
        if (system != null) {
            messages.add(new Message(Message.Role.SYSTEM, Collections.singletonList(new Message.Text(system))));
        }
    }

    /** Watched from now on, so that the cache is freed if nobody holds this any more. */
    void watchedBy(Dropped.Watch by) {
        watch = by;
    }

    IdleSessions cache() {
        return cache;
    }

    @Override
    public synchronized AnswerStream stream(Message turn) {
        Objects.requireNonNull(turn, "turn");
        if (closed) {
            throw new IllegalStateException("The chat is closed");
        }
        if (answering) {
            throw new IllegalStateException("The last answer has not ended; read it to the end or close its stream");
        }
        if (turn.role() != Message.Role.USER) {
            throw new IllegalArgumentException("A turn is the user's, not " + turn.role());
        }
        List<Message> prompt = new ArrayList<>(messages);
        prompt.add(turn);
        AnswerStream stream = model.generate(prompt, options, this);
        answering = true;
        return stream;
    }

    @Override
    public synchronized List<Message> messages() {
        return Collections.unmodifiableList(new ArrayList<>(messages));
    }

    @Override
    public CachedSession take(long[] prompt, int needed) {
        return cache.take(prompt, needed);
    }

    @Override
    public synchronized void giveBack(
            @Nullable CachedSession used, List<Message> conversation, @Nullable Answer answer) {
        answering = false;
        if (used == null) {
            return;
        }
        cache.giveBack(used);
        if (answer != null) {
            // The pictures are encoded now and stay so for the turns to come.
            messages.clear();
            messages.addAll(conversation);
            messages.add(Message.assistant(answer));
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        // Not while this is held: it waits for a model that closes, and that for answers to be given back.
        model.ended(cache);
        if (watch != null) {
            watch.end();
        }
    }
}

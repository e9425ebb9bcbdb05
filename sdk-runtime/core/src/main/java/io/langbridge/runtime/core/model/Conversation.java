package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Message;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A chat: the messages so far and the KV cache that goes with them. */
final class Conversation implements Chat, Generation.SessionSource {
    private final LoadedModel model;
    private final GenerationOptions options;
    private final List<Message> messages = new ArrayList<>();
    private @Nullable CachedSession session;
    private @Nullable Message pending;
    private boolean closed;

    Conversation(LoadedModel model, @Nullable String system, GenerationOptions options) {
        this.model = model;
        this.options = options;
        if (system != null) {
            messages.add(new Message(Message.Role.SYSTEM, Collections.singletonList(new Message.Text(system))));
        }
    }

    @Override
    public Answer ask(String question) {
        return ask(new Message.Text(question));
    }

    @Override
    public Answer ask(Image image, String question) {
        return ask(new Message.Picture(image), new Message.Text(question));
    }

    private Answer ask(Message.Part... parts) {
        try (AnswerStream stream = stream(new Message(Message.Role.USER, Arrays.asList(parts)))) {
            return stream.answer();
        }
    }

    @Override
    public synchronized AnswerStream stream(Message turn) {
        if (closed) {
            throw new IllegalStateException("The chat is closed");
        }
        if (pending != null) {
            throw new IllegalStateException("The last answer has not ended; read it to the end or close its stream");
        }
        if (turn.role() != Message.Role.USER) {
            throw new IllegalArgumentException("A turn is the user's, not " + turn.role());
        }
        // Pictures are encoded once and stay encoded for the turns to come.
        List<Message.Part> parts = new ArrayList<>();
        for (Message.Part part : turn.parts()) {
            parts.add(part instanceof Message.Picture picture ? encoded(picture.image()) : part);
        }
        Message message = new Message(Message.Role.USER, parts);
        List<Message> prompt = new ArrayList<>(messages);
        prompt.add(message);
        AnswerStream stream = model.generate(prompt, options, this);
        pending = message;
        return stream;
    }

    private Message.EncodedPicture encoded(Image image) {
        EncodedImage picture = model.encode(image);
        return new Message.EncodedPicture(picture);
    }

    @Override
    public synchronized List<Message> messages() {
        return Collections.unmodifiableList(new ArrayList<>(messages));
    }

    @Override
    public synchronized CachedSession take(long[] prompt, int needed) {
        CachedSession taken = CachedSession.prepare(session, needed, model.contextLength(), model.decoder());
        session = null;
        return taken;
    }

    @Override
    public synchronized void giveBack(@Nullable CachedSession used, @Nullable Answer answer) {
        Message turn = pending;
        pending = null;
        if (used != null) {
            if (closed || model.isClosed()) {
                used.close();
            } else {
                session = used;
            }
            if (answer != null && turn != null) {
                messages.add(turn);
                messages.add(new Message(
                        Message.Role.ASSISTANT, Collections.singletonList(new Message.Text(answer.text()))));
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (session != null) {
            session.close();
            session = null;
        }
        model.ended(this);
    }
}

package io.langbridge.testing;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.GenerationOptions;
import io.langbridge.Message;
import io.langbridge.Request;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The messages so far. */
final class FakeChat implements Chat, FakeStream.Ending {
    private final FakeModel model;
    private final GenerationOptions options;
    private final List<Message> messages = new ArrayList<>();
    private int tokensHeld;
    private boolean answering;
    private boolean closed;

    FakeChat(FakeModel model, @Nullable String system, GenerationOptions options) {
        this.model = model;
        this.options = options;
        if (system != null) {
            messages.add(new Message(Message.Role.SYSTEM, Collections.singletonList(new Message.Text(system))));
        }
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
        Request request = Request.builder().messages(prompt).options(options).build();
        AnswerStream stream = model.answer(request, tokensHeld, this);
        answering = true;
        return stream;
    }

    @Override
    public synchronized void ended(List<Message> conversation, @Nullable Answer answer) {
        answering = false;
        if (answer != null) {
            messages.clear();
            messages.addAll(conversation);
            messages.add(Message.assistant(answer));
            // The last token of an answer has not run.
            tokensHeld =
                    answer.usage().promptTokens() + Math.max(0, answer.usage().newTokens() - 1);
        }
    }

    @Override
    public synchronized List<Message> messages() {
        return Collections.unmodifiableList(new ArrayList<>(messages));
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}

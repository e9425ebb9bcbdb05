package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.langbridge.AnswerStream;
import io.langbridge.AnswerStream.Piece;

/** One answer that a handler is told. */
final class Streaming implements Runnable {
    private static final System.Logger LOG = System.getLogger(Streaming.class.getName());

    private final Bridge bridge;
    private final ChatRequest request;
    private final StreamingChatResponseHandler handler;

    Streaming(Bridge bridge, ChatRequest request, StreamingChatResponseHandler handler) {
        this.bridge = bridge;
        this.request = request;
        this.handler = handler;
    }

    /** Ends the answer for whoever was told a piece of it. */
    private static final class Handle implements StreamingHandle {
        private final AnswerStream stream;
        private volatile boolean cancelled;

        Handle(AnswerStream stream) {
            this.stream = stream;
        }

        @Override
        public void cancel() {
            cancelled = true;
            stream.cancel();
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }

    @Override
    public void run() {
        ChatResponse response;
        try (AnswerStream stream = bridge.model().stream(bridge.request(request))) {
            Handle handle = new Handle(stream);
            for (Piece piece : stream) {
                // Empty while a character is not complete, which LangChain4j does not know.
                if (!piece.text().isEmpty() && !handle.cancelled) {
                    tell(() -> tell(piece, handle));
                }
            }
            if (handle.cancelled) {
                return;
            }
            response = bridge.response(stream.answer());
        } catch (RuntimeException e) {
            fail(Failures.of(e));
            return;
        } catch (Error e) {
            fail(e);
            throw e;
        }
        tell(() -> handler.onCompleteResponse(response));
    }

    private void tell(Piece piece, StreamingHandle handle) {
        if (piece.thinking()) {
            handler.onPartialThinking(new PartialThinking(piece.text()), new PartialThinkingContext(handle));
        } else {
            handler.onPartialResponse(new PartialResponse(piece.text()), new PartialResponseContext(handle));
        }
    }

    private void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    void fail(Throwable failure) {
        try {
            handler.onError(failure);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "onError of a StreamingChatResponseHandler failed", e);
        }
    }
}

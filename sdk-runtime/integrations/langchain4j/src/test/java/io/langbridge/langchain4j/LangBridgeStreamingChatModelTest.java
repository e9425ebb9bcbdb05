package io.langbridge.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelErrorContext;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LangBridgeStreamingChatModelTest {
    /** What a handler and a listener are told, in order. */
    private static class Told implements StreamingChatResponseHandler, ChatModelListener {
        final List<String> all = new ArrayList<>();
        final CompletableFuture<ChatResponse> response = new CompletableFuture<>();
        volatile @Nullable StreamingHandle handle;

        @Override
        public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
            handle = context.streamingHandle();
            all.add(piece.text());
        }

        @Override
        public void onPartialThinking(PartialThinking piece) {
            all.add("[" + piece.text() + "]");
        }

        @Override
        public void onCompleteResponse(ChatResponse complete) {
            all.add("end");
            response.complete(complete);
        }

        @Override
        public void onError(Throwable failure) {
            all.add(failure.getClass().getSimpleName());
            response.completeExceptionally(failure);
        }

        @Override
        public void onRequest(ChatModelRequestContext context) {
            all.add("request");
        }

        @Override
        public void onResponse(ChatModelResponseContext context) {
            all.add("response");
        }

        @Override
        public void onError(ChatModelErrorContext context) {
            all.add("failed");
        }
    }

    /** In the caller's thread, so that everything has happened when a call comes back. */
    private static LangBridgeStreamingChatModel.Builder atOnce(VisionLanguageModel model) {
        return LangBridgeStreamingChatModel.builder(model).executor(Runnable::run);
    }

    @Test
    void piecesComeInOrderAndTheListenersHearOfTheRest() {
        try (FakeModel model = FakeModel.builder()
                .next(FakeAnswer.ofPieces("A", "", " bicycle."))
                .build()) {
            Told told = new Told();
            atOnce(model).listeners(List.of(told)).build().chat("What is it?", told);
            assertThat(told.all).containsExactly("request", "A", " bicycle.", "response", "end");
            assertThat(told.response.join().aiMessage().text()).isEqualTo("A bicycle.");
        }
    }

    @Test
    void whatIsRefusedIsThrownAndNoListenerWaitsForItsEnd() {
        try (FakeModel model = FakeModel.builder().build()) {
            Told told = new Told();
            assertThatThrownBy(() -> atOnce(model)
                            .listeners(List.of(told))
                            .build()
                            .chat(List.of(UserMessage.from(ImageContent.from("http://example.com/a.png"))), told))
                    .isInstanceOf(UnsupportedFeatureException.class);
            assertThat(told.all).isEmpty();
        }
    }

    @Test
    void failuresAreToldToTheHandler() {
        try (FakeModel model = FakeModel.builder()
                .next(FakeAnswer.of("A red bicycle.").failingAfter(1, new IllegalStateException("broken")))
                .build()) {
            Told told = new Told();
            LangBridgeStreamingChatModel chat =
                    atOnce(model).listeners(List.of(told)).build();
            chat.chat(List.of(UserMessage.from(ImageContent.from("%%%", "image/png"))), told);
            assertThat(told.all).containsExactly("request", "failed", "InvalidRequestException");
            assertThatThrownBy(told.response::get).cause().isInstanceOf(InvalidRequestException.class);

            Told second = new Told();
            chat.chat("What is it?", second);
            assertThat(second.all).containsExactly("A", "IllegalStateException");
            assertThat(model.openStreams()).isZero();
        }
    }

    @Test
    void aPartOfAnAnswerDoesNotPassForOne() {
        try (FakeModel model = FakeModel.builder()
                .otherwise(any -> FakeAnswer.of("A red bicycle.").stallingAfter(1))
                .build()) {
            Told told = new Told();
            atOnce(model)
                    .defaultRequestParameters(LangBridgeChatRequestParameters.builder()
                            .options(GenerationOptions.builder()
                                    .timeout(Duration.ofMillis(20))
                                    .build())
                            .build())
                    .build()
                    .chat("What is it?", told);
            assertThatThrownBy(told.response::get).cause().isInstanceOf(TimeoutException.class);

            Told interrupted = new Told();
            Thread.currentThread().interrupt();
            atOnce(model).build().chat("What is it?", interrupted);
            assertThat(Thread.interrupted()).isTrue();
            assertThatThrownBy(interrupted.response::get).cause().isInstanceOf(NonRetriableException.class);
        }
    }

    @Test
    void cancellingFromAnotherThreadEndsTheAnswerAndNothingMoreIsTold() throws Exception {
        CompletableFuture<String> first = new CompletableFuture<>();
        try (FakeModel model = FakeModel.builder()
                .next(FakeAnswer.of("A red bicycle.").stallingAfter(1))
                .build()) {
            CompletableFuture<Thread> ended = new CompletableFuture<>();
            Told told = new Told() {
                @Override
                public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                    super.onPartialResponse(piece, context);
                    first.complete(piece.text());
                }
            };
            LangBridgeStreamingChatModel.builder(model)
                    .executor(task -> new Thread(() -> {
                                task.run();
                                ended.complete(Thread.currentThread());
                            })
                            .start())
                    .build()
                    .chat("What is it?", told);
            assertThat(first.get(2, TimeUnit.MINUTES)).isEqualTo("A");
            StreamingHandle handle = told.handle;
            assertThat(handle).isNotNull();
            assertThat(handle.isCancelled()).isFalse();
            handle.cancel();
            assertThat(ended.get(2, TimeUnit.MINUTES)).isNotNull();
            assertThat(handle.isCancelled()).isTrue();
            assertThat(told.all).containsExactly("A");
            assertThat(model.openStreams()).isZero();
        }
    }

    @Test
    void anAnswerThatIsCancelledAtItsLastPieceDoesNotEnd() {
        try (FakeModel model = FakeModel.builder()
                .next(FakeAnswer.of("Yes.").endingWith(FinishReason.MAX_NEW_TOKENS))
                .build()) {
            Told told = new Told() {
                @Override
                public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                    super.onPartialResponse(piece, context);
                    context.streamingHandle().cancel();
                }
            };
            atOnce(model).build().chat("Is it?", told);
            assertThat(told.all).containsExactly("Yes.");
        }
    }

    @Test
    void anExecutorThatRefusesIsTold() {
        try (FakeModel model = FakeModel.builder().otherwise("A").build()) {
            Told told = new Told();
            LangBridgeStreamingChatModel.builder(model)
                    .executor(task -> {
                        throw new RejectedExecutionException("full");
                    })
                    .build()
                    .chat("What is it?", told);
            assertThatThrownBy(() -> told.response.get(2, TimeUnit.MINUTES))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOf(RateLimitException.class)
                    .hasMessageContaining("full");
            assertThat(model.requests()).isEmpty();
        }
    }

    @Test
    void anErrorOfTheHandlerEndsTheAnswer() {
        try (FakeModel model = FakeModel.builder().next("A red bicycle.").build()) {
            Told told = new Told() {
                @Override
                public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                    super.onPartialResponse(piece, context);
                    throw new AssertionError("wrong");
                }
            };
            assertThatThrownBy(() -> atOnce(model).build().chat("What is it?", told))
                    .isInstanceOf(AssertionError.class);
            assertThat(told.all).containsExactly("A", "AssertionError");
            assertThat(model.openStreams()).isZero();
        }
    }

    @Test
    void thoughtsAreNoPartOfTheText() {
        Answer answer = new Answer(
                "Hm.",
                "A bicycle.",
                new int[] {1, 2, 3},
                FinishReason.STOP_TOKEN,
                new Answer.Usage(1, 0, 0, 3),
                new Answer.Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO));
        List<AnswerStream.Piece> pieces = List.of(
                new AnswerStream.Piece("Hm.", 1, true),
                new AnswerStream.Piece("A bicycle.", 2, false),
                new AnswerStream.Piece("", 3, false));
        Told told = new Told();
        atOnce(thinking(pieces, answer)).build().chat("What is it?", told);
        assertThat(told.all).containsExactly("[Hm.]", "A bicycle.", "end");
        assertThat(told.response.join().aiMessage().thinking()).isEqualTo("Hm.");
        assertThat(told.response.join().aiMessage().text()).isEqualTo("A bicycle.");
    }

    /** A model that streams one answer, as the fake does not think. */
    private static VisionLanguageModel thinking(List<AnswerStream.Piece> pieces, Answer answer) {
        AnswerStream stream = new AnswerStream() {
            @Override
            public Iterator<Piece> iterator() {
                return pieces.iterator();
            }

            @Override
            public void cancel() {}

            @Override
            public boolean isCancelled() {
                return false;
            }

            @Override
            public Answer answer() {
                return answer;
            }

            @Override
            public void close() {}
        };
        return (VisionLanguageModel) Proxy.newProxyInstance(
                VisionLanguageModel.class.getClassLoader(),
                new Class<?>[] {VisionLanguageModel.class},
                (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("stream");
                    assertThat(arguments[0]).isInstanceOf(Request.class);
                    return stream;
                });
    }
}

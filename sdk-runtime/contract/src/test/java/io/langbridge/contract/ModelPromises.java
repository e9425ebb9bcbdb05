package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.Answer;
import io.langbridge.AnswerHandle;
import io.langbridge.AnswerListener;
import io.langbridge.AnswerStream;
import io.langbridge.BatchAnswer;
import io.langbridge.Chat;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the API's Javadoc promises of any model. */
@Timeout(600)
abstract class ModelPromises {
    private static final GenerationOptions LONG =
            GenerationOptions.greedy().toBuilder().stopTokens().maxNewTokens(40).build();

    private static final String TOO_LONG = "word ".repeat(5000);

    final ExecutorService others = Executors.newCachedThreadPool();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Events events = new Events();

    /** A model whose answers go on for more than forty tokens. */
    abstract VisionLanguageModel open(ModelListener... listeners);

    private VisionLanguageModel model() {
        return closing(open(events));
    }

    <T extends AutoCloseable> T closing(T model) {
        open.add(model);
        return model;
    }

    void closeAll() {
        others.shutdownNow();
        try {
            for (AutoCloseable one : open) {
                one.close();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Image picture() {
        int[] pixels = new int[90 * 60];
        Arrays.fill(pixels, 0xff336699);
        return Image.ofArgb(pixels, 90, 60);
    }

    static Request question() {
        return Request.builder().text("What is it?").options(LONG).build();
    }

    private static Request question(Duration timeout) {
        return Request.builder()
                .text("What is it?")
                .options(LONG)
                .timeout(timeout)
                .build();
    }

    private static Message turn(Message.Role role, String text) {
        return new Message(role, List.of(new Message.Text(text)));
    }

    /** What a listener of the model is told, without what differs from model to model. */
    private static final class Events implements ModelListener {
        private final List<String> all = Collections.synchronizedList(new ArrayList<>());
        private final Set<Long> requests = Collections.synchronizedSet(new HashSet<>());

        private void add(long request, String event) {
            requests.add(request);
            all.add(event);
        }

        /** All since the last call. */
        List<String> take() {
            List<String> taken = new ArrayList<>(all);
            all.clear();
            requests.clear();
            return taken;
        }

        @Override
        public void started(long request, Duration waited) {
            add(request, "started");
        }

        @Override
        public void encoded(long request, Encoding picture) {
            add(request, "encoded " + picture.encodedBefore());
        }

        @Override
        public void prefilled(long request, Prompt prompt) {
            add(request, "prefilled");
        }

        @Override
        public void firstToken(long request, Duration time) {
            add(request, "firstToken");
        }

        @Override
        public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
            add(request, "finished " + reason + " " + usage.newTokens());
        }

        @Override
        public void failed(long request, Throwable failure) {
            add(request, "failed " + failure.getClass().getSimpleName());
        }
    }

    @Test
    void thePiecesMakeUpTheAnswer() {
        AnswerStream stream = model().stream(question());
        StringBuilder text = new StringBuilder();
        List<Integer> ids = new ArrayList<>();
        for (AnswerStream.Piece piece : stream) {
            text.append(piece.text());
            ids.add(piece.tokenId());
        }
        Answer answer = stream.answer();
        assertThat(answer.text()).isEqualTo(text.toString()).isNotEmpty();
        assertThat(answer.tokenIds()).hasSize(40).containsExactly(ids.toArray(new Integer[0]));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(answer.usage().newTokens()).isEqualTo(40);
        assertThat(answer.usage().promptTokens()).isPositive();
        assertThat(answer.usage().visualTokens()).isZero();
        assertThat(answer.timings().timeToFirstToken()).isPositive();
        assertThat(stream.isCancelled()).isFalse();
        stream.cancel();
        stream.close();
        assertThat(stream.isCancelled()).isFalse();
        assertThat(stream.answer().finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(events.take()).endsWith("finished MAX_NEW_TOKENS 40").hasSize(4);
    }

    @Test
    void visualTokensArePartOfThePrompt() {
        Request request =
                Request.builder().image(picture()).text("What?").options(LONG).build();
        Answer.Usage usage = model().answer(request).usage();
        assertThat(usage.visualTokens()).isPositive();
        assertThat(usage.promptTokens()).isGreaterThan(usage.visualTokens());
    }

    private static Request numbered(int number) {
        return Request.builder()
                .text(number % 5 == 3 ? TOO_LONG : "What is number " + number + "?")
                .options(LONG)
                .build();
    }

    @Test
    void manyAreAnsweredInTheirOrderAndEachFailsForItself() {
        VisionLanguageModel model = model();
        List<Request> requests =
                IntStream.range(0, 30).mapToObj(ModelPromises::numbered).toList();
        for (int atOnce : new int[] {1, 3, 8, 100}) {
            List<BatchAnswer> answers;
            try (Stream<BatchAnswer> all = model.answerAll(requests.stream(), atOnce)) {
                answers = all.toList();
            }
            assertThat(answers).extracting(BatchAnswer::request).containsExactlyElementsOf(requests);
            for (int i = 0; i < answers.size(); i++) {
                BatchAnswer one = answers.get(i);
                if (i % 5 == 3) {
                    assertThat(one.failure().orElseThrow()).isInstanceOf(PromptException.class);
                    assertThatExceptionOfType(PromptException.class).isThrownBy(one::answer);
                } else {
                    assertThat(one.failure()).isEmpty();
                    assertThat(one.answer().finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
                }
            }
        }
        assertThat(model.answerAll(requests.stream()).map(one -> one.failure().isPresent()))
                .hasSize(30);
        assertThat(model.answerAll(Stream.empty())).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> model.answerAll(Stream.empty(), 0));
    }

    @Test
    void manyAreReadAsTheyAreTakenByWhoTakesThem() {
        VisionLanguageModel model = model();
        AtomicInteger read = new AtomicInteger();
        AtomicBoolean closed = new AtomicBoolean();
        Thread here = Thread.currentThread();
        Stream<Request> endless = Stream.generate(() -> {
                    assertThat(Thread.currentThread()).isSameAs(here);
                    read.incrementAndGet();
                    return question();
                })
                .onClose(() -> closed.set(true));
        try (Stream<BatchAnswer> answers = model.answerAll(endless, 2)) {
            Iterator<BatchAnswer> some = answers.iterator();
            assertThat(read).hasValue(0);
            for (int taken = 1; taken <= 20; taken++) {
                assertThat(some.next().answer().tokenIds()).hasSize(40);
                // A stream's iterator looks one ahead.
                assertThat(read.get()).isLessThanOrEqualTo(taken + 1 + 4);
            }
        }
        assertThat(closed).isTrue();
    }

    @Test
    void whoIsInterruptedHasTheRestOfManyCancelled() {
        VisionLanguageModel model = model();
        List<FinishReason> reasons = new ArrayList<>();
        model.answerAll(Stream.generate(ModelPromises::question).limit(20), 2).forEach(one -> {
            reasons.add(one.answer().finishReason());
            if (reasons.size() == 3) {
                Thread.currentThread().interrupt();
            }
        });
        assertThat(Thread.interrupted()).isTrue();
        assertThat(reasons).hasSize(20);
        assertThat(reasons.subList(0, 3)).containsOnly(FinishReason.MAX_NEW_TOKENS);
        assertThat(reasons.subList(8, 20)).containsOnly(FinishReason.CANCELLED);
    }

    @Test
    void aModelThatIsClosedEndsMany() {
        VisionLanguageModel model = model();
        Iterator<BatchAnswer> answers =
                model.answerAll(Stream.generate(ModelPromises::question), 2).iterator();
        answers.next();
        model.close();
        assertThatIllegalStateException().isThrownBy(() -> {
            while (true) {
                answers.next();
            }
        });
    }

    @Test
    void aListenerIsToldInOrder() {
        VisionLanguageModel model = model();
        model.answer(
                Request.builder().image(picture()).text("What?").options(LONG).build());
        assertThat(events.requests).hasSize(1);
        assertThat(events.take())
                .containsExactly("started", "encoded false", "prefilled", "firstToken", "finished MAX_NEW_TOKENS 40");

        EncodedImage seen = model.encode(picture());
        assertThat(events.requests).hasSize(1);
        assertThat(events.take()).containsExactly("encoded false");

        model.answer(Request.builder().image(seen).text("What?").options(LONG).build());
        assertThat(events.take())
                .containsExactly("started", "encoded true", "prefilled", "firstToken", "finished MAX_NEW_TOKENS 40");

        assertThatExceptionOfType(PromptException.class)
                .isThrownBy(() -> model.answer(Request.builder().text(TOO_LONG).build()));
        assertThat(events.take()).containsExactly("started", "failed PromptException");
    }

    @Test
    void nothingRunsBeforeTheFirstPieceIsAskedFor() {
        VisionLanguageModel model = model();
        AnswerStream closed = model.stream(question());
        AnswerStream cancelled = model.stream(question());
        assertThat(events.take()).isEmpty();
        closed.close();
        cancelled.cancel();
        assertThat(events.take()).containsExactly("finished CANCELLED 0", "finished CANCELLED 0");
        assertThat(cancelled.iterator().hasNext()).isFalse();
        assertThat(cancelled.answer().usage()).isEqualTo(new Answer.Usage(0, 0, 0, 0));
        assertThat(cancelled.isCancelled()).isTrue();
    }

    /**
     * An answer of which two pieces were said.
     *
     * @param over when its time is over, if it is limited
     */
    private record Begun(AnswerStream stream, Iterator<AnswerStream.Piece> pieces, String said, long over) {}

    /** Begins one; its time, if it is limited, is as long as this machine takes for two pieces now. */
    private Begun begun(VisionLanguageModel model, boolean limited) {
        for (int millis = 500; ; millis *= 4) {
            Duration limit = Duration.ofMillis(millis);
            AnswerStream stream = model.stream(limited ? question(limit) : question());
            long over = System.nanoTime() + limit.toNanos();
            Iterator<AnswerStream.Piece> pieces = stream.iterator();
            StringBuilder said = new StringBuilder();
            int count = 0;
            while (count < 2 && pieces.hasNext()) {
                said.append(pieces.next().text());
                count++;
            }
            if (count == 2 || millis > 60_000) {
                return new Begun(stream, pieces, said.toString(), over);
            }
            events.take();
        }
    }

    @Test
    void whatEndsAnAnswerEarlyLeavesWhatWasSaid() {
        for (String way : List.of("cancel", "close", "close the model", "interrupt", "time")) {
            VisionLanguageModel model = model();
            boolean limited = way.equals("time");
            Begun begun = begun(model, limited);
            AnswerStream stream = begun.stream();
            assertThat(events.take()).as(way).containsExactly("started", "prefilled", "firstToken");
            switch (way) {
                case "cancel" -> stream.cancel();
                case "close" -> stream.close();
                case "close the model" -> model.close();
                case "interrupt" -> Thread.currentThread().interrupt();
                default -> {
                    while (System.nanoTime() - begun.over() <= 0) {
                        Thread.onSpinWait();
                    }
                }
            }
            assertThat(begun.pieces().hasNext()).as(way).isFalse();
            assertThat(Thread.interrupted()).as(way).isEqualTo(way.equals("interrupt"));
            Answer answer = stream.answer();
            FinishReason reason = limited ? FinishReason.TIMED_OUT : FinishReason.CANCELLED;
            assertThat(answer.finishReason()).as(way).isEqualTo(reason);
            assertThat(answer.text()).as(way).isEqualTo(begun.said());
            assertThat(answer.tokenIds()).as(way).hasSize(2);
            assertThat(stream.isCancelled()).as(way).isEqualTo(!limited);
            assertThat(events.take()).as(way).containsExactly("finished " + reason + " 2");
            stream.close();
            assertThat(events.take()).as(way).isEmpty();
        }
    }

    @Test
    void aTimeThatIsOverAtOnceLeavesNothingSaid() {
        Answer answer = model().answer(question(Duration.ofNanos(1)));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(answer.text()).isEmpty();
        assertThat(events.take()).containsExactly("finished TIMED_OUT 0");
    }

    @Test
    void aTimeOfAnyLengthIsATime() {
        assertThat(model().answer(question(Duration.ofSeconds(Long.MAX_VALUE))).finishReason())
                .isEqualTo(FinishReason.MAX_NEW_TOKENS);
    }

    @Test
    void whoIsInterruptedBeforeItAsksHearsNothing() {
        VisionLanguageModel model = model();
        Thread.currentThread().interrupt();
        Answer answer = model.answer(question());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(answer.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(events.take()).containsExactly("finished CANCELLED 0");
    }

    @Test
    void aStreamIsReadOnce() {
        VisionLanguageModel model = model();
        AnswerStream read = model.stream(question());
        read.iterator().next();
        read.iterator().next();
        assertThat(read.answer().tokenIds()).hasSize(40);
        assertThatIllegalStateException()
                .isThrownBy(read::iterator)
                .withMessageContaining("answer() has the whole text");
        read.close();
        assertThat(read.answer().tokenIds()).hasSize(40);
        AnswerStream closed = model.stream(question());
        closed.close();
        closed.close();
        assertThatIllegalStateException().isThrownBy(closed::iterator).withMessageContaining("stream(..)");
    }

    @Test
    void aFailureIsToldAgainToWhoAsksAgain() {
        AnswerStream stream = model().stream(Request.builder().text(TOO_LONG).build());
        assertThatExceptionOfType(PromptException.class).isThrownBy(stream::answer);
        assertThatExceptionOfType(PromptException.class).isThrownBy(stream::answer);
        stream.close();
        assertThat(events.take()).containsExactly("started", "failed PromptException");
    }

    @Test
    void aClosedModelRefuses() {
        VisionLanguageModel model = model();
        EncodedImage seen = model.encode(picture());
        Chat chat = model.chat();
        model.close();
        model.close();
        List<Callable<?>> calls = List.of(
                () -> model.stream(question()),
                () -> model.answer(question()),
                () -> model.stream(question(), others, new Told()),
                () -> model.answerAsync(question(), others).join(),
                () -> model.ask(seen, "What?"),
                () -> model.encode(picture()),
                () -> model.explain(seen, ExplainOptions.defaults()),
                model::contextLength,
                () -> model.visualTokenCount(10, 10),
                model::chat,
                () -> chat.ask("What?"),
                () -> chat.stream("What?"));
        for (int i = 0; i < calls.size(); i++) {
            assertThatIllegalStateException()
                    .as("call " + i)
                    .isThrownBy(calls.get(i)::call)
                    .withMessage("The model is closed");
        }
        chat.close();
    }

    @Test
    void aListenerThatFailsOrAsksDoesNoHarm() {
        CompletableFuture<VisionLanguageModel> asked = new CompletableFuture<>();
        List<String> refused = new ArrayList<>();
        VisionLanguageModel model = closing(open(
                new ModelListener() {
                    @Override
                    public void started(long request, Duration waited) {
                        VisionLanguageModel caller = asked.join();
                        List<Runnable> calls =
                                List.of(caller::close, () -> caller.answer(question()), () -> caller.encode(picture()));
                        for (Runnable call : calls) {
                            try {
                                call.run();
                            } catch (IllegalStateException e) {
                                refused.add(String.valueOf(e.getMessage()));
                            }
                        }
                        throw new AssertionError("a listener that fails");
                    }
                },
                events));
        asked.complete(model);
        assertThat(model.answer(question()).tokenIds()).hasSize(40);
        assertThat(refused).hasSize(3).allMatch(message -> message.contains("ModelListener"));
        assertThat(events.take()).hasSize(4);
    }

    @Test
    void aChatRemembersWhatWasSaidAndShown() {
        VisionLanguageModel model = model();
        try (Chat chat = model.chat("Be brief.", LONG)) {
            Answer first = chat.ask(picture(), "What is it?");
            assertThat(chat.messages())
                    .extracting(Message::role)
                    .containsExactly(Message.Role.SYSTEM, Message.Role.USER, Message.Role.ASSISTANT);
            assertThat(chat.messages().get(1).parts().get(0)).isInstanceOf(Message.EncodedImagePart.class);
            assertThat(chat.messages().get(2).text()).isEqualTo(first.text());
            assertThat(events.take()).contains("encoded false");

            Answer second = chat.ask("And why?");
            assertThat(second.usage().cachedTokens())
                    .isBetween(1, second.usage().promptTokens() - 1);
            assertThat(chat.messages()).hasSize(5);
            assertThat(events.take()).contains("encoded true");
        }
    }

    @Test
    void aChatIsShownAPictureThatWasEncodedBefore() {
        VisionLanguageModel model = model();
        EncodedImage seen = model.encode(picture());
        events.take();
        try (Chat chat = model.chat(null, LONG)) {
            Answer answer = chat.ask(seen, "What is it?");
            assertThat(answer.usage().visualTokens()).isPositive();
            assertThat(events.take()).contains("encoded true").doesNotContain("encoded false");
            assertThat(chat.messages().get(0).parts()).contains(new Message.EncodedImagePart(seen));
            try (AnswerStream stream = chat.stream(seen, "And now?")) {
                assertThat(stream.iterator().hasNext()).isTrue();
            }
            try (AnswerStream stream = chat.stream(picture(), "And this?")) {
                assertThat(stream.iterator().hasNext()).isTrue();
            }
            try (AnswerStream stream = chat.stream("And why?")) {
                assertThat(stream.iterator().hasNext()).isTrue();
            }
            assertThat(chat.messages()).hasSize(8);
            assertThatIllegalArgumentException().isThrownBy(() -> chat.ask(seen, " "));
            assertThatIllegalArgumentException().isThrownBy(() -> chat.stream(" "));
        }
    }

    @Test
    void aTurnJoinsTheChatWithWhatWasSaidUnlessItFailed() {
        Chat chat = model().chat(null, LONG);
        AnswerStream stream = chat.stream("What is it?");
        assertThatIllegalStateException().isThrownBy(() -> chat.ask("And?")).withMessageContaining("has not ended");
        stream.iterator().next();
        stream.close();
        assertThat(chat.messages()).hasSize(2);
        assertThat(chat.messages().get(1).text()).isEqualTo(stream.answer().text());

        chat.stream("And why?").close();
        assertThat(chat.messages()).hasSize(2);

        assertThatExceptionOfType(PromptException.class).isThrownBy(() -> chat.ask(TOO_LONG));
        assertThat(chat.messages()).hasSize(2);
        assertThatIllegalArgumentException().isThrownBy(() -> chat.stream(turn(Message.Role.ASSISTANT, "I am.")));
        assertThat(chat.ask("And where?").finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(chat.messages()).hasSize(4);
        chat.close();
        assertThatIllegalStateException().isThrownBy(() -> chat.ask("And?")).withMessageContaining("closed");
    }

    /** Keeps what it is told, and waits for the end. */
    static class Told implements AnswerListener {
        final List<String> calls = Collections.synchronizedList(new ArrayList<>());
        final StringBuilder text = new StringBuilder();
        final CompletableFuture<Object> end = new CompletableFuture<>();
        private final Set<Thread> threads = Collections.synchronizedSet(new HashSet<>());

        @Override
        public void onPiece(AnswerStream.Piece piece) {
            threads.add(Thread.currentThread());
            calls.add("piece");
            text.append(piece.text());
        }

        @Override
        public void onComplete(Answer answer) {
            threads.add(Thread.currentThread());
            calls.add(answer.finishReason().toString());
            end.complete(answer);
        }

        @Override
        public void onError(Throwable failure) {
            threads.add(Thread.currentThread());
            calls.add(failure.toString());
            end.complete(failure);
        }

        long pieces() {
            return calls.stream().filter("piece"::equals).count();
        }
    }

    @Test
    void aPushedAnswerIsThatOfAStream() throws Exception {
        Told told = new Told();
        AnswerHandle handle = model().stream(question(), others, told);
        Answer answer = (Answer) told.end.get();
        assertThat(told.calls).hasSize(41).endsWith("piece", "MAX_NEW_TOKENS");
        assertThat(answer.text()).isEqualTo(told.text.toString());
        assertThat(told.threads).hasSize(1).doesNotContain(Thread.currentThread());
        handle.cancel();
        assertThat(handle.isCancelled()).isFalse();
        assertThat(events.take()).endsWith("finished MAX_NEW_TOKENS 40").hasSize(4);
    }

    @Test
    void anAnswerIsAlsoPushedInTheCallersThread() {
        Told told = new Told();
        var unused = model().stream(question(), Runnable::run, told);
        assertThat(told.calls).hasSize(41);
        assertThat(told.threads).containsExactly(Thread.currentThread());
    }

    @Test
    void aPushedAnswerIsCancelledFromWithinAndFromOutside() throws Exception {
        for (boolean within : List.of(true, false)) {
            VisionLanguageModel model = model();
            CompletableFuture<AnswerHandle> handle = new CompletableFuture<>();
            CompletableFuture<Future<?>> cancelled = new CompletableFuture<>();
            Told told = new Told() {
                @Override
                public void onPiece(AnswerStream.Piece piece) {
                    super.onPiece(piece);
                    if (pieces() == 2) {
                        if (within) {
                            cancelled.complete(CompletableFuture.completedFuture(null));
                            handle.join().cancel();
                        } else {
                            // Whoever cancels tells the listeners, maybe after the last call here.
                            cancelled.complete(others.submit(() -> handle.join().cancel()));
                            while (!handle.join().isCancelled()) {
                                Thread.onSpinWait();
                            }
                        }
                    }
                }
            };
            handle.complete(model.stream(question(), others, told));
            Answer answer = (Answer) told.end.get();
            assertThat(told.calls).containsExactly("piece", "piece", "CANCELLED");
            assertThat(answer.text()).isEqualTo(told.text.toString());
            cancelled.get().get();
            assertThat(events.take()).endsWith("finished CANCELLED 2");
        }
    }

    @Test
    void whatACallOfTheListenerThrowsEndsTheAnswerAndIsToldOnce() throws Exception {
        for (Throwable thrown : List.of(new IllegalArgumentException("mine"), new AssertionError("mine"))) {
            Told told = new Told() {
                @Override
                public void onPiece(AnswerStream.Piece piece) {
                    super.onPiece(piece);
                    if (pieces() == 3) {
                        throwAsItIs(thrown);
                    }
                }
            };
            AnswerHandle handle = model().stream(question(), others, told);
            assertThat(told.end.get()).isSameAs(thrown);
            assertThat(told.calls).containsExactly("piece", "piece", "piece", thrown.toString());
            assertThat(handle.isCancelled()).isTrue();
            assertThat(events.take()).endsWith("finished CANCELLED 3");
        }
    }

    private static void throwAsItIs(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) thrown;
    }

    @Test
    void whatTheLastCallThrowsGoesToTheExecutor() throws Exception {
        CompletableFuture<Throwable> uncaught = new CompletableFuture<>();
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task);
            thread.setUncaughtExceptionHandler((which, e) -> uncaught.complete(e));
            return thread;
        });
        Told told = new Told() {
            @Override
            public void onComplete(Answer answer) {
                super.onComplete(answer);
                throw new IllegalArgumentException("mine");
            }
        };
        var unused = model().stream(question(), executor, told);
        assertThat(uncaught.get()).hasMessage("mine");
        assertThat(told.calls).endsWith("piece", "MAX_NEW_TOKENS").hasSize(41);
        executor.shutdown();
    }

    @Test
    void aListenerIsToldTheFailureThatAnswerWouldThrow() throws Exception {
        Told told = new Told();
        Request tooLong = Request.builder().text(TOO_LONG).build();
        var unused = model().stream(tooLong, others, told);
        assertThat(told.end.get()).isInstanceOf(PromptException.class);
        assertThat(told.calls).hasSize(1);
        assertThat(events.take()).containsExactly("started", "failed PromptException");
    }

    @Test
    void aListenerMayCloseTheModel() throws Exception {
        VisionLanguageModel model = model();
        Told told = new Told() {
            @Override
            public void onPiece(AnswerStream.Piece piece) {
                super.onPiece(piece);
                model.close();
            }
        };
        var unused = model.stream(question(), others, told);
        assertThat(told.end.get()).isInstanceOf(Answer.class);
        assertThat(told.calls).containsExactly("piece", "CANCELLED");
    }

    @Test
    void anExecutorThatRefusesLeavesNothingBehind() {
        VisionLanguageModel model = model();
        others.shutdown();
        Told told = new Told();
        assertThatExceptionOfType(RejectedExecutionException.class)
                .isThrownBy(() -> model.stream(question(), others, told));
        assertThatExceptionOfType(RejectedExecutionException.class)
                .isThrownBy(() -> model.answerAsync(question(), others));
        assertThat(told.calls).isEmpty();
        assertThat(events.take()).containsExactly("finished CANCELLED 0", "finished CANCELLED 0");
    }

    @Test
    void waitingForTheExecutorCountsAndCanBeCancelled() throws Exception {
        VisionLanguageModel model = model();
        Queue<Runnable> tasks = new ArrayDeque<>();
        Duration limit = Duration.ofMillis(20);
        Told late = new Told();
        var unused = model.stream(question(limit), tasks::add, late);
        long start = System.nanoTime();
        Told cancelled = new Told();
        AnswerHandle handle = model.stream(question(), tasks::add, cancelled);
        handle.cancel();
        CompletableFuture<Answer> future = model.answerAsync(question(), tasks::add);
        assertThat(future.cancel(true)).isTrue();
        while (System.nanoTime() - start <= limit.toNanos()) {
            Thread.onSpinWait();
        }
        tasks.forEach(Runnable::run);
        assertThat(late.calls).containsExactly("TIMED_OUT");
        assertThat(cancelled.calls).containsExactly("CANCELLED");
        assertThat(handle.isCancelled()).isTrue();
        assertThat(events.take())
                .containsExactly("finished CANCELLED 0", "finished CANCELLED 0", "finished TIMED_OUT 0");
    }

    @Test
    void anInterruptOfTheExecutorsThreadEndsTheAnswer() throws Exception {
        VisionLanguageModel model = model();
        CompletableFuture<Boolean> stayed = new CompletableFuture<>();
        Told told = new Told() {
            @Override
            public void onPiece(AnswerStream.Piece piece) {
                super.onPiece(piece);
                Thread.currentThread().interrupt();
            }

            @Override
            public void onComplete(Answer answer) {
                stayed.complete(Thread.currentThread().isInterrupted());
                super.onComplete(answer);
            }
        };
        var unused = model.stream(question(), others, told);
        assertThat(stayed.get()).isTrue();
        told.end.get();
        assertThat(told.calls).containsExactly("piece", "CANCELLED");
    }

    @Test
    void aFutureGivesTheWholeAnswer() throws Exception {
        VisionLanguageModel model = model();
        Answer answer = model.answerAsync(question(), others).get();
        assertThat(answer.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(answer.text()).isEqualTo(model.answer(question()).text());
        CompletableFuture<Answer> failed =
                model.answerAsync(Request.builder().text(TOO_LONG).build(), others);
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(failed::get)
                .withCauseInstanceOf(PromptException.class);
    }

    @Test
    void whoeverEndsTheFutureEndsTheGeneration() throws Exception {
        for (String way : List.of("cancel", "complete", "time out")) {
            CompletableFuture<CompletableFuture<Answer>> future = new CompletableFuture<>();
            CompletableFuture<Boolean> ended = new CompletableFuture<>();
            CompletableFuture<FinishReason> reason = new CompletableFuture<>();
            VisionLanguageModel model = closing(open(new ModelListener() {
                @Override
                public void firstToken(long request, Duration time) {
                    CompletableFuture<Answer> answering = future.join();
                    if (way.equals("cancel")) {
                        ended.complete(answering.cancel(true));
                    } else if (way.equals("complete")) {
                        ended.complete(answering.completeExceptionally(new IllegalArgumentException("mine")));
                    } else {
                        var unused = answering.orTimeout(1, TimeUnit.MILLISECONDS);
                        ended.complete(true);
                        try {
                            answering.join();
                        } catch (RuntimeException e) {
                            assertThat(e).hasRootCauseInstanceOf(TimeoutException.class);
                        }
                    }
                }

                @Override
                public void finished(long request, FinishReason why, Answer.Usage usage, Answer.Timings timings) {
                    reason.complete(why);
                }
            }));
            future.complete(model.answerAsync(question(), others));
            assertThat(ended.get()).isTrue();
            assertThat(reason.get()).as(way).isEqualTo(FinishReason.CANCELLED);
            assertThat(future.get()).isCompletedExceptionally();
            if (way.equals("cancel")) {
                assertThatExceptionOfType(CancellationException.class)
                        .isThrownBy(() -> future.get().join());
            }
        }
    }

    @Test
    void aTurnOfAChatIsPushedAndTheNextOneAskedAtItsEnd() throws Exception {
        try (Chat chat = model().chat(null, LONG)) {
            CompletableFuture<Answer> second = new CompletableFuture<>();
            var unused = chat.stream(turn(Message.Role.USER, "What is it?"), others, new Told() {
                @Override
                public void onComplete(Answer answer) {
                    try {
                        second.complete(chat.ask("And why?"));
                    } catch (RuntimeException e) {
                        second.completeExceptionally(e);
                    }
                }
            });
            assertThat(second.get().usage().cachedTokens()).isPositive();
            assertThat(chat.messages()).hasSize(4);
        }
    }
}

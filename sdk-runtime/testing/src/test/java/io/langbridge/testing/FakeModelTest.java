package io.langbridge.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.Answer;
import io.langbridge.AnswerListener;
import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.Chat;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.ModelListener;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the fake has beside the promises of every model. */
@Timeout(60)
class FakeModelTest {
    private static final Image PHOTO = Image.of(Path.of("not-there.jpg"));

    private static Request text(String text) {
        return Request.builder().text(text).build();
    }

    private static Request text(GenerationOptions options) {
        return Request.builder().text("What?").options(options).build();
    }

    private static FakeModel saying(FakeAnswer answer) {
        return FakeModel.builder().otherwise(request -> answer).build();
    }

    private static List<String> pieces(AnswerStream stream) {
        List<String> pieces = new ArrayList<>();
        stream.forEach(piece -> pieces.add(piece.text()));
        return pieces;
    }

    /** Code of a user. */
    private record Catalogue(VisionLanguageModel model) {
        String describe(Image photo) {
            try {
                return model.answer(Request.builder()
                                .image(photo)
                                .text("Describe it.")
                                .options(GenerationOptions.builder()
                                        .maxNewTokens(40)
                                        .build())
                                .build())
                        .text();
            } catch (BusyException e) {
                return "later";
            }
        }
    }

    @Test
    void chooses_the_label_that_was_scripted_and_none_if_it_is_none() {
        try (FakeModel model =
                FakeModel.builder().next("no", "{\"count\": 2}", "perhaps").build()) {
            Request request = Request.builder().text("Is it?").build();
            Choice choice = model.choose(request, List.of("yes", "no"));
            assertThat(choice.best()).isEqualTo("no");
            assertThat(choice.total()).isEqualTo(1);
            assertThat(model.answer(request).json()).isEqualTo(Map.of("count", 2L));
            assertThat(model.choose(request, List.of("yes", "no")).total()).isZero();
            assertThatThrownBy(() -> model.choose(request, List.of("yes", "yes")))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theExampleOfTheReadme() {
        Image photo = PHOTO;
        try (FakeModel model = FakeModel.builder()
                .when("colour", "It is red.")
                .next("A bicycle.")
                .next(FakeAnswer.failure(new BusyException(1, 0)))
                .build()) {
            Catalogue catalogue = new Catalogue(model);
            assertThat(catalogue.describe(photo)).isEqualTo("A bicycle.");
            assertThat(catalogue.describe(photo)).isEqualTo("later");
            assertThat(model.requests().get(0).options().maxNewTokens()).isEqualTo(40);
            assertThat(model.openStreams()).isZero();
        }
    }

    @Test
    void theFirstRuleThatHoldsAnswersThenTheScriptThenTheRest() {
        FakeModel model = FakeModel.builder()
                .when("COLOUR", "Red.")
                .when(request -> request.options().maxNewTokens() != null, "Short.")
                .when("what colour", FakeAnswer.of("never"))
                .next("One.", "Two.")
                .next(FakeAnswer.ofPieces("Th", "ree."))
                .otherwise(request ->
                        FakeAnswer.of("You said " + request.messages().size() + "."))
                .build();
        assertThat(model.ask(PHOTO, "What is it?").text()).isEqualTo("One.");
        assertThat(model.ask(PHOTO, "What colour has it?").text()).isEqualTo("Red.");
        assertThat(model.answer(text(GenerationOptions.builder().maxNewTokens(9).build()))
                        .text())
                .isEqualTo("Short.");
        assertThat(model.ask(PHOTO, "And?").text()).isEqualTo("Two.");
        assertThat(model.ask(PHOTO, "And?").text()).isEqualTo("Three.");
        assertThat(model.ask(PHOTO, "And?").text()).isEqualTo("You said 1.");
        assertThat(model.requests()).hasSize(6);
    }

    @Test
    void whatNobodyForesawFailsTheTestAtOnceAndSaysWhat() {
        FakeModel model =
                FakeModel.builder().when("colour", "Red.").next("One.").build();
        model.answer(text("What is it?"));
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> model.stream(text("And where?")))
                .withMessageContaining("request 2, 'And where?'")
                .withMessageContaining("its 1 rules")
                .withMessageContaining("otherwise(..)");
        assertThat(model.openStreams()).isZero();
    }

    @Test
    void wordsAreTokensWithTheirBlanksAndAStopTokenComesLast() {
        FakeModel model = saying(FakeAnswer.of(" A  red\nbicycle. "));
        AnswerStream stream = model.stream(text("What is it?"));
        assertThat(pieces(stream)).containsExactly(" A", "  red", "\nbicycle.", " ", "");
        Answer answer = stream.answer();
        assertThat(answer.text()).isEqualTo(" A  red\nbicycle. ");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP_TOKEN);
        // Three words and what a template writes around them.
        assertThat(answer.usage()).isEqualTo(new Answer.Usage(7, 0, 0, 5));
        assertThat(answer.tokenIds()).hasSize(5).doesNotHaveDuplicates().endsWith(2);
        assertThat(model.answer(text("What is it?")).tokenIds()).isEqualTo(answer.tokenIds());
        assertThat(pieces(saying(FakeAnswer.of("")).stream(text("What?")))).containsExactly("");
    }

    @Test
    void picturesCountAndAreNotLookedAt() {
        FakeModel model = saying(FakeAnswer.of("A bicycle."));
        EncodedImage seen = model.encode(PHOTO);
        assertThat(List.of(seen.tiles(), seen.width(), seen.height())).containsExactly(1, 336, 336);
        assertThat(model.encodedImages()).containsExactly(PHOTO);
        assertThat(model.ask(seen, "What?").usage()).isEqualTo(new Answer.Usage(581, 576, 0, 3));
        assertThat(model.ask(PHOTO, "What?").usage().visualTokens()).isEqualTo(576);
        assertThat(model.encodedImages()).hasSize(1);
    }

    @Test
    void theMostTokensAndTheContextEndAnAnswer() {
        FakeModel model =
                FakeModel.builder().otherwise("one two three").contextLength(7).build();
        assertThat(model.contextLength()).isEqualTo(7);
        for (int most = 1; most <= 4; most++) {
            Answer answer = saying(FakeAnswer.of("one two three"))
                    .answer(text(GenerationOptions.builder().maxNewTokens(most).build()));
            assertThat(answer.usage().newTokens()).isEqualTo(most);
            assertThat(answer.finishReason())
                    .isEqualTo(most < 4 ? FinishReason.MAX_NEW_TOKENS : FinishReason.STOP_TOKEN);
        }
        Answer full = model.answer(text("What?"));
        assertThat(full.text()).isEqualTo("one two");
        assertThat(full.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
        assertThatExceptionOfType(PromptException.class)
                .isThrownBy(() -> model.answer(text("What is it?")))
                .withMessageContaining("7 tokens")
                .withMessageContaining("contextLength(..)");
        assertThat(saying(FakeAnswer.of("word ".repeat(600)))
                        .answer(text("What?"))
                        .usage()
                        .newTokens())
                .isEqualTo(512);
    }

    @Test
    void aStopStringEndsAnAnswerWhereverItIsCut() {
        FakeModel model = FakeModel.builder()
                .next(FakeAnswer.ofPieces("a b", " EN", "D c", " d"))
                .next(FakeAnswer.ofPieces("a b", " EN", "D c", " d"))
                .next(FakeAnswer.ofPieces("a b", " EN", "D c", " d"))
                .next(FakeAnswer.of("nothing here"))
                .build();
        GenerationOptions stops =
                GenerationOptions.builder().stopStrings("c", "END", "ND").build();
        AnswerStream stream = model.stream(text(stops));
        assertThat(pieces(stream)).containsExactly("a b", " ", "");
        assertThat(stream.answer().text()).isEqualTo("a b ");
        assertThat(stream.answer().finishReason()).isEqualTo(FinishReason.STOP_STRING);
        assertThat(stream.answer().tokenIds()).hasSize(3);

        // What was held back in case a stop string came is said when none can.
        Answer shorter = model.answer(text(stops.toBuilder().maxNewTokens(2).build()));
        assertThat(shorter.text()).isEqualTo("a b EN");
        assertThat(shorter.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);

        Answer first = model.answer(text(stops.toBuilder().stopStrings("a").build()));
        assertThat(first.text()).isEmpty();
        assertThat(first.usage().newTokens()).isEqualTo(1);
        assertThat(model.answer(text(stops)).finishReason()).isEqualTo(FinishReason.STOP_TOKEN);
    }

    @Test
    void anAnswerEndsAsItWasTold() {
        FakeModel model = FakeModel.builder()
                .next(FakeAnswer.of("A red").endingWith(FinishReason.MAX_NEW_TOKENS))
                .next(FakeAnswer.of("").endingWith(FinishReason.TIMED_OUT))
                .build();
        Answer cut = model.answer(text("What?"));
        assertThat(cut.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(cut.tokenIds()).hasSize(2);
        AnswerStream late = model.stream(text("What?"));
        assertThat(pieces(late)).isEmpty();
        assertThat(late.answer().finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(late.isCancelled()).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FakeAnswer.of("A").endingWith(FinishReason.CANCELLED))
                .withMessageContaining("stallingAfter(..)");
    }

    @Test
    void anAnswerFailsAtTheStartOrAfterSoManyPieces() {
        List<String> events = new ArrayList<>();
        LangBridgeException failure = new ImageException("street.jpg is cut off");
        FakeModel model = FakeModel.builder()
                .next(FakeAnswer.failure(failure))
                .next(FakeAnswer.of("one two three").failingAfter(2, failure))
                .next(FakeAnswer.failure(new BusyException(1, 0)))
                .next(FakeAnswer.of("one").failingAfter(1, failure))
                .listener(new ModelListener() {
                    @Override
                    public void started(long request, Duration waited) {
                        events.add("started");
                    }

                    @Override
                    public void prefilled(long request, Prompt prompt) {
                        events.add("prefilled");
                    }

                    @Override
                    public void failed(long request, Throwable thrown) {
                        events.add("failed " + thrown.getClass().getSimpleName());
                    }
                })
                .build();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> model.answer(text("What?")))
                .isSameAs(failure);
        assertThat(events).containsExactly("started", "failed ImageException");
        events.clear();

        AnswerStream stream = model.stream(text("What?"));
        List<String> said = new ArrayList<>();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> stream.forEach(piece -> said.add(piece.text())));
        assertThat(said).containsExactly("one", " two");
        assertThatExceptionOfType(ImageException.class).isThrownBy(stream::answer);
        assertThat(events).containsExactly("started", "prefilled", "failed ImageException");
        events.clear();

        // Was never let in.
        assertThatExceptionOfType(BusyException.class).isThrownBy(() -> model.answer(text("What?")));
        assertThat(events).containsExactly("failed BusyException");

        // Ended before it could fail.
        assertThat(model.answer(text(GenerationOptions.builder().maxNewTokens(1).build()))
                        .finishReason())
                .isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(model.openStreams()).isZero();
    }

    @Test
    void aFailureComesAfterPiecesThatThereAre() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FakeAnswer.of("one two").failingAfter(3, new IllegalStateException()))
                .withMessageContaining("has 2 pieces");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FakeAnswer.of("one two").stallingAfter(-1));
        assertThatIllegalStateException()
                .isThrownBy(() -> FakeAnswer.failure(new ImageException("gone")).endingWith(FinishReason.STOP_STRING));
    }

    @Test
    void anAnswerThatStallsWaitsForItsTimeToBeOver() {
        FakeModel model = saying(FakeAnswer.of("one two three").stallingAfter(2));
        Answer answer = model.answer(
                Request.builder().text("What?").timeout(Duration.ofMillis(30)).build());
        assertThat(answer.finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(answer.text()).isEqualTo("one two");
        assertThat(saying(FakeAnswer.of("one").stallingAfter(0))
                        .answer(Request.builder()
                                .text("What?")
                                .timeout(Duration.ofMillis(30))
                                .build())
                        .text())
                .isEmpty();
    }

    @Test
    void anAnswerThatStallsWaitsUntilSomebodyEndsIt() throws Exception {
        ExecutorService others = Executors.newCachedThreadPool();
        for (String way : List.of("cancel", "close", "close the model", "interrupt")) {
            FakeModel model = saying(FakeAnswer.of("one two three").stallingAfter(1));
            AnswerStream stream = model.stream(text("What?"));
            CompletableFuture<Thread> reader = new CompletableFuture<>();
            CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
            Future<Answer> answer = others.submit(() -> {
                reader.complete(Thread.currentThread());
                Answer said = stream.answer();
                interrupted.complete(Thread.interrupted());
                return said;
            });
            while (reader.get().getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            switch (way) {
                case "cancel" -> stream.cancel();
                case "close" -> stream.close();
                case "interrupt" -> reader.get().interrupt();
                default -> model.close();
            }
            assertThat(answer.get().finishReason()).as(way).isEqualTo(FinishReason.CANCELLED);
            assertThat(answer.get().text()).as(way).isEqualTo("one");
            assertThat(interrupted.get()).as(way).isEqualTo(way.equals("interrupt"));
            assertThat(model.openStreams()).as(way).isZero();
        }
        others.shutdown();
    }

    @Test
    void aStreamThatNobodyEndedIsCounted() {
        FakeModel model = saying(FakeAnswer.of("one"));
        AnswerStream forgotten = model.stream(text("What?"));
        forgotten.iterator().next();
        assertThat(model.openStreams()).isEqualTo(1);
        forgotten.close();
        assertThat(model.openStreams()).isZero();
        pieces(model.stream(text("What?")));
        assertThat(model.openStreams()).isZero();
    }

    @Test
    void turnsOfAChatAreRequestsWithAllThatWasSaid() {
        FakeModel model = FakeModel.builder()
                .when(request -> request.messages().size() > 2, "As I said.")
                .otherwise("A bicycle.")
                .build();
        GenerationOptions options = GenerationOptions.builder().seed(3).build();
        try (Chat chat = model.chat("Be brief.", options)) {
            assertThat(chat.ask(PHOTO, "What is it?").text()).isEqualTo("A bicycle.");
            Answer second = chat.ask("And why?");
            assertThat(second.text()).isEqualTo("As I said.");
            // Everything up to the last token of the first answer; that one, the template and two words are new.
            assertThat(second.usage().promptTokens() - second.usage().cachedTokens())
                    .isEqualTo(1 + 4 + 4 + 2);
        }
        assertThat(model.requests().get(1).messages()).hasSize(4);
        assertThat(model.requests()).allMatch(request -> request.options().equals(options));
    }

    @Test
    void anExplanationIsGivenOrAskedFor() {
        Explanation explanation =
                new Explanation(1, 1, Explanation.Measure.COSINE, false, List.of(), List.of(), List.of());
        FakeModel plain = FakeModel.builder().build();
        EncodedImage seen = plain.encode(PHOTO);
        ExplainOptions options = ExplainOptions.defaults();
        assertThat(FakeModel.builder().explanation(explanation).build().explain(seen, options))
                .isSameAs(explanation);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> plain.explain(seen, options))
                .withMessageContaining("explanation(..)");
        assertThat(plain.langBridge()).isEmpty();
    }

    @Test
    void manyAskAtOnceAndEachAnswerOfTheScriptIsSaidOnce() throws Exception {
        FakeModel.Builder builder = FakeModel.builder();
        Set<String> script =
                IntStream.range(0, 400).mapToObj(i -> "Answer " + i + ".").collect(Collectors.toSet());
        script.forEach(builder::next);
        FakeModel model = builder.build();
        ExecutorService others = Executors.newFixedThreadPool(8);
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            answers.add(others.submit(() -> model.answer(text("What?")).text()));
        }
        Set<String> said = new HashSet<>();
        for (Future<String> answer : answers) {
            said.add(answer.get());
        }
        others.shutdown();
        assertThat(said).isEqualTo(script);
        assertThat(model.requests()).hasSize(400);
        assertThat(model.openStreams()).isZero();
    }

    @Test
    void aPushedAnswerFailsOnDemandToo() {
        FakeModel model = saying(FakeAnswer.of("one two").failingAfter(1, new ImageException("gone")));
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        var unused = model.stream(text("What?"), Runnable::run, new AnswerListener() {
            @Override
            public void onPiece(AnswerStream.Piece piece) {
                told.add(piece.text());
            }

            @Override
            public void onComplete(Answer answer) {
                told.add("complete");
            }

            @Override
            public void onError(Throwable failure) {
                told.add(failure.getClass().getSimpleName());
            }
        });
        assertThat(told).containsExactly("one", "ImageException");
    }

    @Test
    void theLastCallWins() {
        FakeModel model = FakeModel.builder()
                .otherwise("One.")
                .otherwise("Two.")
                .contextLength(8)
                .contextLength(900)
                .build();
        assertThat(model.answer(text("What?")).text()).isEqualTo("Two.");
        assertThat(model.contextLength()).isEqualTo(900);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FakeModel.builder().contextLength(0));
    }
}

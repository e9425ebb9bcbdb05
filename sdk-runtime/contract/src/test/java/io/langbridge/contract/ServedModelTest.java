package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.AnswerHandle;
import io.langbridge.AnswerListener;
import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.Chat;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.model.Loader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model in somebody's server, with an engine that computes nothing. */
@Timeout(600)
class ServedModelTest {
    private static final GenerationOptions LONG =
            GenerationOptions.greedy().toBuilder().stopTokens().maxNewTokens(40).build();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    private final CountingEngine engine = new CountingEngine();
    private final ExecutorService others = Executors.newCachedThreadPool();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        engine.meanwhile = () -> {};
        others.shutdownNow();
        for (AutoCloseable one : open) {
            one.close();
        }
        assertThat(engine.openSessions).hasValue(0);
    }

    private VisionLanguageModel model() {
        return model(null, null);
    }

    private VisionLanguageModel model(
            @Nullable Integer concurrent, @Nullable Integer queued, ModelListener... listeners) {
        VisionLanguageModel model = engine.load(scratch, concurrent, queued, listeners);
        open.add(model);
        return model;
    }

    /** Seen as several tiles. */
    private static Image picture() {
        int[] pixels = new int[90 * 60];
        Arrays.fill(pixels, 0xff336699);
        return Image.ofArgb(pixels, 90, 60);
    }

    private static Request request(GenerationOptions options) {
        return Request.builder()
                .image(picture())
                .text("What is it, and where, and why?")
                .options(options)
                .build();
    }

    private static Request text() {
        return Request.builder().text("What is it?").options(LONG).build();
    }

    private static <T> T unchecked(Callable<T> call) {
        try {
            return call.call();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Acts once, when something is computed for the nth time. */
    private void at(String what, int count, Runnable action) {
        engine.meanwhile = () -> {
            if (engine.count(what) == count) {
                engine.meanwhile = () -> {};
                action.run();
            }
        };
    }

    @Test
    void anAnswerIsComputedTileByTileAndChunkByChunk() {
        Answer answer = model().answer(request(LONG));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(engine.count("tiles 1")).isGreaterThan(2);
        assertThat(engine.count("tiles")).isEqualTo(engine.count("tiles 1"));
        int filled = engine.count("fill " + CountingEngine.CHUNK) * CountingEngine.CHUNK;
        assertThat(engine.calls).contains("prefill " + (answer.usage().promptTokens() - filled));
        assertThat(answer.usage().promptTokens() - filled).isBetween(1, CountingEngine.CHUNK);
        assertThat(engine.count("step")).isEqualTo(39);
    }

    @Test
    void labelsAreComparedFromTheEndOfOnePrompt() {
        Request request = request(GenerationOptions.builder().stopTokens(2).build());
        for (boolean cuts : new boolean[] {true, false}) {
            engine.cuts = cuts;
            engine.calls.clear();
            Choice choice = model().choose(request, List.of("a", "b", "abc def", "abc"));
            assertThat(choice.probabilities().keySet()).containsExactly("a", "b", "abc def", "abc");
            List<Double> each = new ArrayList<>(choice.probabilities().values());
            assertThat(each.get(1)).isCloseTo(each.get(0), offset(1e-9));
            assertThat(choice.best()).isEqualTo("a");
            assertThat(choice.total()).isBetween(0.0, 0.001);
            assertThat(choice.probabilities().values().stream()
                            .mapToDouble(Double::doubleValue)
                            .sum())
                    .isCloseTo(1, offset(1e-9));
            assertThat(engine.count("prefill")).isEqualTo(1);
            assertThat(engine.count("step")).isBetween(4, 12);
        }
        engine.cuts = true;
    }

    @Test
    void aChoiceIsEndedAsAnAnswerIs() {
        VisionLanguageModel model = model();
        Duration limit = Duration.ofMillis(20);
        long end = System.nanoTime() + limit.toNanos();
        at("step", 2, () -> {
            while (System.nanoTime() - end < limit.toNanos()) {
                Thread.onSpinWait();
            }
        });
        Request limited = Request.builder().text("What?").timeout(limit).build();
        assertThatExceptionOfType(AnswerException.class)
                .isThrownBy(() -> model.choose(limited, List.of("one", "another", "a third")))
                .withMessageContaining("TIMED_OUT");
        assertThat(model.choose(text(), List.of("one", "another")).probabilities())
                .hasSize(2);
        for (List<String> wrong : List.of(List.<String>of(), List.of("a", "a"), List.of("a", ""))) {
            assertThatThrownBy(() -> model.choose(text(), wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static GenerationOptions held(String schema, int maxNewTokens) {
        return GenerationOptions.greedy().toBuilder()
                .maxNewTokens(maxNewTokens)
                .jsonSchema(schema.replace('\'', '"'))
                .build();
    }

    @Test
    void whatASchemaLeavesNoChoiceOfIsReadAtOnceAndNotStepByStep() {
        String schema =
                "{'type': 'object', 'properties': {'first': {'enum': [1, 2]}, 'something else': {'enum': [3, 4]}},"
                        + " 'required': ['first', 'something else']}";
        Answer answer = model().answer(request(held(schema, 100)));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP_TOKEN);
        assertThat(answer.json())
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsOnlyKeys("first", "something else");
        assertThat(answer.text()).matches("\\{\"first\": [12], \"something else\": [34]\\}");
        int prompt = answer.usage().promptTokens();
        int read = engine.calls.stream()
                .filter(call -> call.startsWith("fill") || call.startsWith("prefill"))
                .mapToInt(call -> Integer.parseInt(call.replaceAll("\\D", "")))
                .sum();
        // All tokens but those behind the last choice were read, and most of them together.
        assertThat(read + engine.count("step"))
                .isBetween(prompt + 1, prompt + answer.usage().newTokens());
        assertThat(read - prompt).isGreaterThan(answer.usage().newTokens() / 2);
        assertThat(engine.count("step")).isLessThan(answer.usage().newTokens() / 2);
    }

    @Test
    void anAnswerThatRunsOutOfTokensHasAPartOfItsValue() {
        GenerationOptions options = held("{'type': 'array', 'items': {'const': 'a long text'}, 'minItems': 9}", 20);
        try (AnswerStream stream = model().stream(request(options))) {
            StringBuilder pieces = new StringBuilder();
            stream.forEach(piece -> pieces.append(piece.text()));
            Answer answer = stream.answer();
            assertThat(answer.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
            assertThat(answer.usage().newTokens()).isEqualTo(20);
            assertThat(pieces).hasToString(answer.text());
            assertThat(answer.text()).startsWith("[\"a long text\", \"");
            assertThatExceptionOfType(AnswerException.class)
                    .isThrownBy(answer::json)
                    .withMessageContaining("MAX_NEW_TOKENS")
                    .satisfies(e -> assertThat(e.answer()).isSameAs(answer));
        }
    }

    @Test
    void aSchemaThatIsNotSupportedIsRefusedBeforeAnythingRuns() {
        VisionLanguageModel model = model();
        assertThatExceptionOfType(PromptException.class)
                .isThrownBy(() -> model.stream(request(held("{'type': 'string', 'not': {}}", 20))))
                .withMessageContaining("'not'");
        assertThat(engine.calls).isEmpty();
    }

    @Test
    void aChatGoesOnBehindAnAnswerWhoseEndWasNotRead() {
        VisionLanguageModel model = model();
        try (Chat chat =
                model.chat(null, held("{'type': 'array', 'prefixItems': [{'enum': [1, 2]}], 'minItems': 1}", 50))) {
            Answer first = chat.ask("How many?");
            Answer second = chat.ask("And now?");
            assertThat(first.text()).matches("\\[[12]]");
            assertThat(second.text()).isEqualTo(first.text());
            assertThat(second.usage().cachedTokens())
                    .isGreaterThan(first.usage().promptTokens() / 2);
        }
    }

    @Test
    void aStopStringEndsAHeldAnswerToo() {
        GenerationOptions options = held("{'const': 'one two three'}", 50).toBuilder()
                .stopStrings("two")
                .build();
        Answer answer = model().answer(request(options));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP_STRING);
        assertThat(answer.text()).isEqualTo("\"one ");
    }

    @Test
    void aListenerIsToldTheValuesOfAHeldAnswerOnTheWayAndCancellingLeavesAPart() {
        Request request =
                request(held("{'type': 'array', 'items': {'enum': [12, 34]}, 'minItems': 9, 'maxItems': 9}", 200));
        for (boolean cancels : new boolean[] {false, true}) {
            List<String> told = new ArrayList<>();
            List<Answer> ended = new ArrayList<>();
            List<AnswerHandle> toCancel = new ArrayList<>();
            List<Runnable> tasks = new ArrayList<>();
            AnswerHandle handle = model().stream(request, tasks::add, new AnswerListener() {
                @Override
                public void onValue(String pointer, @Nullable Object value) {
                    told.add(pointer);
                    if (told.size() == 3) {
                        toCancel.forEach(AnswerHandle::cancel);
                    }
                }

                @Override
                public void onComplete(Answer answer) {
                    ended.add(answer);
                }

                @Override
                public void onError(Throwable failure) {
                    throw new AssertionError(failure);
                }
            });
            if (cancels) {
                toCancel.add(handle);
            }
            tasks.forEach(Runnable::run);
            Answer answer = ended.get(0);
            assertThat(told).startsWith("/0", "/1", "/2");
            assertThat(answer.model()).contains("(").endsWith(", FULL)");
            if (cancels) {
                assertThat(told).hasSizeLessThan(10);
                assertThat(answer.finishReason()).isEqualTo(FinishReason.CANCELLED);
                assertThat(answer.text()).startsWith("[");
                assertThatExceptionOfType(AnswerException.class)
                        .isThrownBy(answer::json)
                        .withMessageContaining("CANCELLED");
            } else {
                assertThat(answer.json())
                        .asInstanceOf(InstanceOfAssertFactories.LIST)
                        .hasSize(9);
                assertThat(told).hasSize(10).endsWith("");
            }
        }
    }

    @Test
    void whatAListenerThrowsAtAValueEndsTheAnswer() {
        Request request =
                request(held("{'type': 'array', 'items': {'enum': [12, 34]}, 'minItems': 9, 'maxItems': 9}", 200));
        List<Throwable> failures = new ArrayList<>();
        IllegalStateException thrown = new IllegalStateException("no room");
        AnswerHandle unused = model().stream(request, Runnable::run, new AnswerListener() {
            @Override
            public void onValue(String pointer, @Nullable Object value) {
                throw thrown;
            }

            @Override
            public void onComplete(Answer answer) {
                throw new AssertionError(answer);
            }

            @Override
            public void onError(Throwable failure) {
                failures.add(failure);
            }
        });
        assertThat(failures).containsExactly(thrown);
    }

    @Test
    void cancellingClosingAndInterruptingTakeEffectAfterWhatRuns() {
        for (String what : List.of("tiles", "fill", "step")) {
            for (int way = 0; way < 4; way++) {
                engine.calls.clear();
                VisionLanguageModel model = model();
                AnswerStream stream = model.stream(request(LONG));
                Thread reader = Thread.currentThread();
                switch (way) {
                    case 0 -> at(what, 2, stream::cancel);
                    case 1 -> at(what, 2, stream::close);
                    case 2 ->
                        at(what, 2, () -> {
                            reader.interrupt();
                            // The reader passes it on before this step may end.
                            while (!stream.isCancelled()) {
                                Thread.onSpinWait();
                            }
                        });
                    default ->
                        at(what, 2, () -> {
                            Future<?> closing = others.submit(model::close);
                            while (!stream.isCancelled()) {
                                Thread.onSpinWait();
                            }
                            assertThat(closing.isDone()).isFalse();
                        });
                }
                Answer answer = stream.answer();
                assertThat(answer.finishReason()).isEqualTo(FinishReason.CANCELLED);
                assertThat(Thread.interrupted()).isEqualTo(way == 2);
                assertThat(engine.count(what)).as(what + " " + way).isEqualTo(2);
                assertThat(engine.calls.get(engine.calls.size() - 1)).startsWith(what);
                assertThat(answer.tokenIds()).hasSize(what.equals("step") ? 3 : 0);
                stream.close();
                model.close();
                assertThat(engine.openSessions).hasValue(0);
            }
        }
    }

    /**
     * A stream whose time was over when something was computed for the second time: its time is as long as that takes.
     */
    private AnswerStream limitedIn(String what, VisionLanguageModel model) {
        for (Duration limit = Duration.ofMillis(300); ; limit = limit.multipliedBy(3)) {
            engine.calls.clear();
            Request request = Request.builder()
                    .image(picture())
                    .text("What is it?")
                    .options(LONG)
                    .timeout(limit)
                    .build();
            long nanos = limit.toNanos() + 1_000_000;
            long start = System.nanoTime();
            AnswerStream stream = model.stream(request);
            at(what, 2, () -> {
                while (System.nanoTime() - start <= nanos) {
                    Thread.onSpinWait();
                }
            });
            assertThat(stream.answer()).isNotNull();
            stream.close();
            if (engine.count(what) == 2 || limit.compareTo(Duration.ofMinutes(1)) > 0) {
                return stream;
            }
        }
    }

    @Test
    void aTimeLimitEndsAnAnswerWithWhatWasSaid() {
        VisionLanguageModel model = model();
        for (String what : List.of("tiles", "fill", "step")) {
            AnswerStream stream = limitedIn(what, model);
            Answer answer = stream.answer();
            assertThat(answer.finishReason()).isEqualTo(FinishReason.TIMED_OUT);
            assertThat(engine.count(what)).isEqualTo(2);
            assertThat(answer.tokenIds()).hasSize(what.equals("step") ? 3 : 0);
            assertThat(stream.isCancelled()).isFalse();
        }
        engine.calls.clear();
        Request none = Request.builder()
                .text("What?")
                .options(LONG.toBuilder().timeout(Duration.ofNanos(1)).build())
                .build();
        assertThat(model.answer(none).finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(engine.calls).isEmpty();
        assertThat(model.answer(Request.builder()
                                .text("What?")
                                .options(LONG)
                                .timeout(Duration.ofSeconds(Long.MAX_VALUE))
                                .build())
                        .finishReason())
                .isEqualTo(FinishReason.MAX_NEW_TOKENS);
    }

    @Test
    void aChatKeepsWhatWasSaidUntilItsTimeWasOverAndGoesOn() {
        VisionLanguageModel model = model();
        boolean inTime = false;
        for (int seconds = 1; !inTime; seconds *= 4) {
            engine.calls.clear();
            Duration limit = Duration.ofSeconds(seconds);
            try (Chat chat = model.chat(null, LONG.toBuilder().timeout(limit).build())) {
                long start = System.nanoTime();
                at("step", 2, () -> {
                    while (System.nanoTime() - start <= 2 * limit.toNanos()) {
                        Thread.onSpinWait();
                    }
                });
                assertThat(chat.ask("What is it?").finishReason()).isEqualTo(FinishReason.TIMED_OUT);
                boolean said = engine.count("step") == 2;
                Answer next = chat.ask("And why?");
                // A machine that is slow now has more time when it tries again.
                inTime = said && next.finishReason() == FinishReason.MAX_NEW_TOKENS || seconds > 60;
                if (inTime) {
                    assertThat(chat.messages()).hasSize(4);
                    assertThat(next.usage().cachedTokens()).isPositive();
                }
            }
        }
    }

    @Test
    void aPromptThatWasGivenUpOnTheWayGoesOnWhereItStopped() {
        VisionLanguageModel model = model();
        EncodedImage seen = model.encode(picture());
        Request request =
                Request.builder().image(seen).text("What is it?").options(LONG).build();
        AnswerStream first = model.stream(request);
        at("fill", 2, first::cancel);
        assertThat(first.answer().finishReason()).isEqualTo(FinishReason.CANCELLED);
        first.close();
        assertThat(model.answer(request).usage().cachedTokens()).isEqualTo(2 * CountingEngine.CHUNK);
    }

    @Test
    void aSessionThatCannotBeCutIsReusedFromTheEndOfATurnOn() {
        engine.cuts = false;
        VisionLanguageModel model = model();
        GenerationOptions options = LONG.toBuilder().maxNewTokens(3).build();
        try (Chat chat = model.chat(null, options)) {
            Answer first = chat.ask("What is it?");
            Answer second = chat.ask("And why?");
            // The last token that was said is not in the cache.
            int held = first.usage().promptTokens() + first.usage().newTokens() - 1;
            assertThat(second.usage().cachedTokens()).isEqualTo(held);
        }
        Request what = Request.builder().text("What is it?").options(options).build();
        Request that = Request.builder().text("What is that?").options(options).build();
        assertThat(model.answer(what).usage().cachedTokens()).isZero();
        engine.calls.clear();
        Answer parted = model.answer(that);
        assertThat(parted.usage().cachedTokens()).isZero();
        assertThat(engine.calls.stream()
                        .filter(call -> !call.equals("step"))
                        .mapToInt(call -> Integer.parseInt(call.substring(call.indexOf(' ') + 1)))
                        .sum())
                .isEqualTo(parted.usage().promptTokens());

        engine.cuts = true;
        assertThat(model.answer(what).usage().cachedTokens()).isPositive();
    }

    private VisionLanguageModel keeping(UnaryOperator<VisionLanguageModel.Builder> options) {
        VisionLanguageModel model =
                options.apply(CountingEngine.builder(scratch)).build(new Loader(engine));
        open.add(model);
        return model;
    }

    private static Image picture(int colour) {
        int[] pixels = new int[90 * 60];
        Arrays.fill(pixels, 0xff000000 | colour);
        return Image.ofArgb(pixels, 90, 60);
    }

    private static Answer ask(VisionLanguageModel model, EncodedImage image, String question) {
        return model.answer(Request.builder()
                .image(image)
                .text(question)
                .options(LONG.toBuilder().maxNewTokens(4).build())
                .build());
    }

    @Test
    void conversationsAboutTwoPicturesInTurnBothGoOnFromWhatIsKept() {
        for (boolean cuts : new boolean[] {true, false}) {
            engine.cuts = cuts;
            VisionLanguageModel model = keeping(builder -> builder);
            List<EncodedImage> images = List.of(model.encode(picture(1)), model.encode(picture(2)));
            for (EncodedImage image : images) {
                Answer first = ask(model, image, "What is it?");
                assertThat(first.usage().cachedTokens())
                        .isLessThan(first.usage().promptTokens() - first.usage().visualTokens());
            }
            for (String question : List.of("Where is it?", "Why?", "When was it taken?")) {
                for (EncodedImage image : images) {
                    Answer.Usage usage = ask(model, image, question).usage();
                    assertThat(usage.cachedTokens()).isGreaterThanOrEqualTo(usage.visualTokens());
                }
            }
            assertThat(engine.openSessions).hasValue(2);
            model.close();
        }
    }

    @Test
    void noMorePrefixesAreKeptThanAllowedAndTheOnesUsedLongAgoGoFirst() {
        VisionLanguageModel model = keeping(builder -> builder.keptPrefixes(2));
        List<EncodedImage> images = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            images.add(model.encode(picture(i)));
            ask(model, images.get(i), "What is it?");
        }
        assertThat(engine.openSessions).hasValue(2);
        int visual = ask(model, images.get(2), "Why?").usage().visualTokens();
        assertThat(ask(model, images.get(1), "Why?").usage().cachedTokens()).isGreaterThan(visual);
        assertThat(ask(model, images.get(0), "Why?").usage().cachedTokens()).isLessThan(visual);
        assertThat(ask(model, images.get(1), "And?").usage().cachedTokens()).isGreaterThan(visual);
        assertThat(ask(model, images.get(2), "And?").usage().cachedTokens()).isLessThan(visual);
        assertThat(engine.openSessions).hasValue(2);

        VisionLanguageModel none = keeping(builder -> builder.keptPrefixes(0));
        for (int i = 0; i < 2; i++) {
            assertThat(ask(none, none.encode(picture(1)), "Why?").usage().cachedTokens())
                    .isZero();
        }
        assertThat(engine.openSessions).hasValue(2);
    }

    @Test
    void whatIsKeptHasRoomInTheMemoryThatWasCounted() {
        VisionLanguageModel model = keeping(builder -> builder.contextLength(300));
        for (int i = 0; i < 3; i++) {
            ask(model, model.encode(picture(i)), "What is it?");
            assertThat(engine.openSessions).hasValue(1);
        }
    }

    @Test
    void aPromptTooLongForItsCacheTakesWhatItSharesAlong() {
        for (boolean cuts : new boolean[] {true, false}) {
            engine.cuts = cuts;
            VisionLanguageModel model = keeping(builder -> builder);
            EncodedImage image = model.encode(picture(1));
            int visual = ask(model, image, "What is it?").usage().visualTokens();
            Answer.Usage usage = model.answer(Request.builder()
                            .image(image)
                            .text("What is it?")
                            .options(LONG.toBuilder().maxNewTokens(300).build())
                            .build())
                    .usage();
            assertThat(usage.cachedTokens()).isGreaterThanOrEqualTo(visual);
            assertThat(engine.openSessions).hasValue(1);
            model.close();
        }
    }

    @Test
    void picturesOfEqualPixelsAreSharedOnlyWhereThatIsAskedFor() {
        VisionLanguageModel apart = keeping(builder -> builder);
        VisionLanguageModel shared = keeping(builder -> builder.sharedImages(2));
        assertThat(apart.encode(picture(7))).isNotSameAs(apart.encode(picture(7)));
        assertThat(apart.answer(request(LONG)).usage().visualTokens())
                .isGreaterThan(apart.answer(request(LONG)).usage().cachedTokens());

        EncodedImage first = shared.encode(picture(7));
        int tiles = engine.count("tiles");
        assertThat(shared.encode(picture(7))).isSameAs(first);
        assertThat(engine.count("tiles")).isEqualTo(tiles);
        assertThat(shared.encode(picture(8))).isNotSameAs(first);
        assertThat(shared.encode(Image.ofArgb(new int[60 * 90], 60, 90))).isNotSameAs(first);
        assertThat(shared.encode(picture(7))).isNotSameAs(first); // two others have come since
        shared.answer(request(LONG));
        tiles = engine.count("tiles");
        Answer.Usage usage = shared.answer(request(LONG)).usage();
        assertThat(engine.count("tiles")).isEqualTo(tiles);
        assertThat(usage.cachedTokens()).isGreaterThan(usage.visualTokens());
    }

    @Test
    void anAnswerWhoseEndCannotBeMarkedGivesItsCacheBackAllTheSame() {
        VisionLanguageModel model = keeping(builder -> builder.keptPrefixes(1));
        try (Chat chat = model.chat(null, LONG)) {
            engine.marking = () -> {
                throw new IllegalStateException("no room for a copy");
            };
            model.answer(text());
            chat.ask("What is it?");
            engine.marking = () -> {};
            assertThat(engine.openSessions).hasValue(2);
            assertThat(model.answer(text()).usage().cachedTokens()).isZero();
            assertThat(chat.ask("And why?").usage().cachedTokens()).isZero();
            assertThat(model.answer(text()).usage().cachedTokens()).isPositive();
            assertThat(engine.openSessions).hasValue(2);
        }
    }

    @Test
    void streamsAndChatsThatAreDroppedFreeTheirCaches() {
        VisionLanguageModel model = model(22, 0); // one more than is needed, as the last place is free after its cache
        drop(model);
        // Some caches are kept for the next questions.
        long start = System.nanoTime();
        while (engine.openSessions.get() > 8 && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2)) {
            System.gc();
        }
        assertThat(engine.openSessions).hasValue(8);
        // Their places are free too.
        drop(model);
    }

    private static void drop(VisionLanguageModel model) {
        for (int i = 0; i < 20; i++) {
            model.stream(text()).iterator().next();
            model.chat(null, LONG).stream(new Message(Message.Role.USER, List.of(new Message.Text("What?"))))
                    .answer();
        }
    }

    @Test
    void atMostSoManyRequestsRunAndTheOthersWaitInOrder() throws Exception {
        List<Long> order = Collections.synchronizedList(new ArrayList<>());
        VisionLanguageModel model = model(1, 3, new ModelListener() {
            @Override
            public void started(long request, Duration waited) {
                order.add(request);
            }
        });
        AnswerStream first = model.stream(text());
        Iterator<AnswerStream.Piece> pieces = first.iterator();
        pieces.next();
        List<Reader> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(reading(model.stream(text()), () -> {}));
        }
        assertThatExceptionOfType(BusyException.class)
                .isThrownBy(() -> model.answer(text()))
                .withMessageContaining("1 request is being answered and 3 wait")
                .withMessageContaining("maxQueuedRequests(..)")
                .satisfies(busy -> assertThat(busy.running() + busy.waiting()).isEqualTo(4));
        AnswerStream refused = model.stream(text()); // takes no place before it is read
        refused.close();
        first.close();
        for (Reader one : waiting) {
            assertThat(one.reason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        }
        assertThat(order).hasSize(4).isSorted();
    }

    /** Reads a stream in a thread of its own and comes back when that waits, or is through. */
    private static Reader reading(AnswerStream stream, Runnable then) {
        FutureTask<Answer> task = new FutureTask<>(() -> {
            Answer answer = stream.answer();
            stream.close();
            then.run();
            return answer;
        });
        Thread thread = new Thread(task);
        thread.start();
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.getState() != Thread.State.TERMINATED) {
            Thread.onSpinWait();
        }
        return new Reader(thread, task);
    }

    private record Reader(Thread thread, FutureTask<Answer> task) {
        FinishReason reason() throws Exception {
            return task.get().finishReason();
        }
    }

    @Test
    void whoWaitsCanBeCancelledInterruptedAndTimeOut() throws Exception {
        VisionLanguageModel model = model(1, null);
        AnswerStream first = model.stream(text());
        first.iterator().next();
        engine.calls.clear();

        AnswerStream cancelled = model.stream(text());
        Reader reader = reading(cancelled, () -> {});
        cancelled.cancel();
        assertThat(reader.reason()).isEqualTo(FinishReason.CANCELLED);

        AtomicBoolean stayed = new AtomicBoolean();
        Reader interrupted = reading(
                model.stream(text()), () -> stayed.set(Thread.currentThread().isInterrupted()));
        interrupted.thread().interrupt();
        assertThat(interrupted.reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(stayed).isTrue();

        Request limited =
                Request.builder().text("What?").timeout(Duration.ofMillis(20)).build();
        assertThat(model.answer(limited).finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(engine.calls).isEmpty();
        first.close();
        assertThat(model.answer(text()).finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
    }

    /** A stream whose first piece was there before its time was over. */
    private static AnswerStream begun(VisionLanguageModel model) {
        for (int millis = 500; ; millis *= 4) {
            AnswerStream stream = model.stream(Request.builder()
                    .text("What?")
                    .options(LONG)
                    .timeout(Duration.ofMillis(millis))
                    .build());
            if (stream.iterator().hasNext() || millis > 60_000) {
                return stream;
            }
        }
    }

    @Test
    void aStreamThatNobodyReadsGivesItsPlaceBackWhenItsTimeIsOver() {
        VisionLanguageModel model = model(1, null);
        AnswerStream left = begun(model);
        assertThat(model.answer(text()).finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(left.answer().finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        assertThat(left.answer().tokenIds()).hasSize(1);
    }

    @Test
    void cancellingAStreamThatNobodyReadsGivesItsPlaceBack() {
        VisionLanguageModel model = model(1, 0);
        AnswerStream stream = model.stream(text());
        stream.iterator().next();
        assertThatThrownBy(() -> model.answer(text())).isInstanceOf(BusyException.class);

        stream.cancel();

        assertThat(model.answer(text()).finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        assertThat(stream.answer().finishReason()).isEqualTo(FinishReason.CANCELLED);
    }

    @Test
    void whoIsCancelledBeforeTheFirstPieceIsNotTooMany() {
        VisionLanguageModel model = model(1, 0);
        AnswerStream running = model.stream(text());
        running.iterator().next();
        AnswerStream cancelled = model.stream(text());
        cancelled.cancel();

        assertThat(cancelled.answer().finishReason()).isEqualTo(FinishReason.CANCELLED);
        running.close();
    }

    @Test
    void aFailureIsToldAgainToWhoAsksAgain() {
        VisionLanguageModel model = model(1, 0);
        AnswerStream running = model.stream(text());
        running.iterator().next();
        AnswerStream refused = model.stream(text());

        assertThatThrownBy(refused::answer).isInstanceOf(BusyException.class);
        assertThatThrownBy(refused::answer).isInstanceOf(BusyException.class);
        running.close();
    }

    @Test
    void closingTheModelEndsThoseThatWait() throws Exception {
        VisionLanguageModel model = model(1, null);
        AnswerStream first = model.stream(text());
        first.iterator().next();
        Reader waiting = reading(model.stream(text()), () -> {});
        model.close();
        assertThat(waiting.reason()).isEqualTo(FinishReason.CANCELLED);
        assertThatIllegalStateException().isThrownBy(() -> model.answer(text()));
    }

    @Test
    void workIsDoneByThreadsOfTheModelWhichEndWithIt() throws Exception {
        VisionLanguageModel model = model();
        model.answer(request(LONG));
        model.encode(picture());
        try (AnswerStream stream = model.stream(text())) {
            stream.iterator().next();
        }
        assertThat(engine.threads).isNotEmpty().allSatisfy(thread -> {
            assertThat(thread.getName()).startsWith("langbridge-");
            assertThat(thread.isDaemon()).isTrue();
        });
        assertThat(engine.threads).hasSizeLessThanOrEqualTo(16);
        model.close();
        for (Thread thread : engine.threads) {
            thread.join();
        }
    }

    @Test
    void whoAsksAtTheSameTimeSharesSteps() throws Exception {
        VisionLanguageModel model = model();
        List<AnswerStream> streams = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            AnswerStream stream = model.stream(text());
            stream.iterator().next();
            streams.add(stream);
        }
        List<Future<Answer>> answers = new ArrayList<>();
        CountDownLatch shared = new CountDownLatch(1);
        // A step takes a while, until others are there.
        engine.meanwhile = () -> {
            if (engine.count("step of") > 0) {
                shared.countDown();
            }
            // The longer, the more steps were not enough.
            unchecked(() -> shared.await(50L * engine.count("step"), TimeUnit.MILLISECONDS));
        };
        for (AnswerStream stream : streams) {
            answers.add(others.submit(stream::answer));
        }
        for (Future<Answer> answer : answers) {
            assertThat(answer.get().finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        }
        assertThat(engine.count("step of")).isPositive();
        streams.forEach(AnswerStream::close);
    }

    @Test
    void withoutALimitSixteenRunAtATimeAndTheOthersWaitTheirTurn() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CyclicBarrier together = new CyclicBarrier(16);
        VisionLanguageModel model = model(null, null, new ModelListener() {
            @Override
            public void started(long request, Duration waited) {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                unchecked(together::await); // nobody is through before sixteen have begun
            }

            @Override
            public void firstToken(long request, Duration time) {
                running.decrementAndGet();
            }
        });
        List<Callable<Answer>> work = new ArrayList<>();
        for (int i = 0; i < 48; i++) {
            work.add(() -> model.answer(text()));
        }
        for (Future<Answer> answer : others.invokeAll(work)) {
            assertThat(answer.get().finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        }
        assertThat(most).hasValue(16);
    }

    @Test
    void whoReadsManyStreamsInTurnWaitsForNoneOfThem() {
        VisionLanguageModel model = model();
        List<AnswerStream> streams = new ArrayList<>();
        List<Iterator<AnswerStream.Piece>> pieces = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            streams.add(model.stream(text()));
            pieces.add(streams.get(i).iterator());
            assertThat(pieces.get(i).hasNext()).isTrue();
        }
        for (int i = 0; i < 20; i++) {
            assertThat(streams.get(i).answer().tokenIds()).hasSize(40);
        }
    }

    @Test
    void whoWaitsToHaveItsPictureReadCanBeCancelledAndTheModelClosed() throws Exception {
        VisionLanguageModel model = model();
        CountDownLatch reading = new CountDownLatch(2);
        CountDownLatch goOn = new CountDownLatch(1);
        engine.meanwhile = () -> {
            reading.countDown();
            unchecked(() -> goOn.await(3, TimeUnit.MINUTES));
        };
        Future<EncodedImage> one = others.submit(() -> model.encode(picture()));
        Future<EncodedImage> another = others.submit(() -> model.encode(picture()));
        reading.await();
        AnswerStream cancelled = model.stream(request(LONG));
        Future<Answer> answer = others.submit(cancelled::answer);
        Future<EncodedImage> waiting = others.submit(() -> model.encode(picture()));
        Request limited =
                request(LONG.toBuilder().timeout(Duration.ofMillis(30)).build());
        assertThat(model.answer(limited).finishReason()).isEqualTo(FinishReason.TIMED_OUT);
        cancelled.cancel();
        assertThat(answer.get().finishReason()).isEqualTo(FinishReason.CANCELLED);
        Future<?> closed = others.submit(model::close);
        assertThatThrownBy(waiting::get).hasMessageContaining("closed");
        assertThat(one.isDone()).isFalse();
        goOn.countDown();
        closed.get();
        assertThatThrownBy(one::get).hasMessageContaining("closed");
        assertThatThrownBy(another::get).hasMessageContaining("closed");
    }

    @Test
    void manyPicturesThatWaitToBeReadLeaveThreadsForThoseWhoDecode() throws Exception {
        VisionLanguageModel model = model();
        CountDownLatch reading = new CountDownLatch(2);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger first = new AtomicInteger(2);
        engine.meanwhile = () -> {
            if (first.getAndDecrement() > 0) {
                reading.countDown();
                unchecked(() -> goOn.await(3, TimeUnit.MINUTES));
            }
        };
        List<FutureTask<EncodedImage>> encoded = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            FutureTask<EncodedImage> task = new FutureTask<>(() -> model.encode(picture()));
            Thread thread = new Thread(task);
            thread.start();
            while (thread.getState() == Thread.State.RUNNABLE || thread.getState() == Thread.State.NEW) {
                Thread.onSpinWait();
            }
            encoded.add(task);
        }
        reading.await();
        Request request = Request.builder()
                .text("What is it?")
                .options(LONG)
                .timeout(Duration.ofMinutes(1))
                .build();
        assertThat(model.answer(request).finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        goOn.countDown();
        for (FutureTask<EncodedImage> one : encoded) {
            assertThat(one.get().tiles()).isPositive();
        }
    }

    @Test
    void amongManyWhoAreCancelledClosedOrOutOfTimeTheOthersAreAnswered() throws Exception {
        VisionLanguageModel model = model();
        List<Callable<FinishReason>> work = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int number = i;
            work.add(() -> asked(model, number));
        }
        ExecutorService many = Executors.newFixedThreadPool(20);
        try {
            List<Future<FinishReason>> reasons = many.invokeAll(work);
            for (int i = 0; i < reasons.size(); i++) {
                FinishReason reason = reasons.get(i).get();
                if (i % 5 < 2) {
                    assertThat(reason).as("request " + i).isEqualTo(FinishReason.MAX_NEW_TOKENS);
                }
            }
        } finally {
            many.shutdownNow();
        }
    }

    private FinishReason asked(VisionLanguageModel model, int number) {
        switch (number % 5) {
            case 0 -> {
                return model.answer(number % 2 == 0 ? text() : request(LONG)).finishReason();
            }
            case 1 -> {
                try (Chat chat = model.chat(null, LONG)) {
                    chat.ask("What?");
                    return chat.ask("And now?").finishReason();
                }
            }
            case 2 -> {
                Request limited = Request.builder()
                        .text("What?")
                        .options(LONG)
                        .timeout(Duration.ofMillis(1 + number % 7))
                        .build();
                return model.answer(limited).finishReason();
            }
            default -> {
                AnswerStream stream = model.stream(text());
                Iterator<AnswerStream.Piece> pieces = stream.iterator();
                for (int i = 0; i < number % 30; i++) {
                    pieces.next();
                }
                Future<?> ended = others.submit(number % 5 == 3 ? stream::cancel : stream::close);
                FinishReason reason = stream.answer().finishReason();
                unchecked(ended::get);
                stream.close();
                return reason;
            }
        }
    }

    @Test
    void callersOfAnyKindAreAnswered() throws Exception {
        VisionLanguageModel model = model(2, 1000);
        ForkJoinPool common = ForkJoinPool.commonPool();
        assertThat(common.submit(() -> IntStream.range(0, 200)
                                .parallel()
                                .mapToObj(i -> model.answer(i % 2 == 0 ? text() : request(LONG)))
                                .filter(answer -> answer.finishReason() == FinishReason.MAX_NEW_TOKENS)
                                .count())
                        .get())
                .isEqualTo(200);
        Thread bare = new Thread(
                () -> assertThat(model.answer(request(LONG)).tokenIds()).hasSize(40));
        AtomicReference<Throwable> failure = new AtomicReference<>();
        bare.setContextClassLoader(null);
        bare.setUncaughtExceptionHandler((thread, e) -> failure.set(e));
        bare.start();
        bare.join();
        assertThat(failure).hasValue(null);
    }

    @Test
    void listenersAreToldOfEveryPhase() {
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        VisionLanguageModel model = model(1, 0, recorder(events), failing());
        Answer answer = model.answer(request(LONG));
        assertThat(events)
                .containsExactly(
                        "started",
                        "encoded " + engine.count("tiles") + " false",
                        "prefilled " + answer.usage().promptTokens() + " "
                                + answer.usage().visualTokens() + " 0",
                        "firstToken",
                        "finished MAX_NEW_TOKENS 40");
        events.clear();
        EncodedImage seen = model.encode(picture());
        assertThat(events).containsExactly("encoded " + seen.tiles() + " false");
        events.clear();
        try (AnswerStream stream =
                model.stream(Request.builder().image(seen).text("What?").build())) {
            stream.iterator().next();
            assertThatExceptionOfType(BusyException.class).isThrownBy(() -> model.answer(text()));
        }
        assertThat(events.subList(0, 2)).containsExactly("started", "encoded " + seen.tiles() + " true");
        assertThat(events.subList(4, 6)).containsExactly("failed BusyException", "finished CANCELLED 1");
        events.clear();
        String tooLong = "word ".repeat(600);
        assertThatExceptionOfType(PromptException.class).isThrownBy(() -> model.ask(seen, tooLong));
        assertThat(events).contains("started", "failed PromptException");
    }

    private static ModelListener recorder(List<String> events) {
        return new ModelListener() {
            @Override
            public void started(long request, Duration waited) {
                events.add("started");
            }

            @Override
            public void encoded(long request, Encoding picture) {
                events.add("encoded " + picture.tiles() + " " + picture.encodedBefore());
            }

            @Override
            public void prefilled(long request, Prompt prompt) {
                events.add("prefilled " + prompt.tokens() + " " + prompt.visualTokens() + " " + prompt.cachedTokens());
            }

            @Override
            public void firstToken(long request, Duration time) {
                events.add("firstToken");
            }

            @Override
            public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
                events.add("finished " + reason + " " + usage.newTokens());
            }

            @Override
            public void failed(long request, Throwable failure) {
                events.add("failed " + failure.getClass().getSimpleName());
            }
        };
    }

    /** Fails whenever it is called. */
    private static ModelListener failing() {
        return new ModelListener() {
            @Override
            public void started(long request, Duration waited) {
                throw new IllegalStateException("a listener that fails");
            }

            @Override
            public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
                throw new AssertionError("a listener that fails");
            }
        };
    }

    @Test
    void aListenerThatAsksOrClosesItsModelIsRefusedInsteadOfWaitingForItself() {
        CompletableFuture<VisionLanguageModel> asked = new CompletableFuture<>();
        List<String> refused = Collections.synchronizedList(new ArrayList<>());
        VisionLanguageModel model = model(1, null, new ModelListener() {
            @Override
            public void started(long request, Duration waited) {
                VisionLanguageModel caller = asked.join();
                List<Runnable> calls =
                        List.of(caller::close, () -> caller.answer(text()), () -> caller.encode(picture()));
                for (Runnable call : calls) {
                    try {
                        call.run();
                    } catch (IllegalStateException e) {
                        refused.add(String.valueOf(e.getMessage()));
                    }
                }
            }
        });
        asked.complete(model);
        assertThat(model.answer(text()).tokenIds()).hasSize(40);
        assertThat(refused).hasSize(3).allMatch(message -> message.contains("ModelListener"));
    }

    @Test
    void aStreamThatWasReadOrClosedIsNotReadAgain() {
        VisionLanguageModel model = model();
        AnswerStream read = model.stream(text());
        int pieces = 0;
        for (AnswerStream.Piece piece : read) {
            pieces += piece.tokenId() == CountingEngine.TOKEN ? 1 : 0;
        }
        assertThat(pieces).isEqualTo(40);
        assertThatIllegalStateException()
                .isThrownBy(read::iterator)
                .withMessageContaining("answer() has the whole text");
        assertThat(read.answer().tokenIds()).hasSize(40);
        read.close();
        assertThat(read.answer().tokenIds()).hasSize(40);
        AnswerStream closed = model.stream(text());
        closed.close();
        closed.close();
        assertThatIllegalStateException().isThrownBy(closed::iterator).withMessageContaining("stream(..)");
        assertThat(closed.answer().finishReason()).isEqualTo(FinishReason.CANCELLED);
        AnswerStream answered = model.stream(text());
        assertThat(answered.answer().tokenIds()).hasSize(40);
        assertThatIllegalStateException().isThrownBy(answered::iterator);
        AnswerStream begun = model.stream(text());
        begun.iterator().next();
        begun.iterator().next();
        assertThat(begun.answer().tokenIds()).hasSize(40);
    }

    @Test
    void manyAskAtOnceWhileAnswersAreCancelledAndTheModelCloses() throws Exception {
        VisionLanguageModel model = model(3, 20);
        Semaphore steps = new Semaphore(0);
        CountDownLatch asked = new CountDownLatch(40);
        engine.meanwhile = steps::release;
        List<Future<FinishReason>> answers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            int number = i;
            answers.add(others.submit(() -> {
                AnswerStream stream = model.stream(number % 2 == 0 ? text() : request(LONG));
                asked.countDown();
                Future<?> cancelled = others.submit(number % 3 == 0 ? stream::cancel : () -> {});
                try {
                    return stream.answer().finishReason();
                } catch (BusyException e) {
                    return FinishReason.CONTEXT_FULL;
                } finally {
                    stream.close();
                    unchecked(cancelled::get);
                }
            }));
        }
        asked.await();
        steps.acquire(50);
        model.close();
        for (Future<FinishReason> answer : answers) {
            assertThat(answer.get())
                    .isIn(FinishReason.CANCELLED, FinishReason.MAX_NEW_TOKENS, FinishReason.CONTEXT_FULL);
        }
    }

    @Test
    void anInterruptBeforeTheFirstPieceIsSeenToo() {
        VisionLanguageModel model = model();
        Thread.currentThread().interrupt();
        Answer answer = model.answer(text());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(answer.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(engine.calls).isEmpty();
        Thread.currentThread().interrupt();
        EncodedImage seen = unchecked(() -> model.encode(picture()));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(seen.tiles()).isEqualTo(engine.count("tiles"));
    }
}

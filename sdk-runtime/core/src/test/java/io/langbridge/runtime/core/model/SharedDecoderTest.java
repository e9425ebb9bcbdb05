package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.TokenRules;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class SharedDecoderTest {
    private static final int VOCAB = 97;
    private static final int CAPACITY = 64;
    private static final int FAILING = 96;

    private final Network network = new Network();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        threads.shutdownNow();
        assertThat(network.open).hasValue(0);
    }

    /** The next token depends on all before it, so that a token in a wrong row or twice shows in every later one. */
    private final class Sequence implements DecoderSession {
        private final boolean cuts;
        private final int capacity;
        private final FloatTensor logits = FloatTensor.allocate(VOCAB);
        private final List<Integer> tokens = new ArrayList<>();
        private final List<Integer> marks = new ArrayList<>();
        private boolean closed;
        /** Whether a run failed in the middle, as {@link KeptSession} notes it. */
        private boolean lost;

        Sequence(int capacity, boolean cuts) {
            this.capacity = capacity;
            this.cuts = cuts;
            network.open.incrementAndGet();
        }

        void requireKept() {
            if (lost) {
                throw new IllegalStateException("lost");
            }
        }

        void append(int token, FloatTensor to) {
            assertThat(closed).isFalse();
            assertThat(lost).isFalse();
            assertThat(tokens).hasSizeLessThan(capacity);
            tokens.add(token);
            FloatBuffer scores = to.data();
            for (int i = 0; i < VOCAB; i++) {
                scores.put(i, i == next(tokens) ? 1 : 0);
            }
        }

        @Override
        public int length() {
            return tokens.size();
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public boolean cutsAnywhere() {
            return cuts;
        }

        @Override
        public FloatBuffer prefill(FloatTensor inputsEmbeds) {
            network.alone();
            try {
                network.meanwhile.accept("part");
                requireKept();
                for (float token : inputsEmbeds.toArray()) {
                    append((int) token, logits);
                }
                return logits.data();
            } finally {
                network.running.decrementAndGet();
            }
        }

        @Override
        public FloatBuffer step(int tokenId) {
            network.alone();
            try {
                network.meanwhile.accept("step");
                requireKept();
                network.failAt(tokenId);
                append(tokenId, logits);
                return logits.data();
            } finally {
                network.running.decrementAndGet();
            }
        }

        @Override
        public void mark() {
            marks.add(tokens.size());
        }

        @Override
        public int rewind(int length) {
            assertThat(length).isBetween(0, tokens.size());
            int to = cuts || length == tokens.size() && !lost
                    ? length
                    : marks.stream().filter(mark -> mark <= length).reduce(0, (a, b) -> b);
            tokens.subList(to, tokens.size()).clear();
            lost = false;
            return to;
        }

        @Override
        public void takeOver(DecoderSession from, int known) {
            Sequence other = (Sequence) from;
            other.requireKept();
            assertThat(other.tokens).hasSizeLessThanOrEqualTo(capacity);
            // What is said to be known is not looked at there.
            assertThat(tokens).hasSizeGreaterThanOrEqualTo(known);
            tokens.subList(known, tokens.size()).clear();
            tokens.addAll(other.tokens.subList(known, other.tokens.size()));
            marks.clear();
            marks.addAll(other.marks);
            lost = false;
            other.marks.clear();
            other.lost = !cuts;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                network.open.decrementAndGet();
            }
        }
    }

    private static int next(List<Integer> tokens) {
        return Math.floorMod(tokens.hashCode(), VOCAB - 1);
    }

    private final class Network extends UnweightedNetwork {
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger running = new AtomicInteger();
        final AtomicInteger shared = new AtomicInteger();
        final AtomicInteger runs = new AtomicInteger();
        volatile boolean fails;
        volatile boolean failsInside;
        /** Run at the start of each computation, {@code part} or {@code step}. */
        volatile Consumer<String> meanwhile = what -> {};

        volatile boolean cuts = true;
        volatile boolean hasRows = true;
        /** Sequences that there is memory for. */
        volatile int most = Integer.MAX_VALUE;

        private void requireMemory(int more) {
            if (open.get() + more > most) {
                throw new InsufficientMemoryException("no memory");
            }
        }

        void alone() {
            assertThat(running.incrementAndGet()).isEqualTo(1);
        }

        void failAt(int token) {
            if (token == FAILING || fails && ThreadLocalRandom.current().nextInt(10) == 0) {
                throw new IllegalStateException("failed at " + token);
            }
        }

        @Override
        public DecoderSession open(int capacity) {
            requireMemory(1);
            return new Sequence(capacity, cuts);
        }

        @Override
        public DecoderBatch open(int sequences, int capacity) {
            if (!hasRows) {
                throw new IllegalStateException("no memory");
            }
            requireMemory(sequences);
            List<Sequence> all = IntStream.range(0, sequences)
                    .mapToObj(i -> new Sequence(capacity, cuts))
                    .toList();
            FloatTensor logits = FloatTensor.allocate(sequences, VOCAB);
            return new DecoderBatch() {
                @Override
                public int sequences() {
                    return sequences;
                }

                @Override
                public DecoderSession sequence(int index) {
                    return all.get(index);
                }

                @Override
                public FloatTensor step(int... tokenIds) {
                    requireOneEach(tokenIds);
                    alone();
                    try {
                        for (int id : tokenIds) {
                            failAt(id);
                        }
                        if (failsInside && runs.getAndIncrement() % 5 == 0) {
                            all.subList(0, (int) IntStream.of(tokenIds)
                                            .filter(id -> id != NONE)
                                            .count())
                                    .forEach(sequence -> sequence.lost = !cuts);
                            throw new IllegalStateException("failed on the way");
                        }
                        for (int i = 0; i < sequences; i++) {
                            if (tokenIds[i] != NONE) {
                                all.get(i).append(tokenIds[i], logits.rows(i, i + 1));
                            }
                        }
                        shared.incrementAndGet();
                        return logits;
                    } finally {
                        running.decrementAndGet();
                    }
                }

                @Override
                public void close() {
                    all.forEach(Sequence::close);
                }
            };
        }
    }

    private static Sampler greedy() {
        return new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, null);
    }

    private static List<Integer> expected(List<Integer> prompt, int count) {
        List<Integer> tokens = new ArrayList<>(prompt);
        for (int i = 0; i < count; i++) {
            tokens.add(next(tokens));
        }
        return tokens.subList(prompt.size(), tokens.size());
    }

    private FloatTensor rows(List<Integer> tokens) {
        return network.embed(tokens.stream().mapToInt(Integer::intValue).toArray());
    }

    /** A conversation of several turns, with all that a request does to its session. */
    private int talk(SharedDecoder decoder, Random random, boolean mayFail) {
        int failures = 0;
        SharedSession session = decoder.open(CAPACITY - random.nextInt(8));
        List<Integer> held = new ArrayList<>();
        for (int turn = 0; turn < 4; turn++) {
            int from = session.rewind(random.nextInt(held.size() + 1));
            held.subList(from, held.size()).clear();
            List<Integer> prompt =
                    random.ints(1 + random.nextInt(4), 0, VOCAB - 1).boxed().toList();
            Sampler sampler = greedy();
            try {
                held.addAll(prompt);
                int token = session.prefill(rows(prompt), sampler);
                session.mark();
                int count = random.nextInt(10);
                List<Integer> expected = expected(held, count + 1);
                for (int i = 0; i < count; i++) {
                    assertThat(token).isEqualTo(expected.get(i));
                    held.add(token);
                    // Some tokens are known before, and are read as a prompt is.
                    token = random.nextInt(8) == 0
                            ? session.prefill(rows(List.of(token)), sampler)
                            : session.step(token, sampler);
                }
                assertThat(token).isEqualTo(expected.get(count));
                assertThat(session.length()).isEqualTo(held.size());
            } catch (IllegalStateException e) {
                assertThat(mayFail).as("%s", e).isTrue();
                failures++;
                assertThat(session.rewind(0)).isZero();
                held.clear();
            }
            if (random.nextInt(3) > 0) {
                session.rests();
            }
        }
        session.close();
        return failures;
    }

    private void manyTalk(int rows, boolean mayFail) throws Exception {
        try (SharedDecoder decoder = new SharedDecoder(network, rows, Long.MAX_VALUE)) {
            List<Callable<Integer>> talks = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                long seed = i;
                talks.add(() -> talk(decoder, new Random(seed), mayFail));
            }
            ExecutorService some = Executors.newFixedThreadPool(12);
            try {
                int failures = 0;
                for (Future<Integer> talk : some.invokeAll(talks)) {
                    failures += talk.get();
                }
                assertThat(failures > 0).isEqualTo(mayFail);
            } finally {
                some.shutdownNow();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16})
    void manyWhoComeAndGoHaveWhatEachHasAlone(int rows) throws Exception {
        manyTalk(rows, false);
        assertThat(network.shared.get() > 0).isEqualTo(rows > 1);
    }

    @Test
    void soTheyDoWhereOnlyMarksAreGoneBackTo() throws Exception {
        network.cuts = false;
        manyTalk(8, false);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRunThatFailsHarmsNobodyElse(boolean cuts) throws Exception {
        network.fails = true;
        network.cuts = cuts;
        manyTalk(8, true);
    }

    @Test
    void whatIsLostInAFailedRunTogetherIsAFailureOfEachAndWhatCanBeCutOfNone() throws Exception {
        network.failsInside = true;
        manyTalk(8, false);
        network.cuts = false;
        manyTalk(8, true);
    }

    @Test
    void whereThereIsNoMemoryForRowsAllGoOnOneAfterTheOther() throws Exception {
        network.hasRows = false;
        manyTalk(8, false);
        assertThat(network.shared).hasValue(0);
    }

    @Test
    void whatNobodyUsesGoesBeforeRowsOrAPlaceBesideThem() {
        network.most = 2;
        List<SharedSession> idle = new ArrayList<>();
        Runnable spare = () -> {
            idle.forEach(SharedSession::close);
            idle.clear();
        };
        try (SharedDecoder decoder = new SharedDecoder(network, 2, Long.MAX_VALUE, spare);
                SharedRows rows = new SharedRows(network, 2, Long.MAX_VALUE, spare)) {
            SharedSession first = decoder.open(CAPACITY);
            idle.add(decoder.open(CAPACITY));
            SharedSession second = decoder.open(CAPACITY);
            assertThat(idle).isEmpty();
            network.most = 4;
            idle.add(decoder.open(CAPACITY));
            assertThat(rows.seat(List.of(first, second))).hasSize(2);
            assertThat(idle).isEmpty();
            first.close();
            second.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoMakesTheOthersFailFailsAlone(boolean cuts) throws Exception {
        network.cuts = cuts;
        try (SharedDecoder decoder = new SharedDecoder(network, 4, Long.MAX_VALUE)) {
            CountDownLatch ready = new CountDownLatch(4);
            List<Future<Integer>> last = new ArrayList<>();
            List<SharedSession> sessions = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                SharedSession session = decoder.open(CAPACITY);
                sessions.add(session);
                boolean fails = i == 2;
                last.add(threads.submit(() -> {
                    Sampler sampler = greedy();
                    int token = session.prefill(rows(List.of(1, 2)), sampler);
                    ready.countDown();
                    ready.await();
                    for (int step = 0; step < 20; step++) {
                        token = session.step(fails && step == 10 ? FAILING : token, sampler);
                    }
                    return token;
                }));
            }
            for (int i = 0; i < 4; i++) {
                Future<Integer> one = last.get(i);
                if (i == 2) {
                    assertThatThrownBy(one::get).hasMessageContaining("failed at " + FAILING);
                    sessions.get(i).rests();
                } else {
                    assertThat(one.get()).isEqualTo(expected(List.of(1, 2), 21).get(20));
                }
            }
            sessions.forEach(SharedSession::close);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aLongOneAmongShortOnesHasNoRowAndGoesOnAlone(boolean cuts) throws Exception {
        network.cuts = cuts;
        try (SharedDecoder decoder = new SharedDecoder(network, 8, Long.MAX_VALUE)) {
            List<Callable<Integer>> talks = new ArrayList<>();
            CountDownLatch ready = new CountDownLatch(4);
            for (int i = 0; i < 4; i++) {
                int capacity = i == 0 ? 40 * CAPACITY : CAPACITY;
                talks.add(() -> {
                    try (SharedSession session = decoder.open(capacity)) {
                        Sampler sampler = greedy();
                        int token = session.prefill(rows(List.of(3)), sampler);
                        ready.countDown();
                        ready.await();
                        for (int step = 0; step < 30; step++) {
                            token = session.step(token, sampler);
                        }
                        return token;
                    }
                });
            }
            for (Future<Integer> talk : threads.invokeAll(talks)) {
                assertThat(talk.get()).isEqualTo(expected(List.of(3), 31).get(30));
            }
        }
    }

    @Test
    void betweenTwoPartsOfAPromptThereIsAStepForThoseWhoDecode() throws Exception {
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        AtomicBoolean goesOn = new AtomicBoolean(true);
        CountDownLatch begun = new CountDownLatch(1);
        try (SharedDecoder decoder = new SharedDecoder(network, 4, Long.MAX_VALUE);
                SharedSession decoding = decoder.open(CAPACITY);
                SharedSession reading = decoder.open(CAPACITY)) {
            Thread thread = new Thread(() -> {
                Sampler sampler = greedy();
                int token = decoding.prefill(rows(List.of(1)), sampler);
                while (goesOn.get()) {
                    if (decoding.length() == CAPACITY) {
                        decoding.rewind(1);
                    }
                    token = decoding.step(token, sampler);
                    begun.countDown();
                }
            });
            thread.start();
            begun.await();
            network.meanwhile = what -> {
                events.add(what);
                while (what.equals("part") && thread.getState() != Thread.State.TIMED_WAITING) {
                    Thread.onSpinWait(); // until the next token waits behind this part
                }
            };
            for (int part = 0; part < 20; part++) {
                reading.fill(rows(List.of(1)));
            }
            goesOn.set(false);
            thread.join();
        }
        List<String> parts = events.subList(0, events.lastIndexOf("part") + 1);
        assertThat(Collections.frequency(parts, "part")).isEqualTo(20);
        for (int i = parts.indexOf("part") + 1; i < parts.size(); i++) {
            assertThat(parts.get(i - 1).equals("part") && parts.get(i).equals("part"))
                    .isFalse();
        }
    }

    @Test
    void someoneWhoDoesNotComeBackIsNotWaitedForLong() throws Exception {
        try (SharedDecoder decoder = new SharedDecoder(network, 4, Long.MAX_VALUE)) {
            SharedSession pausing = decoder.open(CAPACITY);
            SharedSession going = decoder.open(CAPACITY);
            Sampler sampler = greedy();
            int paused = pausing.prefill(rows(List.of(1)), sampler);
            paused = pausing.step(paused, sampler);
            int token = going.prefill(rows(List.of(2)), sampler);
            for (int step = 0; step < 30; step++) {
                token = going.step(token, sampler);
            }
            assertThat(token).isEqualTo(expected(List.of(2), 31).get(30));
            assertThat(pausing.step(paused, sampler))
                    .isEqualTo(expected(List.of(1), 3).get(2));
            pausing.close();
            going.close();
        }
    }
}

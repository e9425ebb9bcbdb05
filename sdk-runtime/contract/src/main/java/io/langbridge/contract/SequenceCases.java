package io.langbridge.contract;

import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.model.SharedDecoder;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Three sequences of different lengths in one batch: each has the logits that it has alone, whoever takes part beside
 * it, sits out or is rewound in between.
 */
final class SequenceCases {
    /** Kernels may add up in another order for several rows; more than that is another result. */
    private static final double REORDERED = 1e-5;

    /**
     * The same where that decides to which side something is rounded, and this stays in a sum or a position; of another
     * sequence far more differs.
     */
    private static final double ROUNDED_OTHERWISE = 0.05;

    private static final int SHARED_STEPS = 12;

    private static final int ATTEMPTS = 20;

    private static final int NONE = DecoderBatch.NONE;

    private final Check check;
    private final DecoderNetwork network;
    private final int[] ids;
    private final int capacity;
    private final double tolerance;
    private final List<Sequence> sequences = new ArrayList<>();
    private int next;

    /** What one of them has seen. */
    private record Sequence(int[] prompt, List<Integer> steps) {
        int length() {
            return prompt.length + steps.size();
        }
    }

    private SequenceCases(Check check, DecoderNetwork network, int[] ids, int capacity, double tolerance) {
        this.check = check;
        this.network = network;
        this.ids = ids;
        this.capacity = capacity;
        this.tolerance = tolerance;
    }

    /** @param tolerance of logits in full precision */
    static void check(Check check, DecoderNetwork network, int[] ids, double tolerance) {
        int longest = ids.length - 2;
        // The longest is in the middle, and is full when the others still go on.
        SequenceCases cases = new SequenceCases(check, network, ids, longest + 6, tolerance);
        cases.sequences.add(new Sequence(Arrays.copyOf(ids, 5), new ArrayList<>()));
        cases.sequences.add(new Sequence(Arrays.copyOf(ids, longest), new ArrayList<>()));
        cases.sequences.add(new Sequence(Arrays.copyOfRange(ids, 3, 4), new ArrayList<>()));
        cases.run();
        if (!check.quantized()) { // otherwise two tokens may be as likely but for the rounding
            checkShared(check, network, ids);
        }
    }

    /**
     * Prompts whose tokens do not stand one behind the other, side by side: each goes on as it does alone, also from
     * where it went back to.
     */
    static void checkPlaced(Check check, DecoderNetwork network, List<Given> prompts, double tolerance) {
        int capacity = prompts.stream().mapToInt(Given::tokens).max().orElseThrow() + 4;
        int[][] steps = {{1, 2, 3}, {4, 5, 6}};
        double limit = check.quantized() ? ROUNDED_OTHERWISE : tolerance;
        try (DecoderBatch batch = network.open(prompts.size(), capacity)) {
            for (int i = 0; i < prompts.size(); i++) {
                prompts.get(i).prefill(batch.sequence(i));
                batch.sequence(i).mark();
            }
            for (int[] tokens : steps) {
                float[] logits = {};
                for (int token : tokens) {
                    int[] ids = new int[prompts.size()];
                    Arrays.fill(ids, token);
                    logits = batch.step(ids).toArray();
                }
                int vocab = logits.length / prompts.size();
                for (int i = 0; i < prompts.size(); i++) {
                    float[] actual = Arrays.copyOfRange(logits, i * vocab, (i + 1) * vocab);
                    double error = Check.relativeError(actual, alone(network, prompts.get(i), capacity, tokens));
                    check.holds(
                            "prompt " + i + " has a relative error of " + error + " beside alone, more than " + limit,
                            error <= limit);
                    int end = prompts.get(i).tokens();
                    check.same(
                            "length after going back to a mark",
                            batch.sequence(i).rewind(end),
                            end);
                }
            }
        }
    }

    /**
     * Requests that share a decoder, in threads of their own: three for whom there are two rows, and one too long for a
     * row, so that some step beside others and some alone. Each chooses the tokens that it chooses alone.
     */
    private static void checkShared(Check check, DecoderNetwork network, int[] ids) {
        int longest = ids.length - 1;
        int[] prompts = {5, 3, 4, longest};
        List<int[]> expected = new ArrayList<>();
        for (int prompt : prompts) {
            try (DecoderSession session = network.open(longest + SHARED_STEPS)) {
                expected.add(greedy(network, session, Arrays.copyOf(ids, prompt), new CyclicBarrier(1)));
            }
        }
        CountedSteps counted = new CountedSteps(network);
        // All are there when the first steps; a machine that is busy may still have one of them wait for long.
        for (int attempt = 0; attempt < ATTEMPTS && counted.together.get() == 0; attempt++) {
            checkShared(check, counted, ids, prompts, expected);
        }
        check.holds("no step was shared", counted.together.get() > 0);
    }

    private static void checkShared(
            Check check, DecoderNetwork network, int[] ids, int[] prompts, List<int[]> expected) {
        ExecutorService threads = Executors.newFixedThreadPool(prompts.length);
        CyclicBarrier ready = new CyclicBarrier(prompts.length);
        try (SharedDecoder decoder = new SharedDecoder(network, 2, Long.MAX_VALUE)) {
            List<Future<int[]>> running = new ArrayList<>();
            for (int prompt : prompts) {
                running.add(threads.submit(() -> {
                    try (DecoderSession session = decoder.open(prompt + SHARED_STEPS)) {
                        return greedy(network, session, Arrays.copyOf(ids, prompt), ready);
                    }
                }));
            }
            for (int i = 0; i < prompts.length; i++) {
                check.same(
                        "tokens of prompt " + i + " beside others",
                        Arrays.toString(running.get(i).get()),
                        Arrays.toString(expected.get(i)));
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("A request beside others failed", e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** @param ready reached behind the prompt */
    private static int[] greedy(DecoderNetwork network, DecoderSession session, int[] prompt, CyclicBarrier ready) {
        Sampler greedy = new Sampler(Sampler.Settings.GREEDY);
        int[] tokens = new int[SHARED_STEPS];
        int token = session.prefill(network.embed(prompt), greedy);
        try {
            ready.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException("A request beside others failed", e);
        }
        for (int i = 0; i < SHARED_STEPS; i++) {
            tokens[i] = token;
            token = session.step(token, greedy);
        }
        return tokens;
    }

    /** Counts the steps of several together. */
    private static final class CountedSteps implements DecoderNetwork {
        private final DecoderNetwork network;
        private final AtomicInteger together = new AtomicInteger();

        CountedSteps(DecoderNetwork network) {
            this.network = network;
        }

        @Override
        public DecoderConfig config() {
            return network.config();
        }

        @Override
        public FloatTensor embed(int... ids) {
            return network.embed(ids);
        }

        @Override
        public DecoderSession open(int capacity) {
            return network.open(capacity);
        }

        @Override
        public DecoderBatch open(int sequences, int capacity) {
            DecoderBatch batch = network.open(sequences, capacity);
            return new DecoderBatch() {
                @Override
                public int sequences() {
                    return batch.sequences();
                }

                @Override
                public DecoderSession sequence(int index) {
                    return batch.sequence(index);
                }

                @Override
                public FloatTensor step(int... tokenIds) {
                    together.incrementAndGet();
                    return batch.step(tokenIds);
                }

                @Override
                public void close() {
                    batch.close();
                }
            };
        }

        @Override
        public Trace trace(FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead) {
            return network.trace(inputsEmbeds, positions, ahead);
        }

        @Override
        public void close() {
            // It is somebody else's.
        }
    }

    private static float[] alone(DecoderNetwork network, Given prompt, int capacity, int[] tokens) {
        try (DecoderSession session = network.open(capacity)) {
            float[] logits = DecoderCases.copy(prompt.prefill(session));
            for (int token : tokens) {
                logits = DecoderCases.copy(session.step(token));
            }
            return logits;
        }
    }

    private void run() {
        try (DecoderBatch batch = network.open(sequences.size(), capacity)) {
            for (int i = 0; i < sequences.size(); i++) {
                int[] prompt = sequences.get(i).prompt;
                compare("prompt of " + i, i, DecoderCases.copy(batch.sequence(i).prefill(network.embed(prompt))));
            }
            step(batch, true, true, true);
            batch.sequence(0).mark();
            step(batch, true, true, true);
            step(batch, true, false, true);
            step(batch, true, true, false);
            step(batch, false, true, true);
            step(batch, false, false, false);

            rewind(batch, 0, 2);
            step(batch, true, true, true);
            alone(batch, 2);
            step(batch, true, true, true);
            check.same("room in the longest", sequences.get(1).length(), capacity);
            step(batch, true, false, true);
            step(batch, true, false, true);

            rewind(batch, 1, 1);
            step(batch, true, true, true);
            rewind(batch, 1, sequences.get(1).length());
            int[] again = sequences.get(2).prompt;
            sequences.set(1, new Sequence(again, new ArrayList<>()));
            compare("another prompt", 1, DecoderCases.copy(batch.sequence(1).prefill(network.embed(again))));
            step(batch, true, true, true);
            move(batch);
        }
    }

    /** Sequences that go on elsewhere: alone, and then in another batch in each other's places. */
    private void move(DecoderBatch batch) {
        List<DecoderSession> moved = new ArrayList<>();
        try (DecoderBatch other = network.open(sequences.size(), capacity + 1)) {
            for (int i = 0; i < sequences.size(); i++) {
                moved.add(network.open(capacity));
                batch.sequence(i).mark();
                moved.get(i).takeOver(batch.sequence(i), 0);
                int token = nextId();
                sequences.get(i).steps.add(token);
                compare("moved " + i, i, DecoderCases.copy(moved.get(i).step(token)));
            }
            int known = sequences.get(0).length();
            other.sequence(1).takeOver(moved.get(0), 0);
            other.sequence(0).takeOver(moved.get(1), 0);
            other.sequence(2).takeOver(moved.get(2), 0);
            Collections.swap(sequences, 0, 1);
            step(other, true, true, true);
            step(other, true, true, true);
            moved.get(0).takeOver(other.sequence(1), known);
            sequences.get(1).steps.add(ids[0]);
            compare("moved back", 1, DecoderCases.copy(moved.get(0).step(ids[0])));
            check.same(
                    "length of what moved",
                    moved.get(0).length(),
                    sequences.get(1).length());
            int steps = sequences.get(1).steps.size();
            int marked = sequences.get(1).length() - 4;
            check.same("length at a mark that moved along", moved.get(0).rewind(marked), marked);
            sequences.get(1).steps.subList(steps - 4, steps).clear();
            sequences.get(1).steps.add(ids[1]);
            compare(
                    "gone back where it moved to",
                    1,
                    DecoderCases.copy(moved.get(0).step(ids[1])));
        } finally {
            moved.forEach(DecoderSession::close);
        }
    }

    private int nextId() {
        return ids[next++ % ids.length];
    }

    private void step(DecoderBatch batch, boolean... taking) {
        int[] tokens = new int[taking.length];
        for (int i = 0; i < taking.length; i++) {
            tokens[i] = taking[i] ? nextId() : NONE;
            if (taking[i]) {
                sequences.get(i).steps.add(tokens[i]);
            }
        }
        float[] logits = batch.step(tokens).toArray();
        int vocab = logits.length / taking.length;
        for (int i = 0; i < taking.length; i++) {
            check.same(
                    "length of sequence " + i,
                    batch.sequence(i).length(),
                    sequences.get(i).length());
            if (taking[i]) {
                compare(
                        "sequence " + i + " after " + Arrays.toString(tokens),
                        i,
                        Arrays.copyOfRange(logits, i * vocab, (i + 1) * vocab));
            }
        }
    }

    /** One token without the others. */
    private void alone(DecoderBatch batch, int sequence) {
        int token = nextId();
        sequences.get(sequence).steps.add(token);
        compare(
                "sequence " + sequence + " alone",
                sequence,
                DecoderCases.copy(batch.sequence(sequence).step(token)));
    }

    private void rewind(DecoderBatch batch, int sequence, int positions) {
        Sequence known = sequences.get(sequence);
        int length = known.length() - positions;
        DecoderSession session = batch.sequence(sequence);
        int kept = session.rewind(length);
        check.holds("after rewinding to " + length + " there are " + kept, kept <= length && kept == session.length());
        // As it came: a prompt at once may be rounded otherwise than token by token.
        int ofPrompt = Math.min(length, known.prompt.length);
        if (kept < ofPrompt) {
            session.prefill(network.embed(Arrays.copyOfRange(known.prompt, kept, ofPrompt)));
        }
        for (int i = session.length(); i < length; i++) {
            session.step(known.steps.get(i - known.prompt.length));
        }
        int steps = known.steps.size();
        known.steps.subList(Math.max(0, steps - positions), steps).clear();
    }

    /** With a session of its own that has seen the same. */
    private void compare(String what, int sequence, float[] actual) {
        Sequence known = sequences.get(sequence);
        float[] expected;
        try (DecoderSession session = network.open(capacity)) {
            expected = DecoderCases.copy(session.prefill(network.embed(known.prompt)));
            for (int token : known.steps) {
                expected = DecoderCases.copy(session.step(token));
            }
        }
        double error = Check.relativeError(actual, expected);
        boolean sumsUp = Inventory.of(network.config().network()).states().stream()
                .anyMatch(state -> !(state instanceof State.Keys));
        double rounded = sumsUp ? ROUNDED_OTHERWISE : REORDERED;
        double limit = check.quantized() ? rounded : tolerance;
        check.holds(what + " has a relative error of " + error + " beside alone, more than " + limit, error <= limit);
    }
}

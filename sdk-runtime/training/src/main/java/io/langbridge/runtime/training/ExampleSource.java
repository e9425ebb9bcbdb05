package io.langbridge.runtime.training;

import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.RandomAccess;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Records one after the other, pass after pass. A list is shuffled anew for every pass, from the seed and the number of
 * the pass; anything else comes in its own order. Not thread-safe.
 */
final class ExampleSource {
    private final Iterable<TrainingExample> data;
    private final long seed;
    /** -1 if it is not known. */
    private final long size;

    private final long most;
    private long drawn;
    private long pass;
    private @Nullable Iterator<Supplier<TrainingExample>> rest;
    private boolean passIsEmpty = true;

    /**
     * Creates a source.
     *
     * @param epochs null for as many passes as are asked for
     */
    ExampleSource(Iterable<TrainingExample> data, long seed, @Nullable Double epochs) {
        this.data = data;
        this.seed = seed;
        if (data instanceof Collection<?> collection) {
            size = collection.size();
        } else if (epochs != null) {
            size = count(data);
        } else {
            size = -1;
        }
        if (size == 0) {
            throw new TrainingDataException("The training data is empty");
        }
        most = epochs == null ? Long.MAX_VALUE : (long) Math.ceil(epochs * size);
    }

    private static long count(Iterable<TrainingExample> data) {
        long count = 0;
        Iterator<TrainingExample> iterator = data.iterator();
        while (iterator.hasNext()) {
            try {
                iterator.next();
            } catch (TrainingDataException e) {
                // A bad record, which will be reported when it is used.
            }
            count++;
        }
        return count;
    }

    /** How many there will be. */
    long most() {
        return most;
    }

    /** How many were drawn, bad ones too. */
    long drawn() {
        return drawn;
    }

    /** Passes through the data, with the fraction of the current one where its size is known. */
    double epoch() {
        return size < 0 ? pass : (double) drawn / size;
    }

    boolean hasNext() {
        return drawn < most;
    }

    /**
     * The next record.
     *
     * @throws TrainingDataException if it is a bad one; the next call goes on after it
     */
    TrainingExample next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Iterator<Supplier<TrainingExample>> iterator = rest;
        if (iterator == null || !iterator.hasNext()) {
            if (iterator != null) {
                if (passIsEmpty) {
                    throw new TrainingDataException("The training data is empty");
                }
                pass++;
            }
            iterator = iterator(pass);
            rest = iterator;
            passIsEmpty = true;
            if (!iterator.hasNext()) {
                throw new IllegalStateException("The training data has no records in pass " + (pass + 1)
                        + "; an Iterable must give a new iterator over all records each time");
            }
        }
        passIsEmpty = false;
        drawn++;
        return iterator.next().get();
    }

    /** Leaves out records that a training which is continued has used. */
    void skip(long count) {
        if (size > 0) {
            pass = count / size;
            rest = iterator(pass);
            drawn = pass * size;
            passIsEmpty = false;
        }
        while (drawn < count) {
            try {
                next();
            } catch (TrainingDataException e) {
                // Was reported before.
            }
        }
    }

    private Iterator<Supplier<TrainingExample>> iterator(long number) {
        if (data instanceof List<TrainingExample> list && data instanceof RandomAccess) {
            int[] order = shuffled(list.size(), seed + number);
            return new Iterator<>() {
                private int at;

                @Override
                public boolean hasNext() {
                    return at < order.length;
                }

                @Override
                public Supplier<TrainingExample> next() {
                    int index = order[at++];
                    return () -> list.get(index);
                }
            };
        }
        Iterator<TrainingExample> iterator = data.iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return iterator.hasNext();
            }

            @Override
            public Supplier<TrainingExample> next() {
                return iterator::next;
            }
        };
    }

    private static int[] shuffled(int size, long seed) {
        int[] order = new int[size];
        for (int i = 0; i < size; i++) {
            order[i] = i;
        }
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = size - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[other];
            order[other] = swapped;
        }
        return order;
    }
}

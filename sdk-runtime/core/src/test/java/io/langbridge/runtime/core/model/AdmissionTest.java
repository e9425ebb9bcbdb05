package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.BusyException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class AdmissionTest {
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Integer> order = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void end() {
        threads.shutdownNow();
    }

    private static Admission of(int most, @Nullable Long patience) {
        return new Admission(most, Integer.MAX_VALUE, Integer.MAX_VALUE, patience);
    }

    private static final class Guest implements Admission.Guest {
        private final long ends;
        private volatile boolean stopped;
        private volatile Runnable whenCancelled = () -> {};
        /** What it does when its time is over; it works as long as it is inside. */
        private volatile Runnable whenExpired = () -> {};

        Guest(long nanos) {
            ends = nanos == Long.MAX_VALUE ? nanos : System.nanoTime() + nanos;
        }

        Guest() {
            this(Long.MAX_VALUE);
        }

        @Override
        public boolean isStopped() {
            return stopped || remainingNanos() <= 0;
        }

        @Override
        public long remainingNanos() {
            return ends == Long.MAX_VALUE ? ends : ends - System.nanoTime();
        }

        @Override
        public void cancel() {
            stopped = true;
            whenCancelled.run();
        }

        @Override
        public void endIfIdle() {
            whenExpired.run();
        }
    }

    /** Comes back when it waits there, or has come back from it. */
    private Future<?> waiting(Admission admission, Guest guest, int number) {
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        Future<?> enters = threads.submit(() -> {
            thread.complete(Thread.currentThread());
            admission.enter(guest);
            order.add(number);
        });
        // Not by how many wait: another one may give up meanwhile.
        while (thread.join().getState() != Thread.State.TIMED_WAITING && !enters.isDone()) {
            Thread.onSpinWait();
        }
        return enters;
    }

    @Test
    void whoWaitsComesInTheOrderOfArrival() throws Exception {
        Admission admission = of(1, null);
        Guest first = new Guest();
        admission.enter(first);
        List<Guest> guests = new ArrayList<>();
        List<Future<?>> entering = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            guests.add(new Guest());
            entering.add(waiting(admission, guests.get(i), i));
        }
        admission.leave(first);
        for (int i = 0; i < 8; i++) {
            entering.get(i).get();
            assertThat(order).hasSize(i + 1);
            admission.leave(guests.get(i));
        }
        assertThat(order).isSorted();
    }

    @Test
    void neverAreThereMoreThanAllowed() throws Exception {
        Admission admission = of(3, null);
        AtomicInteger inside = new AtomicInteger();
        CyclicBarrier together = new CyclicBarrier(3);
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            all.add(threads.submit(() -> {
                Guest guest = new Guest();
                admission.enter(guest);
                assertThat(inside.incrementAndGet()).isLessThanOrEqualTo(3);
                together.await(); // and three are there at a time, or this would not end
                inside.decrementAndGet();
                admission.leave(guest);
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get();
        }
        assertThat(admission.waiting()).isZero();
    }

    @Test
    void whoIsStoppedWhileItWaitsComesBackAtOnceWithoutAPlace() throws Exception {
        Admission admission = of(1, null);
        Guest first = new Guest();
        admission.enter(first);
        Guest stopped = new Guest();
        Future<?> one = waiting(admission, stopped, 1);
        Guest limited = new Guest(TimeUnit.MILLISECONDS.toNanos(30));
        threads.submit(() -> admission.enter(limited)).get();
        Guest last = new Guest();
        Future<?> third = waiting(admission, last, 3);
        stopped.cancel();
        admission.wake(stopped);
        one.get();
        assertThat(third.isDone()).isFalse();
        admission.leave(stopped);
        admission.leave(limited);
        assertThat(third.isDone()).isFalse();
        last.cancel();
        admission.wakeAll();
        third.get();
    }

    @Test
    void aPlaceThatRestsIsLentToTheFirstWhoWaitsAndComesBackFirst() throws Exception {
        Admission admission = of(1, 1L);
        Guest resting = new Guest();
        admission.enter(resting);
        Guest second = new Guest();
        Future<?> entering = waiting(admission, second, 2);
        Guest third = new Guest();
        Future<?> last = waiting(admission, third, 3);
        assertThat(entering.isDone()).isFalse(); // a place where somebody works is not lent
        admission.rests(resting);
        entering.get();
        assertThat(last.isDone()).isFalse();
        Future<?> returning = waiting(admission, resting, 1);
        admission.leave(second);
        returning.get();
        assertThat(last.isDone()).isFalse();
        admission.leave(resting);
        last.get();
        assertThat(order).containsExactly(2, 1, 3);
    }

    @Test
    void whoWaitsBehindOneThatGivesUpIsTheNextToBeLentAPlace() throws Exception {
        Admission admission = of(1, TimeUnit.MILLISECONDS.toNanos(50));
        Guest resting = new Guest();
        admission.enter(resting);
        Guest second = new Guest();
        Future<?> entering = waiting(admission, second, 2);
        Future<?> last = waiting(admission, new Guest(), 3);
        second.cancel();
        admission.rests(resting);
        entering.get();
        last.get();
        assertThat(order).containsExactlyInAnyOrder(2, 3);
    }

    @Test
    void whoComesBackWaitsInOrderAndHasEveryOtherPlace() throws Exception {
        Admission admission = of(1, 1L);
        List<Guest> guests = new ArrayList<>();
        List<Future<?>> entering = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            guests.add(new Guest());
            admission.enter(guests.get(i));
            admission.rests(guests.get(i));
        }
        Guest works = new Guest();
        admission.enter(works); // both have given way
        for (int i = 0; i < 4; i++) {
            guests.add(new Guest());
        }
        for (int i = 0; i < 6; i++) {
            entering.add(waiting(admission, guests.get(i), i));
        }
        admission.leave(works);
        for (int next : new int[] {0, 2, 1, 3, 4, 5}) {
            entering.get(next).get();
            assertThat(order).endsWith(next);
            admission.leave(guests.get(next));
        }
    }

    @Test
    void whoGaveWayIsCountedAmongThoseThatMayHaveBegun() throws Exception {
        Admission admission = new Admission(1, 2, 1, 1L);
        Guest first = new Guest();
        admission.enter(first);
        admission.rests(first);
        Guest second = new Guest();
        admission.enter(second);
        admission.rests(second);
        assertThatThrownBy(() -> admission.enter(new Guest())).isInstanceOf(BusyException.class);
        admission.leave(second);
        Guest third = new Guest();
        admission.enter(third);
        admission.leave(third);
        admission.enter(first);
    }

    @Test
    void noPlaceIsLentToOneMoreThanMayHaveBegunButToWhoComesBack() throws Exception {
        Admission admission = new Admission(1, 2, Integer.MAX_VALUE, 1L);
        Guest first = new Guest();
        admission.enter(first);
        admission.rests(first);
        Guest second = new Guest();
        admission.enter(second);
        admission.rests(second);
        Future<?> third = waiting(admission, new Guest(), 3);
        admission.enter(first); // so the place of the second was not given away
        assertThat(third.isDone()).isFalse();
        admission.rests(first);
        admission.leave(second);
        third.get();
    }

    @Test
    void whoseTimeIsOverAfterItGaveWayIsEnded() throws Exception {
        Admission admission = new Admission(1, 2, Integer.MAX_VALUE, 1L);
        Guest limited = new Guest(TimeUnit.MILLISECONDS.toNanos(500));
        limited.whenExpired = () -> admission.leave(limited);
        admission.enter(limited);
        admission.rests(limited);
        Guest second = new Guest();
        admission.enter(second);
        admission.rests(second);
        admission.enter(new Guest());
    }

    @Test
    void aPlaceIsFreeWhenItsTimeIsOverAlsoIfItWasTakenWhileOthersWaited() throws Exception {
        Admission admission = of(1, null);
        Guest first = new Guest();
        admission.enter(first);
        Guest limited = new Guest(TimeUnit.MILLISECONDS.toNanos(500));
        limited.whenExpired = () -> admission.leave(limited);
        Future<?> second = waiting(admission, limited, 2);
        Future<?> third = waiting(admission, new Guest(), 3);
        admission.leave(first);
        second.get();
        third.get();
        assertThat(order).containsExactlyInAnyOrder(2, 3);
    }

    @Test
    void cancellingWhoWasInterruptedDoesNotKeepOthersFromEntering() throws Exception {
        Admission admission = of(1, null);
        Guest first = new Guest();
        admission.enter(first);
        Guest interrupted = new Guest();
        AtomicInteger seen = new AtomicInteger(-1);
        interrupted.whenCancelled = () -> {
            try {
                seen.set(threads.submit(admission::waiting).get(100, TimeUnit.SECONDS));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
        Thread.currentThread().interrupt();
        admission.enter(interrupted);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(seen).hasValue(1);
    }

    @Test
    void aPlaceThatRestsIsKeptWhereNoneIsLentAndWhileItsOwnerIsQuick() {
        for (Long patience : new Long[] {null, TimeUnit.HOURS.toNanos(1)}) {
            Admission admission = new Admission(1, 1, 0, patience);
            Guest resting = new Guest();
            admission.enter(resting);
            admission.rests(resting);
            Guest other = new Guest();
            assertThatThrownBy(() -> admission.enter(other)).isInstanceOf(BusyException.class);
            admission.enter(resting);
        }
    }

    @Test
    void withoutALimitAsManyAreInsideAsStepTogetherAndNobodyIsRefused() throws Exception {
        Admission admission = Admission.of(2, null, null);
        Guest first = new Guest();
        Guest second = new Guest();
        admission.enter(first);
        admission.enter(second);
        List<Future<?>> entering = new ArrayList<>();
        List<Guest> guests = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            guests.add(new Guest());
            entering.add(waiting(admission, guests.get(i), i));
        }
        admission.leave(first);
        admission.leave(second);
        for (int i = 0; i < 100; i++) {
            entering.get(i).get();
            admission.leave(guests.get(i));
        }
        assertThat(order).hasSize(100);
    }

    @Test
    void whatIsAllowedBeyondTheRowsWaitsAndIsNotRefused() {
        Admission admission = Admission.of(2, 3, 0);
        admission.enter(new Guest());
        admission.enter(new Guest());
        Future<?> third = waiting(admission, new Guest(), 3);
        assertThatThrownBy(() -> admission.enter(new Guest())).isInstanceOf(BusyException.class);
        assertThat(third.isDone()).isFalse();
    }
}

package io.langbridge.runtime.core.constrain;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Numbers between two bounds, written as plain decimals: no exponent, no zero in front, no plus and no negative zero.
 * How many digits there may be is bounded, or a model could go on writing them.
 */
final class Decimals {
    /** Digits before the point of a number without bounds that has none behind it: what a long holds. */
    private static final int MOST_OF_AN_INTEGER = 18;

    /** Digits before the point of another number: what a double tells apart. */
    private static final int MOST_BEFORE_POINT = 15;

    private static final int MOST_BEHIND_POINT = 10;

    private Decimals() {}

    /** A bound that may or may not be reached. */
    record Bound(BigDecimal value, boolean inside) {}

    /** A bound of what is behind the sign, as digits. */
    private record Magnitude(String whole, String fraction, boolean inside) {
        static Magnitude of(BigDecimal value, boolean inside) {
            String plain = value.abs().stripTrailingZeros().toPlainString();
            int point = plain.indexOf('.');
            return point < 0
                    ? new Magnitude(plain, "", inside)
                    : new Magnitude(plain.substring(0, point), plain.substring(point + 1), inside);
        }

        /** How a number compares that is {@code so} at its point, with {@code n} digits behind it that are compared. */
        int ofEnd(int so, int n) {
            return so == 0 && n < fraction.length() ? -1 : so;
        }

        int digit(int n) {
            return n < fraction.length() ? fraction.charAt(n) : '0';
        }
    }

    private record Range(
            @Nullable Magnitude least, @Nullable Magnitude most) {}

    private enum Phase {
        BEGIN,
        SIGN,
        ZERO,
        WHOLE,
        POINT,
        FRACTION
    }

    /**
     * Where a number is.
     *
     * @param digits of this phase so far
     * @param least how the digits so far compare with the lower bound's: -1, 0, 1
     * @param most how they compare with the upper bound's
     */
    private record State(Phase phase, boolean negative, int digits, int least, int most) {}

    /**
     * All numbers in a range.
     *
     * @param integer whether they have nothing behind the point
     * @param least lower bound, or null
     * @param most upper bound, or null
     * @param name for messages
     */
    static CharDfa between(boolean integer, @Nullable Bound least, @Nullable Bound most, String name) {
        Range positive = positive(least, most);
        Range negative = negative(least, most);
        int whole = integer ? MOST_OF_AN_INTEGER : MOST_BEFORE_POINT;
        int fraction = MOST_BEHIND_POINT;
        for (Bound bound : new Bound[] {least, most}) {
            if (bound != null) {
                Magnitude magnitude = Magnitude.of(bound.value(), true);
                whole = Math.max(whole, magnitude.whole().length());
                fraction = Math.max(fraction, magnitude.fraction().length() + 1);
            }
        }
        int mostWhole = whole;
        int mostFraction = integer ? 0 : fraction;
        return CharDfa.explore(
                new State(Phase.BEGIN, false, 0, 0, 0),
                new CharDfa.Moves<State>() {
                    @Override
                    public void of(State state, CharDfa.Transitions<State> out) {
                        boolean begins = state.phase() == Phase.BEGIN;
                        if (begins && negative != null) {
                            out.add('-', '-', new State(Phase.SIGN, true, 0, 0, 0));
                        }
                        if (mostFraction > 0 && (state.phase() == Phase.ZERO || state.phase() == Phase.WHOLE)) {
                            State ended = atPoint(state);
                            out.add('.', '.', new State(Phase.POINT, state.negative(), 0, ended.least(), ended.most()));
                        }
                        Range range = state.negative() ? negative : positive;
                        if (range != null) {
                            digits(state, range, out);
                        }
                    }

                    private void digits(State state, Range range, CharDfa.Transitions<State> out) {
                        boolean first = state.phase() == Phase.BEGIN || state.phase() == Phase.SIGN;
                        boolean behind = state.phase() == Phase.POINT || state.phase() == Phase.FRACTION;
                        if (state.phase() == Phase.ZERO || state.digits() >= (behind ? mostFraction : mostWhole)) {
                            return;
                        }
                        for (char c = '0'; c <= '9'; c++) {
                            Phase phase = behind ? Phase.FRACTION : first && c == '0' ? Phase.ZERO : Phase.WHOLE;
                            out.add(
                                    c,
                                    c,
                                    new State(
                                            phase,
                                            state.negative(),
                                            state.digits() + 1,
                                            compared(state.least(), c, state.digits(), range.least(), behind),
                                            compared(state.most(), c, state.digits(), range.most(), behind)));
                        }
                    }

                    private int compared(int before, char c, int n, @Nullable Magnitude bound, boolean behind) {
                        if (bound == null || before != 0) {
                            return before;
                        }
                        if (behind) {
                            return Integer.compare(c, bound.digit(n));
                        }
                        return n < bound.whole().length()
                                ? Integer.compare(c, bound.whole().charAt(n))
                                : 0;
                    }

                    /** The state with the digits before the point compared, however many there are. */
                    private State atPoint(State state) {
                        Range range = state.negative() ? negative : positive;
                        if (range == null) {
                            return state;
                        }
                        return new State(
                                state.phase(),
                                state.negative(),
                                0,
                                longer(state.least(), state.digits(), range.least()),
                                longer(state.most(), state.digits(), range.most()));
                    }

                    private int longer(int so, int digits, @Nullable Magnitude bound) {
                        if (bound == null || digits == bound.whole().length()) {
                            return so;
                        }
                        return digits < bound.whole().length() ? -1 : 1;
                    }

                    @Override
                    public boolean accepts(State state) {
                        Range range = state.negative() ? negative : positive;
                        if (range == null || state.digits() == 0) {
                            return false;
                        }
                        State end = state.phase() == Phase.FRACTION ? state : atPoint(state);
                        Magnitude least = range.least();
                        Magnitude most = range.most();
                        int low = least == null ? 1 : least.ofEnd(end.least(), end.digits());
                        int high = most == null ? -1 : most.ofEnd(end.most(), end.digits());
                        return (low > 0 || low == 0 && (least == null || least.inside()))
                                && (high < 0 || high == 0 && (most == null || most.inside()));
                    }
                },
                name,
                new CharDfa.Work());
    }

    /** The part of a range from zero up, or null if there is none. */
    private static @Nullable Range positive(@Nullable Bound least, @Nullable Bound most) {
        if (most != null && most.value().signum() < 0) {
            return null;
        }
        return new Range(least == null || isBelowZero(least) ? null : magnitude(least), magnitude(most));
    }

    /** Whether nothing from zero up is left out by a lower bound. */
    private static boolean isBelowZero(Bound least) {
        return least.value().signum() < 0 || least.value().signum() == 0 && least.inside();
    }

    /** The part below zero, without its sign. */
    private static @Nullable Range negative(@Nullable Bound least, @Nullable Bound most) {
        if (least != null && least.value().signum() >= 0) {
            return null;
        }
        boolean below = most != null && most.value().signum() < 0;
        return new Range(below ? magnitude(most) : Magnitude.of(BigDecimal.ZERO, false), magnitude(least));
    }

    private static @Nullable Magnitude magnitude(@Nullable Bound bound) {
        return bound == null ? null : Magnitude.of(bound.value(), bound.inside());
    }
}

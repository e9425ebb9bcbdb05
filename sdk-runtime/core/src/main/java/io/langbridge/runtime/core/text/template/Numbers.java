package io.langbridge.runtime.core.text.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reading and rounding numbers as Python does. */
final class Numbers {
    /** Decimal places beyond this have no effect on a double. */
    private static final int MOST_PLACES = 400;

    private Numbers() {}

    /** {@code int(text, base)}; null if the text is no integer. */
    static @Nullable Long integer(String text, long base, Budget budget) {
        if (base != 0 && (base < 2 || base > 36)) {
            throw new Failure("int() base must be >= 2 and <= 36, or 0");
        }
        String digits = Texts.strip(text, null, true, true, budget).toLowerCase(Locale.ROOT);
        boolean negative = digits.startsWith("-");
        digits = digits.startsWith("+") || negative ? digits.substring(1) : digits;
        int radix = (int) base;
        boolean prefixed = false;
        for (int i = 0; i < 3; i++) {
            int own = new int[] {16, 8, 2}[i];
            if (digits.startsWith(new String[] {"0x", "0o", "0b"}[i]) && (base == 0 || base == own)) {
                radix = own;
                prefixed = true;
            }
        }
        if (prefixed) {
            digits = digits.substring(2);
            digits = digits.startsWith("_") ? digits.substring(1) : digits;
        } else if (radix == 0) {
            radix = 10;
            if (digits.length() > 1 && digits.startsWith("0") && !digits.matches("[0_]*")) {
                return null;
            }
        }
        return digits(digits, radix, negative);
    }

    private static @Nullable Long digits(String digits, int radix, boolean negative) {
        long value = 0;
        boolean tooLarge = false;
        boolean afterDigit = false;
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            int digit = Character.digit(c, radix);
            if (digit < 0 && !(c == '_' && afterDigit)) {
                return null;
            }
            afterDigit = digit >= 0;
            if (afterDigit) {
                tooLarge |= value < (Long.MIN_VALUE + digit) / radix;
                value = value * radix - digit;
            }
        }
        if (!afterDigit) {
            return null;
        }
        if (tooLarge || !negative && value == Long.MIN_VALUE) {
            throw new ArithmeticException("beyond 64 bits");
        }
        return negative ? value : -value;
    }

    /** {@code float(text)}; null if the text is no number. */
    static @Nullable Double floating(String text, Budget budget) {
        String number = Texts.strip(text, null, true, true, budget).toLowerCase(Locale.ROOT);
        budget.scan(number.length() * 4L);
        int at = number.startsWith("-") || number.startsWith("+") ? 1 : 0;
        String word = number.substring(at);
        if (word.equals("inf") || word.equals("infinity") || word.equals("nan")) {
            double value = word.equals("nan") ? Double.NaN : Double.POSITIVE_INFINITY;
            return number.startsWith("-") ? -value : value;
        }
        int whole = digits(number, at);
        boolean point = whole < number.length() && number.charAt(whole) == '.';
        int fraction = point ? digits(number, whole + 1) : whole;
        if (whole == at && fraction <= whole + 1) {
            return null;
        }
        int end = fraction;
        if (end < number.length() && number.charAt(end) == 'e') {
            int sign = end + 1 < number.length() && "+-".indexOf(number.charAt(end + 1)) >= 0 ? end + 2 : end + 1;
            end = digits(number, sign);
            if (end == sign) {
                return null;
            }
        }
        return end == number.length() ? Double.valueOf(number.replace("_", "")) : null;
    }

    /** The end of digits with single underscores between them. */
    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length()) {
            boolean underscore = text.charAt(at) == '_' && at > from && at + 1 < text.length();
            int digit = underscore ? at + 1 : at;
            if (text.charAt(digit) < '0' || text.charAt(digit) > '9') {
                break;
            }
            at = digit + 1;
        }
        return at;
    }

    /** {@code int(number)} of a float. */
    static long truncated(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            throw new Failure("cannot convert float " + (Double.isNaN(number) ? "NaN" : "infinity") + " to integer");
        }
        if (Math.abs(number) >= 0x1p63) {
            throw new ArithmeticException("beyond 64 bits");
        }
        return (long) number;
    }

    /** All its decimal places, which are the more the farther its exponent is from zero. */
    static BigDecimal exact(double number, Budget budget) {
        budget.steps(10 + Math.abs(Math.getExponent(number)) / 4);
        return new BigDecimal(number);
    }

    /** {@code round(number, places)} of a float. */
    static double rounded(double number, long places, Budget budget) {
        if (Double.isNaN(number) || Double.isInfinite(number) || places > MOST_PLACES) {
            return number;
        }
        if (places < -MOST_PLACES) {
            return Math.copySign(0, number);
        }
        double rounded = exact(number, budget)
                .setScale((int) places, RoundingMode.HALF_EVEN)
                .doubleValue();
        return Math.copySign(rounded, number);
    }

    /** {@code round(number, places)} of an integer. */
    static long rounded(long number, long places) {
        if (places >= 0) {
            return number;
        }
        return places < -19
                ? 0
                : new BigDecimal(number)
                        .setScale((int) places, RoundingMode.HALF_EVEN)
                        .longValueExact();
    }
}

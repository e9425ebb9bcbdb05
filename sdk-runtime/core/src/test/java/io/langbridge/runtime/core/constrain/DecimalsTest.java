package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.constrain.Decimals.Bound;
import java.math.BigDecimal;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DecimalsTest {
    @Test
    void numbers_are_in_a_range_if_and_only_if_they_compare_so() {
        Random random = new Random(2);
        int inside = 0;
        for (int i = 0; i < 2000; i++) {
            Bound least = bound(random);
            Bound most = bound(random);
            boolean integer = random.nextBoolean();
            CharDfa range = Decimals.between(integer, least, most, "");
            for (int k = 0; k < 60; k++) {
                String text = decimal(random);
                if (k % 3 == 0 && least != null) {
                    text = least.value().toPlainString(); // at the edge
                } else if (k % 3 == 1 && most != null) {
                    text = most.value().toPlainString();
                    text += text.contains(".") ? "0" : ".0";
                }
                BigDecimal value = new BigDecimal(text);
                boolean expected = within(value, least, 1)
                        && within(value, most, -1)
                        && !(integer && text.contains("."))
                        && !(value.signum() == 0 && text.startsWith("-"));
                inside += expected ? 1 : 0;
                assertThat(range.contains(text))
                        .as("%s from %s to %s, integer %s", text, least, most, integer)
                        .isEqualTo(expected);
            }
        }
        assertThat(inside).isGreaterThan(10_000);
    }

    private static boolean within(BigDecimal value, @Nullable Bound bound, int direction) {
        if (bound == null) {
            return true;
        }
        int compared = value.compareTo(bound.value()) * direction;
        return compared > 0 || compared == 0 && bound.inside();
    }

    private static @Nullable Bound bound(Random random) {
        return random.nextInt(4) == 0 ? null : new Bound(new BigDecimal(decimal(random)), random.nextBoolean());
    }

    private static String decimal(Random random) {
        String whole = Integer.toString(random.nextInt(new int[] {2, 20, 200, 20_000}[random.nextInt(4)]));
        String sign = random.nextBoolean() ? "-" : "";
        return sign
                + whole
                + (random.nextBoolean() ? "." + random.nextInt(new int[] {2, 30, 300}[random.nextInt(3)]) : "");
    }

    @Test
    void numbers_have_no_zero_in_front_no_exponent_and_not_too_many_digits() {
        CharDfa any = Decimals.between(false, null, null, "");
        assertThat(new String[] {"0", "-1", "10.50", "0.0001", "999999999999999", "-0.5"})
                .allMatch(any::contains);
        assertThat(new String[] {
                    "", "-", "00", "01", "1e5", "1.", ".5", "+1", "-0", "-0.0", "1000000000000000", "0.12345678901"
                })
                .noneMatch(any::contains);
        CharDfa integer = Decimals.between(true, null, null, "");
        assertThat(integer.contains("999999999999999999")).isTrue();
        assertThat(integer.contains("1000000000000000000")).isFalse();
    }

    @Test
    void an_empty_range_has_no_number() {
        BigDecimal one = BigDecimal.ONE;
        assertThat(Decimals.between(false, new Bound(one, false), new Bound(one, true), "")
                        .isEmpty())
                .isTrue();
        assertThat(Decimals.between(
                                true,
                                new Bound(new BigDecimal("0.1"), true),
                                new Bound(new BigDecimal("0.9"), true),
                                "")
                        .isEmpty())
                .isTrue();
        assertThat(Decimals.between(false, new Bound(one, true), new Bound(one, true), "")
                        .contains("1.0"))
                .isTrue();
    }
}

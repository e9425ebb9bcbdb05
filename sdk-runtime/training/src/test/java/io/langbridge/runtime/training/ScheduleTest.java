package io.langbridge.runtime.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    /** Values of get_cosine_schedule_with_warmup(optimizer, 3, 10), transformers 4.44. */
    @Test
    void risesInALineAndFallsAlongACosine() {
        Schedule schedule = Schedule.of(10, 0.3);
        double[] expected = {
            0,
            1 / 3.,
            2 / 3.,
            1,
            0.9504844339512095,
            0.8117449009293668,
            0.6112604669781572,
            0.3887395330218429,
            0.1882550990706332,
            0.04951556604879048
        };
        for (int step = 0; step < expected.length; step++) {
            assertThat(schedule.factor(step)).isCloseTo(expected[step], within(1e-15));
        }
        assertThat(schedule.factor(10)).isZero();
    }

    @Test
    void withoutWarmupItBeginsAtTheTop() {
        assertThat(Schedule.of(5, 0).factor(0)).isEqualTo(1);
        assertThat(Schedule.of(1, 0.03).warmup()).isEqualTo(1);
    }
}

package io.langbridge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

class MeasureTest {
    @Test
    void disturbedSamplesAreLeftOutOnceThereAreEnoughCleanOnes() {
        Measure measure = new Measure(3, 0);
        measure.add(0.01, 5);
        measure.add(0.50, 99);
        measure.add(0.00, 1);
        assertThat(measure.enough()).isFalse();
        measure.add(0.02, 3);

        assertThat(measure.enough()).isTrue();
        assertThat(measure.statistics()).isEqualTo(JsonParser.parseString("{'median':3.0,'min':1.0,'max':5.0,'n':3}"));
        assertThat(measure.noise()).isEqualTo(JsonParser.parseString("{'clean':3,'tries':4,'worst_other_share':0.02}"));
    }

    @Test
    void theLeastDisturbedSamplesStandInAndTheLineSaysSo() {
        Measure measure = new Measure(2, 0);
        for (int i = 6; i > 0; i--) {
            measure.add(0.1 * i, i);
        }

        assertThat(measure.enough()).isTrue();
        assertThat(measure.statistics()).isEqualTo(JsonParser.parseString("{'median':1.5,'min':1.0,'max':2.0,'n':2}"));
        assertThat(measure.noise().get("clean").getAsInt()).isZero();
        assertThat(measure.noise().get("worst_other_share").getAsDouble()).isEqualTo(0.2);
    }
}

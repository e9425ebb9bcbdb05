package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.InsufficientMemoryException;
import io.langbridge.Precision;
import org.junit.jupiter.api.Test;

class MemoryTest {
    @Test
    void too_little_memory_names_the_three_biggest_items_and_both_sums() {
        Memory memory = new Memory();
        memory.add("adapter", 40_000_000);
        memory.add("language model", 2_000_000_000);
        memory.add("KV cache", 100_000_000);
        memory.add("encoder", 1_200_000_000);
        assertThatThrownBy(() -> memory.check(3_000_000_000L))
                .isInstanceOf(InsufficientMemoryException.class)
                .hasMessageContaining("3,340 MB")
                .hasMessageContaining("3,000 MB are allowed")
                .hasMessageContaining("language model 2,000 MB, encoder 1,200 MB, KV cache 100 MB")
                .hasMessageNotContaining("adapter");
    }

    @Test
    void the_most_exact_precision_that_fits_is_named() {
        Memory memory = new Memory();
        memory.add("language model", 2_000_000_000);
        memory.in(Precision.FULL, 2_000_000_000);
        memory.in(Precision.INT8, 900_000_000);
        memory.in(Precision.INT4, 500_000_000);
        assertThatThrownBy(() -> memory.check(1_000_000_000L))
                .hasMessageEndingWith("With precision(Precision.INT8) it needs about 900 MB, which fits.");
        assertThatThrownBy(() -> memory.check(600_000_000L))
                .hasMessageEndingWith("With precision(Precision.INT4) it needs about 500 MB, which fits.");
        assertThatThrownBy(() -> memory.check(400_000_000L))
                .hasMessageContaining("With precision(Precision.INT4) it still needs about 500 MB. Use a shorter");
    }

    @Test
    void enough_memory_passes() {
        Memory memory = new Memory();
        memory.add("adapter", 40);
        assertThatCode(() -> memory.check(40L)).doesNotThrowAnyException();
    }
}

package io.langbridge.runtime.onnx;

import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where the rows of a run are: as many of each of its sequences, one sequence after the other. The kernel trusts these
 * numbers: wrong ones would make it write beyond the cache.
 */
final class Inputs {
    private final int sequences;
    private final int tokens;
    private final LongBuffer count;
    private final LongBuffer positions;
    private final IntBuffer lastPositions;
    private final IntBuffer totalLength;
    /** How many rows behind it each sees; null where none can. */
    private final @Nullable LongBuffer ahead;

    /** @param opens whether rows may see some behind them */
    Inputs(int sequences, int tokens, boolean opens) {
        this.sequences = sequences;
        this.tokens = tokens;
        count = Kept.direct(Long.BYTES).asLongBuffer().put(0, sequences);
        positions = Kept.direct(sequences * tokens * Long.BYTES).asLongBuffer();
        lastPositions = Kept.direct(sequences * Integer.BYTES).asIntBuffer();
        totalLength = Kept.direct(Integer.BYTES).asIntBuffer().put(0, tokens);
        ahead = opens ? Kept.direct(sequences * tokens * Long.BYTES).asLongBuffer() : null;
    }

    void bind(Bindings bindings) {
        bindings.input(OnnxNet.SEQUENCES, count, 1);
        bindings.input(OnnxNet.POSITIONS, positions, sequences, tokens);
        bindings.input(OnnxNet.LAST_POSITIONS, lastPositions, sequences);
        bindings.input(OnnxNet.TOTAL_LENGTH, totalLength, 1);
        if (ahead != null) {
            bindings.input(OnnxNet.AHEAD, ahead, (long) sequences * tokens);
        }
    }

    /** Says how many rows behind it each sees. */
    void ahead(int... rows) {
        LongBuffer target = Objects.requireNonNull(ahead);
        for (int i = 0; i < rows.length; i++) {
            target.put(i, rows[i]);
        }
    }

    /**
     * Says how many positions a sequence has before this run; for each, from the first on.
     *
     * @param angles where the sequence's angles begin
     */
    void at(int sequence, int length, int angles) {
        for (int i = 0; i < tokens; i++) {
            positions.put(sequence * tokens + i, angles + length + i);
        }
        lastPositions.put(sequence, length + tokens - 1);
        totalLength.put(0, Math.max(sequence == 0 ? 0 : totalLength.get(0), length + tokens));
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.FitReport;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.State;
import io.langbridge.spi.ModelSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a model will need, added up before anything is loaded. Not thread-safe. */
final class Memory {
    private static final int NAMED_ITEMS = 3;

    private final List<FitReport.Memory> items = new ArrayList<>();

    /** What is to be loaded; without the encoder where that is there already. */
    static Memory of(ModelFiles files, ModelSpec spec, @Nullable Llm wantedLlm, int context, boolean withEncoder) {
        DecoderConfig llm = files.llm().config();
        Memory memory = new Memory();
        memory.add(
                "language model",
                decoderBytes(files, spec.precisionOf(wantedLlm == null ? null : wantedLlm.precision())));
        if (withEncoder) {
            Encoder encoder = spec.encoder();
            Precision precision = spec.precisionOf(encoder == null ? null : encoder.precision());
            memory.add("encoder", weights(files.vision().elements(), precision));
        }
        Adapter adapter = spec.adapter();
        Precision precision = spec.precisionOf(adapter == null ? null : adapter.precision());
        if (files.adapterConfig() instanceof AdapterConfig.LangBridge config && !config.softmax()) {
            long folded = (long) config.mlpHiddenSize() * (config.mmHiddenSize() + llm.hiddenSize());
            memory.add("adapter", weights(folded, precision));
        } else {
            memory.add("adapter", weights(files.adapter().elements(), precision));
        }
        if (files.adapterConfig() instanceof AdapterConfig.LangBridge config && config.softmax()) {
            memory.add("vocabulary matrix", (long) config.mmVocabSize() * llm.hiddenSize() * Float.BYTES);
        }
        long kept = 0;
        for (State state : files.llm().states()) {
            kept += state.values(context);
        }
        memory.add("KV cache for " + context + " positions", kept * (spec.halfKvCache() ? Short.BYTES : Float.BYTES));
        return memory;
    }

    /**
     * Quantised, the embedding table stays on disk. In INT8 the layers are there twice, in the form that is fast for a
     * prompt and in the one that is fast for a token.
     */
    private static long decoderBytes(ModelFiles files, Precision precision) {
        long all = files.llm().elements();
        if (precision == Precision.FULL) {
            return all * Float.BYTES;
        }
        DecoderConfig llm = files.llm().config();
        long head = (long) llm.vocabSize() * llm.hiddenSize();
        long layers = all - (llm.tieWordEmbeddings() ? head : 2 * head);
        int copies = precision == Precision.INT8 ? 2 : 1;
        return copies * weights(layers, precision) + weights(head, precision);
    }

    /** Bytes of quantised weights with their scales, one for a block of 128. */
    static long weights(long elements, Precision precision) {
        return switch (precision) {
            case FULL -> elements * Float.BYTES;
            case INT8 -> elements + elements / 32;
            case INT4 -> elements / 2 + elements / 32;
        };
    }

    /** Adds an item. */
    void add(String name, long bytes) {
        items.add(new FitReport.Memory(name, bytes));
    }

    /** All that was added. */
    List<FitReport.Memory> items() {
        return items;
    }

    /** Everything added up. */
    long total() {
        long sum = 0;
        for (FitReport.Memory item : items) {
            sum += item.bytes();
        }
        return sum;
    }

    /**
     * Compares with what there is.
     *
     * @param limit bytes allowed, or null for what the machine has available, where it tells
     * @throws InsufficientMemoryException if more is needed; the message lists the biggest items
     */
    void check(@Nullable Long limit) {
        Long available = limit != null ? limit : new AvailableMemory().bytes();
        if (available == null || total() <= available) {
            return;
        }
        List<FitReport.Memory> biggest = new ArrayList<>(items);
        biggest.sort((a, b) -> Long.compare(b.bytes(), a.bytes()));
        StringBuilder list = new StringBuilder();
        for (FitReport.Memory item : biggest.subList(0, Math.min(NAMED_ITEMS, biggest.size()))) {
            list.append(list.length() == 0 ? "" : ", ")
                    .append(item.name())
                    .append(' ')
                    .append(megabytes(item.bytes()));
        }
        throw new InsufficientMemoryException("The model needs about " + megabytes(total()) + ", but "
                + megabytes(available) + (limit != null ? " are allowed (memoryLimit)" : " are available")
                + ". Biggest items: " + list
                + ". Use precision(Precision.INT8) or INT4 where that is not set, a shorter contextLength(..), a smaller model,"
                + " or free memory");
    }

    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MB", Math.max(1, Math.round(bytes / 1e6)));
    }
}

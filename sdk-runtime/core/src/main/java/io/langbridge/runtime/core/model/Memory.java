package io.langbridge.runtime.core.model;

import io.langbridge.Device;
import io.langbridge.FitReport;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.image.Patches;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.network.State;
import io.langbridge.spi.ModelSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a model will need, added up before anything is loaded. Not thread-safe. */
final class Memory {
    private static final int NAMED_ITEMS = 3;

    /**
     * What a JVM takes that runs a model of a few kilobytes, beside its graphs, as measured on Linux with a heap of up
     * to 6 GB.
     */
    private static final long JAVA = 101_000_000;

    /** On the heap once a tokenizer was read, as measured with vocabularies of 128,000 and 152,000. */
    private static final long BYTES_OF_TOKEN = 600;

    /** A picture, where the encoder takes more for larger ones. */
    private static final Size LARGE = new Size(1024, 1024);

    private final List<FitReport.Memory> items = new ArrayList<>();

    /** What the same would need in precisions with fewer bits; empty where those cannot be had. */
    private final Map<Precision, Long> inOthers = new EnumMap<>(Precision.class);

    /**
     * What is to be loaded, and what a conversation of full length with a picture takes then.
     *
     * @param engines that will run it, or null if none is there
     * @param withEncoder whether it is not there already
     */
    static Memory of(
            ModelFiles files,
            ModelSpec spec,
            @Nullable EngineChoice engines,
            @Nullable Llm wantedLlm,
            int context,
            boolean withEncoder) {
        Memory memory = of(files, spec, engines, wantedLlm, context, withEncoder, null);
        if (engines != null
                && engines.engine().quantises()
                && engines.decoder().quantises()
                && engines.device().kind() == Device.Kind.CPU) {
            for (Precision other : Precision.values()) {
                memory.in(
                        other,
                        of(files, spec, engines, wantedLlm, context, withEncoder, other)
                                .total());
            }
        }
        return memory;
    }

    /** @param precision of all parts, whatever they ask for, or null */
    private static Memory of(
            ModelFiles files,
            ModelSpec spec,
            @Nullable EngineChoice engines,
            @Nullable Llm wantedLlm,
            int context,
            boolean withEncoder,
            @Nullable Precision precision) {
        Engine engine = engines == null ? null : engines.engine();
        Engine decoding = engines == null ? null : engines.decoder();
        int hidden = files.llm().config().hiddenSize();
        int chunk = spec.prefillChunk() == null ? EngineOptions.PREFILL_CHUNK : spec.prefillChunk();
        if (files.llm().config().opensPrompts()) {
            // All of a prompt runs at once; most of it is a picture.
            chunk = Math.max(chunk, files.pictures().plan(LARGE).layout().tokens());
        }
        Inventory decoder = Inventory.of(files.llm().config().network());
        Inventory encoder = Inventory.of(files.vision().network());
        Inventory adapter = Inventory.of(Projector.network(Adapters.running(files.adapterConfig(), hidden), hidden));
        int[] patches = patches(files, encoder);
        Footprint ofDecoder = footprint(
                decoding,
                decoder,
                Math.min(chunk, context),
                precision != null ? precision : spec.precisionOf(wantedLlm),
                spec.twoForms());
        Footprint ofAdapter = footprint(
                engine,
                adapter,
                patches[1],
                precision != null ? precision.ofEncoder() : spec.precisionOf(spec.adapter()),
                false);
        Footprint ofEncoder = withEncoder
                ? footprint(
                        engine,
                        encoder,
                        patches[0],
                        precision != null ? precision.ofEncoder() : spec.precisionOf(spec.encoder()),
                        false)
                : new Footprint(0, 0, 0, 0);
        Integer most = spec.maxConcurrentRequests();
        int sessions = sessions(most, spec.keptPrefixes());

        Memory memory = new Memory();
        memory.add("language model", ofDecoder.weights());
        if (withEncoder) {
            memory.add("encoder", ofEncoder.weights());
        }
        memory.add("adapter", ofAdapter.weights());
        long folding = 0;
        if (files.adapterConfig() instanceof AdapterConfig.LangBridge config) {
            if (config.softmax()) {
                memory.add("vocabulary matrix", (long) config.mmVocabSize() * hidden * Float.BYTES);
                if (files.topK() != null) {
                    memory.add(
                            "coefficients",
                            Adapters.coefficientBytes(
                                    engine,
                                    config,
                                    patches[1],
                                    precision != null ? precision.ofEncoder() : spec.precisionOf(spec.adapter())));
                }
            } else {
                folding = Adapters.foldingBytes(config, hidden);
            }
        }
        long kept = sessions * kept(decoder, context, spec.halfKvCache());
        memory.add((sessions == 1 ? "KV cache" : sessions + " KV caches") + " for " + context + " positions", kept);
        if (most != null && most > 1) {
            long rows = SharedDecoder.rows(most) * kept(decoder, context, spec.halfKvCache());
            memory.add("rows for steps of " + SharedDecoder.rows(most) + " together", rows);
            kept += rows;
        }
        if (spec.sharedImages() > 0) {
            PicturePlan plan = files.pictures().plan(LARGE);
            int all = encoder.result().rows() == Net.ANY
                    ? patches[1]
                    : patches[1] * plan.views().size();
            long picture =
                    (long) all * encoder.result().width() + (long) plan.layout().tokens() * hidden;
            memory.add(spec.sharedImages() + " pictures kept encoded", spec.sharedImages() * picture * Float.BYTES);
        }
        // A decoder runs once at a time, whoever asks.
        long work = ofEncoder.work() + ofAdapter.work() + ofDecoder.work();
        memory.add("activations", work);
        if (withEncoder) {
            long own = engine == null ? 0 : engine.ownBytes();
            own += decoding == null || decoding == engine ? 0 : decoding.ownBytes();
            memory.add("Java and engine", JAVA + own);
        }
        memory.add("tokenizer", files.llm().config().vocabSize() * BYTES_OF_TOKEN);
        long opening = Math.max(ofDecoder.opening(), Math.max(ofAdapter.opening(), ofEncoder.opening()));
        // Done before anything is kept or worked on.
        memory.add("opening beyond that", Math.max(0, opening - kept - work));
        long converting = Math.max(ofDecoder.converting(), Math.max(ofAdapter.converting(), ofEncoder.converting()));
        memory.items.add(new FitReport.Memory("converting weights", folding + converting, !spec.withoutCache()));
        return memory;
    }

    /**
     * What explaining a picture by coefficients takes beside it; 0 if the adapter has none. One that is cut has those
     * of its whole softmax for every answer, and needs room for what is left of them.
     */
    static long explaining(ModelFiles files, ModelSpec spec, @Nullable EngineChoice engines) {
        if (!(files.adapterConfig() instanceof AdapterConfig.LangBridge config)) {
            return 0;
        }
        int[] patches = patches(files, Inventory.of(files.vision().network()));
        if (files.topK() != null) {
            return (long) patches[1] * config.mmVocabSize() * Float.BYTES;
        }
        return Adapters.coefficientBytes(
                engines == null ? null : engines.engine(), config, patches[1], spec.precisionOf(spec.adapter()));
    }

    private static Footprint footprint(
            @Nullable Engine engine, Inventory network, int rows, Precision precision, @Nullable Boolean twoForms) {
        return engine == null
                ? Footprint.plain(network, rows)
                : engine.footprint(network, rows, precision, EngineOptions.inTwoForms(precision, twoForms));
    }

    /**
     * What the encoder gives for a view, and what the adapter takes at once; of a large picture if that depends on the
     * picture.
     */
    private static int[] patches(ModelFiles files, Inventory encoder) {
        int rows = encoder.result().rows();
        Patches cut = files.pictures().patches();
        if (rows != Net.ANY || cut == null) {
            return new int[] {Math.max(rows, 0), Math.max(rows, 0)};
        }
        int[] ofViews = files.pictures().plan(LARGE).views().stream()
                .mapToInt(
                        view -> view.size().width() / cut.size() * (view.size().height() / cut.size()))
                .toArray();
        return new int[] {
            Arrays.stream(ofViews).max().orElse(0), Arrays.stream(ofViews).sum()
        };
    }

    /**
     * How many KV caches of full length there may be; where nothing says how many requests or prefixes, one, in whose
     * place shorter ones may be kept.
     */
    static int sessions(@Nullable Integer maxConcurrentRequests, @Nullable Integer keptPrefixes) {
        int running = maxConcurrentRequests == null ? 1 : maxConcurrentRequests;
        return Math.max(running, keptPrefixes == null ? 1 : keptPrefixes);
    }

    /** What a session keeps, with the angles of its positions and the marks that it can go back to. */
    static long kept(Inventory decoder, int context, boolean half) {
        long bytes = 0;
        for (State state : decoder.states()) {
            boolean cuts = state instanceof State.Keys;
            long copies = cuts ? 1 : 1 + DecoderSession.MARKS;
            bytes += copies * state.values(context) * (half && cuts ? Short.BYTES : Float.BYTES);
        }
        for (Rotary rotary : decoder.rotaries()) {
            bytes += (long) context * rotary.width() * Float.BYTES;
        }
        return bytes;
    }

    /** Adds an item. */
    void add(String name, long bytes) {
        items.add(new FitReport.Memory(name, bytes, false));
    }

    /** Says what it would need in another precision. */
    void in(Precision precision, long bytes) {
        inOthers.put(precision, bytes);
    }

    /** All that was added. */
    List<FitReport.Memory> items() {
        return items;
    }

    /** Everything added up but what is needed the first time only. */
    long total() {
        return items.stream()
                .filter(item -> !item.firstTimeOnly())
                .mapToLong(FitReport.Memory::bytes)
                .sum();
    }

    /** Everything added up. */
    long totalOfFirstTime() {
        return items.stream().mapToLong(FitReport.Memory::bytes).sum();
    }

    /**
     * What a model may take.
     *
     * @param limit bytes allowed, or null for what the machine has available
     * @return null where nothing says so
     */
    static @Nullable Long available(@Nullable Long limit) {
        return limit != null ? limit : new AvailableMemory().bytes();
    }

    /**
     * Compares with what there is.
     *
     * @param limit bytes allowed, or null for what the machine has available, where it tells
     * @throws InsufficientMemoryException if more is needed; the message lists the biggest items, and names the
     *     precision that fits
     */
    void check(@Nullable Long limit) {
        Long available = available(limit);
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
                + ". Biggest items: " + list + ". " + remedy(available));
    }

    /** The most exact precision that fits, or that none does. */
    private String remedy(long available) {
        Precision least = null;
        for (Map.Entry<Precision, Long> other : inOthers.entrySet()) {
            if (other.getValue() <= available) {
                return "With precision(Precision." + other.getKey() + ") it needs about " + megabytes(other.getValue())
                        + ", which fits.";
            }
            least = least == null || other.getValue() < Objects.requireNonNull(inOthers.get(least))
                    ? other.getKey()
                    : least;
        }
        Long still = least == null ? null : inOthers.get(least);
        return (still == null || still >= total()
                        ? ""
                        : "With precision(Precision." + least + ") it still needs about " + megabytes(still) + ". ")
                + "Use a shorter contextLength(..) or a smaller model, or free memory.";
    }

    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MB", Math.max(1, Math.round(bytes / 1e6)));
    }
}

package io.langbridge.runtime.onnx;

import io.langbridge.CheckpointException;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.ContentHash;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.EntryLock;
import io.langbridge.runtime.core.checkpoint.FileState;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.lifecycle.Opening;
import io.langbridge.runtime.core.network.Inventory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a graph that a checkpoint holds or that are made of them, each under its name there, and the files
 * they lie in when the graph is loaded. What no output of the graph depends on is neither made nor loaded.
 */
final class StoredWeights {
    /**
     * How much ONNX Runtime takes for results: regions that double in size, and one more for all results of a graph
     * once it knows their sizes.
     */
    private static final int REGIONS = 3;

    /**
     * What there is for each tensor of a network beside its values, as measured on networks of 290 and 391: nodes,
     * kernels and names in ONNX Runtime, and in Java the text that they were made from.
     */
    private static final long STRUCTURE_BYTES = 80_000;

    /** How often a tensor is copied that is part of the model, in Java and in ONNX Runtime, until it is loaded. */
    private static final int COPIES = 6;

    /** Smaller tensors are part of the model. */
    private static final int MOST_IN_MODEL = 1 << 16;

    final OnnxGraph graph;
    final Weights checkpoint;
    final Precision precision;
    private final String what;

    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final List<Filler> fillers = new ArrayList<>();
    /** Not in the graph, but must be finite. */
    private final List<StoredTensor> checked = new ArrayList<>();
    /** Where they are in the file of converted weights. */
    private final Map<String, Long> offsets = new LinkedHashMap<>();
    /** What the engine does not copy, and would leave mapped. */
    private final Map<String, LoadedGraph.Given> given = new HashMap<>();
    /** Initializers of which the graph has parts. */
    private final Map<String, Parts> parts = new HashMap<>();

    /**
     * A tensor of the graph.
     *
     * @param stored the tensor as the checkpoint has it, or null if it is made from others
     * @param recipe what its bytes depend on, or empty if {@code stored} says it
     * @param content writes it, or null if {@code stored} or a {@link Filler} does
     */
    private record Initializer(
            OnnxGraph.Type type,
            long[] dims,
            long bytes,
            @Nullable StoredTensor stored,
            String recipe,
            SafetensorsWriter.@Nullable Content content) {}

    /** Makes bytes of several initializers at once. */
    interface Filling {
        void fill(Target target) throws IOException;
    }

    /** Where a {@link Filling} puts bytes. */
    interface Target {
        void write(String initializer, long at, ByteBuffer bytes) throws IOException;
    }

    /** {@code of} is an initializer that it writes, and is written to no use if that one is not. */
    private record Filler(String of, Filling filling, long memory) {}

    /**
     * Rows of a matrix, so many together.
     *
     * @param rows of all
     * @param together of each part but the last
     */
    record Parts(int rows, int together) {
        static final Parts WHOLE = new Parts(1, 1);

        int count() {
            return (rows + together - 1) / together;
        }

        int rows(int part) {
            return Math.min(together, rows - part * together);
        }

        String name(String whole, int part) {
            return count() == 1 ? whole : whole + ".part" + part;
        }
    }

    /**
     * What a network takes. Weights are copied from their mapped files into the order of the kernels, one after the
     * other. Of a decoder in two forms the one that is fast for a prompt has 8 bits.
     */
    static Footprint footprint(Inventory network, int rows, Precision precision, boolean inTwoForms) {
        long work = REGIONS * network.activations(rows) * Float.BYTES;
        long all = network.elements() - network.lookedUp(); // rows of tables are read from their file
        long structure = 0;
        for (long[] shape : network.tensors().values()) {
            long bytes = Arrays.stream(shape).reduce(Float.BYTES, Math::multiplyExact);
            structure += STRUCTURE_BYTES + (bytes <= MOST_IN_MODEL ? COPIES * bytes : 0);
        }
        if (precision == Precision.FULL) {
            return new Footprint(all * Float.BYTES + structure, work, network.largest() * Float.BYTES, 0);
        }
        int bits = precision == Precision.INT8 ? 8 : 4;
        boolean decodes = !network.states().isEmpty();
        boolean hasBasis = !network.addsNorms() && (decodes || network.addsProducts());
        long basis = hasBasis ? (long) network.stream() * network.stream() : 0;
        long multiplied = 0;
        long forManyRows = 0;
        long forOneRow = 0;
        for (String name : network.multiplied()) {
            long[] shape = Objects.requireNonNull(network.tensors().get(name));
            multiplied += shape[0] * shape[1];
            boolean answers = network.answering().contains(name);
            forManyRows += answers ? 0 : Products.columnBytes(shape[0], shape[1]);
            boolean inColumns = bits == 8 && !answers && !(decodes && inTwoForms);
            forOneRow += inColumns
                    ? Products.columnBytes(shape[0], shape[1])
                    : Products.blockBytes(shape[0], shape[1], bits, bits == 4 && OnnxDecoder.isFine(name));
        }
        long beside = (all - multiplied + basis) * Float.BYTES + structure;
        long weights = forOneRow + beside + (decodes && inTwoForms ? forManyRows + beside : 0);
        long converting = WeightFile.jobBytes(network.largestOfAllRows() * (Float.BYTES + 1));
        long opening = Math.min(Products.PART_BYTES, network.largest() * bits / Byte.SIZE);
        return new Footprint(weights, work, opening, converting);
    }

    /** Starts a graph; {@code what} names it in messages. */
    StoredWeights(String what, Weights checkpoint, Precision precision) {
        this.what = what + " of " + checkpoint.source();
        this.checkpoint = checkpoint;
        this.precision = precision;
        graph = new OnnxGraph(what);
    }

    /** A weight as a tensor of the graph, under its own name; asking again gives the same tensor. */
    String weight(String name, long... shape) {
        if (!initializers.containsKey(name)) {
            StoredTensor stored = checkpoint.get(name, shape);
            initializers.put(
                    name, new Initializer(OnnxGraph.Type.FLOAT, stored.shape(), byteLength(stored), stored, "", null));
        }
        return name;
    }

    /**
     * Has a tensor that is not part of the graph checked when the weights are written: what quantised layers make of it
     * would hide that it holds no numbers.
     */
    void requireFinite(String name, long... shape) {
        checked.add(checkpoint.get(name, shape));
    }

    /**
     * Values that are made when the weights are written, as a float32 tensor of the graph.
     *
     * @return its name, which is another if a tensor of this one has another recipe
     */
    String made(String wanted, String recipe, Supplier<float[]> values, long... dims) {
        long count = Arrays.stream(dims).reduce(1, Math::multiplyExact);
        String name = named(wanted, recipe);
        initializers.putIfAbsent(
                name,
                new Initializer(
                        OnnxGraph.Type.FLOAT,
                        dims,
                        count * Float.BYTES,
                        null,
                        recipe,
                        channel -> SafetensorsWriter.writeFloats(FloatBuffer.wrap(values.get()), channel)));
        return name;
    }

    /** A name for what a recipe gives: a weight that several layers read in several bases is there in each. */
    String named(String wanted, String recipe) {
        Initializer known = initializers.get(wanted);
        return known == null || known.recipe().equals(recipe) ? wanted : named(wanted + "'", recipe);
    }

    /** Whether a tensor of the graph has this name. */
    boolean contains(String name) {
        return initializers.containsKey(name);
    }

    /** A tensor of the graph that is {@link #fill filled} when the weights are written. */
    void reserve(String name, OnnxGraph.Type type, long bytes, String recipe, long... dims) {
        initializers.put(name, new Initializer(type, dims, bytes, null, recipe, null));
    }

    /**
     * Fills reserved tensors.
     *
     * @param of one of them: if nothing needs it, nothing needs the others
     * @param memory that it takes
     */
    void fill(String of, long memory, Filling filling) {
        fillers.add(new Filler(of, filling, memory));
    }

    /** Has the graph take a tensor in parts. */
    void split(String name, Parts into) {
        parts.put(name, into);
    }

    /** All its values. */
    static float[] finite(StoredTensor tensor) {
        float[] values = tensor.toFloats();
        Finite.require(tensor, 0, FloatBuffer.wrap(values));
        return values;
    }

    /**
     * Loads the graph. float32 weights that lie in files of one folder are read from there; others are widened into a
     * file in the cache directory first. Files are mapped while the graph is loaded and no longer.
     */
    LoadedGraph load(EngineOptions options) {
        Set<String> needed = graph.needed();
        initializers.keySet().removeIf(name -> {
            Parts split = parts.getOrDefault(name, Parts.WHOLE);
            return IntStream.range(0, split.count()).noneMatch(i -> needed.contains(split.name(name, i)));
        });
        fillers.removeIf(filler -> !initializers.containsKey(filler.of()));
        Set<Path> looked = new HashSet<>();
        for (Initializer initializer : initializers.values()) {
            StoredTensor stored = initializer.stored();
            if (stored != null && looked.add(stored.file())) {
                stored.requireInPlace();
            }
        }
        try {
            Path folder = mappableFolder();
            return folder == null ? loadConverted(options) : loadFrom(folder, options);
        } catch (IOException e) {
            throw new CheckpointException("The weights for the " + what + " cannot be read: " + Reason.of(e) + ".", e);
        }
    }

    private LoadedGraph loadFrom(Path folder, EngineOptions options) throws IOException {
        Map<Path, FileState> before = new HashMap<>();
        for (Initializer initializer : initializers.values()) {
            StoredTensor stored = Objects.requireNonNull(initializer.stored());
            if (!before.containsKey(stored.file())) {
                stored.requireInPlace();
                before.put(stored.file(), FileState.of(stored.file()));
            }
        }
        LoadedGraph loaded = LoadedGraph.load(what, graph.toBytes(), folder, given, options);
        try {
            for (Map.Entry<Path, FileState> file : before.entrySet()) {
                if (!file.getValue().equals(FileState.of(file.getKey()))) {
                    throw new CheckpointException(file.getKey()
                            + " was changed while it was loaded; load the model again when that is done.");
                }
            }
            return loaded;
        } catch (IOException | RuntimeException | Error e) {
            loaded.close();
            throw e;
        }
    }

    private LoadedGraph loadConverted(EngineOptions options) throws IOException {
        WeightFile weights = converted().limit(options.cacheLimit());
        EntryLock use = weights.use(options.cacheDirectory());
        try {
            return loadConverted(weights, options).using(use);
        } catch (IOException | RuntimeException | Error e) {
            use.close();
            throw e;
        }
    }

    /**
     * Reads all of the file once more beside the engine, and has it written anew if it is damaged, or if another
     * process cleared the cache meanwhile.
     */
    private LoadedGraph loadConverted(WeightFile weights, EngineOptions options) throws IOException {
        for (int tries = 1; ; tries++) {
            Path file;
            FileState before;
            try {
                file = placeConverted(weights, options.cacheDirectory());
                before = FileState.of(file);
            } catch (NoSuchFileException e) {
                if (tries == WeightFile.TRIES) {
                    throw e;
                }
                continue;
            }
            Opening<Boolean> sound = Opening.of(() -> WeightFile.keep(file));
            LoadedGraph loaded = null;
            OnnxRuntimeException failure = null;
            try {
                loaded = LoadedGraph.load(what, graph.toBytes(), folder(file), given, options);
            } catch (OnnxRuntimeException e) {
                failure = e;
            }
            boolean kept;
            try {
                kept = sound.get();
            } catch (RuntimeException | Error e) {
                if (loaded != null) {
                    loaded.close();
                }
                throw e;
            }
            if (loaded != null && kept) {
                return loaded;
            }
            if (loaded != null) {
                loaded.close();
            }
            if (tries == WeightFile.TRIES || kept && isStill(before)) {
                throw failure != null
                        ? failure
                        : new CheckpointException(file + " is damaged or gone as soon as it is written; its disk may be"
                                + " failing, or something deletes what is in its folder.");
            }
        }
    }

    /** False if the file was deleted, also where another process has made it anew since. */
    private static boolean isStill(FileState before) throws IOException {
        try {
            return before.equals(FileState.of(before.file()));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static Path folder(Path file) {
        return Objects.requireNonNull(file.getParent());
    }

    /** Places all weights where they are, if an engine can map them from there; otherwise returns null. */
    private @Nullable Path mappableFolder() throws IOException {
        Map<Path, Map<String, Long>> files = new LinkedHashMap<>(); // where tensors begin
        Path folder = null;
        for (Map.Entry<String, Initializer> entry : initializers.entrySet()) {
            StoredTensor tensor = entry.getValue().stored();
            if (tensor == null) {
                return null;
            }
            Long offset = tensor.offset();
            // Downloaded files are often links into a store; ONNX Runtime wants the file itself.
            Path file = tensor.file().toRealPath();
            Path parent = file.getParent();
            boolean mappable = tensor.dtype() == DType.F32 && offset != null && offset % Float.BYTES == 0;
            if (!mappable || parent == null || folder != null && !folder.equals(parent)) {
                return null;
            }
            folder = parent;
            files.computeIfAbsent(file, unused -> new LinkedHashMap<>())
                    .put(entry.getKey(), Objects.requireNonNull(offset));
        }
        for (Map.Entry<Path, Map<String, Long>> file : files.entrySet()) {
            place(file.getKey(), file.getValue());
        }
        return folder;
    }

    private WeightFile converted() {
        WeightFile file = new WeightFile().describe(what + ", " + precision).source(checkpoint);
        initializers.forEach((name, initializer) -> {
            StoredTensor tensor = initializer.stored();
            SafetensorsWriter.Content content = initializer.content();
            long offset;
            if (tensor != null) {
                offset = file.add("float32 of " + identity(tensor), initializer.bytes(), channel -> {
                    if (precision != Precision.FULL) {
                        Finite.require(tensor);
                    }
                    SafetensorsWriter.writeFloats(tensor, channel);
                });
            } else if (content != null) {
                offset = file.add(initializer.recipe(), initializer.bytes(), content);
            } else {
                offset = file.reserve(initializer.recipe(), initializer.bytes());
            }
            offsets.put(name, offset);
        });
        for (StoredTensor tensor : checked) {
            file.add("finite " + identity(tensor), 0, channel -> Finite.require(tensor));
        }
        for (Filler filler : fillers) {
            file.job(
                    channel -> filler.filling()
                            .fill((name, at, bytes) -> WeightFile.writeFully(
                                    channel, bytes, Objects.requireNonNull(offsets.get(name)) + at)),
                    filler.memory());
        }
        return file;
    }

    private Path placeConverted(WeightFile weights, Path cacheDirectory) throws IOException {
        Path file = weights.in(cacheDirectory).toRealPath();
        place(file, offsets);
        return file;
    }

    private void place(Path file, Map<String, Long> tensors) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (Map.Entry<String, Long> tensor : tensors.entrySet()) {
                place(tensor.getKey(), file, channel, tensor.getValue());
            }
        }
    }

    /**
     * Has the engine map what it copies into the order of its kernels. All else is read here, so that nothing stays
     * mapped: a file that shrinks beneath a mapping ends the process, and one that is overwritten changes what the
     * model answers.
     */
    private void place(String name, Path file, FileChannel channel, long offset) throws IOException {
        Initializer initializer = Objects.requireNonNull(initializers.get(name));
        Parts split = parts.getOrDefault(name, Parts.WHOLE);
        long rowBytes = initializer.bytes() / split.rows();
        for (int i = 0; i < split.count(); i++) {
            long[] dims = initializer.dims().clone();
            dims[0] = dims[0] / split.rows() * split.rows(i);
            String part = split.name(name, i);
            long from = offset + (long) i * split.together() * rowBytes;
            long bytes = split.rows(i) * rowBytes;
            if (bytes <= MOST_IN_MODEL) {
                ByteBuffer values = ByteBuffer.allocate((int) bytes);
                WeightFile.readFully(channel, values, from);
                graph.constant(part, initializer.type(), values.array(), dims);
                continue;
            }
            graph.external(part, initializer.type(), dims, file.getFileName().toString(), from, bytes);
            if (!graph.isPacked(part)) {
                given.put(part, LoadedGraph.Given.read(initializer.type(), dims, file, channel, from, bytes));
            }
        }
    }

    private static long byteLength(StoredTensor tensor) {
        return Math.multiplyExact(tensor.elements(), Float.BYTES);
    }

    /**
     * Which tensor of which file it is, and by some of its values, what a view makes of it. What the file holds is
     * compared as a whole, see {@link WeightFile#source}.
     */
    static String identity(StoredTensor tensor) {
        return tensor.name() + " " + tensor.dtype() + Arrays.toString(tensor.shape()) + " at " + tensor.offset()
                + " of "
                + tensor.file().getFileName() + ", "
                + ContentHash.ofSome(tensor);
    }
}

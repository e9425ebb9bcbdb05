package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.lifecycle.Closing;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Opens weights, whatever file they are in. Reading a file never runs code from it. */
public final class Checkpoints {
    private static final List<String> IN_FOLDER = Collections.unmodifiableList(Arrays.asList(
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"));

    /** Missing files named in a message. */
    private static final int LISTED = 8;

    private Checkpoints() {}

    /**
     * Opens the weights of a folder or file: safetensors, {@code torch.save} (zip and the older format), or the index
     * of a sharded set of either. In a {@code torch.save} file, nested containers give names joined by a dot, and a
     * bare tensor has the empty name.
     *
     * @param folderOrFile a file, or a folder with {@code model.safetensors} or {@code pytorch_model.bin} or the index
     *     of one of them
     * @return weights that the caller closes
     * @throws CheckpointException if nothing is found or a file is damaged
     * @throws io.langbridge.UnsupportedModelException if a file is sound but has an element type that is not read
     */
    public static Weights open(Path folderOrFile) {
        if (!Files.isDirectory(folderOrFile)) {
            return openFile(folderOrFile);
        }
        for (String name : IN_FOLDER) {
            Path file = folderOrFile.resolve(name);
            if (isThere(file)) {
                return openFile(file);
            }
        }
        throw new CheckpointException("There are no weights in the folder " + folderOrFile + "; looked for "
                + String.join(", ", IN_FOLDER) + ".");
    }

    /** Whether {@link #open} would find a file of weights in {@code folder}. */
    public static boolean hasWeights(Path folder) {
        return IN_FOLDER.stream().anyMatch(name -> isThere(folder.resolve(name)));
    }

    /** Also a link that leads nowhere, which is told when it is opened. */
    private static boolean isThere(Path file) {
        return Files.exists(file) || Files.isSymbolicLink(file);
    }

    /**
     * A view with other names.
     *
     * @param newName from the old name to the new one, or to null for tensors to leave out
     * @return a view; closing it closes nothing
     * @throws CheckpointException if two tensors get the same name
     */
    public static Weights renamed(Weights weights, Function<String, @Nullable String> newName) {
        return NamedTensors.renamed(weights, newName);
    }

    /**
     * A view in which some tensors are 1 more: norms that a checkpoint stores as what they have beyond 1.
     *
     * @param which names of those
     * @return a view; closing it closes nothing
     */
    public static Weights plusOne(Weights weights, Predicate<String> which) {
        return changed(weights, which, tensor -> new LinearTensor(tensor, 1, 1));
    }

    /**
     * A view in which a matrix lies as linear layers have it: rows are columns.
     *
     * @param name of the matrix, {@code [rows, columns]}; others stay as they are
     * @return a view; closing it closes nothing
     * @throws CheckpointException if it is missing or has another shape
     */
    public static Weights transposed(Weights weights, String name, long rows, long columns) {
        StoredTensor matrix = TransposedTensor.of(weights.get(name, rows, columns));
        return changed(weights, tensor -> tensor.equals(name), old -> matrix);
    }

    /**
     * A view in which the values of each row of a matrix are grouped in the other way: it has {@code groups} of
     * {@code size} values that belong together, and here the first values of all groups come first, then the second.
     *
     * @param name of the matrix, {@code [rows, groups * size]}; others stay as they are
     * @return a view; closing it closes nothing
     * @throws CheckpointException if it is missing or has another shape
     */
    public static Weights regrouped(Weights weights, String name, long rows, int groups, int size) {
        StoredTensor matrix = new TransposedTensor(
                weights.get(name, rows, (long) groups * size), groups, size, rows, (long) groups * size);
        return changed(weights, tensor -> tensor.equals(name), old -> matrix);
    }

    /**
     * A view in which rows of some tensors come in another order, the same in every run of as many.
     *
     * @param which names of those; they have a multiple of as many rows
     * @param order where each row of a run is in the file
     * @return a view; closing it closes nothing
     */
    public static Weights reordered(Weights weights, Predicate<String> which, int... order) {
        return changed(weights, which, tensor -> new ReorderedTensor(tensor, order));
    }

    /**
     * A view of a matrix whose values are multiplied in float32, those of each block with a number of its own.
     *
     * @param scale {@code [rows / blockRows, columns / blockColumns]}, rounded up; a single one in any shape
     */
    public static StoredTensor scaled(StoredTensor matrix, StoredTensor scale, long blockRows, long blockColumns) {
        return new ScaledTensor(matrix, scale, blockRows, blockColumns);
    }

    /** A view of a tensor whose values are multiplied in float32. */
    public static StoredTensor times(float factor, StoredTensor tensor) {
        return factor == 1 ? tensor : new LinearTensor(tensor, factor, 0);
    }

    /**
     * A view in which a convolution's kernel over several frames is one for pictures that are shown in all of them: its
     * sum, {@code [out, channels * height * width]}; of one frame, the same values as a matrix.
     *
     * @param name of the kernel, {@code [out, channels, frames, height, width]}, or without the frames; others stay as
     *     they are
     * @return a view; closing it closes nothing
     * @throws CheckpointException if it is missing or has another shape
     */
    public static Weights summedFrames(Weights weights, String name, long... shape) {
        StoredTensor sum = new SummedTensor(weights.get(name, shape));
        return changed(weights, tensor -> tensor.equals(name), old -> sum);
    }

    /**
     * Tensors whose rows are those of several, one under the other, as those; as it was where there are none.
     *
     * @param name the end of their names
     * @param parts in place of its first word each
     * @param rows of each
     */
    public static Weights split(Weights weights, String name, List<String> parts, int... rows) {
        String whole = name.substring(0, name.indexOf('.'));
        if (weights.names().stream().noneMatch(each -> each.endsWith("." + name))) {
            return weights;
        }
        int all = IntStream.of(rows).sum();
        Map<String, StoredTensor> view = new LinkedHashMap<>();
        for (String each : weights.names()) {
            StoredTensor tensor = weights.get(each);
            if (!each.endsWith("." + name)) {
                view.put(each, tensor);
                continue;
            }
            if (tensor.shape().length == 0 || tensor.shape()[0] != all) {
                throw new CheckpointException("Tensor " + tensor.name() + " in " + tensor.file() + " has shape "
                        + Arrays.toString(tensor.shape()) + ", but config.json asks for " + all + " rows: those of "
                        + String.join(", ", parts) + ".");
            }
            int first = 0;
            for (int i = 0; i < rows.length; i++) {
                view.put(each.replace("." + whole + ".", "." + parts.get(i) + "."), tensor.rows(first, rows[i]));
                first += rows[i];
            }
        }
        return new NamedTensors(weights.source(), view, Collections.emptyList());
    }

    /**
     * A view with other tensors in place of some.
     *
     * @param which what stands in the place of a tensor, or null for those to leave out
     * @return a view; closing it closes nothing
     */
    public static Weights replaced(Weights weights, UnaryOperator<@Nullable StoredTensor> which) {
        Map<String, StoredTensor> view = new LinkedHashMap<>();
        for (String name : weights.names()) {
            StoredTensor tensor = which.apply(weights.get(name));
            if (tensor != null) {
                view.put(name, tensor);
            }
        }
        return new NamedTensors(weights.source(), view, Collections.emptyList());
    }

    private static Weights changed(Weights weights, Predicate<String> which, UnaryOperator<StoredTensor> change) {
        Map<String, StoredTensor> view = new LinkedHashMap<>();
        for (String name : weights.names()) {
            StoredTensor tensor = weights.get(name);
            view.put(name, which.test(name) ? change.apply(tensor) : tensor);
        }
        return new NamedTensors(weights.source(), view, Collections.emptyList());
    }

    private static Weights openFile(Path file) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (name.endsWith(".json")) {
            return openShards(file);
        }
        return name.endsWith(".safetensors") ? Safetensors.open(file) : TorchFile.open(file);
    }

    private static Weights openShards(Path index) {
        Json map = Json.read(index).object("weight_map");
        if (map == null) {
            throw new CheckpointException(index + " has no 'weight_map'; it is not the index of a sharded checkpoint.");
        }
        Map<String, List<String>> namesByShard = new TreeMap<>();
        for (String tensor : map.keys()) {
            namesByShard
                    .computeIfAbsent(map.requiredString(tensor), shard -> new ArrayList<>())
                    .add(tensor);
        }
        Path folder = index.toAbsolutePath().normalize().getParent();
        if (folder == null) {
            throw new CheckpointException(index + " lies in no folder.");
        }
        List<String> missing = new ArrayList<>();
        for (String shard : namesByShard.keySet()) {
            if (!Files.isRegularFile(shardFile(index, folder, shard))) {
                missing.add(shard);
            }
        }
        if (!missing.isEmpty()) {
            throw new CheckpointException("The index " + index + " names " + namesByShard.size() + " files, of which "
                    + missing.size() + " are missing: "
                    + String.join(", ", missing.subList(0, Math.min(LISTED, missing.size())))
                    + (missing.size() > LISTED ? ", .." : "")
                    + ". Download them into the same folder.");
        }
        Closing closing = new Closing();
        try {
            Map<String, StoredTensor> tensors = new LinkedHashMap<>();
            for (Map.Entry<String, List<String>> shard : namesByShard.entrySet()) {
                Weights weights = closing.add(openFile(shardFile(index, folder, shard.getKey())));
                for (String tensor : shard.getValue()) {
                    if (!weights.contains(tensor)) {
                        throw new CheckpointException("The index " + index + " says that tensor " + tensor + " is in "
                                + shard.getKey() + ", but it is not; index and files belong to different downloads.");
                    }
                    tensors.put(tensor, weights.get(tensor));
                }
            }
            return new NamedTensors(index.toString(), tensors, closing.opened());
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    private static Path shardFile(Path index, Path folder, String shard) {
        Path file;
        try {
            file = folder.resolve(shard).normalize();
        } catch (InvalidPathException e) {
            throw new CheckpointException("The index " + index + " names an impossible file '" + shard + "'.");
        }
        String name = file.toString();
        if (!file.startsWith(folder) || !(name.endsWith(".safetensors") || name.endsWith(".bin"))) {
            throw new CheckpointException("The index " + index + " points to '" + shard
                    + "'; only .safetensors and .bin"
                    + " files inside its own folder are allowed.");
        }
        return file;
    }
}

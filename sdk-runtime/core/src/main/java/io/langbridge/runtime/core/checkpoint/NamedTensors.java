package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.lifecycle.Closing;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tensors by name, and the files to close with them. */
final class NamedTensors implements Weights {
    /** Names that are looked at for a message; a hostile file has hundreds of thousands. */
    private static final int COMPARED = 10_000;

    private static final int LONGEST_COMPARED = 300;

    private final String source;
    private final Map<String, StoredTensor> tensors;
    private final List<? extends AutoCloseable> owned;

    NamedTensors(String source, Map<String, StoredTensor> tensors, List<? extends AutoCloseable> owned) {
        this.source = source;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.owned = owned;
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public String source() {
        return source;
    }

    @Override
    public StoredTensor get(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("There is no tensor " + name + " in " + source + "; " + closest(name));
        }
        return tensor;
    }

    @Override
    public Weights under(String prefix) {
        return renamed(this, name -> name.startsWith(prefix) ? name.substring(prefix.length()) : null);
    }

    static Weights renamed(Weights weights, Function<String, @Nullable String> rename) {
        Map<String, StoredTensor> view = new LinkedHashMap<>();
        for (String name : weights.names()) {
            String newName = rename.apply(name);
            if (newName != null) {
                StoredTensor tensor = weights.get(name);
                StoredTensor other = view.put(newName, tensor);
                if (other != null) {
                    throw new CheckpointException("Both " + other.name() + " and " + tensor.name() + " in "
                            + weights.source() + " stand for " + newName + "; remove one of them.");
                }
            }
        }
        return new NamedTensors(weights.source(), view, Collections.emptyList());
    }

    @Override
    public void close() {
        Closing.all(owned);
    }

    private String closest(String name) {
        if (tensors.isEmpty()) {
            return "there are no tensors at all.";
        }
        Map<String, Integer> distances = new HashMap<>();
        for (String other : tensors.keySet()) {
            if (distances.size() == COMPARED) {
                break;
            }
            if (other.length() <= LONGEST_COMPARED) {
                distances.put(other, distance(name, other));
            }
        }
        String closest = distances.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .limit(3)
                .map(Map.Entry::getKey)
                .collect(Collectors.joining(", "));
        return closest.isEmpty() ? "its names are all long." : "the closest names are " + closest + ".";
    }

    /** Levenshtein distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    @Override
    public String toString() {
        return tensors.size() + " tensors in " + source;
    }
}

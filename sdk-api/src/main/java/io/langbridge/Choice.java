package io.langbridge;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How likely each of some answers is, see {@link VisionLanguageModel#choose}. Immutable.
 *
 * @since 0.1
 */
public final class Choice {
    private final Map<String, Double> probabilities;
    private final double total;

    /**
     * Made by a runtime.
     *
     * @param probabilities of the labels among each other, which sum up to 1; at least one
     * @param total how likely the model is to give one of them at all, from 0 to 1
     */
    public Choice(Map<String, Double> probabilities, double total) {
        if (probabilities.isEmpty()) {
            throw new IllegalArgumentException("There is no label to choose");
        }
        this.probabilities = Collections.unmodifiableMap(new LinkedHashMap<>(probabilities));
        this.total = total;
    }

    /** {@return the labels with their probabilities among each other, in the order in which they were given} */
    public Map<String, Double> probabilities() {
        return probabilities;
    }

    /** {@return the likeliest label, the first of several that are equal} */
    public String best() {
        String best = "";
        double most = -1;
        for (Map.Entry<String, Double> entry : probabilities.entrySet()) {
            if (entry.getValue() > most) {
                most = entry.getValue();
                best = entry.getKey();
            }
        }
        return best;
    }

    /**
     * How likely the model is to give one of the labels at all, and not something else. A small number says that the
     * labels are not what it would answer, and that the probabilities mean little.
     *
     * @return from 0 to 1
     */
    public double total() {
        return total;
    }

    @Override
    public String toString() {
        return best() + " " + probabilities;
    }
}

package io.langbridge.runtime.core.image;

import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A picture as the vision encoder reads it.
 *
 * @param each by the names that the encoder's network has for them, normalised pixels among them: once for all views if
 *     they are pixels, else once for each view
 * @param plan how the views lie in the picture
 */
public record PreparedImage(List<Map<String, FloatTensor>> each, PicturePlan plan) {
    public PreparedImage {
        each = new ArrayList<>(each);
    }

    /** Views that lie one behind the other in each input. */
    static PreparedImage alike(Map<String, FloatTensor> inputs, PicturePlan plan) {
        return new PreparedImage(Collections.singletonList(inputs), plan);
    }

    /**
     * What the encoder reads of all views at once.
     *
     * @throws IllegalStateException if it reads patches of more than one view
     */
    public Map<String, FloatTensor> inputs() {
        if (each.size() > 1) {
            throw new IllegalStateException("There are patches of " + each.size() + " views, which are run one by one");
        }
        return each.get(0);
    }

    /**
     * {@code [views, 3, height, width]}, or {@code [1, patches, values]} of an encoder that reads patches of a view.
     */
    public FloatTensor pixels() {
        return Objects.requireNonNull(inputs().get(Net.PIXEL_VALUES));
    }

    /**
     * What the encoder reads, run after run.
     *
     * @param together views that it sees in one run, at most
     */
    public List<Map<String, FloatTensor>> runs(int together) {
        List<Map<String, FloatTensor>> runs = new ArrayList<>();
        for (Map<String, FloatTensor> inputs : each) {
            int views = inputs.values().iterator().next().size(0);
            for (int from = 0; from < views; from += together) {
                int first = from;
                int end = Math.min(views, from + together);
                Map<String, FloatTensor> some = new LinkedHashMap<>();
                inputs.forEach((name, values) -> some.put(name, values.rows(first, end)));
                runs.add(some);
            }
        }
        return runs;
    }

    /**
     * Room for the features of all views.
     *
     * @param some of the first run
     * @return {@code [views, patches, width]}, or {@code [1, patches of all views, width]} if views have patches of
     *     their own
     */
    public FloatTensor features(FloatTensor some) {
        if (each.size() == 1) {
            return FloatTensor.allocate(pixels().size(0), some.size(1), some.size(2));
        }
        int patches = each.stream()
                .mapToInt(inputs ->
                        Objects.requireNonNull(inputs.get(Net.PIXEL_VALUES)).size(1))
                .sum();
        return FloatTensor.allocate(1, patches, some.size(2));
    }
}

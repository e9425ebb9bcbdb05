package io.langbridge.runtime.training;

import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.training.Batches.Prepared;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Reads records whose caption labels the patches of their picture, one line for each. Thread-safe. */
final class PatchLabels implements Batches.Reader {
    private final Map<String, Integer> numbers = new HashMap<>();
    private final int patches;

    /**
     * Creates a reader.
     *
     * @param patches of a picture
     */
    PatchLabels(List<String> labels, int patches) {
        labels.forEach(label -> numbers.put(label, numbers.size()));
        this.patches = patches;
    }

    @Override
    public Prepared read(TrainingExample example, List<TokenLayout> layouts, List<FloatTensor> tiles) {
        StringBuilder caption = new StringBuilder();
        for (Message message : example.messages()) {
            if (message.role() == Role.ASSISTANT) {
                message.parts().forEach(part -> caption.append(part instanceof Message.Text text ? text.text() : ""));
            }
        }
        String[] lines = caption.toString().split("\n", -1);
        if (layouts.size() != 1 || layouts.get(0).tokens() != patches || lines.length != patches) {
            throw new TrainingDataException("Record " + example.name() + " has " + layouts.size() + " pictures and "
                    + lines.length + " lines; labels are learnt from one picture and one line for each of its "
                    + patches
                    + " patches");
        }
        IntStream.Builder labelled = IntStream.builder();
        IntStream.Builder labels = IntStream.builder();
        for (int patch = 0; patch < patches; patch++) {
            for (String label : lines[patch].split(" ", -1)) {
                if (label.isEmpty()) {
                    continue;
                }
                Integer number = numbers.get(label);
                if (number == null) {
                    throw new TrainingDataException("Record " + example.name() + " has the label '" + label
                            + "' on patch " + patch + ", which is none of labels(..)");
                }
                labelled.add(patch);
                labels.add(number);
            }
        }
        return new Prepared(
                List.of(), labelled.build().toArray(), labels.build().toArray(), tiles);
    }
}

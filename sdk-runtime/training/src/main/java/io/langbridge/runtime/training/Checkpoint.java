package io.langbridge.runtime.training;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.PyTorchTraining;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import io.langbridge.runtime.pytorch.PyTorchTraining.Parameter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checkpoints in a folder: all that is needed to go on as if nothing had happened. Not thread-safe. */
final class Checkpoint {
    private static final String PREFIX = "step-";
    private static final String STATE = "state.json";
    private static final String TENSORS = "trained.safetensors";
    private static final int CHUNK = 1 << 20;
    private static final Gson GSON = new GsonBuilder()
            .serializeSpecialFloatingPointValues()
            .setPrettyPrinting()
            .create();

    private final Path folder;
    private final List<Kind> kinds;

    /**
     * What is not a tensor.
     *
     * @param settings what decides the numbers
     * @param steps updates in all
     * @param drawn records used, bad ones too
     */
    record State(
            Map<String, String> settings,
            int steps,
            int step,
            long drawn,
            int badRecords,
            List<String> firstBadRecords,
            List<Curves.Point> curve) {}

    /** Checkpoints in this folder, each with these kinds of values. */
    Checkpoint(Path folder, List<Kind> kinds) {
        this.folder = folder;
        this.kinds = kinds;
    }

    /** Writes one, then removes all but the newest {@code kept}. */
    void save(State state, PyTorchTraining training, int kept) {
        Path target = folder.resolve(String.format(Locale.ROOT, PREFIX + "%08d", state.step()));
        try {
            Files.createDirectories(folder);
            Output.folder(target, part -> {
                SafetensorsWriter tensors = new SafetensorsWriter();
                for (Kind kind : kinds) {
                    for (Parameter parameter : training.parameters()) {
                        tensors.add(
                                name(kind, parameter),
                                DType.F32,
                                channel -> write(kind, parameter, training, 0, channel),
                                parameter.shape());
                    }
                }
                tensors.write(part.resolve(TENSORS));
                Files.writeString(part.resolve(STATE), GSON.toJson(state));
            });
            List<Path> all = all();
            for (Path old : all.subList(0, Math.max(0, all.size() - kept))) {
                Output.delete(old);
            }
        } catch (IOException e) {
            throw Output.failed(target, e);
        }
    }

    /** Writes a parameter's values, so much {@code more} each, from where the channel stands. */
    static void write(Kind kind, Parameter parameter, PyTorchTraining training, float more, FileChannel channel)
            throws IOException {
        for (long first = 0; first < parameter.elements(); first += CHUNK) {
            FloatTensor values = FloatTensor.allocate((int) Math.min(CHUNK, parameter.elements() - first));
            training.read(kind, parameter, first, values);
            FloatBuffer data = values.data();
            for (int i = 0; more != 0 && i < data.limit(); i++) {
                data.put(i, data.get(i) + more);
            }
            SafetensorsWriter.writeFloats(values.data(), channel);
        }
    }

    private static String name(Kind kind, Parameter parameter) {
        return kind.name().toLowerCase(Locale.ROOT) + "." + parameter.key();
    }

    /** Oldest first. */
    private List<Path> all() throws IOException {
        if (!Files.isDirectory(folder)) {
            return Collections.emptyList();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(PREFIX + "\\d+"))
                    .sorted()
                    .toList();
        }
    }

    /**
     * Restores the newest one.
     *
     * @return null if there is none
     * @throws TrainingException if it was made with other settings or is damaged
     */
    @Nullable
    State restore(Map<String, String> settings, int steps, PyTorchTraining training) {
        try {
            List<Path> all = all();
            if (all.isEmpty()) {
                return null;
            }
            Path newest = all.get(all.size() - 1);
            State state = GSON.fromJson(Files.readString(newest.resolve(STATE)), State.class);
            requireSame(newest, state, settings, steps);
            try (Weights weights = Checkpoints.open(newest.resolve(TENSORS))) {
                for (Kind kind : kinds) {
                    for (Parameter parameter : training.parameters()) {
                        load(weights.get(name(kind, parameter), parameter.shape()), kind, parameter, training);
                    }
                }
            }
            training.continueAfter(state.step());
            return state;
        } catch (IOException | JsonParseException e) {
            throw new TrainingException(
                    "The newest checkpoint in " + folder + " cannot be read: " + e + "; delete it to go on from the one"
                            + " before, or all of them to begin anew",
                    e);
        }
    }

    /** Copies a stored tensor into a parameter. */
    static void load(StoredTensor stored, Kind kind, Parameter parameter, PyTorchTraining training) {
        for (long first = 0; first < stored.elements(); first += CHUNK) {
            FloatTensor values = FloatTensor.allocate((int) Math.min(CHUNK, stored.elements() - first));
            stored.read(first, values.data());
            training.write(kind, parameter, first, values);
        }
    }

    private static void requireSame(Path newest, State state, Map<String, String> settings, int steps) {
        List<String> differences = new ArrayList<>();
        settings.forEach((name, value) -> {
            String before = state.settings().getOrDefault(name, "null"); // older ones lack what was added
            if (!value.equals(before)) {
                differences.add(name + " was " + before + " and is " + value);
            }
        });
        if (state.steps() != steps) {
            differences.add("there were " + state.steps() + " updates and are " + steps);
        }
        if (!differences.isEmpty()) {
            throw new TrainingException("The checkpoint " + newest + " belongs to a training with other settings: "
                    + String.join("; ", differences)
                    + ". Use these settings to go on with it, or another output folder");
        }
    }
}

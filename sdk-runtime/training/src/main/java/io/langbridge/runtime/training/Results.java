package io.langbridge.runtime.training;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.family.AdapterConfigWriter;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.pytorch.PyTorchTraining;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import io.langbridge.runtime.pytorch.PyTorchTraining.Parameter;
import io.langbridge.runtime.pytorch.PyTorchTraining.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Writes what was trained, each network as a folder of its own in the layout that its authors publish. */
final class Results {
    private static final String WEIGHTS = "model.safetensors";

    private final Parts parts;
    private final PyTorchTraining training;
    private final Kind kind;

    /** Results that are made of this kind of values. */
    Results(Parts parts, PyTorchTraining training, Kind kind) {
        this.parts = parts;
        this.training = training;
        this.kind = kind;
    }

    /**
     * {@code mm_projector.safetensors} with the authors' names, {@code config.json} with their keys, and the shared
     * vocabulary.
     */
    void adapter(Path folder, AdapterConfig config, int llmHiddenSize) throws IOException {
        Output.folder(folder, part -> {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (Parameter parameter : parameters(Part.ADAPTER)) {
                boolean newline = parameter.name().equals("image_newline");
                add(writer, (newline ? "model." : "model.mm_projector.") + parameter.name(), parameter);
            }
            writer.write(part.resolve("mm_projector.safetensors"));
            if (parts.vocabulary() != null) {
                parts.vocabulary().save(part.resolve("vocabulary.json"));
            }
            JsonObject json = AdapterConfigWriter.shape(config, llmHiddenSize);
            AdapterConfigWriter.addTraining(json, parts.selection(), parts.tiling());
            String text = new GsonBuilder().setPrettyPrinting().create().toJson(json);
            Files.writeString(part.resolve("config.json"), text);
        });
    }

    /** The language model's folder with trained weights. */
    void llm(Path folder, LlmPart llm) throws IOException {
        Output.folder(folder, part -> {
            Output.copyAllButWeights(llm.folder(), part);
            SafetensorsWriter writer = new SafetensorsWriter();
            for (Parameter parameter : parameters(Part.LLM)) {
                float stored = llm.config().isBeyondOne(parameter.name()) ? -1 : 0;
                add(writer, parameter.name(), parameter, stored);
            }
            writer.write(part.resolve(WEIGHTS));
        });
    }

    /** The encoder's folder with trained weights; layers behind the one that is used are as they were. */
    void encoder(Path folder, VisionPart vision) throws IOException {
        Output.folder(folder, part -> {
            Output.copyAllButWeights(vision.folder(), part);
            SafetensorsWriter writer = new SafetensorsWriter();
            Set<String> trained = new HashSet<>();
            for (Parameter parameter : parameters(Part.ENCODER)) {
                add(writer, "vision_model." + parameter.name(), parameter);
                trained.add(parameter.name());
            }
            for (String name : vision.weights().names()) {
                if (!trained.contains(name)) {
                    writer.add("vision_model." + name, vision.weights().get(name));
                }
            }
            writer.write(part.resolve(WEIGHTS));
        });
    }

    private List<Parameter> parameters(Part part) {
        return training.parameters().stream()
                .filter(parameter -> parameter.part() == part)
                .toList();
    }

    private void add(SafetensorsWriter writer, String name, Parameter parameter) {
        add(writer, name, parameter, 0);
    }

    private void add(SafetensorsWriter writer, String name, Parameter parameter, float more) {
        writer.add(
                name,
                DType.F32,
                channel -> Checkpoint.write(kind, parameter, training, more, channel),
                parameter.shape());
    }
}

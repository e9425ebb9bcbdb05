package io.langbridge.runtime.training;

import com.google.gson.stream.JsonWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.config.Tiling;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.pytorch.PyTorchTraining;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import io.langbridge.runtime.pytorch.PyTorchTraining.Parameter;
import io.langbridge.runtime.pytorch.PyTorchTraining.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Writes what was trained, each network as a folder of its own in the layout that its authors publish. */
final class Results {
    private static final String WEIGHTS = "model.safetensors";
    private static final String MATRIX = "vocabulary_matrix.safetensors";

    private final Parts parts;
    private final PyTorchTraining training;

    Results(Parts parts, PyTorchTraining training) {
        this.parts = parts;
        this.training = training;
    }

    /**
     * {@code mm_projector.safetensors} with the authors' names, {@code config.json} with their keys, and the shared
     * vocabulary.
     *
     * @param withMatrix whether to keep the vocabulary's embeddings as they were in this training, because the language
     *     model's have changed
     */
    void adapter(Path folder, boolean withMatrix) throws IOException {
        Output.folder(folder, part -> {
            List<Output.Tensor> tensors = new ArrayList<>();
            for (Parameter parameter : parameters(Part.ADAPTER)) {
                boolean newline = parameter.name().equals("image_newline");
                tensors.add(tensor((newline ? "model." : "model.mm_projector.") + parameter.name(), parameter));
            }
            Output.safetensors(part.resolve("mm_projector.safetensors"), tensors);
            if (parts.vocabulary() != null) {
                parts.vocabulary().save(part.resolve("vocabulary.json"));
            }
            FloatTensor matrix = parts.vocabularyMatrix();
            if (withMatrix && matrix != null) {
                long[] shape = {matrix.size(0), matrix.size(1)};
                FloatTensor flat = matrix.reshape(matrix.count());
                Output.Source rows = (first, target) -> target.data()
                        .put(flat.rows((int) first, (int) first + target.count()).data());
                Output.safetensors(
                        part.resolve(MATRIX), List.of(new Output.Tensor("vocabulary_matrix", shape, rows)));
            }
            adapterConfig(part.resolve("config.json"), withMatrix && matrix != null);
        });
    }

    private void adapterConfig(Path file, boolean withMatrix) throws IOException {
        AdapterConfig config = parts.adapterConfig();
        try (JsonWriter json = new JsonWriter(Files.newBufferedWriter(file))) {
            json.setIndent("  ");
            json.beginObject();
            json.name("mm_projector_type").value(config.type());
            json.name("mm_hidden_size").value(config.mmHiddenSize());
            json.name("hidden_size").value(parts.llm().config().hiddenSize());
            if (config instanceof AdapterConfig.LangBridge langBridge) {
                json.name("mlp_hidden_size").value(langBridge.mlpHiddenSize());
                json.name("mm_vocab_size").value(langBridge.mmVocabSize());
            }
            if (withMatrix) {
                json.name("mm_vocab_matrix").value(MATRIX);
            }
            json.name("mm_vision_select_layer").value(parts.selection().layer());
            json.name("mm_vision_select_feature")
                    .value(parts.selection().patches() ? "patch" : "cls_patch");
            if (parts.tiling() instanceof Tiling.AnyResolution any) {
                json.name("image_aspect_ratio").value("anyres");
                json.name("mm_patch_merge_type")
                        .value(any.merge().name().toLowerCase(java.util.Locale.ROOT));
                json.name("image_grid_pinpoints").beginArray();
                for (Tiling.Size size : any.resolutions()) {
                    json.beginArray().value(size.width()).value(size.height()).endArray();
                }
                json.endArray();
            } else {
                json.name("image_aspect_ratio").value(parts.tiling() instanceof Tiling.Pad ? "pad" : "square");
            }
            json.endObject();
        }
    }

    /** The language model's folder with trained weights. */
    void llm(Path folder) throws IOException {
        Output.folder(folder, part -> {
            Output.copyAllButWeights(parts.llm().folder(), part);
            List<Output.Tensor> tensors = new ArrayList<>();
            for (Parameter parameter : parameters(Part.LLM)) {
                tensors.add(tensor(parameter.name(), parameter));
            }
            Output.safetensors(part.resolve(WEIGHTS), tensors);
        });
    }

    /** The encoder's folder with trained weights; layers behind the one that is used are as they were. */
    void encoder(Path folder) throws IOException {
        Output.folder(folder, part -> {
            Output.copyAllButWeights(parts.vision().folder(), part);
            List<Output.Tensor> tensors = new ArrayList<>();
            Set<String> trained = new HashSet<>();
            for (Parameter parameter : parameters(Part.ENCODER)) {
                tensors.add(tensor("vision_model." + parameter.name(), parameter));
                trained.add(parameter.name());
            }
            for (String name : parts.vision().weights().names()) {
                StoredTensor stored = parts.vision().weights().get(name);
                if (!trained.contains(name) && stored.dtype().isFloatingPoint()) {
                    tensors.add(new Output.Tensor(
                            "vision_model." + name,
                            stored.shape(),
                            (first, target) -> stored.read(first, target.data())));
                }
            }
            Output.safetensors(part.resolve(WEIGHTS), tensors);
        });
    }

    private List<Parameter> parameters(Part part) {
        return training.parameters().stream()
                .filter(parameter -> parameter.part() == part)
                .toList();
    }

    private Output.Tensor tensor(String name, Parameter parameter) {
        return new Output.Tensor(
                name,
                parameter.shape(),
                (first, target) -> training.read(Kind.PARAMETER, parameter, first, target));
    }
}

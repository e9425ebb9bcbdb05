package io.langbridge.runtime.core.model;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.AdapterWriter;
import io.langbridge.CheckpointException;
import io.langbridge.FitReport;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.AtomicWrite;
import io.langbridge.runtime.core.checkpoint.ContentHash;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.family.AdapterConfigWriter;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes adapters into folders of their own, as {@link AdapterPart} reads them. */
final class AdapterFolder {
    private static final String WEIGHTS = "mm_projector.safetensors";
    private static final String AUTHORS = "model.mm_projector.";
    private static final String NEWLINE = "model.image_newline";
    private static final List<String> TENSORS =
            Arrays.asList("0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias");

    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeSpecialFloatingPointValues()
            .create();

    private final Path folder;
    private final LangBridgeAdapter wanted;
    private final AdapterPart part;
    private final AdapterConfig.LangBridge shape;
    private final Closing closing;

    private AdapterFolder(Path folder, LangBridgeAdapter wanted, Closing closing) {
        this.folder = folder;
        this.wanted = wanted;
        this.closing = closing;
        this.part = closing.add(Fit.open(wanted));
        Fit.requireKind(wanted, part);
        this.shape = (AdapterConfig.LangBridge) Fit.shape(wanted, part);
    }

    /** See {@link AdapterWriter#save}. */
    static void save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder) {
        Closing closing = new Closing();
        try {
            new AdapterFolder(folder, adapter, closing).save(trainedWith);
        } finally {
            Closing.all(closing.opened());
        }
    }

    /** See {@link AdapterWriter#fold} and {@link AdapterWriter#export}. */
    static void fold(
            LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder, Engine engine, EngineOptions options) {
        Closing closing = new Closing();
        try {
            new AdapterFolder(folder, adapter, closing).fold(llm, standard, engine, options);
        } finally {
            Closing.all(closing.opened());
        }
    }

    private void save(@Nullable Llm trainedWith) {
        Path vocabularyFile = part.vocabularyFile();
        if (vocabularyFile == null) {
            throw new CheckpointException("The LangBridge adapter " + wanted.path()
                    + " has no shared vocabulary beside it, without which it serves one language model only; name the"
                    + " file: Adapter.langBridge(projector, vocabulary)");
        }
        SharedVocabulary vocabulary = SharedVocabulary.read(vocabularyFile);
        JsonObject provenance = provenance();
        LlmPart llm = trainingLlm(trainedWith);
        if (llm != null) {
            requireSameIds(llm, vocabularyFile);
            provenance.add("trained_with", describe(llm));
        }

        create();
        SafetensorsWriter writer = new SafetensorsWriter();
        for (String name : TENSORS) {
            writer.add(AUTHORS + name, part.weights().get(name));
        }
        StoredTensor newline = part.imageNewline();
        if (newline != null) {
            writer.add(NEWLINE, newline);
        }
        writer.write(folder.resolve(WEIGHTS));
        vocabulary.save(folder.resolve("vocabulary.json"));
        JsonObject config = AdapterConfigWriter.shape(shape, null);
        part.settings().forEach(config::add);
        config.add("provenance", provenance);
        AtomicWrite.to(folder.resolve("config.json"), GSON.toJson(config));
    }

    /** The one that was named, or that lies in the same folder. */
    private @Nullable LlmPart trainingLlm(@Nullable Llm named) {
        if (named != null) {
            return closing.add(LlmPart.open(named.folder()));
        }
        Path together = wanted.path();
        return Files.exists(together.resolve("tokenizer.json")) ? closing.add(LlmPart.open(together)) : null;
    }

    private void requireSameIds(LlmPart llm, Path vocabularyFile) {
        Fit.Lookup lookup = Objects.requireNonNull(Fit.lookup(part, Tokenizer.of(llm.folder())));
        if (!lookup.sameIds()) {
            throw new CheckpointException("The shared vocabulary " + vocabularyFile + " has other token ids than "
                    + llm.folder() + ", so the adapter was not trained with that language model");
        }
    }

    private void fold(Llm named, boolean standard, Engine engine, EngineOptions options) {
        if (shape.softmax()) {
            throw new UnsupportedModelException("The adapter " + wanted.path() + " has a softmax over its vocabulary,"
                    + " which no projector computes, so it cannot be folded; use it as it is: Adapter.langBridge(..)");
        }
        LlmPart llm = closing.add(LlmPart.open(named.folder()));
        int width = llm.config().hiddenSize();
        int inner = shape.mlpHiddenSize();
        if (standard && inner > width) {
            throw new UnsupportedModelException("The adapter " + wanted.path() + " is " + inner
                    + " wide between its layers, but a standard mlp2x_gelu projector for " + llm.folder() + " is "
                    + width
                    + " wide there, so none computes the same; AdapterWriter.fold(..) keeps the adapter's width");
        }
        boolean together = ModelFiles.together(wanted, llm);
        Fit.Lookup lookup = Fit.lookup(part, Tokenizer.of(llm.folder()));
        Fit.requireNewline(part, llm, needsNewline(part), together, lookup);
        VocabularyMatrix matrix = Fit.vocabularyMatrix(part, llm, together, wanted.missingTokens(), lookup);
        Weights folded = closing.add(Adapters.fold(engine, shape, part.weights(), matrix, options));

        create();
        SafetensorsWriter writer = new SafetensorsWriter();
        int in = shape.mmHiddenSize();
        if (standard) {
            // GELU(0) is 0, so rows and columns of zeros change nothing.
            writer.add(
                    "multi_modal_projector.linear_1.weight",
                    padded(folded, "0.weight", width, in).data(),
                    width,
                    in);
            writer.add(
                    "multi_modal_projector.linear_1.bias",
                    padded(folded, "0.bias", width, 1).data(),
                    width);
            writer.add(
                    "multi_modal_projector.linear_2.weight",
                    padded(folded, "2.weight", width, width).data(),
                    width,
                    width);
            writer.add("multi_modal_projector.linear_2.bias", folded.get("2.bias"));
        } else {
            folded.names().forEach(name -> writer.add(AUTHORS + name, folded.get(name)));
        }
        StoredTensor newline = part.imageNewline();
        if (newline != null && needsNewline(part)) {
            writer.add(NEWLINE, newline);
        }
        writer.write(folder.resolve(WEIGHTS));
        JsonObject config = AdapterConfigWriter.shape(new AdapterConfig.Mlp(in, inner, width, 2, true), width);
        part.settings().forEach(config::add);
        JsonObject provenance = provenance();
        provenance.add("folded_for", describe(llm));
        config.add("provenance", provenance);
        AtomicWrite.to(folder.resolve("config.json"), GSON.toJson(config));
    }

    /** A tensor with rows and columns of zeros after its own. */
    private static FloatTensor padded(Weights weights, String name, int rows, int columns) {
        StoredTensor tensor = weights.get(name);
        long[] shape = tensor.shape();
        int width = shape.length == 1 ? 1 : Math.toIntExact(shape[1]);
        FloatTensor padded = FloatTensor.allocate(rows, columns);
        FloatTensor row = FloatTensor.allocate(width);
        for (int i = 0; i < shape[0]; i++) {
            tensor.read((long) i * width, row.data());
            padded.rows(i, i + 1).data().put(row.data());
        }
        return padded;
    }

    private void create() {
        for (String name : Arrays.asList(WEIGHTS, "mm_projector.bin", "config.json")) {
            if (Files.exists(folder.resolve(name))) {
                throw new CheckpointException("The folder " + folder + " holds " + name
                        + " already; choose another one, so that nothing is mixed or lost");
            }
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new CheckpointException("The folder " + folder + " cannot be made: " + Reason.of(e) + ".", e);
        }
    }

    private JsonObject provenance() {
        Set<Path> files = new LinkedHashSet<>();
        for (String name : TENSORS) {
            files.add(part.weights().get(name).file());
        }
        if (part.imageNewline() != null) {
            files.add(part.imageNewline().file());
        }
        if (part.vocabularyFile() != null) {
            files.add(part.vocabularyFile());
        }
        JsonArray sources = new JsonArray();
        for (Path file : files) {
            JsonObject source = new JsonObject();
            source.addProperty("file", String.valueOf(file.getFileName()));
            source.addProperty("sha256", ContentHash.of(file));
            sources.add(source);
        }
        JsonObject provenance = new JsonObject();
        provenance.add("sources", sources);
        JsonArray licences = new JsonArray();
        for (FitReport.Licence licence : Licences.of("adapter", wanted.path())) {
            licences.add(
                    licence.name() != null
                            ? licence.name()
                            : String.valueOf(licence.file().getFileName()));
        }
        provenance.add("licences", licences);
        JsonElement before = part.provenance();
        if (before != null) {
            provenance.add("before", before);
        }
        return provenance;
    }

    private static JsonObject describe(LlmPart llm) {
        DecoderConfig config = llm.config();
        JsonObject described = new JsonObject();
        described.addProperty(
                "folder",
                String.valueOf(llm.folder().toAbsolutePath().normalize().getFileName()));
        described.addProperty("model_type", config.modelType());
        described.addProperty("hidden_size", config.hiddenSize());
        described.addProperty("num_hidden_layers", config.numHiddenLayers());
        described.addProperty("vocab_size", config.vocabSize());
        return described;
    }

    private static boolean needsNewline(AdapterPart part) {
        return part.tiling() != null && part.tiling().needsNewline();
    }
}

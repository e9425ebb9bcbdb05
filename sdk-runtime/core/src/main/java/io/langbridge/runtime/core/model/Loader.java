package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.ImageFit;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.Closing;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.config.AdapterPart;
import io.langbridge.runtime.core.config.DecoderConfig;
import io.langbridge.runtime.core.config.FeatureSelection;
import io.langbridge.runtime.core.config.ImagePrompt;
import io.langbridge.runtime.core.config.LlmPart;
import io.langbridge.runtime.core.config.ModelFolder;
import io.langbridge.runtime.core.config.Tiling;
import io.langbridge.runtime.core.config.VisionPart;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.VisionNetwork;
import io.langbridge.runtime.core.explain.Embeddings;
import io.langbridge.runtime.core.explain.Explainer;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.text.ChatTemplate;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the files, checks that the parts fit, and hands them to an engine. Everything is closed again if a step fails.
 */
public final class Loader implements ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(Loader.class);
    private static final int MOST_THREADS = 8;
    private static final int DEFAULT_CONTEXT = 4096;

    /** For {@link ServiceLoader}. */
    public Loader() {}

    @Override
    public VisionLanguageModel load(ModelSpec spec) {
        List<Engine> engines = new ArrayList<>();
        ServiceLoader.load(Engine.class).forEach(engines::add);
        return load(spec, engines);
    }

    /** Loads with a given engine. */
    public static VisionLanguageModel load(ModelSpec spec, Engine engine) {
        return load(spec, Collections.singletonList(engine));
    }

    private static VisionLanguageModel load(ModelSpec spec, List<Engine> engines) {
        EngineChoice choice = EngineChoice.of(engines, spec.engine(), spec.device(), spec.allowDownloads());
        long start = System.nanoTime();
        Closing closing = new Closing();
        try {
            Files files =
                    spec.folder() == null ? separate(spec, closing) : whole(spec.folder(), spec.encoder(), closing);
            LoadedModel model = new LoadedModel(open(files, spec, choice, closing));
            LOG.info("Loaded {} in {} ms", files.llm.folder(), (System.nanoTime() - start) / 1_000_000);
            return model;
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /** The opened files of a model, whichever layout they came in. */
    private record Files(
            VisionPart vision,
            AdapterPart adapter,
            LlmPart llm,
            AdapterConfig adapterConfig,
            Tiling tiling,
            ImagePrompt imagePrompt) {}

    private static Files whole(Path folder, @Nullable Encoder encoder, Closing closing) {
        ModelFolder model = closing.add(ModelFolder.open(folder, encoder == null ? null : encoder.folder()));
        return new Files(
                model.vision(),
                model.adapter(),
                model.llm(),
                model.adapter().config(),
                model.tiling(),
                model.imagePrompt());
    }

    private static Files separate(ModelSpec spec, Closing closing) {
        Encoder encoder = Objects.requireNonNull(spec.encoder());
        Adapter wanted = Objects.requireNonNull(spec.adapter());
        AdapterPart adapter = closing.add(AdapterPart.open(wanted.path(), wanted.vocabulary()));
        AdapterConfig config = adapterConfig(wanted, adapter);
        FeatureSelection selection = adapter.selection() == null ? FeatureSelection.DEFAULT : adapter.selection();
        if (encoder.layer() != null) {
            selection = new FeatureSelection(encoder.layer(), selection.patches());
        }
        VisionPart vision = closing.add(VisionPart.open(encoder.folder(), selection));
        LlmPart llm =
                closing.add(LlmPart.open(Objects.requireNonNull(spec.llm()).folder()));
        if (config.mmHiddenSize() != vision.config().hiddenSize()) {
            throw new CheckpointException("The adapter " + wanted.path() + " takes features of size "
                    + config.mmHiddenSize() + ", but the encoder " + encoder.folder() + " gives "
                    + vision.config().hiddenSize() + "; use the encoder that the adapter was trained with");
        }
        Integer width = outputWidth(config);
        if (width != null && width != llm.config().hiddenSize()) {
            throw new CheckpointException("The adapter " + wanted.path() + " gives visual tokens of size " + width
                    + ", but the language model " + llm.folder() + " takes "
                    + llm.config().hiddenSize()
                    + "; only LangBridge adapters move between language models");
        }
        return new Files(vision, adapter, llm, config, tiling(encoder, adapter), new ImagePrompt.Splice());
    }

    private static AdapterConfig adapterConfig(Adapter wanted, AdapterPart part) {
        boolean isLangBridge = part.config() instanceof AdapterConfig.LangBridge;
        if (wanted.isLangBridge() != isLangBridge) {
            throw new CheckpointException("The adapter " + wanted.path() + " is of type "
                    + part.config().type() + ", "
                    + (isLangBridge
                            ? "which is LangBridge: use Adapter.langBridge(..)"
                            : "not LangBridge (mm_vocab): use Adapter.projector(..)"));
        }
        return wanted.hasSoftmax() && part.config() instanceof AdapterConfig.LangBridge langBridge
                ? new AdapterConfig.LangBridge(
                        langBridge.mmHiddenSize(), langBridge.mlpHiddenSize(), langBridge.mmVocabSize(), true)
                : part.config();
    }

    private static @Nullable Integer outputWidth(AdapterConfig config) {
        if (config instanceof AdapterConfig.Mlp mlp) {
            return mlp.llmHiddenSize();
        }
        return config instanceof AdapterConfig.Linear linear ? (Integer) linear.llmHiddenSize() : null;
    }

    private static Tiling tiling(Encoder encoder, AdapterPart adapter) {
        if (encoder.fit() != null) {
            return encoder.fit() == ImageFit.PAD ? new Tiling.Pad() : new Tiling.Plain();
        }
        Tiling trained = adapter.tiling();
        return trained != null ? trained : new Tiling.Pad();
    }

    private static LoadedModel.Parts open(Files files, ModelSpec spec, EngineChoice choice, Closing closing) {
        int context = contextLength(spec, files.llm.config());
        EngineOptions options = new EngineOptions(
                spec.threads() != null
                        ? spec.threads()
                        : Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()),
                spec.spinning(),
                spec.cacheDirectory() != null ? spec.cacheDirectory() : CacheDirectory.ofUser(),
                choice.device(),
                spec.allowDownloads());
        memory(files, context).check(spec.memoryLimit());

        ImagePreprocessor preprocessor = new ImagePreprocessor(
                files.vision.preprocessor(), files.tiling, files.vision.config().imageSize());
        Tokenizer tokenizer = closing.add(Tokenizer.of(files.llm.folder()));
        ChatTemplate template = ChatTemplate.of(files.llm.folder());
        if (template == null) {
            throw new UnsupportedModelException("The language model in " + files.llm.folder()
                    + " has no chat template, so nothing says how a question is put to it; add chat_template.jinja, or use"
                    + " the instruction-tuned version of the model");
        }
        String image =
                files.imagePrompt instanceof ImagePrompt.Placeholder placeholder ? placeholder.token() : "<image>";
        VocabularyMatrix matrix = vocabularyMatrix(files, tokenizer);
        Engine engine = choice.engine();
        VisionNetwork vision = closing.add(engine.vision(files.vision.config(), files.vision.weights(), options));
        AdapterNetwork adapter =
                closing.add(Adapters.attach(engine, files.adapterConfig, files.adapter.weights(), matrix, options));
        DecoderNetwork decoder =
                closing.add(choice.decoder().decoder(files.llm.config(), files.llm.weights(), options));
        StoredTensor newline = files.adapter.imageNewline();
        return new LoadedModel.Parts(
                encoderName(files),
                preprocessor,
                vision,
                adapter,
                decoder,
                tokenizer,
                new PromptAssembler(tokenizer, template, image),
                new Explainer(
                        files.vision.config().patchesPerSide(),
                        adapter,
                        tokenizer,
                        new Embeddings(files.llm.weights().get("model.embed_tokens.weight")),
                        (a, b) -> engine.multiply(a, false, b, true, options),
                        names(files, tokenizer)),
                files.llm.generation(),
                newline == null ? null : newline.toFloats(),
                files.imagePrompt instanceof ImagePrompt.Placeholder,
                context,
                closing);
    }

    private static int contextLength(ModelSpec spec, DecoderConfig config) {
        int most = config.maxPositionEmbeddings();
        if (spec.contextLength() == null) {
            return Math.min(DEFAULT_CONTEXT, most);
        }
        if (spec.contextLength() > most) {
            throw new CheckpointException("A contextLength of " + spec.contextLength()
                    + " was asked for, but the language model has max_position_embeddings " + most);
        }
        return spec.contextLength();
    }

    /** Says what the features mean, so that those of another encoder are refused. */
    private static String encoderName(Files files) {
        return files.vision.folder().toAbsolutePath().normalize() + ", layer "
                + files.vision.config().layersToRun() + ", " + files.tiling;
    }

    /**
     * The embedding row of every shared token: the authors' own matrix where it lies beside the model, else looked up
     * by the tokens' spelling, so that the vocabulary file of one language model serves another.
     */
    private static @Nullable VocabularyMatrix vocabularyMatrix(Files files, Tokenizer tokenizer) {
        if (!(files.adapterConfig instanceof AdapterConfig.LangBridge)) {
            return null;
        }
        StoredTensor saved = files.adapter.vocabularyMatrix();
        if (saved != null && saved.shape()[1] == files.llm.config().hiddenSize()) {
            return VocabularyMatrix.of(saved);
        }
        Path vocabularyFile = files.adapter.vocabularyFile();
        if (vocabularyFile == null) {
            throw new CheckpointException(
                    "The LangBridge adapter " + files.adapter.weights().source()
                            + " has no shared vocabulary beside it; name the file: Adapter.langBridge(projector, vocabulary)");
        }
        SharedVocabulary.Transfer transfer =
                SharedVocabulary.read(vocabularyFile).forTokenizer(tokenizer);
        return VocabularyMatrix.of(files.llm.weights().get("model.embed_tokens.weight"), transfer.complete());
    }

    /** Names the adapter's columns, if there is a file that does. */
    private static @Nullable Supplier<SharedVocabulary.Transfer> names(Files files, Tokenizer tokenizer) {
        Path file = files.adapter.vocabularyFile();
        return file == null ? null : () -> SharedVocabulary.read(file).forTokenizer(tokenizer);
    }

    private static Memory memory(Files files, int context) {
        DecoderConfig llm = files.llm.config();
        Memory memory = new Memory();
        memory.add("language model", files.llm.elements() * Float.BYTES);
        memory.add("encoder", files.vision.elements() * Float.BYTES);
        if (files.adapterConfig instanceof AdapterConfig.LangBridge config && !config.softmax()) {
            long folded = (long) config.mlpHiddenSize() * (config.mmHiddenSize() + llm.hiddenSize());
            memory.add("adapter", folded * Float.BYTES);
        } else {
            memory.add("adapter", files.adapter.elements() * Float.BYTES);
        }
        if (files.adapterConfig instanceof AdapterConfig.LangBridge config && config.softmax()) {
            memory.add("vocabulary matrix", (long) config.mmVocabSize() * llm.hiddenSize() * Float.BYTES);
        }
        memory.add(
                "KV cache for " + context + " positions",
                2L * llm.numHiddenLayers() * llm.numKeyValueHeads() * llm.headDim() * context * Float.BYTES);
        return memory;
    }
}

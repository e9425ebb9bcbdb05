package io.langbridge.runtime.core.model;

import io.langbridge.Device;
import io.langbridge.FitReport;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.NativeLibraries;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.explain.Embeddings;
import io.langbridge.runtime.core.explain.Explainer;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.lifecycle.Opening;
import io.langbridge.runtime.core.lifecycle.TemporaryFolder;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the files, checks that the parts fit, and hands them to an engine. Everything is closed again if a step fails.
 */
public final class Loader implements ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(Loader.class);

    private final @Nullable Engine engine;

    /** For {@link ServiceLoader}: with the engines on the path. */
    public Loader() {
        this.engine = null;
    }

    /** With a given engine. */
    public Loader(Engine engine) {
        this.engine = engine;
    }

    private List<Engine> engines() {
        return engine == null ? EngineChoice.onThePath() : Collections.singletonList(engine);
    }

    @Override
    public VisionLanguageModel load(ModelSpec spec) {
        long start = System.nanoTime();
        Closing shared = new Closing();
        Closing own = new Closing();
        try {
            NativeLibraries.keepIn(spec.withoutCache() ? null : EngineChoice.cacheDirectory(spec));
            List<Engine> engines = engines();
            // Native libraries are loaded while files are opened.
            Opening<EngineChoice> choosing = own.add(Opening.of(() ->
                    EngineChoice.of(engines, spec.engine(), spec.device(), spec.allowDownloads(), spec.quantises())));
            ModelFiles files = ModelFiles.open(spec, shared, own);
            Opening<Tokenizer> tokenizer =
                    own.add(Opening.of(() -> Tokenizer.of(files.llm().folder())));
            EngineChoice choice = choosing.get();
            if (spec.adapter() != null) {
                Fit.requireKind(spec.adapter(), files.adapter());
            }
            Fit.requireFeatures(files.adapter(), files.vision());
            ImagePreprocessor preprocessor = new ImagePreprocessor(files.pictures());
            int context = files.contextLength(spec);
            Memory.of(files, spec, choice, spec.llm(), context, true).check(spec.memoryLimit());
            Head head = Head.of(files, context, tokenizer.get(), Fit.wantedTemplate(spec));
            EngineOptions options = choice.options(spec, cacheDirectory(spec, shared));
            Opening<Running> vision = shared.add(Opening.of(() -> choice.engine()
                    .open(
                            files.vision().network(),
                            files.vision().weights(),
                            Collections.emptyMap(),
                            options.with(spec.precisionOf(spec.encoder())))));
            Closing after = new Closing(); // the networks, since what they lie in may be deleted with the encoder
            own.<AutoCloseable>add(() -> Closing.all(after.opened()));
            Networks networks = Networks.open(spec, choice, options, head, spec.llm(), own);
            SharedEncoder encoder = new SharedEncoder(files, spec, choice, options, preprocessor, vision.get(), shared);
            after.add(encoder.use());
            shared = new Closing(); // the last user closes what was in it
            LoadedModel model = join(encoder, head, networks, spec.llm(), own);
            log(files, start);
            return model;
        } catch (RuntimeException | Error e) {
            own.closeAfter(e);
            shared.closeAfter(e);
            throw e;
        }
    }

    /**
     * Puts another language model behind an encoder and its LangBridge adapter.
     *
     * @param use keeps the encoder open; closed here if this fails, by the model otherwise
     */
    static VisionLanguageModel withLlm(SharedEncoder encoder, AutoCloseable use, Llm llm) {
        long start = System.nanoTime();
        Closing own = new Closing();
        own.add(use);
        try {
            ModelFiles files = encoder.files.with(own.add(LlmPart.open(llm.folder())));
            int context = files.contextLength(encoder.spec);
            Memory.of(files, encoder.spec, encoder.engines, llm, context, false).check(encoder.spec.memoryLimit());
            Head head = Head.of(files, context, Tokenizer.of(files.llm().folder()), llm.chatTemplate());
            Networks networks = Networks.open(encoder.spec, encoder.engines, encoder.options, head, llm, own);
            LoadedModel model = join(encoder, head, networks, llm, own);
            log(files, start);
            return model;
        } catch (RuntimeException | Error e) {
            own.closeAfter(e);
            throw e;
        }
    }

    private static void log(ModelFiles files, long start) {
        String ignored = Fit.ignoredGeneration(files);
        if (ignored != null) {
            LOG.warn("{}", ignored);
        }
        LOG.info("Loaded {} in {} ms", files.llm().folder(), (System.nanoTime() - start) / 1_000_000);
    }

    @Override
    public FitReport check(ModelSpec spec) {
        return FitCheck.of(spec, engines());
    }

    @Override
    public void save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder) {
        AdapterFolder.save(adapter, trainedWith, folder);
    }

    @Override
    public void fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder) {
        EngineChoice choice = EngineChoice.of(EngineChoice.onThePath(), null, Device.AUTO, false);
        fold(adapter, llm, standard, folder, choice.engine(), choice.defaults(null, null));
    }

    /** Folds with a given engine. */
    public static void fold(
            LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder, Engine engine, EngineOptions options) {
        AdapterFolder.fold(adapter, llm, standard, folder, engine, options);
    }

    /** Where converted weights go; a folder that is deleted with the model if none are to be kept. */
    private static Path cacheDirectory(ModelSpec spec, Closing closing) {
        if (spec.withoutCache()) {
            return closing.add(TemporaryFolder.make()).path();
        }
        return EngineChoice.cacheDirectory(spec);
    }

    /** All that depends on the language model and costs little, so that it is found wrong before weights are loaded. */
    private record Head(
            ModelFiles files,
            int context,
            Tokenizer tokenizer,
            PromptAssembler assembler,
            Fit.@Nullable Lookup vocabulary,
            @Nullable VocabularyMatrix matrix) {

        static Head of(ModelFiles files, int context, Tokenizer tokenizer, @Nullable String chatTemplate) {
            Fit.requireWidth(files.adapter(), files.llm());
            Fit.Lookup vocabulary = Fit.lookup(files.adapter(), tokenizer);
            Fit.requireNewline(files, vocabulary);
            return new Head(
                    files,
                    context,
                    tokenizer,
                    Fit.assembler(files, tokenizer, chatTemplate),
                    vocabulary,
                    Fit.vocabularyMatrix(files, vocabulary));
        }
    }

    /** The networks that depend on the language model. */
    private record Networks(AdapterNetwork adapter, DecoderNetwork decoder) {
        /** Opens both at the same time. */
        static Networks open(
                ModelSpec spec,
                EngineChoice choice,
                EngineOptions options,
                Head head,
                @Nullable Llm llm,
                Closing closing) {
            ModelFiles files = head.files();
            Opening<AdapterNetwork> adapter = closing.add(Opening.of(() -> Adapters.attach(
                    choice.engine(),
                    files.adapterConfig(),
                    files.adapter().weights(),
                    head.matrix(),
                    files.topK(),
                    options.with(spec.precisionOf(spec.adapter())))));
            DecoderNetwork decoder = closing.add(choice.decoder()
                    .decoder(files.llm().config(), files.llm().weights(), options.with(spec.precisionOf(llm))));
            return new Networks(adapter.get(), decoder);
        }
    }

    /** Puts the parts together; the model takes over {@code own}. */
    private static LoadedModel join(
            SharedEncoder encoder, Head head, Networks networks, @Nullable Llm llm, Closing own) {
        ModelFiles files = head.files();
        StoredTensor newline = files.adapter().imageNewline();
        return new LoadedModel(new LoadedModel.Parts(
                ModelName.of(encoder, files.llm().folder(), llm),
                encoder,
                networks.adapter(),
                networks.decoder(),
                head.tokenizer(),
                head.assembler(),
                explainer(encoder, networks.adapter(), head),
                files.llm().generation(),
                newline == null ? null : newline.toFloats(),
                files.positions(),
                head.context(),
                own));
    }

    private static Explainer explainer(SharedEncoder encoder, AdapterNetwork adapter, Head head) {
        Fit.Lookup vocabulary = head.vocabulary();
        return new Explainer(
                adapter,
                head.tokenizer(),
                new Embeddings(head.files().llm().embeddings()),
                (a, b) -> encoder.engines.engine().multiply(a, false, b, true, encoder.options),
                vocabulary == null ? null : vocabulary::transfer,
                encoder::features);
    }
}

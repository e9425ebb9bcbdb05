package io.langbridge.runtime.training;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.model.Fit;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The opened files of what is trained, which fit each other. Whoever opened it closes it.
 *
 * @param vision null in a training without an encoder
 * @param adapter null if it is a new one
 * @param llm null in a training without a language model, as is {@code tokenizer}
 * @param adapterConfig null in a training without an encoder; the layer of the labels in one without a language model
 * @param vocabulary of a LangBridge adapter, with the language model's ids
 */
record Parts(
        @Nullable VisionPart vision,
        @Nullable AdapterPart adapter,
        @Nullable LlmPart llm,
        @Nullable Tokenizer tokenizer,
        @Nullable AdapterConfig adapterConfig,
        @Nullable SharedVocabulary vocabulary,
        FeatureSelection selection,
        Tiling tiling,
        Closing closing)
        implements AutoCloseable {
    static Parts open(Training wanted) {
        Closing closing = new Closing();
        try {
            return open(wanted, closing);
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    private static Parts open(Training training, Closing closing) {
        Encoder encoder = training.encoder;
        Adapter existing = training.adapter;
        AdapterPart adapter = existing == null ? null : closing.add(Fit.open(existing));
        FeatureSelection selection = Fit.selection(encoder, adapter);
        Tiling tiling = Fit.tiling(encoder, adapter);
        if (tiling instanceof Tiling.AnyResolution any && any.maxTiles() > 0) {
            throw new UnsupportedModelException("The adapter was trained with 'image_aspect_ratio' anyres_max_"
                    + any.maxTiles() + ", which mixes visual tokens of several patches; training with that is not"
                    + " supported. Choose Encoder.fit(ImageFit.PAD) or ImageFit.PREPROCESSOR.");
        }
        VisionPart vision = encoder == null ? null : closing.add(VisionPart.open(encoder.folder(), selection));
        LlmPart llm = training.llm == null ? null : closing.add(LlmPart.open(training.llm.folder()));
        Tokenizer tokenizer = training.llm == null ? null : Tokenizer.of(training.llm.folder());
        SharedVocabulary vocabulary = null;
        AdapterConfig config = null;
        if (vision != null && llm == null) {
            config = new AdapterConfig.Linear(vision.width(), training.labels.size());
        } else if (vision != null && llm != null && tokenizer != null) {
            vocabulary = vocabulary(adapter, training.newAdapter, tokenizer, llm);
            int features = vision.width();
            int hidden = llm.config().hiddenSize();
            config = adapter == null || existing == null
                    ? config(training.newAdapter, vocabulary, features, hidden)
                    : config(existing, adapter, vision, llm);
            if (config instanceof AdapterConfig.LangBridge && vocabulary == null) {
                throw new CheckpointException("The LangBridge adapter has no shared vocabulary beside it; name the"
                        + " file: Adapter.langBridge(projector, vocabulary)");
            }
        }
        return new Parts(vision, adapter, llm, tokenizer, config, vocabulary, selection, tiling, closing);
    }

    private static @Nullable SharedVocabulary vocabulary(
            @Nullable AdapterPart adapter, @Nullable NewAdapter wanted, Tokenizer tokenizer, LlmPart llm) {
        Path chosen = wanted instanceof NewAdapter.LangBridge langBridge ? langBridge.vocabulary() : null;
        Path file = adapter != null ? adapter.vocabularyFile() : chosen;
        return file == null
                ? null
                : SharedVocabulary.read(file)
                        .forTokenizer(tokenizer)
                        .complete()
                        .requireRows(llm.config().vocabSize());
    }

    private static AdapterConfig config(
            @Nullable NewAdapter wanted, @Nullable SharedVocabulary vocabulary, int features, int hidden) {
        if (wanted instanceof NewAdapter.LangBridge langBridge && vocabulary != null) {
            return new AdapterConfig.LangBridge(
                    features, langBridge.hiddenSize(), vocabulary.size(), langBridge.hasSoftmax());
        }
        return wanted instanceof NewAdapter.Mlp mlp
                ? new AdapterConfig.Mlp(features, hidden, mlp.layers(), true)
                : new AdapterConfig.Linear(features, hidden);
    }

    private static AdapterConfig config(Adapter existing, AdapterPart part, VisionPart vision, LlmPart llm) {
        Fit.requireKind(existing, part);
        Fit.requireFeatures(part, vision);
        Fit.requireWidth(part, llm);
        return Fit.shape(existing, part);
    }

    /** Whether rows of tiles end with a vector of their own, which is trained. */
    boolean hasNewline() {
        return tiling.needsNewline();
    }

    /** Patches of a tile that the adapter sees; 0 without an encoder. */
    int patches() {
        return vision == null
                ? 0
                : selection.patches()
                        ? vision.config().patches()
                        : vision.config().tokens();
    }

    @Override
    public void close() {
        Closing.all(closing.opened());
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.ImageFit;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What parts must have in common. Each method throws if they do not; the message names both sides with their numbers.
 */
public final class Fit {
    private Fit() {}

    /** Opens the files of an adapter; the caller closes them. */
    public static AdapterPart open(Adapter wanted) {
        return AdapterPart.open(
                wanted.path(), wanted instanceof LangBridgeAdapter langBridge ? langBridge.vocabulary() : null);
    }

    /** The adapter is of the kind that the user named. */
    public static void requireKind(Adapter wanted, AdapterPart part) {
        boolean isLangBridge = part.config() instanceof AdapterConfig.LangBridge;
        if (wanted instanceof LangBridgeAdapter != isLangBridge) {
            throw new CheckpointException("The adapter " + wanted.path() + " is of type "
                    + part.config().type() + ", "
                    + (isLangBridge
                            ? "which is LangBridge: use Adapter.langBridge(..)"
                            : "not LangBridge (mm_vocab): use Adapter.projector(..)"));
        }
    }

    /** Encoder and adapter. */
    public static void requireFeatures(AdapterPart adapter, VisionPart vision) {
        String source = adapter.weights().source();
        if (adapter.config().mmHiddenSize() != vision.width()) {
            throw new CheckpointException("The adapter " + source + " takes features of size "
                    + adapter.config().mmHiddenSize() + ", but the encoder " + vision.folder() + " gives "
                    + vision.width() + "; use the encoder that the adapter was trained with");
        }
        VisionConfig trained = adapter.trainedOn();
        if (trained != null && !(vision.isVit() && sameEncoder(trained, vision.config()))) {
            throw new CheckpointException("The adapter " + source + " was trained with " + adapter.visionTower() + ", "
                    + VisionPart.describe(trained) + ", but the encoder " + vision.folder() + " is "
                    + vision.description()
                    + "; use the encoder that the adapter was trained with");
        }
    }

    /** The features that the user or else the adapter asks for. */
    public static FeatureSelection selection(@Nullable Encoder encoder, @Nullable AdapterPart adapter) {
        FeatureSelection selection = adapter == null ? null : adapter.selection();
        FeatureSelection trained = selection == null ? FeatureSelection.DEFAULT : selection;
        return encoder == null || encoder.layer() == null
                ? trained
                : new FeatureSelection(encoder.layer(), trained.patches());
    }

    /** How the user or else the adapter has pictures cut. */
    public static Tiling tiling(@Nullable Encoder encoder, @Nullable AdapterPart adapter) {
        if (encoder != null && encoder.fit() != null) {
            return encoder.fit() == ImageFit.PAD ? new Tiling.Pad() : new Tiling.Plain();
        }
        Tiling trained = adapter == null ? null : adapter.tiling();
        return trained != null ? trained : new Tiling.Pad();
    }

    /** The adapter's shape, with what the user asked of it. */
    public static AdapterConfig shape(Adapter wanted, AdapterPart part) {
        return wanted instanceof LangBridgeAdapter asked
                        && asked.hasSoftmax()
                        && part.config() instanceof AdapterConfig.LangBridge langBridge
                ? langBridge.withSoftmax()
                : part.config();
    }

    private static boolean sameEncoder(VisionConfig a, VisionConfig b) {
        return a.kind() == b.kind()
                && a.hiddenSize() == b.hiddenSize()
                && a.numHiddenLayers() == b.numHiddenLayers()
                && a.imageSize() == b.imageSize()
                && a.patchSize() == b.patchSize();
    }

    /** Adapter and language model, where the adapter has a width of its own. */
    public static void requireWidth(AdapterPart adapter, LlmPart llm) {
        Integer width = adapter.config().outputWidth();
        int hidden = llm.config().visualWidth();
        if (width != null && width != hidden) {
            throw new CheckpointException("The adapter " + adapter.weights().source() + " gives visual tokens of size "
                    + width + ", but the language model " + llm.folder() + " takes " + hidden
                    + "; only LangBridge adapters move between language models");
        }
    }

    /**
     * {@code image_newline} was learnt in the space of one language model.
     *
     * @param vocabulary the shared tokens, null unless it is a LangBridge adapter
     */
    static void requireNewline(ModelFiles files, @Nullable Lookup vocabulary) {
        boolean needed = files.needsNewline();
        requireNewline(files.adapter(), files.llm(), needed, files.together(), vocabulary);
    }

    static void requireNewline(
            AdapterPart adapter, LlmPart llm, boolean needed, boolean together, @Nullable Lookup vocabulary) {
        if (!needed) {
            return;
        }
        StoredTensor newline = adapter.imageNewline();
        int hidden = llm.config().hiddenSize();
        String wayOut = "; choose Encoder.fit(ImageFit.PAD), which needs none";
        if (newline == null) {
            throw new CheckpointException("Tiles are merged with image_newline, but "
                    + adapter.weights().source() + " has no such tensor" + wayOut);
        }
        boolean sameIds = vocabulary == null || vocabulary.sameIds();
        if (newline.elements() != hidden || !together && !sameIds) {
            throw new UnsupportedModelException("Tiles are merged with tensor " + newline.name() + " of "
                    + newline.file() + ", which has " + newline.elements()
                    + " values learnt for one language model and does not move to another: "
                    + llm.folder() + " takes " + hidden
                    + (sameIds ? "" : " and has other token ids than the adapter was trained with") + wayOut);
        }
    }

    /** What the user wants for the language model that the model is built with, or null. */
    static @Nullable String wantedTemplate(ModelSpec spec) {
        Llm llm = spec.llm();
        return llm == null || llm.chatTemplate() == null ? spec.chatTemplate() : llm.chatTemplate();
    }

    /**
     * Something must say how a question is put to the language model.
     *
     * @param wanted see {@link LlmPart#chatTemplate}
     */
    static ChatTemplate requireTemplate(ModelFiles files, @Nullable String wanted) {
        ChatTemplate template = files.llm().chatTemplate(wanted);
        if (template == null) {
            throw new UnsupportedModelException(
                    "The language model in " + files.llm().folder()
                            + " has no chat template, so nothing says how a question is put to it; add chat_template.jinja, say it"
                            + " with chatTemplate(..), or use the instruction-tuned version of the model");
        }
        return template;
    }

    /** Puts questions to the language model. */
    static PromptAssembler assembler(ModelFiles files, Tokenizer tokenizer, @Nullable String wantedTemplate) {
        return new PromptAssembler(
                tokenizer,
                requireTemplate(files, wantedTemplate),
                files.imagePrompt(),
                files.llm().generation().eosTokenIds());
    }

    /** Says which fields of the language model's {@code generation_config.json} are not followed; null if all are. */
    static @Nullable String ignoredGeneration(ModelFiles files) {
        List<String> ignored = files.llm().generation().ignored();
        return ignored.isEmpty()
                ? null
                : files.llm().folder().resolve("generation_config.json") + " sets " + String.join(", ", ignored)
                        + ", which is not followed here: answers differ from those that the model's authors get with"
                        + " it; take it out of the file if they need not be the same";
    }

    /**
     * The shared tokens in a language model.
     *
     * @param trained as the adapter's file has them
     */
    public record Lookup(SharedVocabulary trained, SharedVocabulary.Transfer transfer) {
        /** Whether the language model has the ids of the one that the file was made for. */
        boolean sameIds() {
            return Arrays.equals(trained.ids(), transfer.idsOrMinusOne());
        }
    }

    /** Looks the shared tokens up by their spelling; null if it is not a LangBridge adapter or has no vocabulary. */
    public static @Nullable Lookup lookup(AdapterPart adapter, Tokenizer tokenizer) {
        Path file = adapter.vocabularyFile();
        if (!(adapter.config() instanceof AdapterConfig.LangBridge) || file == null) {
            return null;
        }
        SharedVocabulary trained = SharedVocabulary.read(file);
        return new Lookup(trained, trained.forTokenizer(tokenizer));
    }

    /**
     * The embedding row of every shared token: the authors' own matrix where it lies beside the language model, else
     * looked up by the tokens' spelling, so that the vocabulary file of one language model serves another.
     *
     * @return null if it is not a LangBridge adapter
     */
    public static @Nullable VocabularyMatrix vocabularyMatrix(ModelFiles files, @Nullable Lookup vocabulary) {
        return files.adapterConfig() instanceof AdapterConfig.LangBridge
                ? vocabularyMatrix(files.adapter(), files.llm(), files.together(), files.missingTokens(), vocabulary)
                : null;
    }

    static VocabularyMatrix vocabularyMatrix(
            AdapterPart adapter, LlmPart llm, boolean together, MissingTokens policy, @Nullable Lookup vocabulary) {
        if (together && vocabulary != null) {
            // The file was made for this language model.
            vocabulary.trained().requireRows(llm.config().vocabSize());
        }
        StoredTensor saved = adapter.vocabularyMatrix();
        if (together && saved != null && saved.shape()[1] == llm.config().hiddenSize()) {
            return VocabularyMatrix.of(saved);
        }
        if (vocabulary == null) {
            throw new CheckpointException(
                    "The LangBridge adapter " + adapter.weights().source()
                            + " has no shared vocabulary beside it"
                            + (saved == null ? "" : " (" + saved.file() + " serves one language model only)")
                            + "; name the file: Adapter.langBridge(projector, vocabulary)");
        }
        return VocabularyMatrix.of(llm.embeddings(), vocabulary.transfer(), policy);
    }
}

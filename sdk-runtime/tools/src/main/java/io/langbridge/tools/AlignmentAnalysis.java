package io.langbridge.tools;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.explain.Embeddings;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.model.EngineChoice;
import io.langbridge.runtime.core.model.Fit;
import io.langbridge.runtime.core.model.ModelFiles;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.ReadableText;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures how the visual tokens of adapters lie among the words of a language model, one checkpoint after another:
 *
 * <pre>{@code
 * try (AlignmentAnalysis analysis = AlignmentAnalysis.open(encoder, llm, images, null, null)) {
 *     for (Path checkpoint : checkpoints) {
 *         System.out.println(analysis.of(Adapter.projector(checkpoint), 8).meanSpanRatio());
 *     }
 * }
 * }</pre>
 *
 * <p>The encoder runs once for each picture, and of the language model only the input embeddings are read, so that it
 * may be larger than the memory. Not thread-safe.
 *
 * @since 0.1
 */
public final class AlignmentAnalysis implements AutoCloseable {
    private final Encoder encoder;
    private final List<Image> images;
    private final Engine engine;
    private final EngineOptions options;
    private final Closing closing;
    private final LlmPart llm;
    private final Tokenizer tokenizer;
    private final BitSet words = new BitSet();

    private @Nullable Seen seen;

    /** Features of all pictures, and how they were made. */
    private record Seen(
            FeatureSelection selection, String pictures, List<FloatTensor> features, List<TokenLayout> layouts) {}

    private AlignmentAnalysis(
            Encoder encoder, Llm llm, List<Image> images, Engine engine, EngineOptions options, Closing closing) {
        this.encoder = encoder;
        this.images = new ArrayList<>(images);
        this.engine = engine;
        this.options = options;
        this.closing = closing;
        this.llm = closing.add(LlmPart.open(llm.folder()));
        this.tokenizer = Tokenizer.of(llm.folder());
        for (int id = 0; id < this.llm.config().vocabSize(); id++) {
            words.set(id, tokenizer.tokenOf(id) != null);
        }
    }

    /**
     * Opens the files; the encoder runs when the first adapter is measured.
     *
     * @param encoder the vision encoder
     * @param llm the language model
     * @param images whose patches are measured, at least one
     * @param threads computing threads, or null for all processors, at most 8
     * @param cacheDirectory where converted weights are kept, or null for the user's cache folder
     * @return the analysis; the caller closes it
     * @throws CheckpointException if a file is missing or damaged
     * @throws io.langbridge.RuntimeUnavailableException if no engine is on the path
     */
    public static AlignmentAnalysis open(
            Encoder encoder, Llm llm, List<Image> images, @Nullable Integer threads, @Nullable Path cacheDirectory) {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("At least one picture is needed");
        }
        EngineChoice choice = EngineChoice.of(EngineChoice.onThePath(), null, Device.AUTO, false);
        Closing closing = new Closing();
        try {
            EngineOptions options = choice.defaults(threads, cacheDirectory);
            return new AlignmentAnalysis(encoder, llm, images, choice.engine(), options, closing);
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /**
     * Measures one adapter.
     *
     * @param adapter any adapter that fits encoder and language model
     * @param neighbours how many of the nearest words span a space, at least 1
     * @return how its visual tokens lie
     * @throws CheckpointException if a file is missing or damaged, or the adapter does not fit encoder or language
     *     model
     * @throws io.langbridge.UnsupportedModelException if it is another kind of adapter
     * @throws io.langbridge.ImageException if a picture cannot be decoded
     */
    public Alignment of(Adapter adapter, int neighbours) {
        Closing own = new Closing();
        try {
            AdapterPart part = own.add(Fit.open(adapter));
            VisionPart vision = own.add(VisionPart.open(encoder.folder(), Fit.selection(encoder, part)));
            ModelFiles files = ModelFiles.separate(adapter, encoder, vision, part, llm);
            Fit.requireKind(adapter, part);
            Fit.requireFeatures(files.adapter(), files.vision());
            Fit.requireWidth(files.adapter(), files.llm());
            AdapterNetwork network = own.add(Adapters.attach(
                    engine,
                    files.adapterConfig(),
                    part.weights(),
                    Fit.vocabularyMatrix(files, Fit.lookup(part, tokenizer)),
                    files.topK(),
                    options));
            return Alignment.of(
                    visualTokens(network, seen(files)),
                    new Embeddings(llm.embeddings()),
                    words,
                    neighbours,
                    (a, b) -> engine.multiply(a, false, b, true, options));
        } finally {
            Closing.all(own.opened());
        }
    }

    /** Checkpoints of one training see the same features. */
    private Seen seen(ModelFiles files) {
        FeatureSelection selection = Fit.selection(encoder, files.adapter());
        Pictures pictures = files.pictures();
        Seen known = seen;
        if (known != null && known.selection.equals(selection) && known.pictures.equals(pictures.toString())) {
            return known;
        }
        ImagePreprocessor preprocessor = new ImagePreprocessor(pictures);
        List<FloatTensor> features = new ArrayList<>();
        List<TokenLayout> layouts = new ArrayList<>();
        try (Running network =
                engine.open(files.vision().network(), files.vision().weights(), Collections.emptyMap(), options)) {
            for (Image image : images) {
                PreparedImage prepared = preprocessor.prepare(image);
                features.add(network.run(prepared.inputs()));
                layouts.add(prepared.plan().layout());
            }
        }
        Seen made = new Seen(selection, pictures.toString(), features, layouts);
        seen = made;
        return made;
    }

    /** Those that reach the language model, without {@code image_newline}, {@code [n, llm_hidden]}. */
    private FloatTensor visualTokens(AdapterNetwork network, Seen pictures) {
        int width = llm.config().hiddenSize();
        int count = 0;
        for (TokenLayout layout : pictures.layouts) {
            for (int token = 0; token < layout.tokens(); token++) {
                count += layout.source(token) == TokenLayout.NEWLINE ? 0 : 1;
            }
        }
        FloatTensor all = FloatTensor.allocate(count, width);
        FloatBuffer target = all.data();
        for (int i = 0; i < pictures.features.size(); i++) {
            FloatTensor tokens = network.visualTokens(pictures.features.get(i));
            FloatTensor rows = tokens.reshape(tokens.size(0) * tokens.size(1), width);
            TokenLayout layout = pictures.layouts.get(i);
            for (int token = 0; token < layout.tokens(); token++) {
                int source = layout.source(token);
                if (source != TokenLayout.NEWLINE) {
                    target.put(rows.rows(source, source + 1).data());
                }
            }
        }
        return all;
    }

    /**
     * A word as people read it.
     *
     * @param id from {@link Alignment#nearest}
     * @return see {@link io.langbridge.Explanation.Word#text()}; empty for unknown ids
     */
    public String text(int id) {
        return ReadableText.of(tokenizer.bytesOf(id));
    }

    /** Closes the files. Idempotent. */
    @Override
    public void close() {
        Closing.all(closing.opened());
    }
}

package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.MissingTokens;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.family.Positions;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The opened files of a model, whichever layout they came in.
 *
 * @param adapterConfig the adapter's shape, with what the user asked of it
 * @param way makes {@link #pictures()}, or refuses to
 * @param needsNewline whether rows of tiles end with {@code image_newline}
 * @param positions where tokens stand, or null if one behind the other
 * @param topK shared tokens to keep of a softmax, or null for all
 * @param together whether the language model came in the same folder as the adapter, so that what the authors saved for
 *     it (vocabulary matrix, {@code image_newline}) belongs to it
 */
public record ModelFiles(
        VisionPart vision,
        AdapterPart adapter,
        LlmPart llm,
        AdapterConfig adapterConfig,
        Supplier<Pictures> way,
        boolean needsNewline,
        ImagePrompt imagePrompt,
        @Nullable Positions positions,
        @Nullable Integer topK,
        MissingTokens missingTokens,
        boolean together) {

    private static final int DEFAULT_CONTEXT = 4096;

    /**
     * Opens the files of encoder and adapter into {@code shared} and those of the language model into {@code own}; a
     * folder that holds all goes into {@code shared}.
     */
    static ModelFiles open(ModelSpec spec, Closing shared, Closing own) {
        if (spec.folder() != null) {
            return whole(spec.folder(), spec, shared);
        }
        Encoder encoder = Objects.requireNonNull(spec.encoder());
        Adapter wanted = Objects.requireNonNull(spec.adapter());
        AdapterPart adapter = shared.add(Fit.open(wanted));
        VisionPart vision = shared.add(VisionPart.open(encoder.folder(), Fit.selection(encoder, adapter)));
        LlmPart llm = own.add(LlmPart.open(Objects.requireNonNull(spec.llm()).folder()));
        return separate(wanted, encoder, vision, adapter, llm).atMost(spec.maxVisualTokens());
    }

    static ModelFiles whole(Path folder, ModelSpec spec, Closing closing) {
        Encoder encoder = spec.encoder();
        ModelFolder model = closing.add(ModelFolder.open(folder, encoder == null ? null : encoder.folder()));
        return new ModelFiles(
                        model.vision(),
                        model.adapter(),
                        model.llm(),
                        model.adapter().config(),
                        model::pictures,
                        model.pictures().needsNewline(),
                        model.imagePrompt(),
                        model.positions(),
                        null,
                        MissingTokens.REFUSE,
                        true)
                .atMost(spec.maxVisualTokens());
    }

    /** The opened parts of a model, put together; they stay whose they are. */
    public static ModelFiles separate(
            Adapter wanted, Encoder encoder, VisionPart vision, AdapterPart adapter, LlmPart llm) {
        Tiling tiling = Fit.tiling(encoder, adapter);
        LangBridgeAdapter langBridge = wanted instanceof LangBridgeAdapter asked ? asked : null;
        return new ModelFiles(
                vision,
                adapter,
                llm,
                Fit.shape(wanted, adapter),
                () -> vision.pictures(tiling),
                tiling.needsNewline(),
                new ImagePrompt.Splice(),
                null,
                langBridge == null ? null : langBridge.topK(),
                langBridge == null ? MissingTokens.REFUSE : langBridge.missingTokens(),
                together(wanted, llm));
    }

    /** The same with at most so many visual tokens for a picture; null leaves them as they are. */
    ModelFiles atMost(@Nullable Integer visualTokens) {
        return visualTokens == null
                ? this
                : new ModelFiles(
                        vision,
                        adapter,
                        llm,
                        adapterConfig,
                        () -> way.get().atMost(visualTokens),
                        needsNewline,
                        imagePrompt,
                        positions,
                        topK,
                        missingTokens,
                        together);
    }

    /** The same encoder and adapter with another language model. */
    ModelFiles with(LlmPart other) {
        return new ModelFiles(
                vision,
                adapter,
                other,
                adapterConfig,
                way,
                needsNewline,
                imagePrompt,
                null,
                topK,
                missingTokens,
                false);
    }

    /** Whether adapter and language model lie in one folder, as the authors publish them. */
    static boolean together(Adapter adapter, LlmPart llm) {
        return llm.folder()
                .toAbsolutePath()
                .normalize()
                .equals(adapter.path().toAbsolutePath().normalize());
    }

    /**
     * How pictures become what the encoder takes.
     *
     * @throws io.langbridge.CheckpointException if that is not what their configuration makes of them
     */
    public Pictures pictures() {
        return way.get();
    }

    /** Says what the features mean, so that those of another encoder are refused. */
    String encoderName() {
        String layers = vision.isVit()
                ? "layers "
                        + vision.config().selectLayers().stream()
                                .map(vision.config()::layersBehind)
                                .collect(Collectors.toList())
                : vision.description();
        return vision.folder().toAbsolutePath().normalize() + ", " + layers + ", " + pictures();
    }

    /**
     * Positions that a session has room for.
     *
     * @throws CheckpointException if more were asked for than the language model has
     */
    int contextLength(ModelSpec spec) {
        int most = llm.config().maxPositionEmbeddings();
        if (spec.contextLength() == null) {
            return Math.min(DEFAULT_CONTEXT, most);
        }
        if (spec.contextLength() > most) {
            throw new CheckpointException("A contextLength of " + spec.contextLength()
                    + " was asked for, but the language model has max_position_embeddings " + most);
        }
        return spec.contextLength();
    }
}

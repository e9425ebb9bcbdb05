package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which adapter stands between encoder and language model. An immutable description; nothing is read before
 * {@link VisionLanguageModel.Builder#build()}. {@link AdapterWriter} makes new ones of it.
 *
 * <pre>{@code
 * Adapter.langBridge(Path.of("langbridge-qwen2-0.5b"));                      // folder: projector and vocabulary
 * Adapter.langBridge(Path.of("mm_projector.bin"), Path.of("19200.json"));    // the two files
 * Adapter.projector(Path.of("llava/mm_projector.bin"));                      // LLaVA's mlp2x_gelu or linear
 * }</pre>
 *
 * @since 0.1
 */
public sealed interface Adapter permits LangBridgeAdapter, ProjectorAdapter {
    /**
     * A LangBridge adapter in a folder: {@code mm_projector.bin} or {@code .safetensors}, and the shared vocabulary as
     * JSON.
     *
     * @param folder the folder
     * @return the adapter
     */
    static LangBridgeAdapter langBridge(Path folder) {
        return new LangBridgeAdapter(folder, null, false, null, MissingTokens.REFUSE, null);
    }

    /**
     * A LangBridge adapter from its two files.
     *
     * @param projector weights, {@code mm_projector.bin} or safetensors, or the folder they lie in
     * @param vocabulary the shared vocabulary, {@code {token: id}} in the order of the projector's columns
     * @return the adapter
     */
    static LangBridgeAdapter langBridge(Path projector, Path vocabulary) {
        Objects.requireNonNull(vocabulary, "vocabulary");
        return new LangBridgeAdapter(projector, vocabulary, false, null, MissingTokens.REFUSE, null);
    }

    /**
     * LLaVA's own kinds of adapter: {@code linear} and {@code mlp{n}x_gelu}. Which one it is is read from the weights.
     *
     * @param projector weights, {@code mm_projector.bin} or safetensors, or the folder they lie in
     * @return the adapter
     */
    static ProjectorAdapter projector(Path projector) {
        return new ProjectorAdapter(projector, null);
    }

    /** {@return folder or weight file} */
    Path path();

    /**
     * Sets the precision of this part, whatever the builder's own says.
     *
     * @param precision the precision
     * @return the adapter
     */
    Adapter precision(Precision precision);

    /** {@return the precision of this part, or null for the builder's} */
    @Nullable
    Precision precision();
}

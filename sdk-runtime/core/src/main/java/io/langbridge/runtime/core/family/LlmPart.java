package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A language model's files, opened and checked: every tensor is there in the right shape. Safe for use by several
 * threads. Whoever opened it closes it; one that belongs to a {@link ModelFolder} is closed with that.
 */
public final class LlmPart implements AutoCloseable {
    private static final String EMBEDDINGS = "embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    /** What a language model has beside its layers; the last three only Gemma 4. */
    private static final Set<String> TOP = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            EMBEDDINGS,
            "norm.weight",
            "embedding_norm.weight",
            "embed_tokens_per_layer.weight",
            "per_layer_model_projection.weight",
            "per_layer_projection_norm.weight")));

    private final DecoderConfig config;
    private final Weights weights;
    private final GenerationDefaults generation;
    private final Path folder;
    /** Whether LLaVA's authors made it, whose code says how questions are put. */
    private final String architecture;

    private final long elements;
    private final List<State> states;
    private final List<AutoCloseable> owned;

    private LlmPart(
            DecoderConfig config,
            Weights weights,
            GenerationDefaults generation,
            Path folder,
            String architecture,
            List<AutoCloseable> owned) {
        this.config = config;
        this.weights = weights;
        this.generation = generation;
        this.folder = folder;
        this.architecture = architecture;
        Inventory inventory = Inventory.of(config.network());
        this.elements = inventory.check(weights);
        this.states = inventory.states();
        this.owned = owned;
    }

    /**
     * Opens a folder of a language model, or the one inside a folder of a whole model.
     *
     * @param folder with {@code config.json}, weights and tokenizer files
     * @throws CheckpointException if a file is missing, damaged or does not fit the others
     * @throws io.langbridge.UnsupportedModelException if it is another architecture
     */
    public static LlmPart open(Path folder) {
        Json config = Folder.config(folder);
        Closing closing = new Closing();
        try {
            Weights weights = Quantisation.widened(config, closing.add(Checkpoints.open(folder)));
            return of(config, weights, folder, closing.opened(), UnaryOperator.identity());
        } catch (RuntimeException | Error e) {
            closing.closeAfter(e);
            throw e;
        }
    }

    /** @param inModel what the decoder is in the whole model, beside what it is alone */
    static LlmPart of(
            Json config, Weights all, Path folder, List<AutoCloseable> owned, UnaryOperator<DecoderConfig> inModel) {
        // InternVL's authors call it so.
        Json text = config.object(config.has("llm_config") ? "llm_config" : "text_config");
        DecoderConfig decoder =
                text == null ? DecoderConfigReader.read(config) : DecoderConfigReader.readNested(text, config);
        Quantisation.refuse(all);
        Folder.refuseLora(all);
        Weights weights = normalize(all);
        boolean declared =
                decoder.tieWordEmbeddings() || text != null && config.booleanOr("tie_word_embeddings", false);
        decoder = decoder.tied(declared && isTied(weights));
        GenerationDefaults generation = GenerationDefaults.read(folder, text == null ? config : text);
        DecoderConfig model = inModel.apply(decoder);
        return new LlmPart(model, model.weights(weights), generation, folder, Families.nameOf(config), owned);
    }

    /** A head that is tied by the configuration but has values of its own in the file is not, as in the reference. */
    private static boolean isTied(Weights weights) {
        if (!weights.contains(HEAD)) {
            return true;
        }
        return SameValues.in(weights.get("model." + EMBEDDINGS), weights.get(HEAD));
    }

    /** From any of the published namings to {@code model.} and {@code lm_head.weight}; other parts are left out. */
    private static Weights normalize(Weights all) {
        String prefix = null;
        for (String name : all.names()) {
            if (name.equals(EMBEDDINGS) || name.endsWith("." + EMBEDDINGS)) {
                if (prefix != null) {
                    throw new CheckpointException("There are two language models in " + all.source() + ", at " + prefix
                            + EMBEDDINGS + " and " + name + "; only one can be used.");
                }
                prefix = name.substring(0, name.length() - EMBEDDINGS.length());
            }
        }
        if (prefix == null) {
            throw new CheckpointException("There is no language model in " + all.source() + ": no tensor is named "
                    + EMBEDDINGS + ", with or without a prefix.");
        }
        String before = prefix;
        return Checkpoints.renamed(all, name -> newName(before, name));
    }

    private static @Nullable String newName(String prefix, String name) {
        if (name.equals(HEAD) || name.endsWith("." + HEAD)) {
            return HEAD;
        }
        // Llama files before transformers 4.32 also hold the rotary frequencies, which are computed anew.
        if (!name.startsWith(prefix) || name.endsWith(".rotary_emb.inv_freq")) {
            return null;
        }
        String rest = name.substring(prefix.length());
        return rest.startsWith("layers.") || TOP.contains(rest) ? "model." + rest : null;
    }

    public DecoderConfig config() {
        return config;
    }

    /** Named as an engine asks for them: {@code model.} and {@code lm_head.weight}. */
    public Weights weights() {
        return weights;
    }

    /** What tokens enter the decoder with, {@code [vocab, hidden]}. */
    public StoredTensor embeddings() {
        return config.embeddings(weights);
    }

    public GenerationDefaults generation() {
        return generation;
    }

    /** Where the configuration and the tokenizer files are. */
    public Path folder() {
        return folder;
    }

    /**
     * How questions are put to it: as the user wants, else as its files say, else as the code of its authors does.
     *
     * @param wanted a template, or the name of one of LLaVA's conversation forms; null for the model's own
     * @return null if nothing says how
     * @throws CheckpointException if a file or the template is damaged
     * @throws io.langbridge.UnsupportedModelException if the template has what is not supported, {@code wanted} is
     *     neither a template nor such a name, or the model is LLaVA's and its name says no form
     */
    public @Nullable ChatTemplate chatTemplate(@Nullable String wanted) {
        if (wanted == null) {
            ChatTemplate own = ChatTemplate.of(folder);
            if (own == null && LlavaAuthors.NAMES.contains(architecture)) {
                return LlavaConversations.of(folder);
            }
            return own == null && PaliGemma.NAMES.contains(architecture) ? PaliGemma.template(folder) : own;
        }
        ChatTemplate named = LlavaConversations.named(wanted, folder);
        if (named != null) {
            return named;
        }
        if (!wanted.contains("{{") && !wanted.contains("{%")) {
            throw new UnsupportedModelException(
                    "chatTemplate(\"" + (wanted.length() > 60 ? wanted.substring(0, 60) + ".." : wanted)
                            + "\") is no Jinja template and names none of the conversation forms of LLaVA that are known: "
                            + LlavaConversations.names() + ".");
        }
        return ChatTemplate.of(wanted, "the template given to chatTemplate(..)", folder);
    }

    /** Number of weights, for an estimate of the memory; a tied head is not counted again. */
    public long elements() {
        return elements;
    }

    /** What its layers keep between tokens, in their order. */
    public List<State> states() {
        return states;
    }

    @Override
    public void close() {
        Closing.all(owned);
    }
}

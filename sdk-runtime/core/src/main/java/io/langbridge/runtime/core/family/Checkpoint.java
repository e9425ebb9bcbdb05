package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a whole model, as a {@link Family} sees it.
 *
 * @param visionFolder the vision encoder that the user named, or null
 * @param config {@code config.json}
 * @param weights all tensors in it
 * @param closing takes what is opened
 */
record Checkpoint(Path folder, @Nullable Path visionFolder, Json config, Weights weights, Closing closing) {
    /** Its language model, whose tensors have one of the published prefixes. */
    LlmPart llm() {
        return llm(UnaryOperator.identity());
    }

    /** The same, with what the decoder is in this model beside what it is alone. */
    LlmPart llm(UnaryOperator<DecoderConfig> inModel) {
        return LlmPart.of(config, weights, folder, Collections.emptyList(), inModel);
    }

    /** The configuration of a part; empty if there is none. */
    Json configOf(String part) {
        Json json = config.object(part);
        return json == null ? Json.parse(new byte[] {'{', '}'}, config.at(part)) : json;
    }

    /** The preprocessor's configuration, wherever it lies. */
    Json preprocessor() {
        return PreprocessorConfigReader.findJson(folder);
    }

    /**
     * The tensors of a part.
     *
     * @param first the end of the name of one that it must have; what stands in front of that is the prefix
     */
    Weights part(String first) {
        for (String name : weights.names()) {
            if (name.equals(first) || name.endsWith("." + first)) {
                return weights.under(name.substring(0, name.length() - first.length()));
            }
        }
        throw new CheckpointException("There is no tensor named " + first + ", with or without a prefix, in "
                + weights.source() + "; the folder holds another model than its config.json says, or not all of it.");
    }

    /** What puts texts and pictures together, {@code processor_config.json}; empty if there is none. */
    Json processor() {
        Path file = folder.resolve("processor_config.json");
        return Files.exists(file) ? Json.read(file) : Json.parse(new byte[] {'{', '}'}, file.toString());
    }

    /** The text of a token that {@code tokenizer_config.json} names, as newer files do in one of two places. */
    String token(String key, String absent) {
        Path file = folder.resolve("tokenizer_config.json");
        Json names = Files.exists(file) ? Json.read(file) : config;
        if (names.isString(key)) {
            return names.stringOr(key, absent);
        }
        Json extra = names.isObject("extra_special_tokens") ? names.object("extra_special_tokens") : null;
        return extra == null ? absent : extra.stringOr(key, absent);
    }

    /**
     * The number of a token that the authors' code knows by its text.
     *
     * @throws CheckpointException if the folder's tokenizer has none
     */
    static int tokenId(Path folder, String token) {
        Integer id = Tokenizer.of(folder).idOf(token);
        if (id == null) {
            throw new CheckpointException("The tokenizer in " + folder + " has no token " + token
                    + ", which the model is used with; it belongs to another model.");
        }
        return id;
    }

    /** The number of the token that stands for a picture, which transformers 4 and 5 name differently. */
    int imageTokenId(int absent) {
        return config.intOr("image_token_index", config.intOr("image_token_id", absent));
    }

    /**
     * A placeholder that stands once for each visual token.
     *
     * @param defaultId where the file has no id
     * @param defaultToken its text where the file has none
     */
    ImagePrompt placeholder(int defaultId, String defaultToken) {
        return new ImagePrompt.Placeholder(imageTokenId(defaultId), processor().stringOr("image_token", defaultToken));
    }
}

package io.langbridge.runtime.core.text;

import java.nio.file.Path;
import java.util.List;

/** The file that a tokenizer is read from. */
interface TokenizerSource {
    Path path();

    /** The model's tokens; those added since are in it too. */
    Vocabulary vocabulary();

    /** The file's added tokens, in order. */
    List<AddedToken> added();

    /** A part as {@code tokenizer.json} has it: normalizer, pre_tokenizer, post_processor or decoder; may be null. */
    Part part(String name);

    /**
     * Makes the model. The vocabulary has all tokens by then.
     *
     * @param byteLevel whether words are to be read as {@link ByteLevel} writes them
     * @param added those that stand for something are made of no other text than their own
     */
    TokenModel model(boolean byteLevel, AddedTokens added);
}

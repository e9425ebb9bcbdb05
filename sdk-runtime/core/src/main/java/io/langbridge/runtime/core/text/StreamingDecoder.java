package io.langbridge.runtime.core.text;

/**
 * Turns token ids into text one at a time, as they are generated. A token may end inside a character, and a run of
 * tokens that stand for single bytes is known only at its end; what is not yet certain is held back. The pieces
 * together are what {@link Tokenizer#decode} makes of the ids. Special tokens produce nothing and do not interrupt the
 * bytes around them.
 *
 * <p>One decoder serves one answer. Not thread-safe; holds no resources.
 *
 * @since 0.1
 */
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final Decoder.Run run;

    StreamingDecoder(Tokenizer tokenizer, Decoder.Run run) {
        this.tokenizer = tokenizer;
        this.run = run;
    }

    /**
     * Takes one token.
     *
     * @param id a token id; special tokens and ids the tokenizer does not know add nothing
     * @return the text that is certain now and was not before, often empty
     */
    public String next(int id) {
        String token = tokenizer.decodable(id, true);
        return token == null ? "" : run.next(token);
    }

    /**
     * Ends the text. Only once, and nothing follows.
     *
     * @return what was held back; U+FFFD for bytes that end inside a character
     */
    public String flush() {
        return run.flush();
    }
}

package io.langbridge.runtime.core.text;

/** Turns words into ids: the {@code model} of {@code tokenizer.json}. Safe for several threads. */
interface TokenModel {
    /**
     * Starts a text. What it returns serves one text and one thread.
     *
     * @param asText whether tokens that stand for something else than their characters are not to come out
     */
    PreTokenizer.Words into(Ids ids, boolean asText);

    /** Whether every byte of a text is in some token, so that a short answer means a short text. */
    boolean coversAllText();
}

package io.langbridge.runtime.core.text;

/** Turns words into ids: the {@code model} of {@code tokenizer.json}. Safe for several threads. */
interface TokenModel {
    /** Starts a text. What it returns serves one text and one thread. */
    PreTokenizer.Words into(Ids ids);

    /** Whether every byte of a text is in some token, so that a short answer means a short text. */
    boolean coversAllText();
}

package io.langbridge;

/**
 * What to do where a language model lacks tokens of a LangBridge adapter's vocabulary. Anything but {@link #REFUSE}
 * changes what the adapter says; the fit report and the log name how many tokens it concerns.
 *
 * @since 0.1
 */
public enum MissingTokens {
    /** They are an error. The default. */
    REFUSE,
    /** They are left out of the mixture, as if their coefficient were 0. */
    DROP,
    /** They are replaced by the mean embedding of the shared tokens that the language model has. */
    MEAN
}

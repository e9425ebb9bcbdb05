package io.langbridge.runtime.training;

/**
 * How updates are made of gradients. Both decay weights apart from the gradient and take the same learning rates.
 *
 * @since 0.1
 */
public enum Optimizer {
    /** AdamW with beta 0.9 and 0.999, as the published trainings use it. */
    ADAMW,
    /**
     * Muon with momentum 0.95 for the weight matrices in the layers of language model and encoder, AdamW for all else.
     * Its updates are made orthogonal and scaled to the size of AdamW's (<a href="https://arxiv.org/abs/2502.16982">Liu
     * et al. 2025</a>). A network that starts from random weights learns more from each record; each update takes
     * longer.
     */
    MUON
}

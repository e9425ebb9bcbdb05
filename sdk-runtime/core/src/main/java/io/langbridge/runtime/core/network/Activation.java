package io.langbridge.runtime.core.network;

/** Activation functions, named as {@code hidden_act} names them. */
public enum Activation {
    /** {@code gelu}: exact, with erf. */
    GELU,
    /** {@code gelu_pytorch_tanh}. */
    GELU_TANH,
    /** {@code quick_gelu}: {@code x * sigmoid(1.702 x)}. */
    QUICK_GELU,
    /** {@code silu}: {@code x * sigmoid(x)}. */
    SILU
}

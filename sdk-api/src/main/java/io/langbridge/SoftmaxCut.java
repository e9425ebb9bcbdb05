package io.langbridge;

/**
 * What {@link LangBridgeAdapter#softmax(int)} costs in one picture: measured against the same softmax over the whole
 * vocabulary.
 *
 * @param k shared tokens kept per patch
 * @param meanMassKept share of the softmax that the kept tokens had, mean over all patches, 0 to 1
 * @param smallestMassKept the same of the worst patch
 * @param relativeError of the visual tokens: the length of the difference over the length of the whole
 * @since 0.1
 */
public record SoftmaxCut(int k, double meanMassKept, double smallestMassKept, double relativeError) {}

package io.langbridge.runtime.core.engine;

import io.langbridge.Device;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs networks, each given as a text with its weights. Found by {@link java.util.ServiceLoader}; an implementation
 * does nothing costly before the first network is asked for. Safe for use by several threads.
 *
 * <p>The weights passed in stay open as long as the network; the network does not close them.
 */
public interface Engine {
    /** Short name for messages and logs, {@code onnx} or {@code pytorch}. */
    String name();

    /**
     * Makes sure that the engine can compute on a device: its native libraries are there, fit each other, and find the
     * device. May load them; loads no network.
     *
     * @param device not {@link Device#AUTO}
     * @param allowDownloads whether it may download native libraries
     * @throws io.langbridge.RuntimeUnavailableException if it cannot; says what is missing and what to do
     */
    void require(Device device, boolean allowDownloads);

    /** Whether it can run decoders on such a device too, if {@link #require} finds one, and not only the rest. */
    boolean decodesOn(Device.Kind kind);

    /** Whether it computes with weights of 8 and 4 bits too, on the CPU, and not only in full precision. */
    boolean quantises();

    /** Its native libraries: version, the version wanted, and where they come from. Loads nothing. */
    default String natives() {
        return "none";
    }

    /** Memory that it takes itself, whatever it runs, in bytes: its native code and what that sets up. */
    default long ownBytes() {
        return 0;
    }

    /**
     * What a network will take on the CPU.
     *
     * @param rows that go in where its text leaves them open, at most
     * @param inTwoForms see {@link EngineOptions#inTwoForms()}
     */
    default Footprint footprint(Inventory network, int rows, Precision precision, boolean inTwoForms) {
        return Footprint.plain(network, rows);
    }

    /**
     * Opens a network.
     *
     * @param weights named as the text names them
     * @param constants what the text takes beside its input, by name; it must not change as long as the network is open
     */
    Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options);

    /**
     * Opens an adapter.
     *
     * @param weights LangBridge and MLP: {@code 0.weight}, {@code 0.bias}, {@code 2.weight}, ..; linear:
     *     {@code weight}, {@code bias}
     * @param vocabularyMatrix {@code [mm_vocab, llm_hidden]}, the embedding row of every shared token; null unless the
     *     adapter is a LangBridge adapter. One without it only gives coefficients
     */
    default AdapterNetwork adapter(
            AdapterConfig config, Weights weights, @Nullable FloatTensor vocabularyMatrix, EngineOptions options) {
        return new RunningAdapter(this, config, weights, vocabularyMatrix, options);
    }

    /**
     * Opens a decoder.
     *
     * @param weights named {@code model.embed_tokens.weight}, {@code model.layers.0.} .., {@code lm_head.weight}
     *     (absent if tied)
     */
    DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options);

    /**
     * Multiplies two matrices in float32 or better, {@code [m, k]} times {@code [k, n]}.
     *
     * @param transposeA whether {@code a} is given as {@code [k, m]}
     * @param transposeB whether {@code b} is given as {@code [n, k]}
     * @param product gets the product, {@code [m, n]}
     * @throws IllegalArgumentException if the matrices do not fit
     */
    void multiply(
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            FloatTensor product,
            EngineOptions options);

    /**
     * Multiplies into a new matrix as the other method does.
     *
     * @return {@code [m, n]}
     */
    default FloatTensor multiply(
            FloatTensor a, boolean transposeA, FloatTensor b, boolean transposeB, EngineOptions options) {
        int[] sizes = productSizes(a, transposeA, b, transposeB);
        FloatTensor product = FloatTensor.allocate(sizes[0], sizes[2]);
        multiply(a, transposeA, b, transposeB, product, options);
        return product;
    }

    /**
     * Makes sure that three matrices are a product and its factors.
     *
     * @throws IllegalArgumentException if they do not fit
     */
    static void requireProduct(
            FloatTensor product, FloatTensor a, boolean transposeA, FloatTensor b, boolean transposeB) {
        int[] sizes = productSizes(a, transposeA, b, transposeB);
        if (!Arrays.equals(product.shape(), new int[] {sizes[0], sizes[2]})) {
            throw new IllegalArgumentException("A product of " + sizes[0] + " rows and " + sizes[2]
                    + " columns does not go into " + Arrays.toString(product.shape()));
        }
    }

    /**
     * The sizes of such a product.
     *
     * @return m, k and n
     * @throws IllegalArgumentException if the matrices do not fit
     */
    static int[] productSizes(FloatTensor a, boolean transposeA, FloatTensor b, boolean transposeB) {
        int[] left = a.shape();
        int[] right = b.shape();
        boolean matrices = left.length == 2 && right.length == 2 && a.count() > 0 && b.count() > 0;
        if (!matrices || left[transposeA ? 0 : 1] != right[transposeB ? 1 : 0]) {
            throw new IllegalArgumentException(Arrays.toString(left) + (transposeA ? " transposed" : "") + " times "
                    + Arrays.toString(right) + (transposeB ? " transposed" : "") + " is no product of matrices");
        }
        return new int[] {left[transposeA ? 1 : 0], left[transposeA ? 0 : 1], right[transposeB ? 0 : 1]};
    }
}

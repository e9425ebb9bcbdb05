package io.langbridge.runtime.core.network;

import io.langbridge.UnsupportedModelException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The blocks that a network is written in, from its input to its result. An interpreter makes of the same text the
 * graph of an engine, or a list of the tensors that it needs.
 *
 * <p>Names are those of the checkpoint: {@code layer} stands for {@code layer.weight} and {@code layer.bias}. A block
 * covers as much as an engine may want to do in its own way: what lies inside one has no name for others.
 *
 * <p>An interpreter belongs to one thread and one text.
 */
public interface Net {
    /** As many rows as the caller gives. */
    int ANY = -1;

    /** Name of what goes into an encoder: pixels of a view, or rows of patches. */
    String PIXEL_VALUES = "pixel_values";

    /**
     * A matrix under way.
     *
     * @param name as the interpreter knows it
     * @param rows how many; negative if the caller decides: {@link #ANY} for one to each row of the first input, -n for
     *     one to every n of them
     * @param width values of a row
     */
    record Value(String name, int rows, int width) {
        /** Another value of the same size. */
        public Value named(String other) {
            return new Value(other, rows, width);
        }

        /** What becomes of its size when {@code count} rows at a time are made one. */
        public Value joined(String other, int count) {
            return new Value(other, rows < 0 ? rows * count : rows / count, width * count);
        }

        /** What becomes of its size when one row is made of {@code count} that stays as wide. */
        public Value fewer(String other, int count) {
            return new Value(other, joined(other, count).rows(), width);
        }

        /**
         * How many rows there are.
         *
         * @param given rows of the first input
         */
        public int rows(int given) {
            return rows < 0 ? given / -rows : rows;
        }
    }

    /**
     * Attention with all that belongs to it: {@code q_proj}, {@code k_proj} and {@code v_proj} below the name of the
     * layer, then the heads, then the projection of what they give.
     *
     * @param heads query heads, a multiple of {@code kvHeads}; query head h uses key head {@code h / (heads / kvHeads)}
     * @param kvHeads heads of keys and values
     * @param headDim values of a head
     * @param bias whether the first three projections have one
     * @param out name of the last projection below the layer's
     * @param outBias whether that has one
     * @param gated whether {@code q_proj} gives for each head its query and then as many values of a gate, whose
     *     sigmoid what the head gives is multiplied by
     * @param state how keys and values are kept between tokens; null if every row sees all others and nothing is kept
     */
    record Attention(
            int heads,
            int kvHeads,
            int headDim,
            boolean bias,
            String out,
            boolean outBias,
            boolean gated,
            @Nullable Causal state) {

        public Attention {
            if (kvHeads < 1 || heads % kvHeads != 0) {
                throw new UnsupportedModelException(
                        "There are " + heads + " attention heads, which " + kvHeads + " key-value heads do not divide");
            }
        }

        /** Every row sees all others, as in encoders: {@code out_proj}, all projections with a bias. */
        public static Attention open(int heads, int width) {
            return new Attention(heads, heads, width / heads, true, "out_proj", true, false, null);
        }

        /** What the heads take and give, {@code heads * headDim}. */
        public int width() {
            return heads * headDim;
        }

        /** What {@code q_proj} gives. */
        public int queryWidth() {
            return gated ? 2 * width() : width();
        }

        /** What keys and values have, {@code kvHeads * headDim}. */
        public int kvWidth() {
            return kvHeads * headDim;
        }
    }

    /** Where the keys and values of a layer come from. */
    enum KeysAndValues {
        /** {@code k_proj} and {@code v_proj}. */
        PROJECTED,
        /** The same, and each head of values goes through an RMS norm without a weight. */
        VALUES_NORMED,
        /** {@code k_proj}: what it gives, before it is normed as keys are, is normed as values are. */
        KEYS_ARE_VALUES,
        /**
         * Those of the last layer with the same index, which has normed values: nothing is projected or kept. So
         * nothing reads what such a layer makes of a row but the answer, and only rows that are {@link #answered} come
         * in.
         */
        EARLIER
    }

    /**
     * A row sees itself and those before it, and queries and keys are rotated by their positions.
     *
     * @param layer index of its keys and values among those of the network
     * @param from where they come from
     * @param headNorm epsilon of the RMS norms {@code q_norm} and {@code k_norm} of each head before rotation, and of
     *     that of values; null if there are none
     * @param scale what scores are multiplied with
     * @param cap scores are {@code cap * tanh(score / cap)} then; 0 leaves them as they are
     * @param window position i sees {@code i - window + 1 .. i}; 0 if there is no window
     * @param open whether the caller may say of rows that they see some that come behind them too
     * @param answered whether only what {@link #answered} keeps is read of the result
     * @param normsAll whether {@code q_norm} and {@code k_norm} go over all heads together and not over each
     */
    record Causal(
            int layer,
            KeysAndValues from,
            Rotary rotary,
            @Nullable Float headNorm,
            double scale,
            float cap,
            int window,
            boolean open,
            boolean answered,
            boolean normsAll) {

        /** With norms over each head, if there are any. */
        public Causal(
                int layer,
                KeysAndValues from,
                Rotary rotary,
                @Nullable Float headNorm,
                double scale,
                float cap,
                int window,
                boolean open,
                boolean answered) {
            this(layer, from, rotary, headNorm, scale, cap, window, open, answered, false);
        }

        public Causal {
            if (normsAll && from != KeysAndValues.PROJECTED) {
                throw new UnsupportedModelException(
                        "Values of an attention layer are normed, and queries and keys over all heads together");
            }
            if (headNorm == null && from != KeysAndValues.PROJECTED) {
                throw new UnsupportedModelException(
                        "Values of an attention layer are normed, but queries and keys not");
            }
        }

        /** Whether values go through a norm, without a weight, before they are kept. */
        public boolean normsValues() {
            return from != KeysAndValues.PROJECTED;
        }
    }

    /**
     * Linear attention by the gated delta rule (Gated DeltaNet), all of a layer. {@code in_proj_qkv} goes through a
     * causal convolution over each channel, {@code conv1d}, and SiLU, and gives queries, keys and values. Each head of
     * values has a matrix S; queries and keys of its head are divided by their length, and then row after row
     *
     * <pre>{@code
     * S = exp(g) S;  S = S + k (b (v - S^T k))^T;  y = S^T q / sqrt(keyDim)
     * g = -exp(A_log) softplus(in_proj_a(x) + dt_bias);  b = sigmoid(in_proj_b(x))
     * }</pre>
     *
     * <p>What the heads give goes through an RMS norm each, {@code norm}, is multiplied by {@code silu(in_proj_z(x))}
     * and projected by {@code out_proj}. No projection has a bias.
     *
     * @param layer index of its window and matrix among those of the network
     * @param keyHeads heads of queries and of keys; value head h uses key head {@code h / (valueHeads / keyHeads)}
     * @param valueHeads a multiple of {@code keyHeads}
     * @param kernel how many rows the convolution sees, its own the last
     * @param epsilon of {@code norm}
     * @param answered whether only what {@link #answered} keeps is read of the result
     */
    record DeltaRule(
            int layer,
            int keyHeads,
            int valueHeads,
            int keyDim,
            int valueDim,
            int kernel,
            float epsilon,
            boolean answered) {
        /** Added to the sum of squares of a query or key before it is divided by the root. */
        public static final float LENGTH_EPSILON = 1e-6f;

        public DeltaRule {
            if (keyHeads < 1 || valueHeads % keyHeads != 0) {
                throw new UnsupportedModelException("A linear attention layer has " + valueHeads
                        + " heads of values, which " + keyHeads + " heads of keys do not divide");
            }
            if (kernel < 2) {
                throw new UnsupportedModelException(
                        "A linear attention layer has a convolution over " + kernel + " rows; it needs at least 2");
            }
        }

        /** What queries have, and keys. */
        public int keyWidth() {
            return keyHeads * keyDim;
        }

        public int valueWidth() {
            return valueHeads * valueDim;
        }

        /** Channels of the convolution. */
        public int channels() {
            return 2 * keyWidth() + valueWidth();
        }
    }

    /**
     * A short convolution over each channel: a row sees those before it, as many as the kernel has.
     *
     * @param layer index of its window among those of the network
     * @param kernel how many rows it sees, its own the last
     * @param bias whether it has one
     */
    record Convolution(int layer, int kernel, boolean bias) {}

    /** Pixels of a tile, {@code [3, height, width]}; the first thing of a network that has them. */
    Value pixels(int height, int width);

    /**
     * Pixels in patches, each a row: a convolution whose stride is its size. Pixels beyond the last whole patch are
     * left out.
     *
     * @param layer weight {@code [width, 3, patch, patch]}
     */
    Value patches(Value pixels, String layer, int patch, int width, boolean bias);

    /** Rows that the caller gives; {@code rows} may be {@link #ANY}. */
    Value input(String name, int rows, int width);

    /** Numbers of rows that the caller gives for {@link #picked}, whole numbers as floats, one under the other. */
    Value indices(String name);

    /**
     * A table of embeddings.
     *
     * @param weight {@code [vocab, width]}
     * @param scale what its rows are multiplied with when they are looked up
     */
    record Table(String weight, int vocab, int width, float scale) {}

    /** What goes into a decoder: rows of a table, or others in their place. */
    default Value embedded(Table table) {
        return embedded(table, 1).get(0);
    }

    /**
     * The same with more beside it, {@code [tokens, count * width]}: zeros for tokens of the table, whatever the caller
     * has for others.
     *
     * @return {@code count} values of that width
     */
    List<Value> embedded(Table table, int count);

    /**
     * What goes into a decoder, with what its tokens have in a second table beside it. That table may be far larger
     * than all else; rows of it are read where it lies.
     *
     * @return a value of each table's width
     */
    List<Value> embedded(Table table, Table second);

    /** A weight as rows of the width of its last dimension. */
    Value weight(String name, int... shape);

    /**
     * {@code x W^T + b}.
     *
     * @param weight {@code [out, width of x]}
     * @param bias {@code [out]}, or null if there is none
     */
    Value linear(Value x, String weight, @Nullable String bias, int out);

    /** The same under the name of a layer. */
    default Value linear(Value x, String layer, int out, boolean bias) {
        return linear(x, layer + ".weight", bias ? layer + ".bias" : null, out);
    }

    /** Each row minus its mean, over its deviation, times a weight plus a bias. */
    Value layerNorm(Value x, String layer, float epsilon);

    /** Each row over its root mean square, times a weight. */
    Value rmsNorm(Value x, String layer, float epsilon);

    /**
     * The same for each run of {@code width} values of a row, as the heads of an attention are.
     *
     * @param layer its weight has that width; null if there is none
     */
    Value rmsNorm(Value x, @Nullable String layer, int width, float epsilon);

    Value activation(Activation function, Value x);

    /** {@code cap * tanh(x / cap)}. */
    Value capped(Value x, float cap);

    /** {@code factor * x + offset}. */
    Value scaled(Value x, float factor, float offset);

    /** What is less than {@code least} becomes that, and what is more than {@code most}; both may be infinite. */
    Value clipped(Value x, float least, float most);

    /** Element by element; rows are repeated where there is only one. */
    Value add(Value a, Value b);

    /** Element by element; values of a row are repeated where there is only one, and rows too. */
    Value multiply(Value a, Value b);

    /** Rows under each other. */
    Value under(Value above, Value below);

    /** Some rows. */
    Value rows(Value x, int first, int count);

    /** Some values of each row. */
    Value columns(Value x, int first, int count);

    /** The rows of two values side by side. */
    Value beside(Value left, Value right);

    /** Every {@code count} rows that follow each other, side by side in one. */
    Value joined(Value x, int count);

    /** Of every {@code count} rows that follow each other, their mean. */
    Value averaged(Value x, int count);

    /** Those rows of {@code x} that {@link #indices} say, in their order, each as often as it is there. */
    Value picked(Value x, Value indices);

    /**
     * Sums of rows of {@code x}.
     *
     * @param shares how much of each row goes into each sum, {@code [sums, rows of x]}
     */
    Value mixed(Value shares, Value x);

    Value attention(Value x, String layer, Attention how);

    Value deltaRule(Value x, String layer, DeltaRule how);

    /**
     * Through a short convolution.
     *
     * @param layer weight {@code [width, 1, kernel]}
     */
    Value convolved(Value x, String layer, Convolution how);

    /**
     * Each head rotated by the angles of its row: element k of a head pairs with {@code k + head_dim / 2}.
     *
     * @param cos of the angles, {@code [rows, head_dim / 2]}
     * @param sin of the angles
     */
    Value rotated(Value x, Value cos, Value sin);

    /** What the heads of an attention give for queries, keys and values, in which every row sees all others. */
    default Value heads(Value q, Value k, Value v, int heads) {
        return heads(q, k, v, heads, 1 / Math.sqrt((double) q.width() / heads));
    }

    /**
     * The same.
     *
     * @param scale what scores are multiplied with
     */
    Value heads(Value q, Value k, Value v, int heads, double scale);

    /**
     * The same in windows: rows that follow each other see each other, and no others.
     *
     * @param bias added to the scores, {@code [rows, rows of a window]}
     */
    Value windowHeads(Value q, Value k, Value v, int heads, Value bias);

    /** {@code down(f(gate(x)) * up(x))}: {@code gate_proj}, {@code up_proj} and {@code down_proj} below the layer. */
    Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias);

    /**
     * The rows whose answers are wanted: of a prompt the last, of a batch that is learnt those that are learnt, and all
     * where everything is shown.
     */
    Value answered(Value x);

    /**
     * Space to depth: the cells of a square grid of rows, {@code factor} times {@code factor} of them side by side in
     * one, row by row.
     *
     * @param x its rows are a square number, whose root {@code factor} divides
     */
    Value pixelShuffle(Value x, int factor);

    /**
     * The means of the cells of a square grid of rows, {@code factor} times {@code factor} each.
     *
     * @param x its rows are a square number, whose root {@code factor} divides
     */
    Value pooled(Value x, int factor);

    /**
     * The coefficients of a LangBridge adapter.
     *
     * @param layer gives one for every shared token; the weights may be far larger than what goes through them
     * @param softmax whether they are made positive with a sum of 1
     */
    Value coefficients(Value x, String layer, int tokens, boolean softmax);

    /** Coefficients times the {@code width} values of the shared tokens' embeddings, which the caller gives. */
    Value words(Value x, String layer, int tokens, boolean softmax, String vocabularyMatrix, int width);

    /** Something in between under a name, for who asks to see it. */
    void show(String name, Value x);
}

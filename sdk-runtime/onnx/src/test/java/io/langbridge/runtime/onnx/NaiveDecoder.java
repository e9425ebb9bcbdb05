package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.LlamaConfig;
import java.util.Arrays;

/** The decoder in plain loops and double precision, all positions at once, without a cache. */
final class NaiveDecoder {
    private final LlamaConfig c;
    private final Weights weights;

    NaiveDecoder(LlamaConfig config, Weights weights) {
        c = config;
        this.weights = weights;
    }

    /** Logits of all positions, {@code [tokens][vocab]}. */
    double[][] logits(int... ids) {
        float[] table = weights.get("model.embed_tokens.weight").toFloats();
        double[][] x = new double[ids.length][c.hiddenSize()];
        for (int t = 0; t < ids.length; t++) {
            for (int i = 0; i < c.hiddenSize(); i++) {
                x[t][i] = table[ids[t] * c.hiddenSize() + i];
            }
        }
        for (int layer = 0; layer < c.numHiddenLayers(); layer++) {
            String name = "model.layers." + layer;
            add(x, attention(norm(x, name + ".input_layernorm"), name + ".self_attn", layer));
            add(x, mlp(norm(x, name + ".post_attention_layernorm"), name + ".mlp"));
        }
        String head = c.tieWordEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
        return multiply(norm(x, "model.norm"), weights.get(head).toFloats(), c.vocabSize());
    }

    private double[][] attention(double[][] x, String name, int layer) {
        int d = c.headDim();
        double[][] q = rotate(heads(x, name, "q", c.numAttentionHeads()), name, "q");
        double[][] k = rotate(heads(x, name, "k", c.numKeyValueHeads()), name, "k");
        double[][] v = heads(x, name, "v", c.numKeyValueHeads());
        double[][] mixed = new double[x.length][c.numAttentionHeads() * d];
        int window = c.slidingLayer()[layer] ? c.slidingWindow() : 0;
        for (int h = 0; h < c.numAttentionHeads(); h++) {
            int kv = h / (c.numAttentionHeads() / c.numKeyValueHeads());
            for (int t = 0; t < x.length; t++) {
                int first = window > 0 ? Math.max(0, t - window + 1) : 0;
                double[] weight = new double[t + 1];
                double sum = 0;
                for (int s = first; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < d; i++) {
                        score += q[t][h * d + i] * k[s][kv * d + i];
                    }
                    weight[s] = Math.exp(score / Math.sqrt(d));
                    sum += weight[s];
                }
                for (int s = first; s <= t; s++) {
                    for (int i = 0; i < d; i++) {
                        mixed[t][h * d + i] += weight[s] / sum * v[s][kv * d + i];
                    }
                }
            }
        }
        return linear(mixed, name + ".o_proj", c.hiddenSize(), c.outputBias());
    }

    private double[][] heads(double[][] x, String name, String part, int heads) {
        return linear(x, name + "." + part + "_proj", heads * c.headDim(), c.qkvBias());
    }

    /** Norm per head if there is one, then rotation of halves. */
    private double[][] rotate(double[][] x, String name, String part) {
        int d = c.headDim();
        float[] frequencies = c.rope().inverseFrequencies(d);
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < x[t].length / d; h++) {
                double[] head = Arrays.copyOfRange(x[t], h * d, (h + 1) * d);
                if (c.qkNorm()) {
                    head = norm(new double[][] {head}, name + "." + part + "_norm")[0];
                }
                for (int i = 0; i < d / 2; i++) {
                    double angle = t * frequencies[i];
                    double a = head[i];
                    double b = head[i + d / 2];
                    x[t][h * d + i] = a * Math.cos(angle) - b * Math.sin(angle);
                    x[t][h * d + i + d / 2] = b * Math.cos(angle) + a * Math.sin(angle);
                }
            }
        }
        return x;
    }

    private double[][] mlp(double[][] x, String name) {
        double[][] gate = linear(x, name + ".gate_proj", c.intermediateSize(), c.mlpBias());
        double[][] up = linear(x, name + ".up_proj", c.intermediateSize(), c.mlpBias());
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < gate[t].length; i++) {
                gate[t][i] *= up[t][i] / (1 + Math.exp(-gate[t][i]));
            }
        }
        return linear(gate, name + ".down_proj", c.hiddenSize(), c.mlpBias());
    }

    private double[][] linear(double[][] x, String layer, int out, boolean bias) {
        double[][] y = multiply(x, weights.get(layer + ".weight").toFloats(), out);
        if (bias) {
            float[] b = weights.get(layer + ".bias").toFloats();
            for (double[] row : y) {
                for (int o = 0; o < out; o++) {
                    row[o] += b[o];
                }
            }
        }
        return y;
    }

    private static double[][] multiply(double[][] x, float[] w, int out) {
        double[][] y = new double[x.length][out];
        for (int t = 0; t < x.length; t++) {
            int in = x[t].length;
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    y[t][o] += x[t][i] * w[o * in + i];
                }
            }
        }
        return y;
    }

    private double[][] norm(double[][] x, String layer) {
        float[] w = weights.get(layer + ".weight").toFloats();
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            double scale = 1 / Math.sqrt(squares / x[t].length + c.rmsNormEps());
            y[t] = new double[x[t].length];
            for (int i = 0; i < y[t].length; i++) {
                y[t][i] = x[t][i] * scale * w[i];
            }
        }
        return y;
    }

    private static void add(double[][] x, double[][] delta) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += delta[t][i];
            }
        }
    }
}

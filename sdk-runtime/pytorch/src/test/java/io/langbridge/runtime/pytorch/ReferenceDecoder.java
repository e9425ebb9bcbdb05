package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;

/** The decoder in plain loops and double precision, without a cache. */
final class ReferenceDecoder {
    private final LlamaConfig c;
    private final RandomWeights weights;

    ReferenceDecoder(LlamaConfig config, RandomWeights weights) {
        c = config;
        this.weights = weights;
    }

    /** {@code [tokens, vocab]} in one row. */
    double[] logits(FloatTensor inputsEmbeds) {
        int tokens = inputsEmbeds.size(0);
        double[][] x = new double[tokens][c.hiddenSize()];
        for (int t = 0; t < tokens; t++) {
            x[t] = Tiny.doubles(inputsEmbeds.rows(t, t + 1).toArray());
        }
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            String layer = "model.layers." + i + ".";
            double[][] normed = norm(x, layer + "input_layernorm.weight");
            add(x, attention(normed, layer + "self_attn.", c.slidingLayer()[i] ? c.slidingWindow() : tokens));
            normed = norm(x, layer + "post_attention_layernorm.weight");
            double[][] gate = linear(normed, layer + "mlp.gate_proj", c.intermediateSize());
            double[][] up = linear(normed, layer + "mlp.up_proj", c.intermediateSize());
            for (int t = 0; t < tokens; t++) {
                for (int k = 0; k < gate[t].length; k++) {
                    gate[t][k] *= up[t][k] / (1 + Math.exp(-gate[t][k]));
                }
            }
            add(x, linear(gate, layer + "mlp.down_proj", c.hiddenSize()));
        }
        String head = c.tieWordEmbeddings() ? "model.embed_tokens" : "lm_head";
        double[] logits = new double[tokens * c.vocabSize()];
        double[][] rows = linear(norm(x, "model.norm.weight"), head, c.vocabSize());
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(rows[t], 0, logits, t * c.vocabSize(), c.vocabSize());
        }
        return logits;
    }

    private double[][] attention(double[][] x, String name, int window) {
        int group = c.numAttentionHeads() / c.numKeyValueHeads();
        double[][] q = linear(x, name + "q_proj", c.numAttentionHeads() * c.headDim());
        double[][] k = linear(x, name + "k_proj", c.numKeyValueHeads() * c.headDim());
        double[][] v = linear(x, name + "v_proj", c.numKeyValueHeads() * c.headDim());
        normAndRotate(q, name + "q_norm.weight");
        normAndRotate(k, name + "k_norm.weight");
        double[][] y = new double[x.length][c.numAttentionHeads() * c.headDim()];
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < c.numAttentionHeads(); h++) {
                int from = h * c.headDim();
                int kvFrom = h / group * c.headDim();
                double total = 0;
                for (int s = Math.max(0, t - window + 1); s <= t; s++) {
                    double score = 0;
                    for (int d = 0; d < c.headDim(); d++) {
                        score += q[t][from + d] * k[s][kvFrom + d];
                    }
                    double weight = Math.exp(score / Math.sqrt(c.headDim()));
                    total += weight;
                    for (int d = 0; d < c.headDim(); d++) {
                        y[t][from + d] += weight * v[s][kvFrom + d];
                    }
                }
                for (int d = 0; d < c.headDim(); d++) {
                    y[t][from + d] /= total;
                }
            }
        }
        return linear(y, name + "o_proj", c.hiddenSize());
    }

    private void normAndRotate(double[][] x, String norm) {
        int half = c.headDim() / 2;
        float[] frequencies = c.rope().inverseFrequencies(c.headDim());
        for (int t = 0; t < x.length; t++) {
            for (int from = 0; from < x[t].length; from += c.headDim()) {
                double[] head = java.util.Arrays.copyOfRange(x[t], from, from + c.headDim());
                if (weights.contains(norm)) {
                    head = norm(new double[][] {head}, norm)[0];
                }
                for (int d = 0; d < half; d++) {
                    double cos = Math.cos(t * frequencies[d]);
                    double sin = Math.sin(t * frequencies[d]);
                    x[t][from + d] = head[d] * cos - head[half + d] * sin;
                    x[t][from + half + d] = head[half + d] * cos + head[d] * sin;
                }
            }
        }
    }

    private double[][] norm(double[][] x, String name) {
        float[] weight = weights.values(name);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            double scale = 1 / Math.sqrt(squares / x[t].length + c.rmsNormEps());
            y[t] = new double[x[t].length];
            for (int k = 0; k < y[t].length; k++) {
                y[t][k] = x[t][k] * scale * weight[k];
            }
        }
        return y;
    }

    private double[][] linear(double[][] x, String name, int out) {
        float[] weight = weights.values(name + ".weight");
        float[] bias = weights.contains(name + ".bias") ? weights.values(name + ".bias") : new float[out];
        double[][] y = new double[x.length][out];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < out; o++) {
                double sum = bias[o];
                for (int k = 0; k < x[t].length; k++) {
                    sum += x[t][k] * weight[o * x[t].length + k];
                }
                y[t][o] = sum;
            }
        }
        return y;
    }

    private static void add(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            for (int k = 0; k < x[t].length; k++) {
                x[t][k] += y[t][k];
            }
        }
    }
}

package io.langbridge.runtime.core.config;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;

/**
 * Goes through the tensors that a network needs, by name and shape, and counts their elements. Names are the ones an
 * engine asks for. Only headers are read.
 */
public final class TensorCheck {
    private final Weights weights;
    private long elements;

    private TensorCheck(Weights weights) {
        this.weights = weights;
    }

    public static long vision(VisionConfig config, Weights weights) {
        TensorCheck check = new TensorCheck(weights);
        long hidden = config.hiddenSize();
        long patch = config.patchSize();
        check.need("embeddings.patch_embedding.weight", hidden, 3, patch, patch);
        check.need("embeddings.position_embedding.weight", config.tokens(), hidden);
        if (config.kind() == VisionConfig.Kind.CLIP) {
            check.need("embeddings.class_embedding", hidden);
            check.norm("pre_layrnorm", hidden);
        } else {
            check.need("embeddings.patch_embedding.bias", hidden);
        }
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "encoder.layers." + i + ".";
            check.norm(layer + "layer_norm1", hidden);
            check.linear(layer + "self_attn.q_proj", hidden, hidden, true);
            check.linear(layer + "self_attn.k_proj", hidden, hidden, true);
            check.linear(layer + "self_attn.v_proj", hidden, hidden, true);
            check.linear(layer + "self_attn.out_proj", hidden, hidden, true);
            check.norm(layer + "layer_norm2", hidden);
            check.linear(layer + "mlp.fc1", config.intermediateSize(), hidden, true);
            check.linear(layer + "mlp.fc2", hidden, config.intermediateSize(), true);
        }
        return check.elements;
    }

    public static long adapter(AdapterConfig adapter, Weights weights) {
        TensorCheck check = new TensorCheck(weights);
        long in = adapter.mmHiddenSize();
        if (adapter instanceof AdapterConfig.LangBridge config) {
            check.linear("0", config.mlpHiddenSize(), in, true);
            check.linear("2", config.mlpHiddenSize(), config.mlpHiddenSize(), true);
            check.linear("3", config.mmVocabSize(), config.mlpHiddenSize(), true);
        } else if (adapter instanceof AdapterConfig.Mlp config) {
            for (int i = 0; i < config.depth(); i++) {
                check.linear(
                        String.valueOf(2 * i), config.width(i), i == 0 ? in : config.mlpHiddenSize(), config.bias());
            }
        } else if (adapter instanceof AdapterConfig.Linear config) {
            check.need("weight", config.llmHiddenSize(), in);
            check.need("bias", config.llmHiddenSize());
        }
        return check.elements;
    }

    public static long decoder(DecoderConfig config, Weights weights) {
        TensorCheck check = new TensorCheck(weights);
        long hidden = config.hiddenSize();
        long queries = (long) config.numAttentionHeads() * config.headDim();
        long keys = (long) config.numKeyValueHeads() * config.headDim();
        check.need("model.embed_tokens.weight", config.vocabSize(), hidden);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "model.layers." + i + ".";
            check.need(layer + "input_layernorm.weight", hidden);
            check.linear(layer + "self_attn.q_proj", queries, hidden, config.qkvBias());
            check.linear(layer + "self_attn.k_proj", keys, hidden, config.qkvBias());
            check.linear(layer + "self_attn.v_proj", keys, hidden, config.qkvBias());
            check.linear(layer + "self_attn.o_proj", hidden, queries, config.outputBias());
            if (config.qkNorm()) {
                check.need(layer + "self_attn.q_norm.weight", config.headDim());
                check.need(layer + "self_attn.k_norm.weight", config.headDim());
            }
            check.need(layer + "post_attention_layernorm.weight", hidden);
            check.linear(layer + "mlp.gate_proj", config.intermediateSize(), hidden, config.mlpBias());
            check.linear(layer + "mlp.up_proj", config.intermediateSize(), hidden, config.mlpBias());
            check.linear(layer + "mlp.down_proj", hidden, config.intermediateSize(), config.mlpBias());
        }
        check.need("model.norm.weight", hidden);
        if (!config.tieWordEmbeddings()) {
            check.need("lm_head.weight", config.vocabSize(), hidden);
        }
        return check.elements;
    }

    private void norm(String name, long size) {
        need(name + ".weight", size);
        need(name + ".bias", size);
    }

    private void linear(String name, long out, long in, boolean bias) {
        need(name + ".weight", out, in);
        if (bias) {
            need(name + ".bias", out);
        }
    }

    private void need(String name, long... shape) {
        StoredTensor tensor = weights.get(name, shape);
        requireFloatingPoint(tensor);
        elements += tensor.elements();
    }

    /** Whole numbers in place of weights are a quantized checkpoint, which would be read as nonsense. */
    static void requireFloatingPoint(StoredTensor tensor) {
        DType dtype = tensor.dtype();
        if (!dtype.isFloatingPoint()) {
            throw new UnsupportedModelException(
                    "Tensor " + tensor.name() + " in " + tensor.file()
                            + " is stored as " + dtype
                            + "; weights must be F64, F32, F16 or BF16. Quantised checkpoints are not read; take the one it was made from.");
        }
    }
}

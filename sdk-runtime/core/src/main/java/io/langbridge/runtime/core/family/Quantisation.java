package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Recognises checkpoints whose weights are quantised already, however they say so, before their tensors are missed one
 * by one.
 */
final class Quantisation {
    /** Where transformers, its predecessors and MLX write it. */
    private static final List<String> KEYS = Collections.unmodifiableList(
            Arrays.asList("quantization_config", "compression_config", "quantization", "quant_config"));

    private static final List<String> PARTS =
            Collections.unmodifiableList(Arrays.asList("text_config", "vision_config", "llm_config"));

    /** Behind the name of a weight of 8-bit floating-point numbers: what it must be multiplied with. */
    private static final List<String> SCALES = Collections.unmodifiableList(Arrays.asList("_scale_inv", "_scale"));

    /** Ends of the names of scales that are for products in 8 bits, which are not done. */
    private static final List<String> ACTIVATIONS =
            Collections.unmodifiableList(Arrays.asList(".activation_scale", ".input_scale"));

    /** Rows and columns that have a scale in common. */
    private static final String BLOCK = "weight_block_size";

    /** Files of AutoGPTQ, AutoAWQ and TensorRT Model Optimizer. */
    private static final List<String> FILES = Collections.unmodifiableList(
            Arrays.asList("quantize_config.json", "quant_config.json", "hf_quant_config.json"));

    /** What a quantised matrix has beside itself or in its place, and whose way that is. */
    private static final String[][] TENSORS = {
        {".qweight", "AWQ or GPTQ"},
        {".qzeros", "AWQ or GPTQ"},
        {".weight.absmax", "bitsandbytes"},
        {".weight.nested_absmax", "bitsandbytes"},
        {".SCB", "bitsandbytes"},
        {".weight_packed", "compressed-tensors"},
        {".weight_scale", "compressed-tensors or fp8"},
        {".weight_scale_inv", "fp8"},
        {"_proj_blocks", "mxfp4"},
        {".W_q", "HQQ"}
    };

    private Quantisation() {}

    /** Refuses a configuration that says so, in any of its parts or in a file beside it. */
    static void refuse(Json config, Path folder) {
        refuse(config);
        for (String name : FILES) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file)) {
                throw refusal(file.toString(), method(Json.read(file), methodOf(name)), config);
            }
        }
    }

    /** Refuses a configuration that says so itself. */
    static void refuse(Json config) {
        refuse(config, config);
        for (String part : PARTS) {
            if (config.isObject(part)) {
                Json inner = config.object(part);
                if (inner != null) {
                    refuse(inner, config);
                }
            }
        }
    }

    /**
     * Weights of 8-bit floating-point numbers with their scales, as the numbers they stand for; others as they are.
     *
     * @param config {@code config.json}, which says how much of a matrix has a scale in common
     * @return a view; closing it closes nothing
     * @throws CheckpointException if a scale is missing or of another shape
     */
    static Weights widened(Json config, Weights weights) {
        Json settings = config.isObject(KEYS.get(0)) ? config.object(KEYS.get(0)) : null;
        if (settings == null || !isFloat8(settings)) {
            return weights;
        }
        return Checkpoints.replaced(weights, tensor -> {
            boolean ofActivations = ACTIVATIONS.stream().anyMatch(tensor.name()::endsWith);
            boolean ofWeights = SCALES.stream().anyMatch(end -> tensor.name().endsWith(".weight" + end));
            if (ofActivations || ofWeights) {
                return null;
            }
            return tensor.dtype().isFloat8() ? scaled(tensor, weights, settings) : tensor;
        });
    }

    private static StoredTensor scaled(StoredTensor tensor, Weights weights, Json settings) {
        for (String end : SCALES) {
            String name = tensor.name() + end;
            if (weights.contains(name)) {
                return scaled(tensor, weights.get(name), settings);
            }
        }
        throw new CheckpointException("Tensor " + tensor.name() + " in " + tensor.file() + " is stored as "
                + tensor.dtype() + ", but there is no " + tensor.name() + SCALES.get(0)
                + ", which it would have to be multiplied with; download the checkpoint again.");
    }

    private static StoredTensor scaled(StoredTensor tensor, StoredTensor scale, Json settings) {
        scale.requireFloatingPoint();
        long[] shape = tensor.shape();
        if (shape.length != 2) {
            throw new UnsupportedModelException("Tensor " + tensor.name() + " in " + tensor.file() + " is stored as "
                    + tensor.dtype() + " with the shape " + Arrays.toString(shape) + "; only matrices are widened.");
        }
        if (scale.elements() == 1) {
            return Checkpoints.scaled(tensor, scale, Math.max(1, shape[0]), Math.max(1, shape[1]));
        }
        List<Long> block = settings.has(BLOCK) ? settings.longs(BLOCK) : Arrays.asList(128L, 128L);
        if (block.size() != 2 || block.get(0) < 1 || block.get(1) < 1) {
            throw new CheckpointException(
                    settings.at(BLOCK) + " must be two numbers, rows and columns of a block, not " + block + ".");
        }
        long[] wanted = {(shape[0] + block.get(0) - 1) / block.get(0), (shape[1] + block.get(1) - 1) / block.get(1)};
        if (!Arrays.equals(scale.shape(), wanted)) {
            throw new CheckpointException("Tensor " + scale.name() + " in " + scale.file() + " has shape "
                    + Arrays.toString(scale.shape()) + ", but " + tensor.name() + " of shape "
                    + Arrays.toString(shape) + " has " + Arrays.toString(wanted) + " blocks of " + block
                    + " (" + BLOCK + "); the files belong to different checkpoints.");
        }
        return Checkpoints.scaled(tensor, scale, block.get(0), block.get(1));
    }

    private static boolean isFloat8(Json settings) {
        return "fp8".equals(text(settings, "quant_method"));
    }

    private static void refuse(Json json, Json config) {
        for (String key : KEYS) {
            Json quantisation = json.isObject(key) ? json.object(key) : null;
            if (quantisation != null && json == config && key.equals(KEYS.get(0)) && isFloat8(quantisation)) {
                continue; // widened when they are read
            }
            if (quantisation != null && !quantisation.keys().isEmpty()) {
                String method = method(quantisation, key.equals("quantization") ? "MLX" : "a method it does not name");
                if (method != null) {
                    throw refusal(json.at(key), method, config);
                }
            }
        }
    }

    private static String methodOf(String file) {
        return switch (file) {
            case "quantize_config.json" -> "GPTQ";
            case "quant_config.json" -> "AWQ";
            default -> "ModelOpt";
        };
    }

    /** Null if the settings are there and switched off. */
    private static @Nullable String method(Json json, String absent) {
        boolean four = flag(json, "load_in_4bit") || flag(json, "_load_in_4bit");
        boolean eight = flag(json, "load_in_8bit") || flag(json, "_load_in_8bit");
        String method = text(json, "quant_method");
        if (method == null) {
            method = text(json, "quant_algo");
        }
        boolean bitsAndBytes = json.has("load_in_4bit") || json.has("load_in_8bit");
        if (four || eight) {
            return (method == null ? "bitsandbytes" : method) + ", " + (four ? 4 : 8) + " bits";
        }
        if (bitsAndBytes && (method == null || method.toLowerCase(Locale.ROOT).equals("bitsandbytes"))) {
            return null;
        }
        String bits = json.isNumber("bits") ? ", " + json.element("bits") + " bits" : "";
        return (method == null ? absent : method) + bits;
    }

    private static boolean flag(Json json, String key) {
        return json.has(key) && "true".equals(String.valueOf(json.element(key)));
    }

    private static @Nullable String text(Json json, String key) {
        return json.isString(key) ? json.string(key) : null;
    }

    /** Refuses weights that have the tensors of a quantised checkpoint. */
    static void refuse(Weights weights) {
        for (String name : weights.names()) {
            for (String[] tensor : TENSORS) {
                if (name.endsWith(tensor[0])) {
                    throw refusal("Tensor " + name + " in " + weights.source(), tensor[1], null);
                }
            }
        }
    }

    private static UnsupportedModelException refusal(String where, @Nullable String method, @Nullable Json config) {
        String original = config == null ? null : text(config, "_name_or_path");
        return new UnsupportedModelException(where + " says that the weights are quantised (" + method
                + "); quantised checkpoints are not read. Take the checkpoint it was made from, in float32, float16 or"
                + " bfloat16" + (original == null || original.isEmpty() ? "" : " (perhaps " + original + ")")
                + "; precision(Precision.INT8) or INT4 quantises that while loading.");
    }
}

package io.langbridge.runtime.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Java buffers under the names of a graph's inputs and outputs: ONNX Runtime reads and writes them in place. Owned by
 * one caller; not thread-safe.
 */
final class Bindings implements AutoCloseable {
    private final OrtEnvironment environment = OrtRuntime.environment();
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private final List<OnnxTensor> owned = new ArrayList<>();

    Bindings input(String name, FloatTensor values, long... dims) {
        inputs.put(name, floats(values, dims));
        return this;
    }

    /** Binds integers; the buffer must be direct, and what is written to it later is what the next run reads. */
    Bindings input(String name, IntBuffer values, long... dims) {
        try {
            inputs.put(name, own(OnnxTensor.createTensor(environment, values, dims)));
        } catch (OrtException e) {
            throw refused(e);
        }
        return this;
    }

    /** Binds integers as {@link #input(String, IntBuffer, long...)} does. */
    Bindings input(String name, LongBuffer values, long... dims) {
        try {
            inputs.put(name, own(OnnxTensor.createTensor(environment, values, dims)));
        } catch (OrtException e) {
            throw refused(e);
        }
        return this;
    }

    Bindings output(String name, FloatTensor values, long... dims) {
        outputs.put(name, floats(values, dims));
        return this;
    }

    /** One buffer as input and as outputs: the graph updates it in place. It is direct and in native order. */
    Bindings updated(String inputName, List<String> outputNames, ByteBuffer values, OnnxJavaType type, long... dims) {
        try {
            OnnxTensor tensor = own(OnnxTensor.createTensor(environment, values, dims, type));
            inputs.put(inputName, tensor);
            outputNames.forEach(name -> outputs.put(name, tensor));
        } catch (OrtException e) {
            throw refused(e);
        }
        return this;
    }

    /** Adds the bindings of {@code other}, which go on belonging to it. */
    Bindings share(Bindings other) {
        inputs.putAll(other.inputs);
        outputs.putAll(other.outputs);
        return this;
    }

    void run(LoadedGraph graph) {
        graph.run(inputs, outputs);
    }

    private OnnxTensor floats(FloatTensor values, long... dims) {
        try {
            return own(OnnxTensor.createTensor(environment, values.data(), dims));
        } catch (OrtException e) {
            throw refused(e);
        }
    }

    private OnnxTensor own(OnnxTensor tensor) {
        owned.add(tensor);
        return tensor;
    }

    private static OnnxRuntimeException refused(OrtException e) {
        return new OnnxRuntimeException("ONNX Runtime cannot wrap a buffer: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        for (OnnxTensor tensor : owned) {
            tensor.close();
        }
        owned.clear();
        // The maps hold the buffers; without this a closed cache would keep its memory as long as it is referred to.
        inputs.clear();
        outputs.clear();
    }
}

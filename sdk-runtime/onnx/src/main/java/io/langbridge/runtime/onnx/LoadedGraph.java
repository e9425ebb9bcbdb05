package io.langbridge.runtime.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.checkpoint.EntryLock;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.engine.EngineOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A graph with its weights, ready to run. Safe for use by several threads; closing waits for what runs. */
final class LoadedGraph implements AutoCloseable {
    /**
     * How long idle threads wait awake, in microseconds: about as long as between two steps of a graph, so that they
     * need not be woken for each, and too short to disturb others.
     */
    private static final String BETWEEN_STEPS_US = "20";

    private final String what;
    private final OrtSession session;
    private final Set<String> inputs;
    private final Map<String, long[]> outputs = new LinkedHashMap<>();
    /** Runs hold the read lock, so that closing, which takes the write lock, waits for them. */
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    /** What the graph reads in memory of this class. */
    private final List<OnnxTensor> given;

    /** Spares the file that it was loaded from, or null. */
    private @Nullable EntryLock use;

    private boolean closed;

    /**
     * Values of an initializer in native memory.
     *
     * @param values little-endian, in row order
     */
    record Given(OnnxGraph.Type type, long[] dims, ByteBuffer values) {
        static Given read(OnnxGraph.Type type, long[] dims, Path file, FileChannel channel, long from, long bytes)
                throws IOException {
            try {
                ByteBuffer values = Kept.direct(Math.toIntExact(bytes));
                WeightFile.readFully(channel, values, from);
                return new Given(type, dims.clone(), values);
            } catch (OutOfMemoryError | ArithmeticException e) {
                throw new InsufficientMemoryException(
                        (bytes >> 20) + " MB of weights in " + file
                                + " need native memory that the JVM does not give (" + e
                                + "). Raise -XX:MaxDirectMemorySize, which is the size of the heap unless it is set.",
                        e);
            }
        }

        OnnxTensor tensor(OrtEnvironment environment) throws OrtException {
            return switch (type) {
                case FLOAT -> OnnxTensor.createTensor(environment, values.asFloatBuffer(), dims);
                case INT8 -> OnnxTensor.createTensor(environment, values, dims, OnnxJavaType.INT8);
                case UINT8 -> OnnxTensor.createTensor(environment, values, dims, OnnxJavaType.UINT8);
                default -> throw new IllegalArgumentException("No weight is stored as " + type);
            };
        }
    }

    private LoadedGraph(String what, OrtSession session, List<OnnxTensor> given) throws OrtException {
        this.what = what;
        this.session = session;
        this.given = given;
        inputs = session.getInputNames();
        for (Map.Entry<String, NodeInfo> output : session.getOutputInfo().entrySet()) {
            outputs.put(output.getKey(), ((TensorInfo) output.getValue().getInfo()).getShape());
        }
    }

    /**
     * Loads a model.
     *
     * @param what names the graph in messages
     * @param folder where the files of external weights are
     * @param given what is used in their place, by name
     */
    static LoadedGraph load(String what, byte[] model, Path folder, Map<String, Given> given, EngineOptions options) {
        OrtEnvironment environment = OrtRuntime.environment();
        List<OnnxTensor> tensors = new ArrayList<>();
        try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions()) {
            settings.setIntraOpNumThreads(options.threads());
            settings.setInterOpNumThreads(1);
            settings.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            // Errors arrive as exceptions; a library does not write to the standard streams.
            settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            settings.addConfigEntry("session.intra_op.allow_spinning", "1");
            if (!options.spinning()) {
                settings.addConfigEntry("session.intra_op.spin_duration_us", BETWEEN_STEPS_US);
            }
            if (!options.affinity().isEmpty()) {
                // ONNX Runtime counts processors from 1.
                settings.addConfigEntry(
                        "session.intra_op_thread_affinities",
                        options.affinity().stream()
                                .map(processor -> Integer.toString(processor + 1))
                                .collect(Collectors.joining(";")));
            }
            OrtRuntime.use(options.device(), settings);
            // Maps the weights; the other ways to hand them over copy them first.
            settings.addConfigEntry("session.model_external_initializers_file_folder_path", folder.toString());
            for (Map.Entry<String, Given> entry : given.entrySet()) {
                OnnxTensor tensor = entry.getValue().tensor(environment);
                tensors.add(tensor);
                settings.addInitializer(entry.getKey(), tensor);
            }
            return new LoadedGraph(what, environment.createSession(model, settings), tensors);
        } catch (RuntimeException | Error e) {
            tensors.forEach(OnnxTensor::close);
            throw e;
        } catch (OrtException e) {
            tensors.forEach(OnnxTensor::close);
            throw new OnnxRuntimeException(
                    "ONNX Runtime cannot load the " + what + " with weights from " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Closes a lock with the graph. */
    LoadedGraph using(EntryLock lock) {
        use = lock;
        return this;
    }

    /** What has to be bound. */
    Set<String> inputs() {
        return inputs;
    }

    /** Sizes of what has to be bound; -1 is one that is known when the graph runs. */
    Map<String, long[]> outputs() {
        return outputs;
    }

    /**
     * Runs the graph.
     *
     * @param tensors that receive the results; all outputs of the graph must be there, others are left alone
     */
    void run(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> tensors) {
        Map<String, OnnxTensor> results = tensors;
        if (tensors.size() > outputs.size()) {
            results = new HashMap<>(tensors);
            results.keySet().retainAll(outputs.keySet());
        }
        lock.readLock().lock();
        try {
            requireOpen();
            session.run(inputs, Collections.emptySet(), results).close();
        } catch (OrtException e) {
            throw new OnnxRuntimeException("ONNX Runtime failed to run the " + what + ": " + e.getMessage(), e);
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Refuses to go on after {@link #close}.
     *
     * @throws IllegalStateException if the graph is closed
     */
    void requireOpen() {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The " + what + " is closed");
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                try {
                    session.close();
                } finally {
                    given.forEach(OnnxTensor::close);
                    if (use != null) {
                        use.close();
                    }
                }
            }
        } catch (OrtException e) {
            throw new OnnxRuntimeException("ONNX Runtime failed to close the " + what + ": " + e.getMessage(), e);
        } finally {
            lock.writeLock().unlock();
        }
    }
}

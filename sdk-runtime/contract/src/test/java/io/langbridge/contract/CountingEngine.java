package io.langbridge.contract;

import io.langbridge.Device;
import io.langbridge.ModelListener;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.model.Loader;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Computes nothing, counts what is asked of it, and lets a test act in the middle of it. */
final class CountingEngine implements Engine {
    /** Positions of a prompt that run at a time. */
    static final int CHUNK = 8;

    /** The token that is always the likeliest. */
    static final int TOKEN = 5;

    /** What was computed: {@code tiles 1}, {@code fill 8}, {@code prefill 3}, {@code step}. */
    final List<String> calls = new CopyOnWriteArrayList<>();

    final AtomicInteger openSessions = new AtomicInteger();
    final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    /** Run at the start of each computation. */
    volatile Runnable meanwhile = () -> {};

    /** Run when a session marks where it is. */
    volatile Runnable marking = () -> {};

    /** Whether what is kept can be cut anywhere; otherwise sessions go back to marks only. */
    volatile boolean cuts = true;

    /** How often something was computed. */
    int count(String prefix) {
        return (int) calls.stream().filter(call -> call.startsWith(prefix)).count();
    }

    /** A model on this engine that sees pictures as several tiles. */
    VisionLanguageModel load(
            Path scratch, @Nullable Integer concurrent, @Nullable Integer queued, ModelListener... listeners) {
        VisionLanguageModel.Builder builder = builder(scratch);
        if (concurrent != null) {
            builder.maxConcurrentRequests(concurrent);
        }
        if (queued != null) {
            builder.maxQueuedRequests(queued);
        }
        for (ModelListener listener : listeners) {
            builder.listener(listener);
        }
        return builder.build(new Loader(this));
    }

    /** Such a model's folder, threads and cache. */
    static VisionLanguageModel.Builder builder(Path scratch) {
        Path checkpoint = Fixtures.bundled(scratch).resolve("end-to-end/llava-next-native/checkpoint");
        return VisionLanguageModel.builder().folder(checkpoint).threads(1).cacheDirectory(scratch.resolve("cache"));
    }

    private void compute(String what) {
        threads.add(Thread.currentThread());
        calls.add(what);
        meanwhile.run();
    }

    @Override
    public String name() {
        return "onnx";
    }

    @Override
    public void require(Device device, boolean allowDownloads) {
        // Computes nowhere.
    }

    @Override
    public boolean decodesOn(Device.Kind kind) {
        return kind == Device.Kind.CPU;
    }

    @Override
    public boolean quantises() {
        return true;
    }

    @Override
    public Running open(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        Inventory inventory = Inventory.of(network);
        Net.Value result = inventory.result();
        boolean encoder = inventory.inputs().containsKey(Net.PIXEL_VALUES);
        return new Running() {
            @Override
            public FloatTensor run(Map<String, FloatTensor> all) {
                FloatTensor inputs = all.values().iterator().next();
                if (encoder) {
                    compute("tiles " + inputs.size(0));
                }
                int rows = result.rows() == Net.ANY ? inputs.size(1) : result.rows();
                return FloatTensor.allocate(inputs.size(0), rows, result.width());
            }

            @Override
            public Map<String, FloatTensor> trace(Map<String, FloatTensor> inputs) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void close() {
                // Holds nothing.
            }
        };
    }

    @Override
    public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
        return new DecoderNetwork() {
            @Override
            public DecoderConfig config() {
                return config;
            }

            @Override
            public FloatTensor embed(int... ids) {
                return FloatTensor.allocate(ids.length, config.hiddenSize());
            }

            @Override
            public DecoderSession open(int capacity) {
                openSessions.incrementAndGet();
                return new Session(capacity, config.vocabSize());
            }

            @Override
            public DecoderBatch open(int sequences, int capacity) {
                return new Batch(sequences, capacity, config.vocabSize());
            }

            @Override
            public DecoderNetwork.Trace trace(
                    FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void close() {
                // Holds nothing.
            }
        };
    }

    @Override
    public void multiply(
            FloatTensor a,
            boolean transposeA,
            FloatTensor b,
            boolean transposeB,
            FloatTensor product,
            EngineOptions options) {
        throw new UnsupportedOperationException();
    }

    private final class Batch implements DecoderBatch {
        private final List<Session> sessions = new ArrayList<>();
        private final FloatTensor logits;

        Batch(int sequences, int capacity, int vocabulary) {
            logits = FloatTensor.allocate(sequences, vocabulary);
            for (int i = 0; i < sequences; i++) {
                openSessions.incrementAndGet();
                sessions.add(new Session(capacity, vocabulary));
                logits.data().put(i * vocabulary + TOKEN, 1);
            }
        }

        @Override
        public int sequences() {
            return sessions.size();
        }

        @Override
        public DecoderSession sequence(int index) {
            return sessions.get(index);
        }

        @Override
        public FloatTensor step(int... tokenIds) {
            compute("step of "
                    + Arrays.stream(tokenIds).filter(id -> id != NONE).count());
            for (int i = 0; i < tokenIds.length; i++) {
                sessions.get(i).length += tokenIds[i] == NONE ? 0 : 1;
            }
            return logits;
        }

        @Override
        public void close() {
            sessions.forEach(Session::close);
        }
    }

    private final class Session implements DecoderSession {
        private final int capacity;
        private final FloatTensor logits;
        private final NavigableSet<Integer> marks = new TreeSet<>();
        private int length;
        private boolean closed;

        Session(int capacity, int vocabulary) {
            this.capacity = capacity;
            logits = FloatTensor.allocate(vocabulary);
            logits.data().put(TOKEN, 1);
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public boolean cutsAnywhere() {
            return cuts;
        }

        @Override
        public int chunk() {
            return CHUNK;
        }

        @Override
        public void fill(FloatTensor inputsEmbeds) {
            compute("fill " + inputsEmbeds.size(0));
            length += inputsEmbeds.size(0);
        }

        @Override
        public FloatBuffer prefill(FloatTensor inputsEmbeds) {
            compute("prefill " + inputsEmbeds.size(0));
            length += inputsEmbeds.size(0);
            return logits.data();
        }

        @Override
        public FloatBuffer step(int tokenId) {
            compute("step");
            length++;
            return logits.data();
        }

        @Override
        public void mark() {
            marking.run();
            marks.add(length);
        }

        @Override
        public int rewind(int wanted) {
            if (wanted > length) {
                throw new IllegalArgumentException(wanted + " of " + length);
            }
            if (cuts || wanted == length) {
                length = wanted;
            } else {
                Integer mark = marks.floor(wanted);
                length = mark == null ? 0 : mark;
            }
            marks.tailSet(length, false).clear();
            return length;
        }

        @Override
        public int rewindable(int position) {
            if (cuts || position == length) {
                return position;
            }
            Integer mark = marks.floor(position);
            return mark == null ? 0 : mark;
        }

        @Override
        public void takeOver(DecoderSession from, int known) {
            Session other = (Session) from;
            length = other.length;
            marks.clear();
            marks.addAll(other.marks);
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                openSessions.decrementAndGet();
            }
        }
    }
}

package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.model.Loader;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderTest {
    private static final String ENCODER = "encoder";
    private static final String ADAPTER = "adapter";
    private static final String LLM = "language model";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    private final Set<String> open = new ConcurrentSkipListSet<>();
    private final Map<String, RuntimeException> failures = new ConcurrentHashMap<>();

    /** Each network is ready only when all of them have begun. */
    private final CyclicBarrier together = new CyclicBarrier(3);

    private VisionLanguageModel load() {
        Path checkpoint = Fixtures.bundled(scratch).resolve("end-to-end/llava-native/checkpoint");
        return VisionLanguageModel.builder()
                .folder(checkpoint)
                .threads(1)
                .cacheDirectory(scratch.resolve("cache"))
                .build(new Loader(new Networks()));
    }

    @Test
    void allPartsLoadAtTheSameTimeAndCloseWithTheModel() {
        try (VisionLanguageModel model = load()) {
            assertThat(model).isNotNull();
            assertThat(open).containsExactly(ADAPTER, ENCODER, LLM);
        }
        assertThat(open).isEmpty();
    }

    @Test
    void whicheverPartFailsTheOthersAreClosed() {
        for (String part : new String[] {ENCODER, ADAPTER, LLM}) {
            failures.clear();
            failures.put(part, new CheckpointException("the " + part + " is broken"));
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(this::load)
                    .withMessage("the " + part + " is broken");
            assertThat(open).isEmpty();
        }
    }

    @Test
    void theFirstOfSeveralFailuresIsTold() {
        failures.put(ENCODER, new RuntimeUnavailableException("no encoder"));
        failures.put(LLM, new RuntimeUnavailableException("no language model"));
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(this::load)
                .withMessage("no language model");
        assertThat(open).isEmpty();
    }

    @Test
    void aCallerThatIsInterruptedStaysSo() {
        Thread.currentThread().interrupt();
        try (VisionLanguageModel model = load()) {
            assertThat(model).isNotNull();
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(open).isEmpty();
    }

    /** Networks that do nothing but being opened and closed. */
    private final class Networks implements Engine {
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
            return true;
        }

        @Override
        public boolean quantises() {
            return true;
        }

        @Override
        public Running open(
                Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
            return network(network.name().equals("vision encoder") ? ENCODER : ADAPTER, Running.class, null);
        }

        @Override
        public DecoderNetwork decoder(DecoderConfig config, Weights weights, EngineOptions options) {
            return network(LLM, DecoderNetwork.class, config);
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

        private <T> T network(String part, Class<T> type, @Nullable DecoderConfig config) {
            boolean interrupted = Thread.interrupted();
            try {
                together.await(5, TimeUnit.MINUTES);
            } catch (Exception e) {
                throw new AssertionError("the " + part + " was loaded alone", e);
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            RuntimeException failure = failures.get(part);
            if (failure != null) {
                throw failure;
            }
            open.add(part);
            return type.cast(Proxy.newProxyInstance(
                    type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                        if (config != null && method.getName().equals("config")) {
                            return config;
                        }
                        if (!method.getName().equals("close")) {
                            throw new UnsupportedOperationException(method.toString());
                        }
                        open.remove(part);
                        return null;
                    }));
        }
    }
}

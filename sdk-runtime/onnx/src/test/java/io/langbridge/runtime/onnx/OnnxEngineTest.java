package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.Engine;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class OnnxEngineTest {
    @Test
    void theServiceLoaderFindsIt() {
        assertThat(ServiceLoader.load(Engine.class)).extracting(Engine::name).containsExactly("onnx");
    }

    /** What the BOM brings is what is said to be wanted. */
    @Test
    void itsNativesAreTheWantedOnes() {
        assertThat(new OnnxEngine().natives())
                .startsWith("ONNX Runtime " + OrtRuntime.VERSION + " (wanted " + OrtRuntime.VERSION + ") from file:")
                .contains("onnxruntime-" + OrtRuntime.VERSION + ".jar");
    }

    @Test
    void aDeviceThatIsNotThereIsAnErrorAndNotReplaced() {
        Engine engine = new OnnxEngine();
        assertThatCode(() -> engine.require(Device.CPU, false)).doesNotThrowAnyException();
        assertThat(engine.decodesOn(Device.Kind.CUDA)).isFalse();
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> engine.require(Device.cuda(9999), false))
                .withMessageStartingWith("The device cuda:9999 was asked for, but ")
                .withMessageContaining("com.microsoft.onnxruntime:onnxruntime_gpu");
    }
}

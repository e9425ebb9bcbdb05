package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.engine.Engine;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class OnnxEngineTest {
    @Test
    void theServiceLoaderFindsIt() {
        assertThat(ServiceLoader.load(Engine.class)).extracting(Engine::name).containsExactly("onnx");
    }
}

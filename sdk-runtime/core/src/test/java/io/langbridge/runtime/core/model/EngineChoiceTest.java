package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Device;
import io.langbridge.EngineName;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.FakeEngine;
import java.util.Arrays;
import java.util.Collections;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EngineChoiceTest {
    private static final Engine ONNX = new FakeEngine("onnx", Device.Kind.CPU);
    /** With onnxruntime_gpu. */
    private static final Engine ONNX_GPU = new FakeEngine("onnx", Device.Kind.CPU, Device.Kind.CUDA);

    private static final Engine TORCH_CPU = new FakeEngine("pytorch", Device.Kind.CPU);
    private static final Engine TORCH = new FakeEngine("pytorch", Device.Kind.CPU, Device.Kind.CUDA);
    private static final Engine TORCH_WITHOUT_NATIVES = new FakeEngine("pytorch");

    private static EngineChoice choose(@Nullable String name, @Nullable String device, Engine... engines) {
        return EngineChoice.of(
                Arrays.asList(engines),
                name == null ? null : EngineName.parse(name),
                device == null ? Device.AUTO : Device.parse(device),
                false);
    }

    private static String refused(@Nullable String name, @Nullable String device, Engine... engines) {
        RuntimeUnavailableException[] error = new RuntimeUnavailableException[1];
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> choose(name, device, engines))
                .satisfies(e -> error[0] = e);
        return String.valueOf(error[0].getMessage());
    }

    @Test
    void auto_takes_cuda_where_an_engine_can_run_all_of_a_model_there() {
        assertThat(choose(null, null, ONNX, TORCH)).isEqualTo(new EngineChoice(TORCH, TORCH, Device.cuda(0)));
        assertThat(choose(null, "auto", TORCH_CPU, ONNX_GPU))
                .isEqualTo(new EngineChoice(ONNX_GPU, ONNX_GPU, Device.CPU));
        assertThat(choose("onnx", "auto", ONNX_GPU, TORCH)).isEqualTo(new EngineChoice(ONNX_GPU, ONNX_GPU, Device.CPU));
        assertThat(choose(null, null, TORCH_CPU)).isEqualTo(new EngineChoice(TORCH_CPU, TORCH_CPU, Device.CPU));
    }

    @Test
    void on_the_cpu_onnx_comes_first_unless_another_is_named_or_its_natives_are_missing() {
        assertThat(choose(null, "cpu", TORCH, ONNX).engine()).isSameAs(ONNX);
        assertThat(choose("pytorch", "cpu", ONNX, TORCH).engine()).isSameAs(TORCH);
        assertThat(choose(null, "cpu", new FakeEngine("onnx"), TORCH).engine()).isSameAs(TORCH);
    }

    @Test
    void onnx_on_cuda_leaves_the_decoder_to_an_engine_that_can() {
        assertThat(choose("onnx", "cuda:1", ONNX_GPU, TORCH))
                .isEqualTo(new EngineChoice(ONNX_GPU, TORCH, Device.cuda(1)));
        assertThat(refused("onnx", "cuda", ONNX_GPU))
                .startsWith(
                        "The engine 'onnx' has no decoder for cuda:0. No engine that computes on cuda:0 is on the path")
                .contains("io.langbridge:langbridge-pytorch");
        assertThat(refused("onnx", "cuda", ONNX_GPU, TORCH_CPU))
                .isEqualTo("The engine 'onnx' has no decoder for cuda:0. pytorch: no CUDA");
    }

    @Test
    void a_precision_that_only_one_engine_has_chooses_it() {
        assertThat(EngineChoice.of(Arrays.asList(TORCH, ONNX), null, Device.AUTO, false, true))
                .isEqualTo(new EngineChoice(ONNX, ONNX, Device.CPU));
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> EngineChoice.of(Arrays.asList(TORCH), null, Device.AUTO, false, true))
                .withMessageContaining("io.langbridge:langbridge-onnx does, on the CPU");
    }

    @Test
    void what_was_asked_for_and_is_not_there_is_an_error_and_never_replaced() {
        assertThat(refused(null, "cuda:0", ONNX, TORCH_CPU)).isEqualTo("pytorch: no CUDA");
        assertThat(refused(null, "cuda:0", ONNX)).startsWith("No engine that computes on cuda:0 is on the path");
        assertThat(refused("onnx", "cuda:0", ONNX, TORCH)).isEqualTo("onnx: no CUDA");
        assertThat(refused("pytorch", "auto", ONNX, TORCH_WITHOUT_NATIVES)).isEqualTo("pytorch: no CPU");
        assertThat(refused("tensorflow", null, ONNX, TORCH))
                .startsWith("The engine 'tensorflow' was asked for, but on the path there is only onnx, pytorch");
        assertThat(refused(null, "cpu", new FakeEngine("onnx"), TORCH_WITHOUT_NATIVES))
                .isEqualTo("onnx: no CPU pytorch: no CPU");
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> EngineChoice.of(Collections.emptyList(), null, Device.AUTO, false))
                .withMessageContaining("io.langbridge:langbridge-onnx")
                .withMessageContaining("io.langbridge:langbridge-pytorch");
    }
}

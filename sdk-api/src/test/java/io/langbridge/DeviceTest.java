package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class DeviceTest {
    @Test
    void aDeviceIsReadAsItIsWritten() {
        for (String name : new String[] {"auto", "cpu", "cuda:0", "cuda:3"}) {
            assertThat(Device.parse(name)).hasToString(name);
        }
        assertThat(Device.parse("CUDA")).isEqualTo(Device.cuda(0));
    }

    @Test
    void otherNamesAreRefused() {
        for (String name : new String[] {"", "gpu", "cuda:", "cuda:-1", "cuda:99999", "mps"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Device.parse(name))
                    .withMessage("A device is auto, cpu, cuda or cuda:N, not '" + name + "'");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Device(Device.Kind.CPU, 1));
    }

    @Test
    void anEngineHasANameInSmallLetters() {
        assertThat(EngineName.parse("ONNX")).isEqualTo(EngineName.ONNX).hasToString("onnx");
        assertThat(EngineName.parse("pytorch")).isEqualTo(EngineName.PYTORCH);
        for (String name : new String[] {"", " onnx", "on nx"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> EngineName.parse(name))
                    .withMessage("An engine's name is a word such as onnx or pytorch, not '" + name + "'");
        }
    }
}

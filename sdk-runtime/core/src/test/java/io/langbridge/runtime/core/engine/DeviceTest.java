package io.langbridge.runtime.core.engine;

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
}

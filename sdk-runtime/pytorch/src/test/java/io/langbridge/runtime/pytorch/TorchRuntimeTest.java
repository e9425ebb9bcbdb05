package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.Device;
import io.langbridge.runtime.core.engine.Engine;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchRuntimeTest {
    @TempDir
    private Path folder;

    @Test
    void theEngineIsFoundAsAService() {
        assertThat(ServiceLoader.load(Engine.class)).extracting(Engine::name).contains("pytorch");
    }

    @Test
    void aDeviceThatIsNotThereIsAnErrorAndNotReplaced() {
        Tiny.requireNatives();
        assertThat(TorchRuntime.require(Device.CPU, false)).isEqualTo("cpu");
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> TorchRuntime.require(Device.cuda(9999), false))
                .withMessageStartingWith("The device cuda:9999 was asked for, but ");
    }

    @Test
    void nothingConnectsWhenNetworksAreLoadedAndRun() throws Exception {
        Tiny.requireNatives();
        assertThat(exitCode(classPath(), "-Doffline=false")).isEqualTo(NoConnection.RAN);
    }

    @Test
    void nothingConnectsWhenNativesAreMissing() throws Exception {
        List<String> without = new ArrayList<>(classPath());
        without.removeIf(entry -> entry.contains("pytorch-native") || entry.contains("pytorch-jni"));
        assertThat(exitCode(without)).isEqualTo(NoConnection.UNAVAILABLE);
    }

    private static List<String> classPath() {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Arrays.stream(path.split(Pattern.quote(File.pathSeparator))).collect(Collectors.toList());
    }

    private int exitCode(List<String> classPath, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Arrays.asList(options));
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
        command.addAll(List.of(NoConnection.class.getName(), folder.toString()));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}

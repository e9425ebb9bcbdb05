package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Device;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.contract.Fixtures;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(strings = {"pytorch", "onnx"})
    void nothingConnectsWhenAModelIsLoadedAndAsked(String engine) throws Exception {
        Tiny.requireNatives();
        assertThat(exitCode(classPath(), engine, "-Doffline=false")).isEqualTo(NoConnection.RAN);
    }

    @Test
    void nothingConnectsWhenNativesAreMissing() throws Exception {
        List<String> without = new ArrayList<>(classPath());
        without.removeIf(entry -> entry.contains("pytorch-native") || entry.contains("pytorch-jni"));
        assertThat(exitCode(without, "pytorch")).isEqualTo(NoConnection.UNAVAILABLE);
    }

    private static List<String> classPath() {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Arrays.stream(path.split(Pattern.quote(File.pathSeparator))).collect(Collectors.toList());
    }

    private int exitCode(List<String> classPath, String engine, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Arrays.asList(options));
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
        Path model = Fixtures.bundled(folder).resolve("end-to-end/langbridge-pad/checkpoint");
        command.addAll(List.of(
                NoConnection.class.getName(),
                model.toString(),
                folder.resolve("cache").toString(),
                engine));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}

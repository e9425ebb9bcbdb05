package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
    private static final Properties NEW = engine("0.36.0");
    private static final Properties OLD = engine("0.33.0");

    @TempDir
    private Path libtorch;

    private static Properties bundled(String version, String classifier) {
        Properties properties = new Properties();
        properties.setProperty("version", version);
        properties.setProperty("classifier", classifier);
        return properties;
    }

    private static Properties jni(String version) {
        Properties properties = new Properties();
        properties.setProperty("jni_version", version);
        return properties;
    }

    private static Natives.Environment environment(
            @Nullable String path, @Nullable String version, @Nullable String flavor, Properties... bundled) {
        return new Natives.Environment(
                "linux-x86_64", path, version, flavor, List.of(bundled), jni("2.7.1-0.36.0"), "cpu", NEW, false);
    }

    /** As with {@code langbridge-bom-cu124}. */
    private static Natives.Environment older(String cuda, String jni, Properties... bundled) {
        return new Natives.Environment("linux-x86_64", null, null, null, List.of(bundled), jni(jni), cuda, OLD, false);
    }

    private static Properties engine(String version) {
        Properties properties = new Properties();
        properties.setProperty("djl_version", version);
        return properties;
    }

    private static ThrowableAssertAlternative<RuntimeUnavailableException> refused(Natives.Environment environment) {
        return assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> Natives.check(environment));
    }

    /** Lays out what a downloaded libtorch looks like. */
    private Path lib(@Nullable String version) throws IOException {
        Path lib = Files.createDirectory(libtorch.resolve("lib"));
        Files.createFile(lib.resolve(System.mapLibraryName("torch")));
        if (version != null) {
            Files.writeString(libtorch.resolve("build-version"), version + "\n");
        }
        return lib;
    }

    @Test
    void bundledNativesOfTheRightVersionAreTaken() {
        assertThatCode(() -> Natives.check(environment(
                        null, null, null, bundled("2.5.1", "win-x86_64"), bundled("2.7.1-20250812", "linux-x86_64"))))
                .doesNotThrowAnyException();
    }

    @Test
    void missingNativesAreReportedWithTheArtefactToAdd() {
        refused(environment(null, null, null))
                .withMessageContaining("There are no PyTorch natives for linux-x86_64 on the class path.")
                .withMessageContaining("ai.djl.pytorch:pytorch-native-cpu:2.7.1");
        refused(environment(null, null, null, bundled("2.7.1", "win-x86_64")))
                .withMessageContaining("only 2.7.1 for win-x86_64");
        refused(new Natives.Environment(
                        "linux-x86_64",
                        null,
                        null,
                        null,
                        List.of(bundled("2.7.1", "linux-x86_64")),
                        null,
                        "cpu",
                        NEW,
                        false))
                .withMessageContaining("ai.djl.pytorch:pytorch-jni:2.7.1-0.36.0");
    }

    @Test
    void otherVersionsAreReportedWithBothNumbers() throws IOException {
        refused(environment(null, null, null, bundled("2.5.1", "linux-x86_64")))
                .withMessageContaining(
                        "have version 2.5.1, but DJL 0.36.0, which is on the class path, works with" + " 2.7.1 only")
                .withMessageContaining("langbridge-bom-cu124");
        refused(environment(null, "2.8.0", null)).withMessageStartingWith("PYTORCH_VERSION is 2.8.0, but");
        refused(new Natives.Environment(
                        "linux-x86_64", null, null, null, List.of(), jni("2.5.1-0.31.0"), "cpu", NEW, false))
                .withMessageContaining("version 2.5.1-0.31.0, wanted is 2.7.1-0.36.0");
        refused(environment(lib("2.6.0+cu124").toString(), "2.7.1", "cu124"))
                .withMessageContaining("holds libtorch 2.6.0, but");
    }

    @Test
    void aLibraryPathMustHoldLibtorchAndSayWhichOne() throws IOException {
        refused(environment(libtorch.toString(), "2.7.1", "cpu"))
                .withMessageContaining("there is no " + System.mapLibraryName("torch") + " there");
        Path lib = lib(null);
        refused(environment(lib.toString(), null, "cpu")).withMessageContaining("set PYTORCH_VERSION=2.7.1");
        refused(environment(lib.toString(), "2.7.1", null)).withMessageContaining("without PYTORCH_FLAVOR");
        assertThatCode(() -> Natives.check(environment(lib.toString(), "2.7.1", "cu128")))
                .doesNotThrowAnyException();
    }

    @Test
    void nothingNeedsToBeThereWhenDownloadsAreAllowed() {
        assertThatCode(() -> Natives.check(
                        new Natives.Environment("linux-x86_64", null, null, null, List.of(), null, "cpu", NEW, true)))
                .doesNotThrowAnyException();
    }

    @Test
    void eachReleaseOfDjlHasALibtorchOfItsOwn() {
        refused(new Natives.Environment(
                        "linux-x86_64", null, null, null, List.of(), null, "cpu", engine("0.34.0"), false))
                .withMessageContaining("pytorch-engine has version 0.34.0");
        Properties cuda = bundled("2.5.1", "linux-x86_64");
        cuda.setProperty("flavor", "cu124");
        Natives.Environment both = older("cu124", "2.5.1-0.33.0", bundled("2.5.1", "cpu-linux-x86_64"), cuda);
        assertThatCode(() -> Natives.check(both)).doesNotThrowAnyException();
        assertThat(both.cpuOnly()).isFalse();
        assertThatCode(() -> Natives.check(older("cu128", "2.5.1-0.33.0", cuda)))
                .doesNotThrowAnyException();
        refused(older("cpu", "2.5.1-0.33.0", cuda))
                .withMessageContaining("for CUDA (cu124), but no CUDA device is found here")
                .withMessageContaining("pytorch-native-cpu:2.5.1 with the classifier linux-x86_64");
        refused(older("cu118", "2.5.1-0.33.0", cuda)).withMessageContaining("an older CUDA (cu118)");
        refused(older("cu124", "2.7.1-0.36.0", cuda)).withMessageContaining("wanted is 2.5.1-0.33.0");
        refused(older("cu124", "2.5.1-0.33.0", bundled("2.7.1", "linux-x86_64")))
                .withMessageContaining("have version 2.7.1, but DJL 0.33.0");
        refused(older("cu124", "2.5.1-0.33.0")).withMessageContaining("ai.djl.pytorch:pytorch-native-cu124:2.5.1");
    }

    @Test
    void whatIsThereIsDescribed() {
        assertThat(Natives.describe(environment(null, null, null, bundled("2.5.1", "win-x86_64"))))
                .contains("2.5.1 for win-x86_64")
                .contains("DJL 0.36.0 wants 2.7.1");
        assertThat(Natives.describe(environment(libtorch.toString(), "2.7.1", "cpu")))
                .contains("PYTORCH_LIBRARY_PATH=" + libtorch);
    }
}

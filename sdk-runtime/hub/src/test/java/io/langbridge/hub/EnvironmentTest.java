package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentTest {
    @TempDir
    Path home;

    private Settings settings(String... variables) {
        return Hub.builder()
                .environment(Fixture.environment(home, variables))
                .build()
                .settings();
    }

    @Test
    void placesComeInPythonsOrder() {
        Path place = home.resolve("place");
        assertThat(settings().cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(settings("XDG_CACHE_HOME", place.toString()).cache()).isEqualTo(place.resolve("huggingface/hub"));
        assertThat(settings("HF_HOME", place.toString(), "XDG_CACHE_HOME", "/x").cache())
                .isEqualTo(place.resolve("hub"));
        assertThat(settings("HF_HUB_CACHE", place.toString(), "HF_HOME", "/x").cache())
                .isEqualTo(place);
        assertThat(settings("HUGGINGFACE_HUB_CACHE", "~/caches", "HF_HOME", "/x")
                        .cache())
                .isEqualTo(home.resolve("caches"));
    }

    @Test
    void aUserWithoutAHomeNamesThePlace() {
        for (String none : List.of("", "?", "/")) {
            assertThat(Environment.home(none)).as(none).isNull();
        }
        assertThat(Environment.home(home.toString())).isEqualTo(home);

        Environment homeless = Fixture.environment(null);
        assertThatThrownBy(() -> Hub.builder().environment(homeless).build())
                .isInstanceOfSatisfying(
                        HubException.class, e -> assertThat(e.reason()).isEqualTo(HubException.Reason.CACHE))
                .hasMessageContaining("HF_HOME")
                .hasMessageContaining("cache(..)");
        assertThat(Hub.builder()
                        .environment(homeless)
                        .cache(home)
                        .build()
                        .settings()
                        .token())
                .isNull();
        for (String variable : List.of("HF_HOME", "XDG_CACHE_HOME")) {
            Environment placed = Fixture.environment(null, variable, home.toString());
            assertThat(Hub.builder().environment(placed).build().settings().cache())
                    .as(variable)
                    .startsWithRaw(home);
        }
        assertThatThrownBy(() -> Hub.builder()
                        .environment(Fixture.environment(null, "HF_HOME", "~/x"))
                        .build())
                .isInstanceOf(HubException.class);
    }

    @Test
    void aVariableThatIsNoPathIsNamed() {
        for (String variable : List.of("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN_PATH")) {
            assertThatThrownBy(() -> settings(variable, "a\0b"))
                    .as(variable)
                    .isInstanceOf(HubException.class)
                    .hasMessageContaining("LC_ALL");
        }
    }

    @Test
    void theTokenComesFromTheVariableOrTheFile() throws IOException {
        assertThat(settings().token()).isNull();
        Path file = home.resolve(".cache/huggingface/token");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "hf_file\n");
        assertThat(settings().token()).isEqualTo("hf_file");
        assertThat(settings("HF_TOKEN", " hf_variable ").token()).isEqualTo("hf_variable");
        assertThat(settings("HF_TOKEN", "hf_x", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
                        .token())
                .isNull();
        Files.writeString(home.resolve("elsewhere"), "hf_elsewhere");
        assertThat(settings("HF_TOKEN_PATH", home.resolve("elsewhere").toString())
                        .token())
                .isEqualTo("hf_elsewhere");
        assertThat(Hub.builder()
                        .environment(Fixture.environment(home))
                        .token("")
                        .build()
                        .settings()
                        .token())
                .isNull();
    }

    @Test
    void endpointAndOffline() {
        assertThat(settings().endpoint()).hasToString("https://huggingface.co");
        assertThat(settings("HF_ENDPOINT", "https://mirror.example/hub/").endpoint())
                .hasToString("https://mirror.example/hub");
        assertThatThrownBy(() -> settings("HF_ENDPOINT", "mirror")).hasMessageContaining("HF_ENDPOINT");
        assertThat(settings().offline()).isFalse();
        assertThat(settings("HF_HUB_OFFLINE", "1").offline()).isTrue();
        assertThat(settings("TRANSFORMERS_OFFLINE", "yes").offline()).isTrue();
        assertThat(settings("HF_HUB_OFFLINE", "0").offline()).isFalse();
    }

    @Test
    void timesAreMoreThanNone() {
        assertThatThrownBy(() -> Hub.builder().retryFor(java.time.Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
    }
}

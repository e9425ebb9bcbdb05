package io.langbridge.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.FitReport.Finding;
import io.langbridge.FitReport.Verdict;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Here no engine is on the path; with engines it is asked in {@code acceptance}. */
class DoctorTest {
    private static Finding finding(String subject) {
        List<Finding> found = Doctor.examine().stream()
                .filter(finding -> finding.subject().equals(subject))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    @Test
    void without_an_engine_the_artefacts_are_named() {
        Finding engines = finding("engines");
        assertThat(engines.verdict()).isEqualTo(Verdict.PROBLEM);
        assertThat(engines.text()).contains("io.langbridge:langbridge-onnx");
    }

    @Test
    void java_memory_and_folders_are_described() {
        assertThat(finding("Java").text())
                .contains(Runtime.version().toString())
                .contains(System.getProperty("java.home"));
        assertThat(finding("memory").text()).contains("GB");
        assertThat(finding("processor").text())
                .startsWith(String.valueOf(Runtime.getRuntime().availableProcessors()));
        assertThat(finding("temporary files").text()).startsWith(System.getProperty("java.io.tmpdir"));
    }

    @Test
    void a_temporary_folder_that_is_not_there_is_a_problem(@TempDir Path folder) {
        String before =
                System.setProperty("java.io.tmpdir", folder.resolve("gone").toString());
        try {
            Finding temporary = finding("temporary files");
            assertThat(temporary.verdict()).isEqualTo(Verdict.PROBLEM);
            assertThat(temporary.text()).contains("-Djava.io.tmpdir=FOLDER");
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }
}

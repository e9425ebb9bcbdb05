package io.langbridge.runtime.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What may use what in this module. */
class RoomsTest {
    private static final String CORE = "io.langbridge.runtime.core.";

    /** From the bottom up: a room uses those in front of it, and none behind it. */
    private static final List<String> ROOMS = List.of(
            "lifecycle",
            "tensor",
            "checkpoint",
            "network",
            "text",
            "text.template",
            "vocabulary",
            "image",
            "family",
            "constrain",
            "generate",
            "engine",
            "explain",
            "adapter",
            "prompt",
            "model");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.langbridge.runtime.core");

    @Test
    void every_class_is_in_a_room() {
        assertThat(CLASSES.stream().map(JavaClass::getPackageName).collect(Collectors.toSet()))
                .isSubsetOf(ROOMS.stream().map(room -> CORE + room).collect(Collectors.toSet()))
                .hasSize(ROOMS.size());
    }

    @Test
    void arrows_run_down_only() {
        for (int i = 0; i < ROOMS.size() - 1; i++) {
            String[] above =
                    ROOMS.stream().skip(i + 1L).map(room -> CORE + room).toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage(CORE + ROOMS.get(i))
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(above)
                    .check(CLASSES);
        }
    }

    @Test
    void only_the_checkpoint_room_and_those_that_write_configurations_know_gson() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        CORE + "network", CORE + "image", CORE + "engine", CORE + "explain", CORE + "generate")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.google.gson..")
                .check(CLASSES);
    }
}

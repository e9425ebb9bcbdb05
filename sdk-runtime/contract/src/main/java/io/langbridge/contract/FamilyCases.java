package io.langbridge.contract;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.config.ModelFolder;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whole models of other families. Those that are not read yet are left out by name. */
final class FamilyCases {
    private static final List<String> READ =
            List.of("LlavaForConditionalGeneration", "LlavaNextForConditionalGeneration");

    private FamilyCases() {}

    static void check(Check check) {
        Entry json = check.json();
        String architecture = json.text("architecture");
        String reason = READ.contains(architecture)
                ? refusal(check.folder().resolve(json.text("checkpoint")))
                : "not supported yet";
        if (reason != null) {
            check.leaveOut(architecture + ": " + reason);
            json.describeAll();
            check.tensorNames().forEach(check::describeTensor);
            return;
        }
        json.describe("layout", "backend");
        EndToEndCases.check(check);
    }

    private static @Nullable String refusal(Path checkpoint) {
        try {
            ModelFolder.open(checkpoint).close();
            return null;
        } catch (UnsupportedModelException e) {
            return "not supported yet, " + e.getMessage();
        }
    }
}

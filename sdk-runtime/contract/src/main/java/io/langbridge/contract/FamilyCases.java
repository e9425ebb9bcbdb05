package io.langbridge.contract;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.config.ModelFolder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Whole models of other families. Those that are not read yet are left out by name. */
final class FamilyCases {
    private FamilyCases() {}

    static void check(Check check) {
        Entry json = check.json();
        String architecture = json.text("architecture");
        String reason = refusal(check.folder().resolve(json.text("checkpoint")));
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
            return "not supported yet: " + e.getMessage();
        }
    }
}

package io.langbridge.contract;

import io.langbridge.runtime.core.family.ModelFolder;
import java.nio.file.Path;
import java.util.Arrays;

/** Whole models of other families. Those that are not read yet are left out by name. */
final class FamilyCases {
    private FamilyCases() {}

    static void check(Check check) {
        Entry json = check.json();
        Path checkpoint = check.folder().resolve(json.text("checkpoint"));
        if (!check.isRead(() -> ModelFolder.open(checkpoint))) {
            return;
        }
        json.describe("layout", "backend", "architecture");
        // Views are whole; the mask is for batches of pictures with different numbers of them.
        check.tensorNames().stream()
                .filter(name -> name.endsWith(".pixel_attention_mask"))
                .forEach(check::describeTensor);
        // Pictures are cut one by one, whatever is beside them.
        check.tensorNames().stream()
                .filter(name -> name.endsWith(".batch_num_images"))
                .toList()
                .forEach(name -> check.same(
                        name, Arrays.stream(check.ids(name)).map(n -> 1).toArray(), check.ids(name)));
        EndToEndCases.check(check);
    }
}

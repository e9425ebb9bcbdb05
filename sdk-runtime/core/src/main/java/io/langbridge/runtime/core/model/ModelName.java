package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.runtime.core.family.Folders;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What a model is called in its answers. */
final class ModelName {
    private static final int REVISION = 7;

    private ModelName() {}

    /**
     * The folders, the engine and the precision of the language model.
     *
     * @param llmFolder where the language model lies
     * @param llm as it was asked for, or null if it is a part of the folder that holds all
     */
    static String of(SharedEncoder encoder, Path llmFolder, @Nullable Llm llm) {
        ModelSpec spec = encoder.spec;
        StringBuilder name = new StringBuilder();
        Path folder = spec.folder();
        Encoder vision = spec.encoder();
        Adapter adapter = spec.adapter();
        add(folder, name);
        add(vision == null ? null : vision.folder(), name);
        add(adapter == null ? null : adapter.path(), name);
        if (folder == null || llm != null) {
            add(llmFolder, name);
        }
        return name + " (" + encoder.engines.decoder().name() + ", " + spec.precisionOf(llm) + ")";
    }

    private static void add(@Nullable Path path, StringBuilder name) {
        if (path != null) {
            name.append(name.length() == 0 ? "" : " + ").append(of(path));
        }
    }

    /** The last name of a path; of a snapshot in a Hugging Face cache what it is called on the hub. */
    static String of(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        String last = Folders.last(absolute);
        String repository = Folders.repository(absolute);
        return repository == null ? last : repository + "@" + last.substring(0, Math.min(REVISION, last.length()));
    }
}

package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A linear or MLP adapter, as LLaVA has; made by {@link Adapter#projector}. Immutable.
 *
 * @since 0.1
 */
public final class ProjectorAdapter implements Adapter {
    private final Path path;
    private final @Nullable Precision precision;

    ProjectorAdapter(Path path, @Nullable Precision precision) {
        this.path = Objects.requireNonNull(path, "path");
        this.precision = precision;
    }

    @Override
    public ProjectorAdapter precision(Precision precision) {
        return new ProjectorAdapter(path, Objects.requireNonNull(precision, "precision"));
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public @Nullable Precision precision() {
        return precision;
    }

    @Override
    public String toString() {
        return "Adapter[" + path + "]";
    }
}

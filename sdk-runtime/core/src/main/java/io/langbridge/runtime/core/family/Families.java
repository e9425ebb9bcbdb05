package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All families of models that are read. */
final class Families {
    private static final List<Family> ALL = Collections.unmodifiableList(Arrays.asList(
            new LlavaAuthors(),
            new Llava(),
            new SmolVlm(),
            new Gemma3(),
            new Gemma4(),
            new QwenVl(),
            new InternVl(),
            new Lfm2Vl(),
            new Mistral3(),
            new PaliGemma()));

    private Families() {}

    /** The names of each family. */
    static List<Set<String>> names() {
        return Collections.unmodifiableList(ALL.stream().map(Family::names).collect(Collectors.toList()));
    }

    /** What {@code config.json} calls the model. */
    static String nameOf(Json config) {
        List<String> architectures =
                config.has("architectures") ? config.strings("architectures") : Collections.emptyList();
        return architectures.isEmpty() ? config.stringOr("model_type", "") : architectures.get(0);
    }

    /** The family of a folder; null if it is none of these, a language model alone for example. */
    static @Nullable Family known(Json config) {
        String name = nameOf(config);
        return ALL.stream()
                .filter(family -> family.names().contains(name))
                .findFirst()
                .orElse(null);
    }

    /**
     * The family of a folder.
     *
     * @throws UnsupportedModelException if it is none of these
     */
    static Family of(Json config) {
        Family family = known(config);
        if (family != null) {
            return family;
        }
        String known = ALL.stream()
                .flatMap(each -> each.names().stream())
                .filter(each -> Character.isUpperCase(each.charAt(0)))
                .sorted()
                .collect(Collectors.joining(", "));
        throw new UnsupportedModelException(
                config.at("architectures") + " is '" + nameOf(config) + "'; supported are " + known
                        + ". To combine an encoder, an adapter and a language model from separate folders, use the builder.");
    }
}

package io.langbridge.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The environment variables of Python's huggingface_hub, with its precedence. Immutable. */
final class Environment {
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final URI PUBLIC_HUB = URI.create("https://huggingface.co");

    private final Function<String, @Nullable String> variables;
    private final Path home;

    Environment(Function<String, @Nullable String> variables, Path home) {
        this.variables = variables;
        this.home = home;
    }

    static Environment ofProcess() {
        return new Environment(System::getenv, Path.of(System.getProperty("user.home", ".")));
    }

    URI endpoint() {
        String named = variable("HF_ENDPOINT");
        return named == null ? PUBLIC_HUB : Origin.endpoint(named);
    }

    Path cache() {
        for (String name : new String[] {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
            String place = variable(name);
            if (place != null) {
                return path(place);
            }
        }
        return hubHome().resolve("hub");
    }

    boolean offline() {
        return isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE");
    }

    /** The token, or null. */
    @Nullable
    String token() {
        if (isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return null;
        }
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String token = variable(name);
            if (token != null) {
                return token;
            }
        }
        String place = variable("HF_TOKEN_PATH");
        Path file = place == null ? hubHome().resolve("token") : path(place);
        try {
            String token = Files.isRegularFile(file) ? Files.readString(file).strip() : "";
            return token.isEmpty() ? null : token;
        } catch (IOException e) {
            throw new HubException(
                    HubException.Reason.UNAUTHORIZED,
                    "The token file " + file + " cannot be read: " + e + ". Make it readable, or set HF_TOKEN.",
                    e);
        }
    }

    private Path hubHome() {
        String named = variable("HF_HOME");
        if (named != null) {
            return path(named);
        }
        String caches = variable("XDG_CACHE_HOME");
        return (caches == null ? home.resolve(".cache") : path(caches)).resolve("huggingface");
    }

    private Path path(String text) {
        return text.equals("~") || text.startsWith("~/")
                ? home.resolve(text.substring(1).replaceFirst("^/", ""))
                : Path.of(text);
    }

    private boolean isTrue(String name) {
        String value = variable(name);
        return value != null && TRUE.contains(value.toUpperCase(Locale.ROOT));
    }

    /** The value without what a shell or an editor left around it; null if there is none. */
    private @Nullable String variable(String name) {
        String value = variables.apply(name);
        return value == null || value.isBlank() ? null : value.strip();
    }
}

package io.langbridge.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
    private final @Nullable Path home;

    /**
     * Creates it.
     *
     * @param home the user's folder; null if there is none
     */
    Environment(Function<String, @Nullable String> variables, @Nullable Path home) {
        this.variables = variables;
        this.home = home;
    }

    static Environment ofProcess() {
        return new Environment(System::getenv, home(System.getProperty("user.home", "")));
    }

    /** Null for what Java says of a user without a folder, as that of a container often is. */
    static @Nullable Path home(String property) {
        return property.isBlank() || property.equals("/") || property.equals("?") ? null : place(property);
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
        String named = variable("HF_TOKEN_PATH");
        if (named == null && home == null && variable("HF_HOME") == null && variable("XDG_CACHE_HOME") == null) {
            return null; // nowhere to look, and none is needed for most models
        }
        Path file = named == null ? hubHome().resolve("token") : path(named);
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
        return (caches == null ? path("~/.cache") : path(caches)).resolve("huggingface");
    }

    private Path path(String text) {
        if (!text.equals("~") && !text.startsWith("~/")) {
            return place(text);
        }
        if (home == null) {
            throw new HubException(
                    HubException.Reason.CACHE,
                    "This user has no home folder (user.home), where " + Names.shown(text)
                            + " would be. Set HF_HOME, or use cache(..).");
        }
        return home.resolve(place(text.substring(1).replaceFirst("^/", "")));
    }

    private static Path place(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw Names.unwritable(text, e);
        }
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

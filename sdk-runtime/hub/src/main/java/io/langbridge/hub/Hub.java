package io.langbridge.hub;

import io.langbridge.hub.HubException.Reason;
import io.langbridge.hub.Settings.Links;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Fetches models from a Hugging Face hub, into the cache that Python's {@code huggingface_hub} uses too.
 *
 * <pre>{@code
 * Path folder = Hub.get("ORG/NAME");
 * try (VisionLanguageModel model = VisionLanguageModel.load(folder)) {
 *     ...
 * }
 * }</pre>
 *
 * <p>Nothing connects unless it is asked to. The token goes to the endpoint alone, never to another host that it
 * redirects to. What is not set here is taken from Python's environment variables when the hub is built:
 * {@code HF_ENDPOINT}, {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code HF_TOKEN} or the token file of {@code hf auth
 * login}, {@code HF_HUB_OFFLINE}.
 *
 * <p>Immutable, safe for use by several threads.
 *
 * @since 0.1
 */
public final class Hub {
    private final Settings settings;
    private @Nullable Wire wire;

    private Hub(Settings settings) {
        this.settings = settings;
    }

    /**
     * Fetches what is needed of a model, at {@code main}, with what the environment says.
     *
     * @param repository the model, {@code ORG/NAME}
     * @return a folder that {@link io.langbridge.VisionLanguageModel#load} takes
     * @throws HubException if it cannot be had; {@link HubException#reason()} says what can be done
     * @throws IllegalArgumentException if that is no name of a model
     */
    public static Path get(String repository) {
        return of(repository).get();
    }

    /**
     * Names a model, with what the environment says.
     *
     * @param repository the model, {@code ORG/NAME}
     * @return the model at {@code main}; nothing is fetched yet
     * @throws IllegalArgumentException if that is no name of a model
     */
    public static HubModel of(String repository) {
        return builder().build().model(repository);
    }

    /**
     * Starts the description of a hub.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Names a model of this hub.
     *
     * @param repository the model, {@code ORG/NAME}
     * @return the model at {@code main}; nothing is fetched yet
     * @throws IllegalArgumentException if that is no name of a model
     */
    public HubModel model(String repository) {
        return new HubModel(this, Names.repository(repository), "main", List.of(), null);
    }

    /**
     * Lists the models in the cache, whoever put them there.
     *
     * @return the models by name; empty if there is no cache yet
     * @throws HubException if the cache cannot be read
     */
    public List<CachedModel> list() {
        try {
            return Inventory.list(settings.cache());
        } catch (IOException e) {
            throw trouble(settings.cache(), e);
        }
    }

    /**
     * Removes a model from the cache, all revisions of it, also where its folder is a link to another disk. Do not do
     * so while it is loaded or downloaded.
     *
     * @param repository the model, {@code ORG/NAME}
     * @return whether it was there
     * @throws HubException if it cannot be removed
     * @throws IllegalArgumentException if that is no name of a model
     */
    public boolean delete(String repository) {
        Cache cache = new Cache(settings.cache(), Names.repository(repository));
        try {
            boolean there = Files.isDirectory(cache.folder());
            cache.delete();
            return there;
        } catch (IOException e) {
            throw trouble(cache.folder(), e);
        }
    }

    /**
     * Hashes every file of a model in the cache again. Connects to nothing.
     *
     * @param repository the model, {@code ORG/NAME}
     * @return what was found; of a model that is not there, nothing
     * @throws HubException if the cache cannot be read
     * @throws IllegalArgumentException if that is no name of a model
     */
    public Verification verify(String repository) {
        Cache cache = new Cache(settings.cache(), Names.repository(repository));
        try {
            return Inventory.verify(cache);
        } catch (IOException e) {
            throw trouble(cache.folder(), e);
        }
    }

    /** {@return where files go; need not exist yet} */
    public Path cache() {
        return settings.cache();
    }

    Settings settings() {
        return settings;
    }

    /** Made when it is needed: it starts a thread. */
    synchronized Wire wire() {
        if (wire == null) {
            wire = new Wire(settings);
        }
        return wire;
    }

    Remote remote(String repository) {
        return new Remote(settings, wire(), repository);
    }

    HubException trouble(Path place, IOException e) {
        if (Thread.currentThread().isInterrupted()) {
            return Retries.interrupted(e);
        }
        String what = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (what.contains("no space left") || what.contains("not enough space") || what.contains("quota exceeded")) {
            return new HubException(
                    Reason.DISK_FULL,
                    "The disk of " + place + " is full: " + e
                            + ". Make room, and call again to go on; or choose another"
                            + " place with cache(..) or HF_HUB_CACHE.",
                    e);
        }
        return new HubException(
                Reason.CACHE,
                "The cache " + place + " cannot be used: " + e
                        + ". It must be a folder that can be read and written, on a"
                        + " disk with working locks; choose another with cache(..) or HF_HUB_CACHE.",
                e);
    }

    /** Describes a hub. Not thread-safe. */
    public static final class Builder {
        private @Nullable URI endpoint;
        private @Nullable String token;
        private @Nullable Path cache;
        private @Nullable Boolean offline;
        private @Nullable ProxySelector proxy;
        private @Nullable Duration connectTimeout;
        private @Nullable Duration stallTimeout;
        private @Nullable Duration retryFor;
        private Environment environment = Environment.ofProcess();
        private Links links = Links.SYMBOLIC;
        private Settings.Pause pause = time -> Thread.sleep(time.toMillis());
        private LongSupplier clock = System::nanoTime;
        private Settings.FreeSpace freeSpace =
                folder -> Files.getFileStore(folder).getUsableSpace();

        private Builder() {}

        /**
         * Where the hub is; default is {@code HF_ENDPOINT}, or {@code https://huggingface.co}. The token is sent there.
         *
         * @param endpoint such as {@code https://hub.example.com}
         * @return this builder
         * @throws IllegalArgumentException if it is no such address
         */
        public Builder endpoint(String endpoint) {
            this.endpoint = Origin.endpoint(endpoint);
            return this;
        }

        /**
         * A token for private and gated models; default is {@code HF_TOKEN}, or the file that {@code hf auth login}
         * writes.
         *
         * @param token the token; empty to send none, whatever the environment says
         * @return this builder
         */
        public Builder token(String token) {
            this.token = token.strip();
            return this;
        }

        /**
         * Where files go; default is {@code HF_HUB_CACHE}, or {@code hub} in {@code HF_HOME}, or
         * {@code ~/.cache/huggingface/hub}. Not on a disk without working locks, as some of networks are.
         *
         * @param cache a folder, made when it is needed
         * @return this builder
         */
        public Builder cache(Path cache) {
            this.cache = Objects.requireNonNull(cache, "cache");
            return this;
        }

        /**
         * Whether to connect to nothing and take what is in the cache; default is {@code HF_HUB_OFFLINE} or
         * {@code TRANSFORMERS_OFFLINE}, or false.
         *
         * @param offline true to stay offline
         * @return this builder
         */
        public Builder offline(boolean offline) {
            this.offline = offline;
            return this;
        }

        /**
         * Which proxy to use; default is what Java's own properties say ({@code https.proxyHost} and others). Proxies
         * that want a password are not supported.
         *
         * @param proxy such as {@code ProxySelector.of(new InetSocketAddress("proxy", 8080))}
         * @return this builder
         */
        public Builder proxy(ProxySelector proxy) {
            this.proxy = Objects.requireNonNull(proxy, "proxy");
            return this;
        }

        /**
         * How long to wait for a connection; default 10 seconds.
         *
         * @param time more than zero
         * @return this builder
         */
        public Builder connectTimeout(Duration time) {
            connectTimeout = positive(time, "connectTimeout");
            return this;
        }

        /**
         * How long to wait for the next byte before a connection counts as broken; default 60 seconds.
         *
         * @param time more than zero
         * @return this builder
         */
        public Builder stallTimeout(Duration time) {
            stallTimeout = positive(time, "stallTimeout");
            return this;
        }

        /**
         * How long to try again after something that may pass, such as a broken connection or a hub that asks to wait;
         * default 5 minutes. Whenever bytes arrive, the time begins anew.
         *
         * @param time more than zero
         * @return this builder
         */
        public Builder retryFor(Duration time) {
            retryFor = positive(time, "retryFor");
            return this;
        }

        Builder environment(Environment environment) {
            this.environment = environment;
            return this;
        }

        Builder links(Links links) {
            this.links = links;
            return this;
        }

        Builder time(LongSupplier clock, Settings.Pause pause) {
            this.clock = clock;
            this.pause = pause;
            return this;
        }

        Builder freeSpace(Settings.FreeSpace freeSpace) {
            this.freeSpace = freeSpace;
            return this;
        }

        /**
         * Reads the environment for what was not set. Connects to nothing.
         *
         * @return the hub
         * @throws HubException if the token file cannot be read, or the token is none; if there is no place for the
         *     cache
         */
        public Hub build() {
            boolean stayOffline = offline == null ? environment.offline() : offline;
            String given = token != null || stayOffline ? token : environment.token();
            if (given != null && !given.isEmpty() && !given.matches("[!-~]+")) {
                throw new HubException(
                        Reason.UNAUTHORIZED,
                        "The token holds characters that no token has. Check token(..), HF_TOKEN and the token file.");
            }
            Path place = cache == null ? environment.cache() : cache;
            return new Hub(new Settings(
                    endpoint == null ? environment.endpoint() : endpoint,
                    given == null || given.isEmpty() ? null : given,
                    place.toAbsolutePath().normalize(),
                    stayOffline,
                    proxy,
                    connectTimeout == null ? Duration.ofSeconds(10) : connectTimeout,
                    stallTimeout == null ? Duration.ofSeconds(60) : stallTimeout,
                    retryFor == null ? Duration.ofMinutes(5) : retryFor,
                    links,
                    pause,
                    clock,
                    freeSpace));
        }

        private static Duration positive(Duration time, String name) {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException(name + " must be more than zero, not " + time);
            }
            return time;
        }
    }
}

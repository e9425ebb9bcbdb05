package io.langbridge.hub;

import io.langbridge.FitReport;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.HubException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model of a hub, at one revision. Nothing connects before {@link #plan()} or {@link #get()}. Immutable, safe for
 * use by several threads; several threads and processes may fetch the same model at once, and each byte is downloaded
 * once.
 *
 * @since 0.1
 */
public final class HubModel {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    /** With everything in the cache, a hub that is down shall not hold up the start for long. */
    private static final Duration WITH_CACHE = Duration.ofSeconds(5);

    private final Hub hub;
    private final Cache cache;
    private final String repository;
    private final String revision;
    private final List<String> files;
    private final @Nullable DownloadListener listener;

    HubModel(Hub hub, String repository, String revision, List<String> files, @Nullable DownloadListener listener) {
        this.hub = hub;
        this.cache = new Cache(hub.settings().cache(), repository);
        this.repository = repository;
        this.revision = revision;
        this.files = files;
        this.listener = listener;
    }

    /**
     * What is to be fetched.
     *
     * @param commit the commit
     * @param files all files of it, or those that are here
     * @param source who says that these are the files
     * @param failure why the hub was not asked, or null if it was
     */
    private record Resolved(
            String commit,
            List<RepoFile> files,
            Source source,
            @Nullable HubException failure) {}

    private enum Source {
        HUB,
        /** What the hub said earlier. */
        LISTING,
        /** Nobody: they are what another program left, which may have wanted the tokenizer alone. */
        SNAPSHOT
    }

    /**
     * Takes another revision than {@code main}. A commit is the same for ever: once it is in the cache, the hub is not
     * asked any more.
     *
     * @param revision a branch, a tag, or a commit of 40 hexadecimal digits
     * @return the model at that revision
     * @throws IllegalArgumentException if it can be none of these
     */
    public HubModel revision(String revision) {
        return new HubModel(hub, repository, Names.revision(revision), files, listener);
    }

    /**
     * Takes these files instead of those that are needed to load the model. As Python's {@code allow_patterns}:
     * {@code *} stands for any characters, slashes too, {@code ?} for one, {@code [..]} for one of several; a pattern
     * that ends with a slash means the folder. One that begins with {@code !} leaves files out.
     *
     * @param patterns for the paths inside the model, such as {@code "*.json"} and {@code "model.safetensors"}; none to
     *     take what is needed
     * @return the model with that choice
     * @throws IllegalArgumentException if one cannot be read
     */
    public HubModel files(String... patterns) {
        for (String pattern : patterns) {
            Selection.glob(pattern);
        }
        return new HubModel(hub, repository, revision, List.of(patterns), listener);
    }

    /**
     * Hears how the download goes on.
     *
     * @param listener called on the thread that calls {@link #get()}
     * @return the model with that listener
     */
    public HubModel listener(DownloadListener listener) {
        return new HubModel(hub, repository, revision, files, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Asks what {@link #get()} would fetch, without fetching it or writing anything. What is in the cache is told by
     * its length; {@code get()} hashes it too, and fetches again what is damaged.
     *
     * @return the files, their sizes, and what of them is missing
     * @throws HubException if that is not known
     */
    public DownloadPlan plan() {
        Resolved resolved = resolve(false);
        List<DownloadPlan.File> planned = new ArrayList<>();
        try {
            Set<String> blobs = new HashSet<>();
            for (RepoFile file : chosen(resolved)) {
                // The same content under two names comes once; what has no hash may be any content.
                long missing =
                        file.blob().isEmpty() || blobs.add(file.blob()) ? cache.missing(resolved.commit(), file) : 0;
                planned.add(new DownloadPlan.File(file.path(), file.size(), missing));
            }
        } catch (IOException e) {
            throw hub.trouble(cache.folder(), e);
        }
        return new DownloadPlan(repository, revision, resolved.commit(), planned);
    }

    /**
     * Fetches what is missing, and gives the folder. What an earlier, broken download left is gone on with; every byte
     * is hashed. Where the hub cannot be reached and the cache holds everything, that is taken, with a warning in the
     * log. Where another program filled the cache and left no listing, everything means weights and every file that
     * their index names.
     *
     * @return a folder that {@link io.langbridge.VisionLanguageModel#load} takes; do not write into it
     * @throws HubException if the model cannot be had; {@link HubException#reason()} says what can be done
     */
    public Path get() {
        return get(false);
    }

    private Path get(boolean patient) {
        Resolved resolved = resolve(patient);
        String commit = resolved.commit();
        List<RepoFile> chosen = chosen(resolved);
        if (resolved.source() == Source.HUB) {
            // First, so that Python sees that a snapshot is not complete yet.
            cache.rememberFiles(commit, resolved.files());
        }
        try {
            List<RepoFile> missing = missing(commit, chosen);
            if (!missing.isEmpty()) {
                if (resolved.failure() != null && !patient && !hub.settings().offline()) {
                    return get(true);
                }
                if (resolved.failure() != null) {
                    throw notHere(missing.stream().map(RepoFile::path).toList(), resolved.failure());
                }
                fetch(commit, chosen, missing);
            }
        } catch (IOException e) {
            throw hub.trouble(cache.folder(), e);
        }
        if (resolved.failure() == null) {
            // Last, so that the name never stands for less than was there before.
            cache.rememberCommit(revision, commit);
        }
        return cache.snapshot(commit);
    }

    private List<RepoFile> missing(String commit, List<RepoFile> chosen) throws IOException {
        List<RepoFile> missing = new ArrayList<>();
        for (RepoFile file : chosen) {
            if (!cache.hasPointer(commit, file)) {
                missing.add(file);
            }
        }
        return missing;
    }

    /**
     * Checks what {@link #get()} will give before the weights are fetched: whether the model is one that is read, and
     * what memory it needs. Fetches the small files as {@code get()} does, and of each safetensors file that is missing
     * the header alone. What the weights themselves hold is not known yet, and the report says so; it also says where
     * nothing could be checked, because no runtime is on the path or because the weights are of another kind.
     *
     * @param builder says how the model will be loaded; its {@code folder(..)} becomes the one that {@code get()} gives
     * @return the report, as {@link VisionLanguageModel.Builder#check()} gives it for what is here
     * @throws HubException if the small files or the headers cannot be had
     */
    public FitReport check(VisionLanguageModel.Builder builder) {
        return check(builder, false);
    }

    private FitReport check(VisionLanguageModel.Builder builder, boolean patient) {
        Resolved resolved = resolve(patient);
        String commit = resolved.commit();
        List<RepoFile> chosen = chosen(resolved);
        builder.folder(cache.snapshot(commit));
        try {
            List<RepoFile> missing = missing(commit, chosen);
            if (missing.isEmpty()) {
                return checked(builder);
            }
            if (resolved.failure() != null && !patient && !hub.settings().offline()) {
                return check(builder, true);
            }
            if (resolved.failure() != null) {
                throw notHere(missing.stream().map(RepoFile::path).toList(), resolved.failure());
            }
            if (resolved.source() == Source.HUB) {
                cache.rememberFiles(commit, resolved.files());
            }
            cache.create();
            requireSpace(missing);
            List<RepoFile> whole = missing.stream().filter(HubModel::comesWhole).toList();
            fetch(commit, whole, whole);
            List<RepoFile> weights = missing(commit, chosen);
            return weights.isEmpty() ? checked(builder) : checked(builder, commit, chosen, weights);
        } catch (IOException e) {
            throw hub.trouble(cache.folder(), e);
        }
    }

    /** What is fetched before the check; of weights the header says all that is asked. */
    private static boolean comesWhole(RepoFile file) {
        return !file.path().endsWith(Preview.KIND) && file.size() <= Preview.SMALL;
    }

    private FitReport checked(
            VisionLanguageModel.Builder builder, String commit, List<RepoFile> chosen, List<RepoFile> missing)
            throws IOException {
        for (RepoFile file : chosen) {
            if (!comesWhole(file) && !file.path().endsWith(Preview.KIND)) {
                return unchecked(file.path() + " has no header that could be read before it is here");
            }
        }
        try (Preview preview = Preview.make(cache.snapshot(commit))) {
            if (preview == null) {
                return unchecked("the disk of the temporary folder (java.io.tmpdir) has no files with holes");
            }
            for (RepoFile file : chosen) {
                if (file.path().endsWith(Preview.KIND)) {
                    preview.header(file, header(commit, file, missing.contains(file)));
                } else {
                    preview.copy(file, cache.pointer(commit, file.path()));
                }
            }
            FitReport report = checked(builder.folder(preview.folder()));
            return new FitReport(
                    Stream.concat(
                                    report.findings().stream()
                                            .map(f -> at(f, preview.folder(), cache.snapshot(commit))),
                                    Stream.of(note("weights", "known by their headers; damage in them shows later")))
                            .toList(),
                    report.coverage(),
                    report.licences().stream()
                            .map(l -> new FitReport.Licence(
                                    l.part(),
                                    cache.snapshot(commit)
                                            .resolve(preview.folder()
                                                    .relativize(l.file())
                                                    .toString()),
                                    l.name()))
                            .toList(),
                    report.memory(),
                    report.memoryToExplain(),
                    report.memoryAvailable());
        } finally {
            builder.folder(cache.snapshot(commit));
        }
    }

    private byte[] header(String commit, RepoFile file, boolean remote) throws IOException {
        Wire.Subject subject = new Wire.Subject(repository, revision, file.path());
        return Preview.header(
                remote ? beginningAtHub(commit, file, subject) : beginningOf(cache.pointer(commit, file.path())), file);
    }

    private Preview.Beginning beginningAtHub(String commit, RepoFile file, Wire.Subject subject) {
        java.net.URI address = hub.remote(repository).content(commit, file.path());
        return count -> hub.wire().beginning(address, subject, count, new Retries(hub.settings()));
    }

    private static Preview.Beginning beginningOf(Path file) {
        return count -> {
            try (InputStream in = Files.newInputStream(file)) {
                return in.readNBytes(count);
            }
        };
    }

    private static FitReport checked(VisionLanguageModel.Builder builder) {
        try {
            return builder.check();
        } catch (RuntimeUnavailableException e) {
            return unchecked("no runtime is on the path: " + e.getMessage());
        }
    }

    private static FitReport unchecked(String why) {
        return new FitReport(
                List.of(note("model", "not checked before its weights are here: " + why)),
                null,
                List.of(),
                List.of(),
                0,
                null);
    }

    private static FitReport.Finding note(String subject, String text) {
        return new FitReport.Finding(FitReport.Verdict.NOTE, subject, text);
    }

    /** The same, of the place where the model will lie. */
    private static FitReport.Finding at(FitReport.Finding finding, Path preview, Path snapshot) {
        return new FitReport.Finding(
                finding.verdict(), finding.subject(), finding.text().replace(preview.toString(), snapshot.toString()));
    }

    /** Finds the commit and its files; without patience, soon takes what is in the cache. */
    private Resolved resolve(boolean patient) {
        Settings settings = hub.settings();
        boolean exact = Names.isCommit(revision);
        String cached = exact ? revision : cache.commit(revision);
        boolean here = cached != null && Files.isDirectory(cache.snapshot(cached));
        if (settings.offline()) {
            HubException offline = new HubException(
                    Reason.OFFLINE,
                    "Connecting is switched off (offline(true), HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE).");
            if (cached == null || !here) {
                throw new HubException(
                        Reason.OFFLINE,
                        offline.getMessage() + " " + repository + " (" + revision + ") is not in the cache "
                                + settings.cache() + "; fetch it once while connected.");
            }
            return resolvedHere(cached, offline);
        }
        Retries retries = here && !patient
                ? new Retries(
                        settings, 2, settings.retryFor().compareTo(WITH_CACHE) < 0 ? settings.retryFor() : WITH_CACHE)
                : new Retries(settings);
        try {
            Remote remote = hub.remote(repository);
            String commit = exact ? revision : remote.commit(revision, retries);
            List<RepoFile> known = cache.files(commit);
            if (known == null) {
                known = remote.files(commit, retries);
                return new Resolved(commit, known, Source.HUB, null);
            }
            return new Resolved(commit, known, Source.LISTING, null);
        } catch (HubException e) {
            if (cached == null
                    || !here
                    || e.reason() == Reason.REVISION_NOT_FOUND
                    || e.reason() == Reason.INTERRUPTED) {
                throw e;
            }
            Resolved resolved = resolvedHere(cached, e);
            if (resolved.source() == Source.SNAPSHOT && !patient) {
                return resolve(true);
            }
            LOG.warn("{} What is in the cache is taken: {}.", e.getMessage(), cache.snapshot(cached));
            return resolved;
        }
    }

    private Resolved resolvedHere(String commit, HubException failure) {
        List<RepoFile> known = cache.files(commit);
        try {
            return known == null
                    ? new Resolved(commit, cache.filesOfSnapshot(commit), Source.SNAPSHOT, failure)
                    : new Resolved(commit, known, Source.LISTING, failure);
        } catch (IOException e) {
            throw hub.trouble(cache.folder(), e);
        }
    }

    private List<RepoFile> chosen(Resolved resolved) {
        List<RepoFile> chosen = Listing.sorted(
                files.isEmpty() ? Selection.needed(resolved.files()) : Selection.matching(resolved.files(), files));
        if (resolved.source() == Source.SNAPSHOT) {
            List<String> lacking = lacking(resolved.commit(), chosen);
            if (!lacking.isEmpty()) {
                throw notHere(lacking, Objects.requireNonNull(resolved.failure()));
            }
        }
        if (chosen.isEmpty()) {
            throw new HubException(
                    Reason.FILE_NOT_FOUND,
                    repository + " (" + revision + ") has no file "
                            + (files.isEmpty() ? "that a model is loaded from" : "that fits " + files)
                            + " among " + resolved.files().size() + "; the files are at "
                            + hub.settings().endpoint() + "/" + repository + "/tree/main.");
        }
        for (RepoFile file : chosen) {
            if (!Names.fitsEverySystem(file.path())) {
                throw new HubException(
                        Reason.INVALID_ANSWER,
                        repository + " has a file '" + Names.shown(file.path())
                                + "', a name that means something else on"
                                + " some systems. Leave it out with files(..), where '!' and a pattern leave files out.");
            }
        }
        return chosen;
    }

    /** What shows to be missing though no listing says what there should be. */
    private List<String> lacking(String commit, List<RepoFile> chosen) {
        Set<String> lacking = new TreeSet<>();
        if (!files.isEmpty()) {
            lacking.addAll(chosen.isEmpty() ? files : List.of());
        } else if (chosen.stream().noneMatch(f -> Selection.isWeights(f.name()))) {
            lacking.add("the weights");
        }
        for (RepoFile file : chosen) {
            if (file.size() < 0) {
                lacking.add(file.path()); // a link that leads nowhere
            } else if (files.isEmpty() && file.name().endsWith(".index.json")) {
                lacking.addAll(cache.shards(commit, file));
            }
        }
        chosen.stream().filter(f -> f.size() >= 0).map(RepoFile::path).forEach(lacking::remove);
        return List.copyOf(lacking);
    }

    private HubException notHere(List<String> missing, HubException failure) {
        return new HubException(
                failure.reason(),
                failure.getMessage() + " The cache " + cache.folder() + " lacks, or holds damaged, " + missing.size()
                        + " of the files that are needed: "
                        + String.join(
                                ", ",
                                missing.stream().limit(10).map(Names::shown).toList())
                        + (missing.size() > 10 ? ", ..." : "") + ". Fetch them once while connected.",
                failure);
    }

    private void fetch(String commit, List<RepoFile> chosen, List<RepoFile> missing) throws IOException {
        Settings settings = hub.settings();
        cache.create();
        requireSpace(missing);
        Progress progress = new Progress(
                listener,
                settings.clock(),
                chosen.stream().mapToLong(RepoFile::size).sum());
        Set<RepoFile> absent = new HashSet<>(missing);
        for (RepoFile file : chosen) {
            progress.begin(file);
            if (absent.contains(file)) {
                fetch(commit, file, progress);
            }
            progress.end();
        }
    }

    private void requireSpace(List<RepoFile> missing) throws IOException {
        Set<String> blobs = new HashSet<>();
        long needed = 0;
        for (RepoFile file : missing) {
            if (blobs.add(file.blob()) && !cache.isSound(cache.blob(file.blob()), file.blob(), file.size())) {
                Path partial = cache.partial(file.blob());
                needed += Math.max(0, file.size() - (Files.isRegularFile(partial) ? Files.size(partial) : 0));
            }
        }
        long free = hub.settings().freeSpace().at(cache.folder());
        if (needed > free) {
            throw new HubException(
                    Reason.DISK_FULL,
                    String.format(
                            Locale.ROOT,
                            "%s needs %.1f MB more at %s, where %.1f MB are free. Make room (Hub.list() says what lies"
                                    + " there, Hub.delete(..) removes a model), or choose another place with cache(..) or"
                                    + " HF_HUB_CACHE.",
                            repository,
                            needed / 1e6,
                            hub.settings().cache(),
                            free / 1e6));
        }
    }

    private void fetch(String commit, RepoFile file, Progress progress) throws IOException {
        String blob = file.blob();
        try (FileLocks.Held held =
                FileLocks.hold(cache.lock(blob), hub.settings().pause())) {
            Objects.requireNonNull(held);
            if (cache.hasPointer(commit, file)) {
                return; // another download was faster
            }
            Path place = cache.blob(blob);
            if (!cache.isSound(place, blob, file.size())) {
                Path partial = cache.partial(blob);
                Wire.Subject subject = new Wire.Subject(repository, revision, file.path());
                new BlobDownload(
                                hub.settings(),
                                hub.wire(),
                                hub.remote(repository).content(commit, file.path()),
                                subject,
                                file,
                                partial,
                                progress)
                        .run();
                String state = String.valueOf(Cache.state(partial));
                Cache.replace(partial, place);
                cache.markSound(place, blob, state);
            }
            cache.point(commit, file, hub.settings().links());
        }
    }
}

package io.langbridge.hub;

import io.langbridge.hub.HubException.Reason;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One model at the hub: what a revision stands for, which files a commit has. Safe for use by several threads. */
final class Remote {
    private static final int MAX_DOCUMENT = 32 << 20;
    private static final int MAX_PAGES = 1000;
    private static final int MAX_FILES = 200_000;
    private static final Pattern LINK = Pattern.compile("<([^>]*)>([^<]*)");
    private static final Pattern NEXT =
            Pattern.compile(";\\s*rel\\s*=\\s*\"?next\"?\\s*(?:[;,]|$)", Pattern.CASE_INSENSITIVE);

    private final Settings settings;
    private final Wire wire;
    private final String repository;

    Remote(Settings settings, Wire wire, String repository) {
        this.settings = settings;
        this.wire = wire;
        this.repository = repository;
    }

    /** The commit that a branch or tag stands for now. */
    String commit(String revision, Retries retries) {
        Wire.Subject subject = new Wire.Subject(repository, revision, null);
        URI address = address("/api/models/" + repository + "/revision/" + encoded(revision));
        byte[] description =
                wire.document(address, subject, MAX_DOCUMENT, retries).bytes();
        retries.progressed();
        return Listing.commit(description, "The description of " + subject);
    }

    /** All files of a commit. */
    List<RepoFile> files(String commit, Retries retries) {
        Wire.Subject subject = new Wire.Subject(repository, commit, null);
        String source = "The listing of " + subject;
        List<RepoFile> files = new ArrayList<>();
        Set<URI> seen = new HashSet<>();
        URI next = address("/api/models/" + repository + "/tree/" + commit + "?recursive=true&expand=false");
        while (next != null) {
            if (!seen.add(next) || seen.size() > MAX_PAGES || files.size() > MAX_FILES) {
                throw new HubException(
                        Reason.INVALID_ANSWER,
                        source + " does not end: " + seen.size() + " pages, " + files.size()
                                + " files. Check endpoint(..) and HF_ENDPOINT.");
            }
            Wire.Document page = wire.document(next, subject, MAX_DOCUMENT, retries);
            retries.progressed();
            files.addAll(Listing.page(page.bytes(), source));
            next = next(page, source);
        }
        Set<String> paths = new HashSet<>();
        for (RepoFile file : files) {
            if (!paths.add(file.path())) {
                throw new HubException(
                        Reason.INVALID_ANSWER,
                        source + " has '" + Names.shown(file.path()) + "' twice. Try again later.");
            }
        }
        return files;
    }

    /** Where the bytes of a file are to be had. */
    URI content(String commit, String path) {
        StringBuilder address = new StringBuilder("/" + repository + "/resolve/" + commit);
        for (String segment : path.split("/", -1)) {
            address.append('/').append(encoded(segment));
        }
        return address(address.toString());
    }

    private static @Nullable URI nextOrNull(Wire.Document page) {
        for (String header : page.headers().allValues("Link")) {
            Matcher link = LINK.matcher(header);
            while (link.find()) {
                if (NEXT.matcher(link.group(2)).find()) {
                    URI target = Origin.parse(link.group(1));
                    return target == null
                            ? URI.create("invalid:")
                            : page.address().resolve(target);
                }
            }
        }
        return null;
    }

    /** The next page; only the hub itself may name it, and only on itself, since the token goes there. */
    @Nullable
    URI next(Wire.Document page, String source) {
        URI next = nextOrNull(page);
        if (next != null
                && (!Origin.isHttp(next)
                        || next.getRawUserInfo() != null
                        || !Origin.of(next).equals(Origin.of(settings.endpoint())))) {
            throw new HubException(
                    Reason.INVALID_ANSWER,
                    source + " names a next page at another place, " + Origin.of(next)
                            + "; that is not followed. Check endpoint(..) and HF_ENDPOINT.");
        }
        return next;
    }

    private URI address(String path) {
        return URI.create(settings.endpoint() + path);
    }

    /** Percent-encoded whole, slashes too. */
    private static String encoded(String text) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || "-._~".indexOf(c) >= 0) {
                encoded.append(c);
            } else {
                encoded.append('%').append(String.format(java.util.Locale.ROOT, "%02X", (int) c));
            }
        }
        return encoded.toString();
    }
}

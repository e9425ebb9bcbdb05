package io.langbridge.hub;

import io.langbridge.hub.HubException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests. Redirects are followed by hand, because the token is for the hub alone and the client would take it
 * along. Safe for use by several threads; connects only when asked.
 */
final class Wire {
    private static final int MAX_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
    /** What the hub says beside 429: {@code "api";r=0;t=55}, seconds until it counts anew. */
    private static final Pattern RATE_LIMIT = Pattern.compile("(?:^|;)\\s*t=(\\d{1,9})");

    private final Settings settings;
    private final Origin home;
    private final HttpClient client;

    /**
     * An answer that is no error.
     *
     * @param address where it came from at last
     */
    record Answer(int status, HttpHeaders headers, URI address, Body body) implements AutoCloseable {
        @Nullable
        String header(String name) {
            return headers.firstValue(name).orElse(null);
        }

        boolean encoded() {
            String encoding = header("Content-Encoding");
            return encoding != null && !encoding.isBlank() && !encoding.strip().equalsIgnoreCase("identity");
        }

        /** The body, unpacked where a server packs it without being asked. */
        InputStream content() throws IOException {
            if (!encoded()) {
                return body;
            }
            String encoding = String.valueOf(header("Content-Encoding")).strip().toLowerCase(Locale.ROOT);
            if (!encoding.equals("gzip") && !encoding.equals("x-gzip")) {
                throw new IOException(
                        "the answer is packed as '" + Names.shown(encoding) + "', which was not asked for");
            }
            return new GZIPInputStream(body);
        }

        @Override
        public void close() {
            body.close();
        }
    }

    /** A small answer, whole. */
    record Document(byte[] bytes, HttpHeaders headers, URI address) {}

    /** What a request is about, for messages. */
    record Subject(
            String repository, String revision, @Nullable String file) {
        @Override
        public String toString() {
            return (file == null ? "" : file + " of ") + repository + " (" + revision + ")";
        }
    }

    Wire(Settings settings) {
        this.settings = settings;
        this.home = Origin.of(settings.endpoint());
        HttpClient.Builder builder = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.connectTimeout());
        if (settings.proxy() != null) {
            builder.proxy(settings.proxy());
        }
        this.client = builder.build();
    }

    /** Fetches something small, trying again where that may help. */
    Document document(URI address, Subject subject, int maxBytes, Retries retries) {
        while (true) {
            try {
                return document(address, subject, maxBytes);
            } catch (Retryable e) {
                retries.failed(e);
            }
        }
    }

    private Document document(URI address, Subject subject, int maxBytes) throws Retryable {
        try (Answer answer = open(address, Map.of(), subject);
                InputStream content = whole(answer, subject).content()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            byte[] chunk = new byte[1 << 14];
            for (int count = content.read(chunk); count >= 0; count = content.read(chunk)) {
                if (bytes.size() + count > maxBytes) {
                    throw new HubException(
                            Reason.INVALID_ANSWER,
                            "The answer of " + Origin.of(answer.address()) + " about " + subject + " has more than "
                                    + maxBytes + " bytes. Is this the address of a hub (endpoint(..), HF_ENDPOINT)?");
                }
                bytes.write(chunk, 0, count);
            }
            return new Document(bytes.toByteArray(), answer.headers(), answer.address());
        } catch (IOException e) {
            throw failed(subject, e);
        }
    }

    /**
     * Fetches the first bytes of something large, trying again where that may help. A server that knows no ranges sends
     * everything; the rest is not waited for.
     *
     * @param count so many, at least one
     */
    byte[] beginning(URI address, Subject subject, int count, Retries retries) {
        while (true) {
            try {
                return beginning(address, subject, count);
            } catch (Retryable e) {
                retries.failed(e);
            }
        }
    }

    private byte[] beginning(URI address, Subject subject, int count) throws Retryable {
        try (Answer answer = open(address, Map.of("Range", "bytes=0-" + (count - 1)), subject);
                InputStream content = answer.content()) {
            byte[] bytes = content.readNBytes(count);
            String range = answer.header("Content-Range");
            if (bytes.length < count || (range != null && !range.startsWith("bytes 0-"))) {
                throw new IOException("another part arrived than the first " + count + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw failed(subject, e);
        }
    }

    private Answer whole(Answer answer, Subject subject) {
        if (answer.status() != 200) {
            throw refusedForGood(answer, subject, said(answer));
        }
        return answer;
    }

    /**
     * Asks once.
     *
     * @throws Retryable if another try may help
     * @throws HubException if none will
     */
    Answer open(URI first, Map<String, String> headers, Subject subject) throws Retryable {
        URI at = first;
        Set<URI> seen = new HashSet<>();
        while (seen.add(at) && seen.size() <= MAX_REDIRECTS) {
            HttpResponse<Flow.Publisher<List<ByteBuffer>>> response = send(at, headers, subject);
            Body body = new Body(settings.stallTimeout());
            response.body().subscribe(body);
            if (REDIRECTS.contains(response.statusCode())) {
                body.close();
                at = target(at, response.headers().firstValue("Location").orElse(""), subject);
                continue;
            }
            Answer answer = new Answer(response.statusCode(), response.headers(), at, body);
            if (answer.status() == 200 || answer.status() == 206 || answer.status() == 416) {
                return answer;
            }
            answer.close();
            throw refused(answer, subject);
        }
        throw new HubException(
                Reason.INVALID_ANSWER,
                "The answers about " + subject + " lead from one address to the next and never to an end, "
                        + seen.size() + " redirects from " + home
                        + ". Try again later; if it stays, check endpoint(..) and HF_ENDPOINT.");
    }

    private HttpResponse<Flow.Publisher<List<ByteBuffer>>> send(URI at, Map<String, String> headers, Subject subject)
            throws Retryable {
        HttpRequest.Builder request = HttpRequest.newBuilder(at)
                .timeout(settings.stallTimeout())
                .header(
                        "User-Agent",
                        "langbridge-hub; java/" + Runtime.version().feature())
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (settings.token() != null && Origin.of(at).equals(home)) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofPublisher());
        } catch (InterruptedException e) {
            throw Retries.interrupted(e);
        } catch (IOException e) {
            throw failed(subject, e);
        }
    }

    private URI target(URI from, String location, Subject subject) {
        URI parsed = Origin.parse(location);
        URI target = parsed == null || location.isEmpty() ? null : from.resolve(parsed);
        if (target == null || !Origin.isHttp(target) || target.getRawUserInfo() != null) {
            throw new HubException(
                    Reason.INVALID_ANSWER,
                    Origin.of(from) + " redirects the request for " + subject + " to '"
                            + Names.shown(withoutQuery(location))
                            + "', which is no address to follow. Check endpoint(..) and HF_ENDPOINT.");
        }
        if ("https".equalsIgnoreCase(from.getScheme()) && !"https".equalsIgnoreCase(target.getScheme())) {
            throw new HubException(
                    Reason.INVALID_ANSWER,
                    Origin.of(from) + " redirects the request for " + subject + " to " + Origin.of(target)
                            + ", from https to http; that is not followed.");
        }
        return target;
    }

    /** Signed addresses are passwords. */
    private static String withoutQuery(String location) {
        int query = location.indexOf('?');
        return query < 0 ? location : location.substring(0, query);
    }

    /** The network failed. */
    Retryable failed(Subject subject, IOException e) {
        if (e instanceof InterruptedIOException && Thread.currentThread().isInterrupted()) {
            throw Retries.interrupted(e);
        }
        return new Retryable(
                new HubException(
                        Reason.UNREACHABLE,
                        settings.endpoint() + " could not be asked for " + subject + ": " + cause(e)
                                + ". Check the connection, the proxy (https.proxyHost, proxy(..)) and HF_ENDPOINT; what is in"
                                + " the cache works with offline(true) or HF_HUB_OFFLINE=1.",
                        e),
                null);
    }

    private static String cause(Throwable e) {
        Throwable deepest = e;
        while (deepest.getMessage() == null && deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        // ConnectException has no message, and says it all.
        return Names.shown(deepest.getMessage() == null ? e.getClass().getSimpleName() : deepest.getMessage());
    }

    private HubException refused(Answer answer, Subject subject) throws Retryable {
        int status = answer.status();
        boolean byHub = Origin.of(answer.address()).equals(home);
        String said = said(answer);
        if (PASSING.contains(status)) {
            Duration after = retryAfter(answer.headers());
            Reason reason = status == 429 ? Reason.RATE_LIMITED : Reason.UNREACHABLE;
            String next = status == 429
                    ? " It refuses further requests for now: try again "
                            + (after == null ? "later" : "in " + after.toSeconds() + " s")
                            + (settings.token() == null ? ", or set HF_TOKEN, which is allowed more." : ".")
                    : " It is out of order: try again later; what is in the cache works with offline(true).";
            throw new Retryable(new HubException(reason, "Asked for " + subject + ", " + said + next), after);
        }
        if (!byHub && (status == 401 || status == 403)) {
            // A signed address that has expired; the hub gives a new one.
            throw new Retryable(
                    new HubException(Reason.UNREACHABLE, "Asked for " + subject + ", " + said + " Try again later."),
                    null);
        }
        return refusedForGood(answer, subject, said);
    }

    private HubException refusedForGood(Answer answer, Subject subject, String said) {
        String page = settings.endpoint() + "/" + subject.repository();
        String code = String.valueOf(answer.header("X-Error-Code"));
        int status = answer.status();
        String token = settings.token() == null
                ? "no token was sent: set HF_TOKEN or token(..)"
                : "the token that was sent does not give access: check HF_TOKEN or token(..)";
        if (code.equals("GatedRepo")) {
            return new HubException(
                    Reason.GATED,
                    subject.repository() + " is gated: its terms have to be accepted at " + page
                            + " first, logged in, and a token of that account goes into HF_TOKEN or token(..); here, "
                            + token
                            + ". " + said);
        }
        if (code.equals("RevisionNotFound")) {
            return new HubException(
                    Reason.REVISION_NOT_FOUND,
                    subject.repository() + " has no branch, tag or commit '" + subject.revision()
                            + "'; those it has are at " + page + "/tree/main. " + said);
        }
        if (code.equals("EntryNotFound") || (status == 404 && subject.file() != null && !code.equals("RepoNotFound"))) {
            return new HubException(
                    Reason.FILE_NOT_FOUND,
                    "There is no " + subject + "; the files are at " + page + "/tree/main. " + said);
        }
        if (code.equals("RepoNotFound") || status == 404) {
            return new HubException(
                    Reason.REPOSITORY_NOT_FOUND,
                    "There is no model " + subject.repository() + " at " + settings.endpoint()
                            + ", or it is private and " + token + ". Check the name at " + page + ". " + said);
        }
        if (status == 401 || status == 403) {
            return new HubException(
                    Reason.UNAUTHORIZED, settings.endpoint() + " refuses " + subject + "; " + token + ". " + said);
        }
        if (status == 407) {
            return new HubException(
                    Reason.UNREACHABLE, "The proxy wants a name and password, which are not supported. " + said);
        }
        return new HubException(
                Reason.INVALID_ANSWER,
                "Asked for " + subject + ", " + said + " Is this the address of a hub (endpoint(..), HF_ENDPOINT)?");
    }

    private static String said(Answer answer) {
        String message = answer.header("X-Error-Message");
        return Origin.of(answer.address()) + " answered " + answer.status()
                + (message == null ? "." : ": " + Names.shown(message).replaceAll("\\.?$", "."));
    }

    static @Nullable Duration retryAfter(HttpHeaders headers) {
        String after = headers.firstValue("Retry-After").orElse("").strip();
        if (after.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(after));
        }
        if (!after.isEmpty()) {
            try {
                Duration wait = Duration.between(
                        ZonedDateTime.now(java.time.ZoneOffset.UTC),
                        ZonedDateTime.parse(after, DateTimeFormatter.RFC_1123_DATE_TIME));
                return wait.isNegative() ? Duration.ZERO : wait;
            } catch (DateTimeException e) {
                return null;
            }
        }
        Matcher limit = RATE_LIMIT.matcher(headers.firstValue("RateLimit").orElse(""));
        return limit.find() ? Duration.ofSeconds(Long.parseLong(limit.group(1))) : null;
    }
}

package io.langbridge.hub;

import io.langbridge.hub.HubException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches one blob into the file of what has arrived, going on where an earlier process ended, and hashes every byte on
 * its way. The caller holds the blob's lock. Used once, by one thread.
 */
final class BlobDownload {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");

    private final Wire wire;
    private final URI address;
    private final Wire.Subject subject;
    private final RepoFile file;
    private final Path partial;
    private final Progress progress;
    private final Retries retries;

    private BlobHash hash;
    private long at;
    private long furthest;
    /** The version that the sender named, which it must go on with; null if it named none. */
    private @Nullable String etag;
    /** Whether to ask for the rest only. */
    private boolean ranges = true;

    BlobDownload(
            Settings settings,
            Wire wire,
            URI address,
            Wire.Subject subject,
            RepoFile file,
            Path partial,
            Progress progress) {
        this.wire = wire;
        this.address = address;
        this.subject = subject;
        this.file = file;
        this.partial = partial;
        this.progress = progress;
        this.retries = new Retries(settings);
        this.hash = new BlobHash(file.blob(), file.size());
    }

    /**
     * Leaves the whole blob in the file, checked and written to the disk.
     *
     * @throws HubException if it cannot be had; what has arrived stays
     */
    void run() throws IOException {
        try (FileChannel target = FileChannel.open(
                partial, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            boolean fromStart = !resume(target);
            for (int wrong = fromStart ? 1 : 0; ; wrong++) {
                complete(target);
                String got = hash.hex();
                // Another length: somebody else wrote here too.
                if (got.equals(file.blob()) && target.size() == file.size()) {
                    target.force(true);
                    return;
                }
                restart(target);
                if (wrong == 2) {
                    throw new HubException(
                            Reason.DAMAGED,
                            subject + " arrived twice with the hash " + got + " where the hub announces " + file.blob()
                                    + ". Nothing of it was kept. Try again later, or from another network or mirror"
                                    + " (endpoint(..), HF_ENDPOINT): something between changes or stores wrong bytes.");
                }
                LOG.warn("{} arrived with wrong bytes, and is fetched again.", subject);
            }
        }
    }

    /** Takes over what an earlier process left; false if that is nothing. */
    private boolean resume(FileChannel target) throws IOException {
        long size = target.size();
        if (size > file.size()) {
            restart(target);
            return false;
        }
        if (size > 0) {
            LOG.info("{}: going on after {} of {} bytes.", subject, size, file.size());
            hash.add(partial);
        }
        at = size;
        furthest = size;
        progress.at(at);
        return size > 0;
    }

    private void restart(FileChannel target) throws IOException {
        target.truncate(0);
        hash = new BlobHash(file.blob(), file.size());
        at = 0;
        etag = null;
        progress.at(0);
    }

    private void complete(FileChannel target) throws IOException {
        while (at < file.size()) {
            try {
                attempt(target);
            } catch (Retryable e) {
                retries.failed(e);
            }
        }
    }

    private void attempt(FileChannel target) throws IOException, Retryable {
        Map<String, String> headers = new LinkedHashMap<>();
        if (at > 0 && ranges) {
            headers.put("Range", "bytes=" + at + "-");
            if (etag != null) {
                headers.put("If-Range", etag);
            }
        }
        try (Wire.Answer answer = wire.open(address, headers, subject)) {
            boolean goesOn = at > 0 && goesOn(answer);
            if (!goesOn && answer.status() != 200) {
                // It cannot go on where we are; asked for everything, it may. Until then, nothing is thrown away.
                ranges = false;
                throw new Retryable(
                        wrong("(" + answer.status() + ") is not the part that was asked for, from byte " + at), null);
            }
            checkLength(answer, goesOn ? at : 0);
            if (!goesOn && at > 0) {
                restart(target);
            }
            String version = answer.header("ETag");
            etag = version == null || version.startsWith("W/") || !version.startsWith("\"") ? null : version;
            receive(answer, target);
        }
    }

    private boolean goesOn(Wire.Answer answer) {
        if (answer.status() != 206 || answer.encoded()) {
            return false;
        }
        Matcher range = CONTENT_RANGE.matcher(String.valueOf(answer.header("Content-Range")));
        return range.matches()
                && Long.parseLong(range.group(1)) == at
                && (range.group(2).equals("*") || Long.parseLong(range.group(2)) == file.size());
    }

    private void checkLength(Wire.Answer answer, long from) throws Retryable {
        String length = answer.header("Content-Length");
        if (length != null
                && !answer.encoded()
                && length.matches("\\d{1,18}")
                && Long.parseLong(length) != file.size() - from) {
            throw new Retryable(
                    wrong("sends " + length + " bytes where the listing says " + (file.size() - from)), null);
        }
    }

    private void receive(Wire.Answer answer, FileChannel target) throws IOException, Retryable {
        byte[] bytes = new byte[1 << 16];
        try (InputStream content = content(answer)) {
            while (true) {
                int count = read(content, bytes);
                if (count < 0) {
                    break;
                }
                if (at + count > file.size()) {
                    restart(target);
                    throw new Retryable(wrong("sends more than the " + file.size() + " bytes of the listing"), null);
                }
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
                long position = at;
                while (buffer.hasRemaining()) {
                    position += target.write(buffer, position);
                }
                hash.add(bytes, count);
                at += count;
                if (at > furthest) {
                    furthest = at;
                    retries.progressed();
                }
                progress.received(count);
            }
        }
        if (at < file.size()) {
            throw new Retryable(wrong("ended after " + at + " of " + file.size() + " bytes"), null);
        }
    }

    private InputStream content(Wire.Answer answer) throws Retryable {
        try {
            return answer.content();
        } catch (IOException e) {
            throw wire.failed(subject, e);
        }
    }

    /** What fails here is the network; what fails in writing is the disk. */
    private int read(InputStream content, byte[] bytes) throws Retryable {
        try {
            return content.read(bytes);
        } catch (IOException e) {
            throw wire.failed(subject, e);
        }
    }

    private HubException wrong(String what) {
        return new HubException(
                Reason.DAMAGED,
                "The answer for " + subject + " " + what + (at > 0 ? ". What has arrived is kept; try" : ". Try")
                        + " again later, or with another mirror (endpoint(..), HF_ENDPOINT).");
    }
}

package io.langbridge.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The hash that names a blob: SHA-256 of large files, git's SHA-1 of small ones, which begins with the length. Not
 * thread-safe.
 */
final class BlobHash {
    private final MessageDigest digest;

    /**
     * Begins with nothing.
     *
     * @param blob the name of the blob, 64 or 40 hexadecimal digits
     * @param size the bytes it should have
     */
    BlobHash(String blob, long size) {
        try {
            if (Names.isSha256(blob)) {
                digest = MessageDigest.getInstance("SHA-256");
            } else {
                digest = MessageDigest.getInstance("SHA-1");
                digest.update(("blob " + size + '\0').getBytes(StandardCharsets.US_ASCII));
            }
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1 and SHA-256", e);
        }
    }

    void add(byte[] bytes, int count) {
        digest.update(bytes, 0, count);
    }

    /** Adds what a file holds. */
    void add(Path file) throws IOException {
        byte[] bytes = new byte[1 << 18];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new java.io.InterruptedIOException("interrupted while " + file + " was read");
                }
                add(bytes, count);
            }
        }
    }

    /** The hash of all that was added; it begins anew, but without the length. */
    String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Whether a file holds what the name of the blob says. */
    static boolean fits(Path file, String blob) throws IOException {
        BlobHash hash = new BlobHash(blob, Files.size(file));
        hash.add(file);
        return hash.hex().equals(blob);
    }
}

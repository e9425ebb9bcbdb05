package io.langbridge.examples.batch;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Which model answered: another one under the same name must not pass for it. */
final class Revision {
    private Revision() {}

    /** @return the commit of a folder in the hub's cache, the hash of any other */
    static String of(Path folder) throws IOException {
        Path real = folder.toRealPath();
        Path snapshots = real.getParent();
        if (snapshots != null && snapshots.endsWith("snapshots") && snapshots.getParent() != null) {
            String name = snapshots.getParent().getFileName().toString(); // models--ORG--NAME
            return name.replaceFirst("^models--", "").replace("--", "/") + "@" + real.getFileName();
        }
        return real.getFileName() + "@" + ofContent(folder);
    }

    /** Reads all of it, as loading does after that. */
    static String ofContent(Path folder) throws IOException {
        MessageDigest digest = Task.sha256();
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            digest.update((folder.relativize(file) + "\0" + Files.size(file) + "\0").getBytes(StandardCharsets.UTF_8));
            try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
                Files.copy(file, out);
            }
        }
        return HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), 8));
    }
}

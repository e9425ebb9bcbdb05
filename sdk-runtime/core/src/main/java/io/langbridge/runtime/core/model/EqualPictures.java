package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Pictures that stay encoded for those who ask about one of equal pixels; what was used longest ago goes first. They
 * are known by what the encoder reads, which is what its features depend on. Thread-safe.
 */
final class EqualPictures {
    private final Map<Key, EncodedPicture> known;
    private final int most;

    /**
     * What a picture is known by.
     *
     * @param digest of what the encoder reads
     * @param picture its size, on which alone its plan depends
     */
    record Key(ByteBuffer digest, Size picture) {}

    /** Keeps at most so many; none if that is 0. */
    EqualPictures(int most) {
        this.most = most;
        known = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, EncodedPicture> eldest) {
                return size() > most;
            }
        };
    }

    /** What a picture is known by; null if none is kept. */
    @Nullable
    Key key(PreparedImage picture) {
        if (most == 0) {
            return null;
        }
        MessageDigest digest = sha256();
        for (Map<String, FloatTensor> inputs : picture.each()) {
            inputs.forEach((name, values) -> {
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                for (int size : values.shape()) {
                    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, size));
                }
                digest.update(values.bytes());
            });
        }
        return new Key(ByteBuffer.wrap(digest.digest()), picture.plan().picture());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** Keeps none of those it knows. */
    synchronized void clear() {
        known.clear();
    }

    /** Null if it has not been seen, or long ago. */
    synchronized @Nullable EncodedPicture get(Key key) {
        return known.get(key);
    }

    /** Keeps one; gives the one that somebody else kept meanwhile, if so. */
    synchronized EncodedPicture keep(Key key, EncodedPicture picture) {
        EncodedPicture before = known.putIfAbsent(key, picture);
        return before == null ? picture : before;
    }
}

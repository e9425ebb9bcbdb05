package io.langbridge.runtime.core.family;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a GGUF file says about where it comes from. Nothing else of it is read. */
final class Gguf {
    private static final int MAGIC = 0x47475546; // GGUF
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    /** The general keys stand first; the vocabulary, which is long, comes later. */
    private static final int MAX_KEYS = 200;

    private static final int MAX_TEXT = 10_000;
    private static final int MAX_LIST = 1_000;

    /** Bytes of a value by its type, 0 for text and lists. */
    private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    /** Best first. */
    private static final String[] ORIGINS = {
        "general.base_model.0.repo_url",
        "general.source.huggingface.repository",
        "general.source.repo_url",
        "general.source.url",
        "general.repo_url",
        "general.base_model.0.name",
        "general.name"
    };

    private final DataInputStream in;
    private final Map<String, String> texts = new HashMap<>();

    private Gguf(DataInputStream in) {
        this.in = in;
    }

    /** The repository or the name of the model that the file was made from; null if it does not say. */
    static @Nullable String origin(Path file) {
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            Gguf gguf = new Gguf(in);
            try {
                gguf.read();
            } catch (IOException e) {
                // What came before the damage is still true.
            }
            for (String key : ORIGINS) {
                String origin = gguf.texts.get(key);
                if (origin != null && !origin.trim().isEmpty()) {
                    return origin.trim();
                }
            }
            return null;
        } catch (IOException e) {
            return null;
        }
    }

    private void read() throws IOException {
        if (in.readInt() != MAGIC) {
            return;
        }
        int version = Integer.reverseBytes(in.readInt());
        if (version < 2 || version > 3) {
            return; // counts of other versions have other sizes
        }
        in.readLong(); // tensors
        long keys = Math.min(MAX_KEYS, i64());
        for (long i = 0; i < keys; i++) {
            String key = text();
            int type = Integer.reverseBytes(in.readInt());
            if (type == STRING) {
                texts.put(key, text());
            } else {
                skip(type);
            }
        }
    }

    private void skip(int type) throws IOException {
        if (type == ARRAY) {
            int of = Integer.reverseBytes(in.readInt());
            long length = i64();
            if (of == ARRAY || length < 0 || length > MAX_LIST) {
                throw new IOException("a long list");
            }
            for (long i = 0; i < length; i++) {
                skip(of);
            }
        } else if (type == STRING) {
            text();
        } else if (type < 0 || type >= SIZES.length) {
            throw new IOException("an unknown type");
        } else {
            in.readFully(new byte[SIZES[type]]);
        }
    }

    private String text() throws IOException {
        long length = i64();
        if (length < 0 || length > MAX_TEXT) {
            throw new IOException("a long text");
        }
        byte[] bytes = new byte[(int) length];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private long i64() throws IOException {
        return Long.reverseBytes(in.readLong());
    }
}

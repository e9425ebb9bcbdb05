package io.langbridge.runtime.pytorch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs TorchScript source text into the archive that {@code torch.jit.load} reads, so that a network can be kept as
 * text.
 */
final class TorchScriptArchive {
    /** Pickle protocol 2: an empty tuple. There are no constants beside the source. */
    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    /** Of the operators: under an older one, some take fewer arguments. */
    private static final byte[] VERSION = "10\n".getBytes(StandardCharsets.US_ASCII);

    private TorchScriptArchive() {}

    /** A text and the class in it that is a {@code Module}. */
    record Source(String text, String moduleClass) {
        /** A file of this package: {@code weights.py}. */
        static Source of(String file, String moduleClass) {
            return new Source(resource(file), moduleClass);
        }
    }

    /**
     * Packs a text that works with others.
     *
     * @param parts by the names under which the module knows them; what is in their texts gets this name in front:
     *     {@code __torch__.decoder.Context}
     */
    static byte[] of(Source source, Map<String, Source> parts) {
        try {
            ByteArrayOutputStream archive = new ByteArrayOutputStream();
            try (ZipOutputStream zip = new ZipOutputStream(archive)) {
                ByteArrayOutputStream pickle = new ByteArrayOutputStream();
                pickle.write(new byte[] {(byte) 0x80, 2}); // PROTO 2
                writeInstance(pickle, source, "__torch__", parts);
                pickle.write('.'); // STOP
                put(zip, "network/data.pkl", pickle.toByteArray());
                put(zip, "network/code/__torch__.py", source.text().getBytes(StandardCharsets.UTF_8));
                for (Map.Entry<String, Source> part : parts.entrySet()) {
                    String text = part.getValue().text().replace("__torch__.", "__torch__." + part.getKey() + ".");
                    put(zip, "network/code/__torch__/" + part.getKey() + ".py", text.getBytes(StandardCharsets.UTF_8));
                }
                put(zip, "network/constants.pkl", NO_CONSTANTS);
                put(zip, "network/version", VERSION);
            }
            return archive.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file of this package. */
    static String resource(String file) {
        try (InputStream in = TorchScriptArchive.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("The resource " + file + " is missing beside "
                        + TorchScriptArchive.class.getName() + "; the jar is damaged");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Pickle of an instance without tensors of its own: {@code cls.__new__(); {"training": False, ..}}. With parts, it
     * has a {@code state} that begins as None.
     */
    private static void writeInstance(
            ByteArrayOutputStream pickle, Source source, String namespace, Map<String, Source> parts)
            throws IOException {
        pickle.write(
                ("c" + namespace + "\n" + source.moduleClass() + "\n").getBytes(StandardCharsets.US_ASCII)); // GLOBAL
        pickle.write(new byte[] {')', (byte) 0x81, '}', '('}); // EMPTY_TUPLE NEWOBJ EMPTY_DICT MARK
        writeName(pickle, "training");
        pickle.write((byte) 0x89); // NEWFALSE
        for (Map.Entry<String, Source> part : parts.entrySet()) {
            writeName(pickle, part.getKey());
            writeInstance(pickle, part.getValue(), "__torch__." + part.getKey(), Map.of());
        }
        if (!parts.isEmpty()) {
            writeName(pickle, "state");
            pickle.write('N'); // NONE
        }
        pickle.write(new byte[] {'u', 'b'}); // SETITEMS BUILD
    }

    private static void writeName(ByteArrayOutputStream pickle, String name) throws IOException {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        pickle.write(new byte[] {'X', (byte) bytes.length, 0, 0, 0}); // BINUNICODE
        pickle.write(bytes);
    }

    /** Stored, not deflated: PyTorch's reader wants it so. */
    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(0);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}

package io.langbridge.runtime.pytorch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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

    /**
     * Packs a source file of this package.
     *
     * @param file name of the resource, {@code decoder.py}
     * @param moduleClass the class in it that is a {@code Module}
     */
    static byte[] of(String file, String moduleClass) {
        try (InputStream source = TorchScriptArchive.class.getResourceAsStream(file)) {
            if (source == null) {
                throw new IllegalStateException("The resource " + file + " is missing beside "
                        + TorchScriptArchive.class.getName() + "; the jar is damaged");
            }
            ByteArrayOutputStream archive = new ByteArrayOutputStream();
            try (ZipOutputStream zip = new ZipOutputStream(archive)) {
                put(zip, "network/data.pkl", instanceOf(moduleClass));
                put(zip, "network/code/__torch__.py", source.readAllBytes());
                put(zip, "network/constants.pkl", NO_CONSTANTS);
                put(zip, "network/version", VERSION);
            }
            return archive.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Pickle of an instance without tensors of its own: {@code cls.__new__(); {"training": False}}. */
    private static byte[] instanceOf(String moduleClass) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.write(new byte[] {(byte) 0x80, 2}); // PROTO 2
        pickle.write(("c__torch__\n" + moduleClass + "\n").getBytes(StandardCharsets.US_ASCII)); // GLOBAL
        pickle.write(new byte[] {')', (byte) 0x81, '}', '('}); // EMPTY_TUPLE NEWOBJ EMPTY_DICT MARK
        byte[] attribute = "training".getBytes(StandardCharsets.US_ASCII);
        pickle.write(new byte[] {'X', (byte) attribute.length, 0, 0, 0}); // BINUNICODE
        pickle.write(attribute);
        pickle.write(new byte[] {(byte) 0x89, 'u', 'b', '.'}); // NEWFALSE SETITEMS BUILD STOP
        return pickle.toByteArray();
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

package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The directory of a zip file whose entries are stored, not compressed, as {@code torch.save} writes them. Unlike
 * {@code java.util.zip} it says where in the file an entry lies, so that tensors are read, and mapped, in place.
 */
final class StoredZip {
    private static final int END_OF_DIRECTORY_BYTES = 22;
    private static final int ZIP64_LOCATOR = 0x07064b50;
    private static final int ZIP64_LOCATOR_BYTES = 20;
    private static final int ZIP64_END_OF_DIRECTORY = 0x06064b50;
    private static final int DIRECTORY_ENTRY = 0x02014b50;
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int ZIP64_EXTRA = 1;
    private static final long IN_ZIP64 = 0xffffffffL;
    private static final int MAX_COMMENT = 0xffff;

    /** Each is a storage; the largest single files have some thousands. */
    private static final int MAX_ENTRIES = 100_000;

    private static final int MAX_NAME = 1_000;

    /** Where an entry's bytes lie. */
    record Entry(long start, long size) {}

    private final OpenFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    StoredZip(OpenFile file) {
        this.file = file;
        readDirectory();
    }

    Map<String, Entry> entries() {
        return entries;
    }

    @Nullable
    Entry entry(String name) {
        return entries.get(name);
    }

    private void readDirectory() {
        long end = findEnd();
        ByteSource source = new ByteSource(file, end + 10, file.size());
        long count = source.u16();
        source.skip(4);
        long start = source.u32();
        if (end >= ZIP64_LOCATOR_BYTES) {
            ByteSource locator = new ByteSource(file, end - ZIP64_LOCATOR_BYTES, end);
            if (locator.i32() == ZIP64_LOCATOR) {
                locator.skip(4);
                ByteSource zip64 = at(locator.i64(), end);
                if (zip64.i32() != ZIP64_END_OF_DIRECTORY) {
                    throw damaged("its 64-bit directory is not where it should be");
                }
                zip64.skip(28);
                count = zip64.i64();
                zip64.skip(8);
                start = zip64.i64();
            }
        }
        ByteSource directory = at(start, end);
        for (long i = 0; i < count; i++) {
            if (i == MAX_ENTRIES) {
                throw new CheckpointException(
                        file.path() + " is refused: it has more than " + MAX_ENTRIES + " entries.");
            }
            readEntry(directory);
        }
    }

    private long findEnd() {
        long earliest = Math.max(0, file.size() - END_OF_DIRECTORY_BYTES - MAX_COMMENT);
        byte[] tail = file.read(earliest, (int) (file.size() - earliest));
        for (int i = tail.length - END_OF_DIRECTORY_BYTES; i >= 0; i--) {
            if (tail[i] == 'P' && tail[i + 1] == 'K' && tail[i + 2] == 5 && tail[i + 3] == 6) {
                return earliest + i;
            }
        }
        throw new CheckpointException(file.path()
                + " begins like a zip file of torch.save, but its directory at the end"
                + " is missing: it is truncated. Download it again.");
    }

    private void readEntry(ByteSource directory) {
        if (directory.i32() != DIRECTORY_ENTRY) {
            throw damaged("its directory is broken at byte " + (directory.position() - 4));
        }
        directory.skip(6);
        int compression = directory.u16();
        directory.skip(8);
        long compressed = directory.u32();
        long size = directory.u32();
        int nameLength = directory.u16();
        int extraLength = directory.u16();
        int commentLength = directory.u16();
        directory.skip(8);
        long header = directory.u32();
        if (nameLength > MAX_NAME) {
            throw damaged("an entry has a name of " + nameLength + " bytes");
        }
        String name = new String(directory.bytes(nameLength, MAX_NAME), StandardCharsets.UTF_8);
        long extraEnd = directory.position() + extraLength;
        while (extraEnd - directory.position() >= 4) {
            int id = directory.u16();
            int length = directory.u16();
            long fieldEnd = directory.position() + length;
            if (id == ZIP64_EXTRA) {
                // Only the values that do not fit above are here, in this order.
                size = size == IN_ZIP64 ? directory.i64() : size;
                compressed = compressed == IN_ZIP64 ? directory.i64() : compressed;
                header = header == IN_ZIP64 ? directory.i64() : header;
            }
            directory.skip(fieldEnd - directory.position());
        }
        directory.skip(extraEnd - directory.position() + commentLength);
        if (compression != 0 || compressed != size) {
            throw new CheckpointException("Entry " + name + " of " + file.path() + " is compressed; torch.save does not"
                    + " write such files. Save it again with torch.save.");
        }
        if (entries.put(name, new Entry(dataStart(name, header, size), size)) != null) {
            throw damaged("it has the entry " + name + " twice");
        }
    }

    private long dataStart(String name, long header, long size) {
        ByteSource local = at(header, file.size());
        if (local.remaining() < LOCAL_HEADER_BYTES || local.i32() != LOCAL_HEADER) {
            throw damaged("entry " + name + " is not where the directory says");
        }
        local.skip(22);
        int nameLength = local.u16();
        int extraLength = local.u16();
        long start = local.position() + nameLength + extraLength;
        if (size < 0 || start > file.size() - size) {
            throw damaged("entry " + name + " reaches beyond the end");
        }
        return start;
    }

    private ByteSource at(long position, long end) {
        if (position < 0 || position > end) {
            throw damaged("its directory points outside the file");
        }
        return new ByteSource(file, position, end);
    }

    private CheckpointException damaged(String what) {
        return new CheckpointException(file.path() + " is a damaged zip file: " + what + ". Download it again.");
    }
}

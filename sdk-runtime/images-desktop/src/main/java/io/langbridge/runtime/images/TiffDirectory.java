package io.langbridge.runtime.images;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The first directory of a TIFF file or EXIF block. Nothing is read but the tags that are asked for; what is behind a
 * damaged entry is missing, as it is for the reference.
 */
final class TiffDirectory {
    /** Bytes per value, by type: 1 byte, 2 text, 3 short, 4 long, 5 ratio, and so on. */
    private static final int[] SIZES = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8};

    private static final int ENTRY = 12;

    private final ByteBuffer file;
    private final Map<Integer, Entry> entries = new HashMap<>();

    /**
     * One tag.
     *
     * @param at where its values start
     */
    private record Entry(int type, int count, int at) {}

    private TiffDirectory(ByteBuffer file) {
        this.file = file;
    }

    /**
     * Reads the directory.
     *
     * @param bytes from the byte order on
     * @return null if it does not start as a TIFF file does
     */
    static @Nullable TiffDirectory of(ByteBuffer bytes) {
        if (bytes.limit() < 8) {
            return null;
        }
        int first = bytes.get(0);
        if ((first != 'I' && first != 'M') || bytes.get(1) != first) {
            return null;
        }
        int one = bytes.get(2);
        int other = bytes.get(3);
        // Both orders of the magic number are found in the wild.
        if (!(one == 42 && other == 0) && !(one == 0 && other == 42)) {
            return null;
        }
        TiffDirectory directory =
                new TiffDirectory(bytes.order(first == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN));
        directory.readEntries(Integer.toUnsignedLong(bytes.getInt(4)));
        return directory;
    }

    private void readEntries(long start) {
        if (start + 2 > file.limit()) {
            return;
        }
        int count = file.getShort((int) start) & 0xFFFF;
        long at = start + 2;
        for (int i = 0; i < count && at + ENTRY <= file.limit(); i++, at += ENTRY) {
            int type = file.getShort((int) at + 2) & 0xFFFF;
            if (type == 0 || type >= SIZES.length || SIZES[type] == 0) {
                continue;
            }
            long values = Integer.toUnsignedLong(file.getInt((int) at + 4));
            long size = values * SIZES[type];
            long from = size > 4 ? Integer.toUnsignedLong(file.getInt((int) at + 8)) : at + 8;
            if (from + size > file.limit()) {
                return;
            }
            if (size > 0) {
                entries.put(file.getShort((int) at) & 0xFFFF, new Entry(type, (int) values, (int) from));
            }
        }
    }

    ByteOrder order() {
        return file.order();
    }

    boolean has(int tag) {
        return entries.containsKey(tag);
    }

    int count(int tag) {
        Entry entry = entries.get(tag);
        return entry == null ? 0 : entry.count;
    }

    /** The first value of a tag. */
    long number(int tag, long otherwise) {
        Entry entry = entries.get(tag);
        return entry == null ? otherwise : value(entry, 0);
    }

    /** The first values of a tag, none if it is missing. A tag can have as many as there are bytes in the file. */
    long[] numbers(int tag, int most) {
        Entry entry = entries.get(tag);
        if (entry == null) {
            return new long[0];
        }
        long[] values = new long[Math.min(entry.count, most)];
        Arrays.setAll(values, i -> value(entry, i));
        return values;
    }

    byte @Nullable [] bytes(int tag) {
        Entry entry = entries.get(tag);
        if (entry == null) {
            return null;
        }
        byte[] bytes = new byte[entry.count * SIZES[entry.type]];
        file.duplicate().position(entry.at).get(bytes);
        return bytes;
    }

    /** -1 for text and for what is no whole number. */
    private long value(Entry entry, int index) {
        int at = entry.at + index * SIZES[entry.type];
        return switch (entry.type) {
            case 3 -> file.getShort(at) & 0xFFFF;
            case 4, 13 -> Integer.toUnsignedLong(file.getInt(at));
            case 5, 10 -> ratio(file.getInt(at), file.getInt(at + 4));
            case 6 -> file.get(at);
            case 8 -> file.getShort(at);
            case 9 -> file.getInt(at);
            case 11 -> whole(file.getFloat(at));
            case 12 -> whole(file.getDouble(at));
            case 16 -> file.getLong(at);
            default -> -1;
        };
    }

    private static long ratio(int above, int below) {
        return below != 0 && above % below == 0 ? above / below : -1;
    }

    private static long whole(double value) {
        return value == Math.rint(value) ? (long) value : -1;
    }
}

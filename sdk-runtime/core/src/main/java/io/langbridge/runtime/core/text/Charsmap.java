package io.langbridge.runtime.core.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * The table of replacements that SentencePiece compiles into a model ({@code precompiled_charsmap}): the length of a
 * double-array trie, its units, and the replacements, each closed by a zero byte. Immutable.
 */
final class Charsmap {
    /** What belongs to the character before it, beside marks: joiners, half-width sound marks, skin tones, tags. */
    private static final CodePoints EXTENDING =
            CodePoints.ofBounds(0x200C, 0x200E, 0xFF9E, 0xFFA0, 0x1F3FB, 0x1F400, 0xE0020, 0xE0080);

    /** What belongs to the character after it. */
    private static final CodePoints PREPENDED =
            CodePoints.ofBounds(0x600, 0x606, 0x6DD, 0x6DE, 0x70F, 0x710, 0x890, 0x892, 0x8E2, 0x8E3, 0xD4E, 0xD4F);

    /** A cluster of this many bytes or more is replaced character by character. */
    private static final int LONG_CLUSTER = 6;

    private final int[] units;
    private final byte[] replacements;

    private Charsmap(int[] units, byte[] replacements) {
        this.units = units;
        this.replacements = replacements;
    }

    /** @param part text in Base64 */
    static Charsmap of(Part part) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(part.text());
        } catch (IllegalArgumentException e) {
            throw part.damaged("is not Base64");
        }
        Charsmap map = of(bytes);
        if (map == null) {
            throw part.damaged("is not a compiled table of replacements");
        }
        return map;
    }

    /** {@return null if the bytes are no such table} */
    static @Nullable Charsmap of(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < 4) {
            return null;
        }
        int length = in.getInt();
        if (length < 4 || length % 4 != 0 || length > in.remaining()) {
            return null;
        }
        int[] units = new int[length / 4];
        in.asIntBuffer().get(units);
        byte[] replacements = Arrays.copyOfRange(bytes, 4 + length, bytes.length);
        return Utf8.isWellFormed(replacements, replacements.length) ? new Charsmap(units, replacements) : null;
    }

    String apply(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        byte[] utf8 = new byte[2 * LONG_CLUSTER];
        int at = 0;
        while (at < text.length()) {
            int end = clusterEnd(text, at);
            int length = end - at < LONG_CLUSTER ? write(text, at, end, utf8) : LONG_CLUSTER;
            if (length >= LONG_CLUSTER || !replace(utf8, length, out)) {
                for (int i = at; i < end; ) {
                    int c = text.codePointAt(i);
                    if (!replace(utf8, Utf8.write(c, utf8, 0), out)) {
                        out.appendCodePoint(c);
                    }
                    i += Character.charCount(c);
                }
            }
            at = end;
        }
        return out.toString();
    }

    private static int write(String text, int start, int end, byte[] to) {
        int length = 0;
        for (int i = start; i < end && length < LONG_CLUSTER; i += Character.charCount(text.codePointAt(i))) {
            length += Utf8.write(text.codePointAt(i), to, length);
        }
        return length;
    }

    /** What people see as one character, as far as it can be shorter than six bytes and have several. */
    private static int clusterEnd(String text, int start) {
        int first = text.codePointAt(start);
        int end = start + Character.charCount(first);
        if (first == '\r' && end < text.length() && text.charAt(end) == '\n') {
            return end + 1;
        }
        int last = first;
        while (end < text.length()) {
            int next = text.codePointAt(end);
            if (isControl(last) || isControl(next)) {
                break;
            }
            boolean goesOn = Unicode.isMark(next) || EXTENDING.contains(next) || PREPENDED.contains(last);
            if (!goesOn) {
                break;
            }
            end += Character.charCount(next);
            last = next;
        }
        return end;
    }

    private static boolean isControl(int c) {
        return Unicode.is(SEPARATOR_OR_OTHER, c) && !EXTENDING.contains(c) && !PREPENDED.contains(c);
    }

    /** Categories, see {@link Unicode#is}: Zl, Zp, Cc, Cf. */
    private static final int SEPARATOR_OR_OTHER = 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26 | 1 << 30;

    /** Writes the replacement of the shortest beginning that has one, as the reference does. */
    private boolean replace(byte[] utf8, int length, StringBuilder out) {
        int value = shortest(utf8, length);
        if (value < 0 || value > replacements.length) {
            return false;
        }
        int end = value;
        while (end < replacements.length && replacements[end] != 0) {
            end++;
        }
        out.append(new String(replacements, value, end - value, StandardCharsets.UTF_8));
        return true;
    }

    private int shortest(byte[] utf8, int length) {
        int node = offset(units[0]);
        for (int i = 0; i < length; i++) {
            int label = utf8[i] & 0xFF;
            if (label == 0) {
                return -1;
            }
            node ^= label;
            if (node < 0 || node >= units.length || (units[node] & 0x800000FF) != label) {
                return -1;
            }
            int unit = units[node];
            node ^= offset(unit);
            if ((unit >>> 8 & 1) != 0) {
                return node >= 0 && node < units.length ? units[node] & 0x7FFFFFFF : -1;
            }
        }
        return -1;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }
}

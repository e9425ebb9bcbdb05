package io.langbridge.spi;

import io.langbridge.ImageException;
import java.util.function.Supplier;

/**
 * Heap for pictures, refused in words that say how much is needed.
 *
 * @since 0.1
 */
public final class ImageMemory {
    /** The largest array that every JVM can make. */
    private static final long LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private ImageMemory() {}

    /**
     * Checks that this JVM could hold so much at all.
     *
     * @param bytes needed at the same time
     * @param source what to call the picture in the error, for example its path
     * @throws ImageException if the whole heap is smaller
     */
    public static void check(long bytes, String source) {
        if (bytes > Runtime.getRuntime().maxMemory()) {
            throw new ImageException(tooLittle(bytes, source));
        }
    }

    /**
     * Makes an array.
     *
     * @param bytes its length
     * @param source what to call the picture in the error, for example its path
     * @return all zero
     * @throws ImageException if the heap has no room for it, or no array is that long
     */
    public static byte[] allocate(long bytes, String source) {
        if (bytes > LARGEST_ARRAY) {
            throw new ImageException(source + " needs " + bytes + " bytes in one piece, more than the " + LARGEST_ARRAY
                    + " of the longest Java array; scale the picture down");
        }
        return within(bytes, source, () -> new byte[(int) bytes]);
    }

    /**
     * Runs what takes heap by itself.
     *
     * @param <T> what comes of it
     * @param bytes needed at the same time
     * @param source what to call the picture in the error, for example its path
     * @param work run once, by this thread
     * @return what comes of it
     * @throws ImageException if the heap has no room for it
     */
    public static <T> T within(long bytes, String source, Supplier<T> work) {
        check(bytes, source);
        try {
            return work.get();
        } catch (OutOfMemoryError e) {
            throw new ImageException(tooLittle(bytes, source), e);
        }
    }

    private static String tooLittle(long bytes, String source) {
        return source + " needs " + megabytes(bytes) + " MB of heap to be decoded, but this JVM has "
                + megabytes(Runtime.getRuntime().maxMemory())
                + " MB in all, or others use them; scale the picture down, or raise the heap (-Xmx)";
    }

    private static long megabytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}

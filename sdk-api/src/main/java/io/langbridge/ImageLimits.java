package io.langbridge;

/**
 * What a picture may cost at most. The numbers are compared with what the file declares before anything is decoded, so
 * that a small file which claims to be huge ends in an {@link ImageException} and not in exhausted memory. Immutable.
 *
 * @param maxFileBytes size of the encoded picture in bytes
 * @param maxPixels width times height; decoding takes about 6 to 8 bytes per pixel for a moment
 * @param maxSide width and height each, in pixels
 * @since 0.1
 */
public record ImageLimits(long maxFileBytes, long maxPixels, int maxSide) {
    private static final ImageLimits DEFAULTS = new ImageLimits(100L << 20, 100_000_000L, 32_768);

    /**
     * Checks that all three limits are positive.
     *
     * @param maxFileBytes see the record
     * @param maxPixels see the record
     * @param maxSide see the record
     * @throws IllegalArgumentException if one is not
     */
    public ImageLimits {
        if (maxFileBytes <= 0 || maxPixels <= 0 || maxSide <= 0) {
            throw new IllegalArgumentException("Limits must be positive, not maxFileBytes = " + maxFileBytes
                    + ", maxPixels = " + maxPixels + ", maxSide = " + maxSide);
        }
    }

    /**
     * 100 MiB, 100 million pixels, 32,768 pixels along a side: enough for every camera, little enough for a heap of 2
     * GB.
     *
     * @return the limits
     */
    public static ImageLimits defaults() {
        return DEFAULTS;
    }

    /**
     * Checks the size of an encoded picture.
     *
     * @param bytes size in bytes
     * @param source what to call the picture in the error, for example its path
     * @throws ImageException if the picture is empty or too large
     */
    public void checkFileBytes(long bytes, String source) {
        if (bytes == 0) {
            throw new ImageException(source + " is empty (0 bytes); give a picture file");
        }
        if (bytes > maxFileBytes) {
            throw new ImageException(source + " has " + bytes + " bytes, more than the limit of " + maxFileBytes
                    + "; scale the picture down, or raise maxFileBytes in ImageLimits");
        }
    }

    /**
     * Checks the size a picture declares. A decoder calls this after it has read the header and before it decodes.
     *
     * @param width in pixels
     * @param height in pixels
     * @param source what to call the picture in the error, for example its path
     * @throws ImageException if a side is not positive, or the picture is too large
     */
    public void checkPixels(long width, long height, String source) {
        if (width <= 0 || height <= 0) {
            throw new ImageException(source + " declares a size of " + width + " x " + height
                    + " pixels; the file is damaged, save it again");
        }
        if (width > maxSide || height > maxSide) {
            throw new ImageException(source + " declares a size of " + width + " x " + height
                    + " pixels, more than the limit of " + maxSide
                    + " along a side; scale the picture down, or raise maxSide in ImageLimits");
        }
        if (width * height > maxPixels) {
            throw new ImageException(source + " declares a size of " + width + " x " + height + " = " + width * height
                    + " pixels, more than the limit of " + maxPixels
                    + "; scale the picture down, or raise maxPixels in ImageLimits");
        }
    }
}

package io.langbridge;

/**
 * What a picture may cost at most. The numbers are compared with what the file declares before anything is decoded, so
 * that a small file which claims to be huge ends in an {@link ImageException} and not in exhausted memory, and one that
 * asks for many passes over many pixels not in a busy processor. Immutable.
 *
 * <pre>{@code
 * Image upload = Image.of(bytes, ImageLimits.defaults().withMaxFileBytes(5 << 20));
 * }</pre>
 *
 * @param maxFileBytes size of the encoded picture in bytes
 * @param maxPixels width times height; a picture that must be decoded as a whole (turned by 90 degrees outside a model,
 *     interlaced, progressive) takes about 3 to 8 bytes per pixel for a moment
 * @param maxSide width and height each, in pixels
 * @param maxWork samples that decoding touches: the pixels, and again for each further pass over a channel, of which a
 *     progressive JPEG has about ten and a hostile one thousands. 100 million take 0.1 to 0.5 seconds
 * @since 0.1
 */
public record ImageLimits(long maxFileBytes, long maxPixels, int maxSide, long maxWork) {
    private static final long DEFAULT_WORK = 1_000_000_000L;
    private static final ImageLimits DEFAULTS = new ImageLimits(100L << 20, 100_000_000L, 32_768);

    /**
     * Checks that all limits are positive.
     *
     * @param maxFileBytes see the record
     * @param maxPixels see the record
     * @param maxSide see the record
     * @param maxWork see the record
     * @throws IllegalArgumentException if one is not
     */
    public ImageLimits {
        if (maxFileBytes <= 0 || maxPixels <= 0 || maxSide <= 0 || maxWork <= 0) {
            throw new IllegalArgumentException("Limits must be positive, not maxFileBytes = " + maxFileBytes
                    + ", maxPixels = " + maxPixels + ", maxSide = " + maxSide + ", maxWork = " + maxWork);
        }
    }

    /**
     * Limits with the usual budget of work: one billion samples.
     *
     * @param maxFileBytes see the record
     * @param maxPixels see the record
     * @param maxSide see the record
     * @throws IllegalArgumentException if one is not positive
     */
    public ImageLimits(long maxFileBytes, long maxPixels, int maxSide) {
        this(maxFileBytes, maxPixels, maxSide, DEFAULT_WORK);
    }

    /**
     * 100 MiB, 100 million pixels, 32,768 pixels along a side, one billion samples of work: enough for every camera,
     * little enough for a heap of 2 GB and some seconds.
     *
     * @return the limits
     */
    public static ImageLimits defaults() {
        return DEFAULTS;
    }

    /**
     * The same with another {@link #maxFileBytes}.
     *
     * @param bytes at least 1
     * @return the limits
     */
    public ImageLimits withMaxFileBytes(long bytes) {
        return new ImageLimits(bytes, maxPixels, maxSide, maxWork);
    }

    /**
     * The same with another {@link #maxPixels}.
     *
     * @param pixels at least 1
     * @return the limits
     */
    public ImageLimits withMaxPixels(long pixels) {
        return new ImageLimits(maxFileBytes, pixels, maxSide, maxWork);
    }

    /**
     * The same with another {@link #maxSide}.
     *
     * @param pixels at least 1
     * @return the limits
     */
    public ImageLimits withMaxSide(int pixels) {
        return new ImageLimits(maxFileBytes, maxPixels, pixels, maxWork);
    }

    /**
     * The same with another {@link #maxWork}.
     *
     * @param samples at least 1
     * @return the limits
     */
    public ImageLimits withMaxWork(long samples) {
        return new ImageLimits(maxFileBytes, maxPixels, maxSide, samples);
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

    /**
     * Checks what decoding costs. A decoder calls this after it has read the header and before it decodes.
     *
     * @param samples that decoding touches, see {@link #maxWork()}
     * @param source what to call the picture in the error, for example its path
     * @throws ImageException if it is too much
     */
    public void checkWork(long samples, String source) {
        if (samples > maxWork) {
            throw new ImageException(
                    source + " takes " + samples + " samples of work to decode, more than the limit of " + maxWork
                            + "; save it again without progression and interlacing, or raise maxWork in ImageLimits");
        }
    }
}

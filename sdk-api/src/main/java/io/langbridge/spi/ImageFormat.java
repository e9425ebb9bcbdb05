package io.langbridge.spi;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * File formats recognised by their first bytes: those a decoder may read, and those people try, so that an error can
 * name them.
 *
 * @since 0.1
 */
public enum ImageFormat {
    /** Photographs, {@code .jpg}. */
    JPEG("JPEG"),
    /** {@code .png}. */
    PNG("PNG"),
    /** {@code .gif}. */
    GIF("GIF"),
    /** Windows bitmap, {@code .bmp}. */
    BMP("BMP"),
    /** {@code .webp}. */
    WEBP("WebP"),
    /** {@code .tif}. */
    TIFF("TIFF"),
    /** Photographs of Apple devices, {@code .heic}. */
    HEIC("HEIC"),
    /** {@code .avif}. */
    AVIF("AVIF"),
    /** {@code .jxl}. */
    JPEG_XL("JPEG XL"),
    /** {@code .jp2} and {@code .j2k}. */
    JPEG_2000("JPEG 2000"),
    /** Windows icon, {@code .ico}. */
    ICO("ICO"),
    /** Photoshop document, {@code .psd}. */
    PSD("Photoshop"),
    /** A document, not a picture. */
    PDF("PDF"),
    /** A drawing, not a picture of pixels. */
    SVG("SVG"),
    /** A web page, often saved in place of the picture. */
    HTML("HTML");

    private static final int TEXT_SEARCHED = 1024;

    private final String title;

    ImageFormat(String title) {
        this.title = title;
    }

    /** {@return the name people use, for messages} */
    public String title() {
        return title;
    }

    /**
     * Recognises a format.
     *
     * @param encoded a file, or at least its first kilobyte
     * @return null if it is none of these
     */
    public static @Nullable ImageFormat of(byte[] encoded) {
        String head = new String(encoded, 0, Math.min(encoded.length, TEXT_SEARCHED), StandardCharsets.ISO_8859_1);
        if (head.startsWith("\u00ff\u00d8\u00ff")) {
            return JPEG;
        }
        if (head.startsWith("\u0089PNG\r\n\u001a\n")) {
            return PNG;
        }
        if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) {
            return GIF;
        }
        if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) {
            return WEBP;
        }
        if (head.startsWith("II*\0")
                || head.startsWith("MM\0*")
                || head.startsWith("II+\0")
                || head.startsWith("MM\0+")) {
            return TIFF;
        }
        if (head.startsWith("ftyp", 4)) {
            return isoMedia(head);
        }
        if (head.startsWith("\u00ff\n") || head.startsWith("\0\0\0\fJXL ")) {
            return JPEG_XL;
        }
        if (head.startsWith("\0\0\0\fjP  ") || head.startsWith("\u00ffO\u00ffQ")) {
            return JPEG_2000;
        }
        if (head.startsWith("\0\0\1\0")) {
            return ICO;
        }
        if (head.startsWith("8BPS")) {
            return PSD;
        }
        if (head.startsWith("%PDF")) {
            return PDF;
        }
        // Two letters prove little: the four reserved bytes of a BMP header are zero in practice.
        if (head.startsWith("BM") && head.startsWith("\0\0\0\0", 6)) {
            return BMP;
        }
        return markup(head.toLowerCase(Locale.ROOT));
    }

    private static @Nullable ImageFormat isoMedia(String head) {
        String brands = head.substring(8, Math.min(head.length(), 40));
        if (brands.startsWith("avif") || brands.startsWith("avis")) {
            return AVIF;
        }
        if (brands.startsWith("hei") || brands.startsWith("hev")) {
            return HEIC;
        }
        if (brands.startsWith("mif1") || brands.startsWith("msf1")) {
            return brands.contains("avif") ? AVIF : HEIC;
        }
        return null;
    }

    private static @Nullable ImageFormat markup(String head) {
        int start = head.indexOf('<');
        // A byte order mark (three characters here) or white space may precede the first tag, nothing else.
        if (start < 0 || (start > 3 && !head.substring(3, start).trim().isEmpty())) {
            return null;
        }
        if (head.startsWith("<!doctype html", start) || head.startsWith("<html", start)) {
            return HTML;
        }
        return head.indexOf("<svg", start) >= 0 ? SVG : null;
    }
}

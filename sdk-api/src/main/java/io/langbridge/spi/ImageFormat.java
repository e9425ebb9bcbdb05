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
    /** Windows and OS/2 bitmap, {@code .bmp}. */
    BMP("BMP"),
    /** {@code .webp}. */
    WEBP("WebP"),
    /** {@code .tif}. */
    TIFF("TIFF"),
    /** Photographs of Apple devices, {@code .heic}. */
    HEIC("HEIC", "have the device save JPEG (Settings, Camera, Formats, Most Compatible)"),
    /** {@code .avif}. */
    AVIF("AVIF", "ask the server for another format (it sends AVIF when the header Accept names it)"),
    /** {@code .jxl}. */
    JPEG_XL("JPEG XL", "turn it back into the JPEG it was made of with djxl"),
    /** {@code .jp2} and {@code .j2k}. */
    JPEG_2000("JPEG 2000", "decode it with the ImageIO plug-in jai-imageio-jpeg2000 and give it to DesktopImage.of"),
    /** Truevision, {@code .tga}. */
    TGA("TGA", "decode it with the ImageIO plug-in TwelveMonkeys imageio-tga and give it to DesktopImage.of"),
    /** Portable anymap, {@code .pbm}, {@code .pgm}, {@code .ppm}, {@code .pam}. */
    PNM("PNM", "read its samples, which are not compressed, and give them to Image.ofArgb"),
    /** Windows icon, {@code .ico}. */
    ICO("ICO", "decode it with the ImageIO plug-in TwelveMonkeys imageio-bmp and give it to DesktopImage.of"),
    /** Photoshop document, {@code .psd}. */
    PSD("Photoshop", "decode it with the ImageIO plug-in TwelveMonkeys imageio-psd and give it to DesktopImage.of"),
    /** A document, not a picture. */
    PDF("PDF", "draw a page with Apache PDFBox (PDFRenderer.renderImage) and give it to DesktopImage.of"),
    /** A drawing, not a picture of pixels. */
    SVG("SVG", "draw it with Apache Batik (PNGTranscoder) and give the PNG"),
    /** A web page, often saved in place of the picture. */
    HTML("HTML", "look at it in a browser: a server often answers with a page that says why there is no picture"),
    /** A picture written as text. */
    BASE64("Base64 text", "decode it with java.util.Base64, and give the bytes to Image.of"),
    /** A picture written as the address that holds it. */
    DATA_URI("data URI", "give the text to Image.ofDataUri"),
    /** Where a picture is, not the picture. */
    ADDRESS("web address", "fetch it with java.net.http.HttpClient, and give the body to Image.of");

    private static final int TEXT_SEARCHED = 1024;
    private static final int SHORTEST_BASE64 = 24;
    private static final int BMP_HEADER_SIZE = 14;

    private final String title;
    private final String nextStep;

    ImageFormat(String title) {
        this(title, "");
    }

    ImageFormat(String title, String nextStep) {
        this.title = title;
        this.nextStep = nextStep;
    }

    /** {@return the name people use, for messages} */
    public String title() {
        return title;
    }

    /** {@return what a Java developer can do with such a file where it is not decoded; empty for the usual formats} */
    public String nextStep() {
        return nextStep;
    }

    /** {@return the format with an article, for messages} */
    public String what() {
        return this == BASE64 || this == DATA_URI || this == ADDRESS
                ? "no picture but a " + title
                : "a file of the format " + title;
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
        // Two letters prove little. The reserved bytes behind the size are zero, unless they are a hot spot; what
        // follows is the size of one of the known headers then.
        if (head.startsWith("BM") && (head.startsWith("\0\0\0\0", 6) || isBitmapHeader(head))) {
            return BMP;
        }
        if (head.length() > 2
                && head.charAt(0) == 'P'
                && "1234567".indexOf(head.charAt(1)) >= 0
                && Character.isWhitespace(head.charAt(2))) {
            return PNM;
        }
        if (isTruevision(head)) {
            return TGA;
        }
        ImageFormat markup = markup(head.toLowerCase(Locale.ROOT));
        return markup != null ? markup : text(head);
    }

    private static boolean isBitmapHeader(String head) {
        if (head.length() < BMP_HEADER_SIZE + 4 || !head.startsWith("\0\0\0", BMP_HEADER_SIZE + 1)) {
            return false;
        }
        int size = head.charAt(BMP_HEADER_SIZE);
        return size == 12 || size >= 16 && size <= 64 || size == 108 || size == 124;
    }

    /** It has no signature: a header in which everything makes sense is taken for one. */
    private static boolean isTruevision(String head) {
        if (head.length() < 18) {
            return false;
        }
        int type = head.charAt(2) & ~8;
        boolean palette = head.charAt(1) == 1;
        boolean plain = head.charAt(1) == 0 && head.startsWith("\0\0\0\0\0", 3);
        int bits = head.charAt(16);
        return (type == 1 && palette && bits == 8
                        || (type == 2 || type == 3)
                                && plain
                                && (bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32))
                && (head.charAt(12) | head.charAt(13)) != 0
                && (head.charAt(14) | head.charAt(15)) != 0
                && (head.charAt(17) & 0xC0) == 0;
    }

    private static @Nullable ImageFormat text(String head) {
        String text = head.trim();
        if (text.regionMatches(true, 0, "data:", 0, 5)) {
            return DATA_URI;
        }
        int scheme = text.indexOf("://");
        if (scheme > 1 && scheme < 12 && consistsOf(text.substring(0, scheme), "+.-")) {
            return ADDRESS;
        }
        return text.length() >= SHORTEST_BASE64 && consistsOf(text, "+/=-_\r\n") ? BASE64 : null;
    }

    /** True if there is nothing but letters, digits and {@code others}. */
    private static boolean consistsOf(String text, String others) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!plain && others.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
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

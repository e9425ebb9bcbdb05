/** Decodes pictures with ImageIO. Nothing here is for applications. */
// A named module, because an automatic one would not bring java.desktop along. TwelveMonkeys has automatic names only.
@SuppressWarnings("requires-automatic")
module io.langbridge.runtime.images {
    requires com.twelvemonkeys.imageio.core;
    requires com.twelvemonkeys.imageio.jpeg;
    requires com.twelvemonkeys.imageio.metadata;
    requires com.twelvemonkeys.imageio.webp;
    requires io.langbridge;
    requires java.desktop;
    requires static org.jspecify;

    provides io.langbridge.spi.ImageDecoder with
            io.langbridge.runtime.images.DesktopImageDecoder;
}

/** Decodes pictures with ImageIO, which needs no call of the application, and draws what a model sees. */
// A named module, because an automatic one would not bring java.desktop along. TwelveMonkeys has automatic names only.
@SuppressWarnings("requires-automatic")
module io.langbridge.runtime.images {
    requires com.google.gson;
    requires com.twelvemonkeys.imageio.core;
    requires com.twelvemonkeys.imageio.jpeg;
    requires com.twelvemonkeys.imageio.metadata;
    requires transitive io.langbridge;
    requires transitive java.desktop;
    requires static org.jspecify;

    exports io.langbridge.drawing;

    provides io.langbridge.spi.ImageDecoder with
            io.langbridge.runtime.images.DesktopImageDecoder;
}

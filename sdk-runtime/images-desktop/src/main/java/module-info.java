/** Decodes pictures with ImageIO, which needs no call of the application, and draws what a model sees. */
// A named module, because an automatic one would not bring java.desktop along.
module io.langbridge.runtime.images {
    requires com.google.gson;
    requires transitive io.langbridge;
    requires transitive java.desktop;
    requires static org.jspecify;

    exports io.langbridge.drawing;

    provides io.langbridge.spi.ImageDecoder with
            io.langbridge.runtime.images.DesktopImageDecoder;
}

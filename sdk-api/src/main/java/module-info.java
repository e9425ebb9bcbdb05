import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ModelLoader;

/** The public API of LangBridge. Engines and picture decoders are found on the module path or the class path. */
module io.langbridge {
    requires static transitive org.jspecify;

    exports io.langbridge;
    exports io.langbridge.spi;

    uses ImageDecoder;
    uses ModelLoader;
}

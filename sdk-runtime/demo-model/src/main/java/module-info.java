/** A small trained model to try the library with. */
module io.langbridge.runtime.demo {
    requires transitive io.langbridge;
    requires static transitive org.jspecify;

    exports io.langbridge.runtime.demo;
}

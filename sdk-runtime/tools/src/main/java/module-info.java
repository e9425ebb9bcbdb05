/** What a machine has for models; for those who make and study adapters, shared vocabularies and visual tokens. */
module io.langbridge.tools {
    requires io.langbridge.runtime.core;
    requires java.management;
    requires jdk.management;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;

    exports io.langbridge.tools;

    uses io.langbridge.spi.ImageDecoder;
}

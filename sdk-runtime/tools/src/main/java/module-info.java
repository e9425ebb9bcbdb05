/** For those who make and study adapters: shared vocabularies, and how visual tokens lie among words. */
module io.langbridge.tools {
    requires io.langbridge.runtime.core;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;

    exports io.langbridge.tools;
}

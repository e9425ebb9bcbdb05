/** The public API of LangBridge. Engines and picture decoders are found on the module path or the class path. */
module io.langbridge {
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge;
}

/** Downloads models from a Hugging Face hub into the cache that Python uses too: start at {@code Hub}. */
module io.langbridge.hub {
    requires com.google.gson;
    requires java.net.http;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports io.langbridge.hub;
}

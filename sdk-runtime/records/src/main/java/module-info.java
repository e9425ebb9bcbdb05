/** Answers about pictures as Java records: start at {@code Records}. */
module io.langbridge.records {
    requires transitive io.langbridge;
    requires static transitive org.jspecify;

    exports io.langbridge.records;
}

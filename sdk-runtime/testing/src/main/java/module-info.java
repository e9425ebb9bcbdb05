/** A model that computes nothing, for unit tests of what asks one: start at {@code FakeModel}. */
module io.langbridge.testing {
    requires transitive io.langbridge;
    requires static transitive org.jspecify;

    exports io.langbridge.testing;
}

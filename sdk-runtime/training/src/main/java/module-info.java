/** Trains adapters, and encoders and language models with them: start at {@code Training}. */
module io.langbridge.runtime.training {
    requires com.google.gson;
    requires io.langbridge.runtime.core;
    requires io.langbridge.runtime.pytorch;
    requires java.desktop;
    requires transitive io.langbridge;
    requires static transitive org.jspecify;
    requires org.knowm.xchart;
    requires org.slf4j;

    exports io.langbridge.runtime.training;
}

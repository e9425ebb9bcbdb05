/** A user's application as a module. */
module example.consumer {
    requires io.langbridge;
    requires io.langbridge.runtime.demo;
}

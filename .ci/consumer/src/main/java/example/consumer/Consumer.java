package example.consumer;

import io.langbridge.CheckpointException;

/** Uses the public API as a user's application would. */
public final class Consumer {
    private Consumer() {}

    /**
     * Runs it.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Module module = CheckpointException.class.getModule();
        System.out.println(
                "langbridge-api is " + (module.isNamed() ? "module " + module.getName() : "on the class path"));
    }
}

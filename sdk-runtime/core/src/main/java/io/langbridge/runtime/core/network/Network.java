package io.langbridge.runtime.core.network;

import java.util.function.Function;

/**
 * A network as a text.
 *
 * @param name for messages: {@code vision encoder}
 * @param text from the input to the result
 * @param trace the same with all that is to be seen on the way, see {@link Net#show}; may run further than the text
 */
public record Network(String name, Function<Net, Net.Value> text, Function<Net, Net.Value> trace) {
    /** Without anything to see on the way. */
    public Network(String name, Function<Net, Net.Value> text) {
        this(name, text, text);
    }
}

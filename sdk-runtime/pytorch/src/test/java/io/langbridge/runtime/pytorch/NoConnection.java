package io.langbridge.runtime.pytorch;

import io.langbridge.Answer;
import io.langbridge.EngineName;
import io.langbridge.Image;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/**
 * Loads a model and asks it in a JVM of its own, as an application does. Every connection asks for a proxy first, which
 * ends the JVM.
 */
final class NoConnection {
    static final int RAN = 10;
    static final int UNAVAILABLE = 11;
    static final int CONNECTED = 12;

    private NoConnection() {}

    /** Takes the model's folder, the cache directory and the engine's name. */
    public static void main(String[] arguments) {
        ProxySelector.setDefault(new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                Runtime.getRuntime().halt(CONNECTED);
                return List.of();
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException e) {}
        });
        try (VisionLanguageModel model = VisionLanguageModel.builder()
                .folder(Path.of(arguments[0]))
                .cacheDirectory(Path.of(arguments[1]))
                .engine(EngineName.parse(arguments[2]))
                .build()) {
            Answer answer = model.ask(Image.ofArgb(new int[4], 2, 2), "What is this?");
            System.exit(answer.usage().newTokens() > 0 ? RAN : 1);
        } catch (RuntimeUnavailableException e) {
            System.err.println(e.getMessage());
            System.exit(UNAVAILABLE);
        }
    }
}

package io.langbridge.runtime.pytorch;

import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.DecoderConfig;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import java.io.IOException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/**
 * Loads PyTorch and runs a network in a JVM of its own. Every connection asks for a proxy first, which ends the JVM.
 */
final class NoConnection {
    static final int RAN = 10;
    static final int UNAVAILABLE = 11;
    static final int CONNECTED = 12;

    private NoConnection() {}

    public static void main(String[] arguments) throws IOException {
        ProxySelector.setDefault(new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                Runtime.getRuntime().halt(CONNECTED);
                return List.of();
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException e) {}
        });
        DecoderConfig config = Tiny.decoder(false, false, 0, false);
        try (Weights weights = Tiny.weights(config).open(Path.of(arguments[0]));
                DecoderNetwork decoder = new PyTorchEngine().decoder(config, weights, Tiny.OPTIONS);
                DecoderSession session = decoder.open(1)) {
            session.step(1);
            System.exit(RAN);
        } catch (RuntimeUnavailableException e) {
            System.exit(UNAVAILABLE);
        }
    }
}

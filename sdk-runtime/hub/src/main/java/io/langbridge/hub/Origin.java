package io.langbridge.hub;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where an address leads: scheme, host and port. A token is for one origin only. */
record Origin(String scheme, String host, int port) {
    static Origin of(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        int port = address.getPort();
        return new Origin(
                scheme,
                String.valueOf(address.getHost()).toLowerCase(Locale.ROOT),
                port >= 0 ? port : scheme.equals("https") ? 443 : 80);
    }

    /** Whether an address is one that a request can be sent to. */
    static boolean isHttp(URI address) {
        String scheme = address.getScheme();
        return ("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))
                && address.getHost() != null
                && address.getPort() <= 65_535;
    }

    /**
     * Reads the address of a hub.
     *
     * @throws IllegalArgumentException if it is none
     */
    static URI endpoint(String text) {
        URI address = parse(text.replaceAll("/+$", ""));
        if (address == null
                || !isHttp(address)
                || address.getRawUserInfo() != null
                || address.getRawQuery() != null
                || address.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "The endpoint of a hub is an address like https://huggingface.co, without name, password, query or"
                            + " fragment; check endpoint(..) and HF_ENDPOINT.");
        }
        return address;
    }

    static @Nullable URI parse(String text) {
        try {
            return new URI(text);
        } catch (java.net.URISyntaxException e) {
            return null;
        }
    }

    @Override
    public String toString() {
        return scheme + "://" + host + ":" + port;
    }
}

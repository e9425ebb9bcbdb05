package io.langbridge.examples.webservice;

import io.langbridge.Image;
import io.langbridge.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * Pictures of requests: data URIs, and addresses on hosts that were allowed. Fetching whatever a caller names would let
 * him look around in the network that the service stands in; so nothing is fetched unless its host was named, and no
 * redirect is followed.
 */
final class Pictures {
    private static final Duration TIME = Duration.ofSeconds(20);

    private final List<String> hosts;
    private final int maxBytes;
    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(TIME)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();

    Pictures(List<String> hosts, int maxBytes) {
        this.hosts = hosts;
        this.maxBytes = maxBytes;
    }

    Image read(String url, String param) {
        try {
            return url.regionMatches(true, 0, "data:", 0, 5) ? Image.ofDataUri(url) : Image.of(fetch(url, param));
        } catch (ImageException e) {
            throw ApiError.invalid(param, e.getMessage());
        }
    }

    private byte[] fetch(String url, String param) {
        URI address;
        try {
            address = new URI(url);
        } catch (java.net.URISyntaxException e) {
            throw ApiError.invalid(param, "This is neither a data URI nor an address: " + shortened(url));
        }
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https") || !hosts.contains(address.getHost())) {
            throw ApiError.invalid(
                    param,
                    "Pictures are not fetched from " + shortened(url) + "; send a data URI, or start the service with"
                            + " --picture-host");
        }
        try {
            HttpResponse<InputStream> response = client.send(
                    HttpRequest.newBuilder(address).timeout(TIME).build(), HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream in = response.body()) {
                if (response.statusCode() != 200) {
                    throw ApiError.invalid(param, shortened(url) + " answered " + response.statusCode());
                }
                byte[] bytes = in.readNBytes(maxBytes + 1);
                if (bytes.length > maxBytes) {
                    throw ApiError.invalid(param, "The picture has more than " + maxBytes + " bytes");
                }
                return bytes;
            }
        } catch (IOException e) {
            throw ApiError.invalid(param, shortened(url) + " could not be fetched: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiError.of(503, "server_error", "The service ends");
        }
    }

    private static String shortened(String url) {
        return url.length() > 80 ? url.substring(0, 80) + ".." : url;
    }
}

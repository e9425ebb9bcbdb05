package io.langbridge.drawing;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.langbridge.Explanation;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** Writes the page: the template with the picture and the numbers in it. */
final class Page {
    private static final String TEMPLATE = "explanation.html";
    private static final String DATA = "\"DATA\"";
    /** Longest side of the picture in the page. */
    private static final int PICTURE_SIDE = 1400;

    private static final int WORDS_OF_REGION = 3;

    private final Map<Explanation.Word, Integer> indices = new LinkedHashMap<>();

    static String of(Explanation explanation, BufferedImage picture, List<Layer> layers, String measure) {
        JsonObject data = new Page().data(explanation, layers, measure);
        data.addProperty("picture", dataUri(picture));
        // Gson writes <, >, &, = and ' as \\u003c and so on, so that nothing in a token can end the script element.
        return template().replace(DATA, new Gson().toJson(data));
    }

    private JsonObject data(Explanation explanation, List<Layer> layers, String measure) {
        JsonObject data = new JsonObject();
        data.addProperty("width", explanation.width());
        data.addProperty("height", explanation.height());
        data.addProperty("measure", measure);
        JsonArray patches = new JsonArray();
        for (Explanation.Patch patch : explanation.patches()) {
            JsonArray words = new JsonArray();
            for (Explanation.Weight weight : patch.words()) {
                words.add(index(weight.word()));
                words.add(weight.value());
                words.add(weight.strength());
            }
            JsonArray entry = new JsonArray();
            entry.add(patch.tile());
            entry.add(patch.row());
            entry.add(patch.column());
            entry.add(area(patch.area()));
            entry.add(words);
            patches.add(entry);
        }
        data.add("patches", patches);
        JsonArray layersJson = new JsonArray();
        for (Layer layer : layers) {
            JsonObject entry = new JsonObject();
            entry.addProperty("name", layer.name());
            entry.add("area", area(layer.area()));
            JsonArray members = new JsonArray();
            layer.patches().forEach(members::add);
            entry.add("patches", members);
            JsonArray regions = new JsonArray();
            Region.of(explanation, layer).forEach(region -> regions.add(region(region)));
            entry.add("regions", regions);
            layersJson.add(entry);
        }
        data.add("layers", layersJson);
        JsonArray heat = new JsonArray();
        for (Explanation.ImageWord word : explanation.words()) {
            heat.add(heat(word, explanation.patches().size()));
        }
        data.add("heat", heat);
        JsonArray words = new JsonArray();
        for (Explanation.Word word : indices.keySet()) {
            JsonArray entry = new JsonArray();
            entry.add(word.text());
            entry.add(word.token());
            entry.add(word.id());
            words.add(entry);
        }
        data.add("words", words);
        return data;
    }

    private JsonObject region(Region region) {
        JsonObject entry = new JsonObject();
        JsonArray members = new JsonArray();
        region.patches().forEach(members::add);
        entry.add("patches", members);
        entry.add("area", area(region.area()));
        JsonArray words = new JsonArray();
        region.words().stream().limit(WORDS_OF_REGION).forEach(weight -> words.add(index(weight.word())));
        entry.add("words", words);
        return entry;
    }

    private int index(Explanation.Word word) {
        return indices.computeIfAbsent(word, w -> indices.size());
    }

    /** One byte per patch is enough for a colour. */
    private JsonObject heat(Explanation.ImageWord word, int patches) {
        float scale = 0;
        for (int i = 0; i < patches; i++) {
            scale = Math.max(scale, Math.abs(word.value(i)));
        }
        byte[] shares = new byte[patches];
        for (int i = 0; i < patches; i++) {
            shares[i] = (byte) (scale == 0 ? 0 : Math.round(word.value(i) / scale * 127));
        }
        JsonObject heat = new JsonObject();
        heat.addProperty("word", index(word.word()));
        heat.addProperty("strength", word.strength());
        heat.addProperty("strongIn", word.strongIn());
        heat.addProperty("scale", scale);
        heat.addProperty("shares", Base64.getEncoder().encodeToString(shares));
        return heat;
    }

    private static JsonArray area(Explanation.Area area) {
        JsonArray edges = new JsonArray();
        for (double edge : new double[] {area.left(), area.top(), area.right(), area.bottom()}) {
            edges.add(Math.round(edge * 1000) / 1000.0);
        }
        return edges;
    }

    private static String dataUri(BufferedImage picture) {
        double scale = Math.min(1, (double) PICTURE_SIDE / Math.max(picture.getWidth(), picture.getHeight()));
        BufferedImage shown = picture;
        if (scale < 1) {
            int width = (int) Math.max(1, Math.round(picture.getWidth() * scale));
            int height = (int) Math.max(1, Math.round(picture.getHeight() * scale));
            shown = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = shown.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
            graphics.drawImage(picture, 0, 0, width, height, null);
            graphics.dispose();
        }
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            ImageIO.write(shown, "png", bytes);
            return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail to be written to
        }
    }

    private static String template() {
        try (InputStream in = Page.class.getResourceAsStream(TEMPLATE)) {
            if (in == null) {
                throw new AssertionError(TEMPLATE + " is missing in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.langbridge.runtime.core.family;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes {@code config.json} of an adapter in the authors' keys, as it is read here. */
public final class AdapterConfigWriter {
    private AdapterConfigWriter() {}

    /**
     * The adapter's shape.
     *
     * @param hiddenSize of the language model it is for, or null if it is for any
     */
    public static JsonObject shape(AdapterConfig config, @Nullable Integer hiddenSize) {
        JsonObject json = new JsonObject();
        json.addProperty("mm_projector_type", config.type());
        json.addProperty("mm_hidden_size", config.mmHiddenSize());
        if (hiddenSize != null) {
            json.addProperty("hidden_size", hiddenSize);
        }
        if (config instanceof AdapterConfig.LangBridge langBridge) {
            json.addProperty("mlp_hidden_size", langBridge.mlpHiddenSize());
            json.addProperty("mm_vocab_size", langBridge.mmVocabSize());
            if (langBridge.softmax()) {
                json.addProperty("mm_vocab_softmax", true);
            }
        }
        return json;
    }

    /** Adds what it was trained on. */
    public static void addTraining(JsonObject json, FeatureSelection selection, Tiling tiling) {
        JsonArray layers = new JsonArray();
        selection.layers().forEach(layers::add);
        json.add("mm_vision_select_layer", layers.size() == 1 ? layers.get(0) : layers);
        json.addProperty("mm_vision_select_feature", selection.patches() ? "patch" : "cls_patch");
        if (!(tiling instanceof Tiling.AnyResolution any)) {
            json.addProperty("image_aspect_ratio", tiling instanceof Tiling.Pad ? "pad" : "square");
            return;
        }
        json.addProperty("image_aspect_ratio", "anyres");
        json.addProperty("mm_patch_merge_type", any.merge().name().toLowerCase(Locale.ROOT));
        JsonArray pinpoints = new JsonArray();
        for (Size size : any.resolutions()) {
            JsonArray pair = new JsonArray();
            pair.add(size.width());
            pair.add(size.height());
            pinpoints.add(pair);
        }
        json.add("image_grid_pinpoints", pinpoints);
    }
}

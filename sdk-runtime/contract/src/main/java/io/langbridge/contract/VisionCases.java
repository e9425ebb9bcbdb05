package io.langbridge.contract;

import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.RgbPixels;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Vision encoders: every hidden state, the pooled output, the features that adapters take. */
final class VisionCases {
    private static final Pattern HIDDEN_STATE = Pattern.compile("hidden_states\\.(\\d+)");
    private static final Pattern FEATURES = Pattern.compile("features\\.layer_(-?\\d+)\\.(patch|cls_patch|full)");
    private static final Pattern PICTURE = Pattern.compile("[\\w.-]+\\.(png|jpe?g)");

    private VisionCases() {}

    static void check(Check check) {
        Entry json = check.json();
        json.describe("checkpoint_layout");
        Path checkpoint = check.folder().resolve(json.text("checkpoint"));
        VisionPart part = check.closing(VisionPart.open(checkpoint));
        FloatTensor pixels = check.tensor("pixel_values");
        checkPixels(check, part, json.object("inputs"), pixels);
        int side = part.config().patchesPerSide();
        check.same("patches", new int[] {side, side}, json.integers("patches"));

        Map<String, FloatTensor> trace = open(check, part).trace(Map.of(Net.PIXEL_VALUES, pixels));
        for (String name : check.tensorNames()) {
            Matcher hiddenState = HIDDEN_STATE.matcher(name);
            Matcher features = FEATURES.matcher(name);
            if (features.matches()) {
                checkFeatures(check, checkpoint, name, selection(features), pixels);
                continue;
            }
            FloatTensor shown = trace.get(hiddenState.matches() ? "hidden_states." + hiddenState.group(1) : name);
            if (shown != null) {
                boolean pooled = name.equals("pooler_output");
                check.close(name, pooled ? shown.reshape(shown.size(0), shown.size(2)) : shown);
            }
        }
        check.same(
                "number of hidden states",
                (int) trace.keySet().stream()
                        .filter(name -> name.startsWith("hidden_states."))
                        .count(),
                part.config().numHiddenLayers() + 1);
    }

    private static Running open(Check check, VisionPart part) {
        return check.closing(check.engine().open(part.network(), part.weights(), Map.of(), check.options()));
    }

    private static FeatureSelection selection(Matcher name) {
        return new FeatureSelection(
                Integer.parseInt(name.group(1)), name.group(2).equals("patch"));
    }

    /** All pictures at once, and each one alone. */
    private static void checkFeatures(
            Check check, Path checkpoint, String name, FeatureSelection selection, FloatTensor pixels) {
        Running network = open(check, check.closing(VisionPart.open(checkpoint, selection)));
        check.close(name, network.run(Map.of(Net.PIXEL_VALUES, pixels)));
        FloatTensor expected = check.tensor(name);
        for (int i = 0; i < pixels.size(0); i++) {
            FloatTensor one = pixels.rows(i, i + 1);
            float[] alone = network.run(Map.of(Net.PIXEL_VALUES, one)).toArray();
            check.close(
                    name + " of picture " + i + " alone",
                    alone,
                    expected.rows(i, i + 1).toArray(),
                    check.tolerance(name));
        }
    }

    /** The first entries are pictures that the text names. */
    private static void checkPixels(Check check, VisionPart part, Entry inputs, FloatTensor pixels) {
        ImagePreprocessor preprocessor = new ImagePreprocessor(part.pictures(new Tiling.Plain()));
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        Matcher names = PICTURE.matcher(inputs.text("pixel_values"));
        for (int i = 0; names.find(); i++) {
            String name = names.group();
            Optional<RgbPixels> picture = pictures.exactPixels(name);
            if (picture.isPresent()) {
                check.close(
                        "pixel_values of " + name,
                        preprocessor.prepare(picture.get()).pixels().toArray(),
                        pixels.rows(i, i + 1).toArray(),
                        check.tolerance("pixel_values"));
            } else {
                check.leaveOut("the exact pixels of " + name + " are not there");
            }
        }
    }
}

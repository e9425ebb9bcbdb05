package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.Patches;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.Gemma4Vit;
import io.langbridge.runtime.core.network.Gemma4VitConfig;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Pictures at their own shape for a {@link Gemma4Vit}: as large as they can be with a budget of visual tokens, small
 * ones enlarged, each side a multiple of a block.
 */
final class Gemma4Pictures implements Pictures {
    private static final Set<String> PROCESSORS =
            new HashSet<>(Arrays.asList("Gemma4ImageProcessor", "Gemma4ImageProcessorFast", "Gemma4ImageProcessorPil"));

    /** Budgets that the models know, in visual tokens. */
    private static final List<Integer> BUDGETS = Collections.unmodifiableList(Arrays.asList(70, 140, 280, 560, 1120));

    private final Gemma4VitConfig config;
    private final Patches patches;
    private final int block;
    private final int maxSoftTokens;
    private final Resampler.Filter filter;
    private final Normaliser normaliser;

    /**
     * Reads the preprocessor's configuration.
     *
     * @throws CheckpointException if it belongs to another tower
     * @throws UnsupportedModelException if it asks for something else than resizing
     */
    Gemma4Pictures(Json json, Gemma4VitConfig config) {
        this.config = config;
        String processor = json.string("image_processor_type");
        if (processor != null && !PROCESSORS.contains(processor)) {
            throw new UnsupportedModelException(
                    json.at("image_processor_type") + " is '" + processor + "'; supported is Gemma4ImageProcessor.");
        }
        patches = new Patches(
                GridPictures.same(json, "patch_size", 16, config.patchSize()),
                GridPictures.same(json, "pooling_kernel_size", 3, config.poolingKernelSize()),
                true);
        block = config.patchSize() * config.poolingKernelSize();
        if (!json.booleanOr("do_resize", true)) {
            throw new UnsupportedModelException(json.at("do_resize") + " is false; pictures must be resized to whole"
                    + " blocks of " + block + " pixels.");
        }
        maxSoftTokens = json.positiveOr("max_soft_tokens", 280);
        if (!BUDGETS.contains(maxSoftTokens)) {
            throw new CheckpointException(
                    json.at("max_soft_tokens") + " is " + maxSoftTokens + ", which is none of " + BUDGETS + ".");
        }
        filter = PreprocessorConfigReader.filter(json, 3);
        normaliser = PreprocessorConfigReader.scaler(json);
    }

    private Gemma4Pictures(Gemma4Pictures like, int maxSoftTokens) {
        config = like.config;
        patches = like.patches;
        block = like.block;
        filter = like.filter;
        normaliser = like.normaliser;
        this.maxSoftTokens = maxSoftTokens;
    }

    /** With the largest budget that is no more, be it larger than the file's. */
    @Override
    public Gemma4Pictures atMost(int visualTokens) {
        int budget = BUDGETS.stream()
                .filter(each -> each <= visualTokens)
                .reduce((smaller, larger) -> larger)
                .orElseThrow(() -> new UnsupportedModelException("maxVisualTokens(" + visualTokens
                        + ") was asked for, but this model gives pictures a budget of one of " + BUDGETS));
        return new Gemma4Pictures(this, budget);
    }

    @Override
    public Normaliser normaliser() {
        return normaliser;
    }

    @Override
    public Patches patches() {
        return patches;
    }

    @Override
    public String description() {
        return "at its own shape, in blocks of " + block + " pixels, at most " + maxSoftTokens + " of them";
    }

    @Override
    public String toString() {
        return description() + ", " + filter;
    }

    @Override
    public PicturePlan plan(Size picture) {
        return GridPictures.plan(picture, resized(picture), block, filter);
    }

    /** As many whole blocks as the budget has at the picture's shape; of a very thin one a single row or column. */
    Size resized(Size picture) {
        double width = picture.width();
        double height = picture.height();
        double scale = Math.sqrt((double) maxSoftTokens * block * block / (width * height));
        int across = (int) Math.floor(scale * width / block);
        int down = (int) Math.floor(scale * height / block);
        if (down == 0) {
            down = 1;
            across = (int) Math.min(Math.floor(width / height), maxSoftTokens);
        } else if (across == 0) {
            across = 1;
            down = (int) Math.min(Math.floor(height / width), maxSoftTokens);
        }
        int longer = Math.max(across, down) * config.poolingKernelSize();
        if (longer > config.positionEmbeddingSize()) {
            throw new ImageException("The picture has " + picture.width() + " x " + picture.height() + " pixels, which"
                    + " become " + longer + " patches along one side, more than the "
                    + config.positionEmbeddingSize() + " that the encoder has positions for; cut it into parts");
        }
        return new Size(across * block, down * block);
    }

    @Override
    public Map<String, FloatTensor> inputs(Size view) {
        int rows = view.height() / config.patchSize();
        int columns = view.width() / config.patchSize();
        int[] row = patches.rows(rows, columns);
        int[] column = patches.columns(rows, columns);
        Map<String, FloatTensor> inputs = new LinkedHashMap<>();
        float[] frequencies = new Rope(config.ropeTheta(), null).inverseFrequencies(config.headDim() / 2);
        GridPictures.addAngles(inputs, frequencies, column, frequencies, row);
        inputs.put(Gemma4Vit.COLUMN, numbers(column, 0));
        inputs.put(Gemma4Vit.ROW, numbers(row, config.positionEmbeddingSize()));
        return inputs;
    }

    private static FloatTensor numbers(int[] places, int first) {
        FloatTensor numbers = FloatTensor.allocate(1, places.length, 1);
        for (int i = 0; i < places.length; i++) {
            numbers.data().put(i, first + places[i]);
        }
        return numbers;
    }
}

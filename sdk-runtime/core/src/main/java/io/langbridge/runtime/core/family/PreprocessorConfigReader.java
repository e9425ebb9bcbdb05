package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.image.Normaliser;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads {@code preprocessor_config.json}. Keys that are absent have the defaults of the image processor it names. */
public final class PreprocessorConfigReader {
    private static final List<Double> CLIP_MEAN =
            Collections.unmodifiableList(Arrays.asList(0.48145466, 0.4578275, 0.40821073));
    private static final List<Double> CLIP_STD =
            Collections.unmodifiableList(Arrays.asList(0.26862954, 0.26130258, 0.27577711));
    private static final List<Double> HALF = Collections.unmodifiableList(Arrays.asList(0.5, 0.5, 0.5));
    private static final int BICUBIC = 3;

    private PreprocessorConfigReader() {}

    /**
     * Reads one configuration.
     *
     * @param json the content of {@code preprocessor_config.json}
     * @param kind the encoder's family, which decides if the file does not name an image processor
     * @param absentSize edge of the square if {@code size} and {@code crop_size} are absent
     * @throws UnsupportedModelException if it names another image processor or resampling
     * @throws CheckpointException if a value is impossible
     */
    public static PreprocessorConfig read(Json json, Kind kind, int absentSize) {
        boolean siglip = isSiglip(json, kind);
        boolean crops = !siglip && !processor(json).startsWith("LlavaOnevisionImageProcessor");
        PreprocessorConfig.@Nullable Resize resize =
                json.booleanOr("do_resize", true) ? resize(json, siglip, absentSize) : null;
        int resample = json.intOr("resample", BICUBIC);
        if (resample != 2 && resample != BICUBIC) {
            throw new UnsupportedModelException(
                    json.at("resample") + " is " + resample + "; supported are 2 (bilinear) and 3 (bicubic).");
        }
        boolean crop = json.booleanOr("do_center_crop", crops);
        return new PreprocessorConfig(
                resize,
                resample,
                crop ? crop(json, absentSize) : null,
                rescaleFactor(json),
                imageMean(json, !siglip),
                imageStd(json, !siglip));
    }

    /**
     * Reads what the folders hold: {@code preprocessor_config.json}, or {@code image_processor} in
     * {@code processor_config.json}.
     *
     * @param folders asked one after the other
     * @throws CheckpointException if there is neither: pictures prepared in another way than in training give wrong
     *     answers without a word
     */
    static PreprocessorConfig find(VisionConfig vision, Path... folders) {
        return of(vision, findJson(folders));
    }

    /**
     * The same for an encoder whose published name says how it takes pictures: as its family does by default.
     *
     * @param folders asked one after the other
     */
    static PreprocessorConfig findOrDefault(VisionConfig vision, Path... folders) {
        Json json = findJsonOrNull(folders);
        return of(
                vision,
                json != null ? json : Json.parse("{}".getBytes(StandardCharsets.UTF_8), "preprocessor_config.json"));
    }

    private static PreprocessorConfig of(VisionConfig vision, Json json) {
        PreprocessorConfig config = read(json, vision.kind(), vision.imageSize());
        requireTile(json, config, vision.imageSize());
        return config;
    }

    /** The JSON that {@link #find} reads. */
    static Json findJson(Path... folders) {
        Json json = findJsonOrNull(folders);
        if (json == null) {
            throw new CheckpointException("There is no preprocessor_config.json in the folder "
                    + Arrays.stream(folders).distinct().map(Path::toString).collect(Collectors.joining(" or "))
                    + ", which says how pictures become what the encoder takes; download it from where the encoder comes"
                    + " from.");
        }
        return json;
    }

    private static @Nullable Json findJsonOrNull(Path... folders) {
        for (Path folder : folders) {
            Path file = folder.resolve("preprocessor_config.json");
            if (Files.exists(file)) {
                return Json.read(file);
            }
            Path processor = folder.resolve("processor_config.json");
            if (Files.exists(processor)) {
                Json images = Json.read(processor).object("image_processor");
                if (images != null) {
                    return images;
                }
            }
        }
        return null;
    }

    /** The filter of {@code resample}, as PIL numbers them. */
    static Resampler.Filter filter(Json json, int absent) {
        int resample = json.intOr("resample", absent);
        return switch (resample) {
            case 1 -> Resampler.Filter.LANCZOS;
            case 2 -> Resampler.Filter.BILINEAR;
            case 3 -> Resampler.Filter.BICUBIC;
            default ->
                throw new UnsupportedModelException(json.at("resample") + " is " + resample
                        + "; supported are 1 (Lanczos), 2 (bilinear) and 3 (bicubic).");
        };
    }

    /**
     * How bytes are scaled and normalised.
     *
     * @param clip whether as CLIP does by default, or as SigLIP
     */
    static Normaliser normaliser(Json json, boolean clip) {
        return new Normaliser(rescaleFactor(json), imageMean(json, clip), imageStd(json, clip));
    }

    /** The same where bytes are not normalised unless the file says so. */
    static Normaliser scaler(Json json) {
        boolean normalizes = json.booleanOr("do_normalize", false);
        return new Normaliser(
                rescaleFactor(json),
                normalizes ? channels(json, "image_mean", Arrays.asList(0.0, 0.0, 0.0)) : null,
                normalizes ? channels(json, "image_std", Arrays.asList(1.0, 1.0, 1.0)) : null);
    }

    private static @Nullable Double rescaleFactor(Json json) {
        return json.booleanOr("do_rescale", true) ? (Double) json.doubleOr("rescale_factor", 1.0 / 255) : null;
    }

    private static @Nullable List<Double> imageMean(Json json, boolean clip) {
        return normalizes(json) ? channels(json, "image_mean", clip ? CLIP_MEAN : HALF) : null;
    }

    private static @Nullable List<Double> imageStd(Json json, boolean clip) {
        return normalizes(json) ? channels(json, "image_std", clip ? CLIP_STD : HALF) : null;
    }

    private static boolean normalizes(Json json) {
        return json.booleanOr("do_normalize", true);
    }

    private static boolean isSiglip(Json json, Kind kind) {
        return switch (processor(json)) {
            case "" -> kind == Kind.SIGLIP;
            case "CLIPFeatureExtractor",
                    "CLIPImageProcessor",
                    "CLIPImageProcessorFast",
                    "LlavaImageProcessor",
                    "LlavaImageProcessorFast",
                    "LlavaNextImageProcessor",
                    "LlavaNextImageProcessorFast",
                    "LlavaOnevisionImageProcessor",
                    "LlavaOnevisionImageProcessorFast" -> false;
            case "SiglipImageProcessor",
                    "SiglipImageProcessorFast",
                    "Gemma3ImageProcessor",
                    "Gemma3ImageProcessorFast" -> true;
            default ->
                throw new UnsupportedModelException(json.at("image_processor_type") + " is '" + processor(json)
                        + "'; supported are CLIPImageProcessor, SiglipImageProcessor, LlavaImageProcessor,"
                        + " LlavaNextImageProcessor and LlavaOnevisionImageProcessor.");
        };
    }

    /** What it is called; empty if the file does not say. */
    private static String processor(Json json) {
        return json.stringOr("image_processor_type", json.stringOr("feature_extractor_type", ""));
    }

    private static PreprocessorConfig.Resize resize(Json json, boolean siglip, int absentSize) {
        Json size = json.isObject("size") ? json.object("size") : null;
        if (size == null) {
            int edge = json.positiveOr("size", absentSize);
            return siglip
                    ? new PreprocessorConfig.Stretch(new Size(edge, edge))
                    : new PreprocessorConfig.ShortestEdge(edge);
        }
        if (size.has("height") || size.has("width")) {
            return new PreprocessorConfig.Stretch(size(size));
        }
        if (size.keys().size() == 1 && size.has("shortest_edge")) {
            return new PreprocessorConfig.ShortestEdge(size.requiredPositive("shortest_edge"));
        }
        throw new UnsupportedModelException(json.at("size") + " has the keys " + size.keys()
                + "; supported are shortest_edge alone, or height and width.");
    }

    private static Size crop(Json json, int absentSize) {
        Json size = json.isObject("crop_size") ? json.object("crop_size") : null;
        if (size != null) {
            return size(size);
        }
        int edge = json.positiveOr("crop_size", absentSize);
        return new Size(edge, edge);
    }

    private static Size size(Json json) {
        return new Size(json.requiredPositive("width"), json.requiredPositive("height"));
    }

    private static List<Double> channels(Json json, String key, List<Double> absent) {
        if (!json.has(key)) {
            return absent;
        }
        List<Double> values = json.doubles(key);
        if (values.size() != 3 || (key.equals("image_std") && values.contains(0.0))) {
            throw new CheckpointException(json.at(key) + " must be three numbers"
                    + (key.equals("image_std") ? " other than 0" : "") + ", not " + values + ".");
        }
        return Collections.unmodifiableList(values);
    }

    /** What comes out must be what the encoder takes in. */
    private static void requireTile(Json json, PreprocessorConfig config, int imageSize) {
        Size out = config.crop();
        if (out == null && config.resize() instanceof PreprocessorConfig.Stretch stretch) {
            out = stretch.size();
        }
        if (out == null) {
            throw new UnsupportedModelException(json.source() + " gives pictures of any shape; a centre crop, or a size"
                    + " with height and width, is needed.");
        }
        if (out.width() != imageSize || out.height() != imageSize) {
            throw new CheckpointException(json.source() + " makes pictures of " + out.width() + " x " + out.height()
                    + ", but the encoder's image_size is " + imageSize + "; the files belong to different models.");
        }
    }
}

package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.CheckpointException;
import io.langbridge.LangBridgeException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.image.Size;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** InternVL, LLaVA-OneVision and Granite Vision in the layouts that they are published in, and what is refused. */
class TiledFamiliesTest {
    private static final Size[] PICTURES = {
        new Size(64, 48), new Size(640, 480), new Size(3, 500), new Size(1, 1), new Size(1000, 333)
    };

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path bundled;

    @BeforeEach
    void unpack() {
        bundled = Fixtures.bundled(scratch.resolve("bundled"));
    }

    private Path copy(String family) throws IOException {
        Path folder = Files.createDirectory(scratch.resolve(family + "-copy"));
        try (Stream<Path> files =
                Files.list(bundled.resolve("families").resolve(family).resolve("checkpoint"))) {
            for (Path each : files.toList()) {
                Files.copy(each, folder.resolve(each.getFileName().toString()));
            }
        }
        return folder;
    }

    private static JsonObject read(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    /** Writes the weights of a folder anew under other names; null leaves one out. */
    private void rename(Path folder, Function<String, @Nullable String> newName) throws IOException {
        Path file = folder.resolve("model.safetensors");
        Path renamed = scratch.resolve("renamed.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Checkpoints.open(file)) {
            for (String name : weights.names()) {
                String now = newName.apply(name);
                if (now != null) {
                    writer.add(now, weights.get(name));
                }
            }
            writer.write(renamed);
        }
        Files.move(renamed, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void assertSame(Path one, Path other) {
        try (ModelFolder before = ModelFolder.open(one);
                ModelFolder after = ModelFolder.open(other)) {
            assertThat(after.vision().description()).isEqualTo(before.vision().description());
            assertThat(after.vision().elements()).isEqualTo(before.vision().elements());
            assertThat(after.adapter().config().mmHiddenSize())
                    .isEqualTo(before.adapter().config().mmHiddenSize());
            assertThat(after.llm().elements()).isEqualTo(before.llm().elements());
            for (Size picture : PICTURES) {
                assertThat(after.pictures().plan(picture).views())
                        .isEqualTo(before.pictures().plan(picture).views());
                assertThat(after.pictures().plan(picture).layout().tokens())
                        .isEqualTo(before.pictures().plan(picture).layout().tokens());
            }
            for (String name : before.adapter().weights().names()) {
                if (after.adapter().weights().contains(name)) {
                    assertThat(after.adapter().weights().get(name).toFloats())
                            .isEqualTo(before.adapter().weights().get(name).toFloats());
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"internvl", "llava-onevision"})
    void namesOfTransformers5AreTheSameModel(String family) throws IOException {
        Path folder = copy(family);
        rename(folder, name -> "model." + name.replace("language_model.model.", "language_model."));
        assertSame(bundled.resolve("families").resolve(family).resolve("checkpoint"), folder);
    }

    /** The authors' layout of InternVL, made of the one of transformers. */
    private Path authorsOfInternVl() throws IOException {
        Path folder = copy("internvl");
        SafetensorsWriter writer = new SafetensorsWriter();
        Path file = folder.resolve("model.safetensors");
        Path renamed = scratch.resolve("authors.safetensors");
        try (Weights weights = Checkpoints.open(file)) {
            for (String name : weights.names()) {
                if (name.contains("k_proj") && name.contains("vision")
                        || name.contains("v_proj") && name.contains("vision")) {
                    continue;
                }
                if (name.contains("q_proj") && name.contains("vision")) {
                    addStacked(writer, weights, name);
                } else {
                    writer.add(authorsName(name), weights.get(name));
                }
            }
            writer.write(renamed);
        }
        Files.move(renamed, file, StandardCopyOption.REPLACE_EXISTING);
        JsonObject old = read(folder.resolve("config.json"));
        JsonObject llm = old.getAsJsonObject("text_config");
        JsonObject config = JsonParser.parseString(
                        "{\"architectures\":[\"InternVLChatModel\"],\"downsample_ratio\":0.5,"
                                + "\"dynamic_image_size\":true,\"force_image_size\":32,\"max_dynamic_patch\":6,"
                                + "\"min_dynamic_patch\":1,\"pad2square\":false,\"ps_version\":\"v2\",\"select_layer\":-1,"
                                + "\"system_message\":null,\"template\":\"internvl2_5\",\"use_thumbnail\":true,"
                                + "\"vision_config\":{\"hidden_act\":\"gelu\",\"hidden_size\":24,\"image_size\":32,"
                                + "\"intermediate_size\":48,\"layer_norm_eps\":1e-6,\"norm_type\":\"layer_norm\","
                                + "\"num_attention_heads\":3,\"num_hidden_layers\":2,\"patch_size\":8,"
                                + "\"qk_normalization\":false,\"qkv_bias\":true}}")
                .getAsJsonObject();
        config.add("llm_config", llm);
        Files.writeString(folder.resolve("config.json"), config.toString());
        Files.delete(folder.resolve("processor_config.json"));
        Files.delete(folder.resolve("chat_template.json"));
        return folder;
    }

    private static void addStacked(SafetensorsWriter writer, Weights weights, String query) {
        long[] shape = weights.get(query).shape();
        int size = (int) weights.get(query).elements();
        FloatBuffer all = FloatBuffer.allocate(3 * size);
        for (String part : new String[] {"q_proj", "k_proj", "v_proj"}) {
            all.put(weights.get(query.replace("q_proj", part)).toFloats());
        }
        shape[0] *= 3;
        writer.add(authorsName(query).replace("q_proj", "qkv"), all.flip(), shape);
    }

    private static String authorsName(String name) {
        return name.replace("vision_tower.", "vision_model.")
                .replace("cls_token", "class_embedding")
                .replace("patch_embeddings.projection", "patch_embedding")
                .replace("position_embeddings", "position_embedding")
                .replace("encoder.layer.", "encoder.layers.")
                .replace("attention.projection_layer", "attn.proj")
                .replace(".attention.", ".attn.")
                .replace("layernorm_before", "norm1")
                .replace("layernorm_after", "norm2")
                .replace("lambda_", "ls")
                .replace("multi_modal_projector.layer_norm", "mlp1.0")
                .replace("multi_modal_projector.linear_1", "mlp1.1")
                .replace("multi_modal_projector.linear_2", "mlp1.3");
    }

    @Test
    void theAuthorsLayoutOfInternVlIsTheSameModel() throws IOException {
        Path folder = authorsOfInternVl();
        Path hf = bundled.resolve("families/internvl/checkpoint");
        assertSame(hf, folder);
        try (ModelFolder before = ModelFolder.open(hf);
                ModelFolder after = ModelFolder.open(folder)) {
            for (String name : after.vision().weights().names()) {
                if (name.startsWith("e")) {
                    assertThat(after.vision().weights().get(name).toFloats())
                            .isEqualTo(before.vision().weights().get(name).toFloats());
                }
            }
            assertThat(after.imagePrompt())
                    .isEqualTo(
                            new ImagePrompt.Placeholder(625, "<IMG_CONTEXT>", "<image>", "<img><IMG_CONTEXT></img>"));
        }
    }

    /** The authors' layout of LLaVA-OneVision, made of the one of transformers. */
    private Path authorsOfOneVision() throws IOException {
        Path folder = copy("llava-onevision");
        rename(folder, name -> {
            String now =
                    name.startsWith("language_model.") ? name.substring("language_model.".length()) : "model." + name;
            return now.replace("model.vision_tower.", "model.vision_tower.vision_tower.vision_model.")
                    .replace("multi_modal_projector.linear_1", "mm_projector.0")
                    .replace("multi_modal_projector.linear_2", "mm_projector.2");
        });
        JsonObject old = read(folder.resolve("config.json"));
        JsonObject config = old.getAsJsonObject("text_config");
        JsonObject authors = JsonParser.parseString("{\"architectures\":[\"LlavaQwenForCausalLM\"],"
                        + "\"model_type\":\"llava\",\"image_aspect_ratio\":\"anyres_max_9\","
                        + "\"image_grid_pinpoints\":\"(1x1),...,(6x6)\",\"mm_hidden_size\":24,"
                        + "\"mm_patch_merge_type\":\"spatial_unpad\",\"mm_projector_type\":\"mlp2x_gelu\","
                        + "\"mm_resampler_type\":null,\"mm_vision_select_feature\":\"patch\","
                        + "\"mm_vision_select_layer\":-2,\"mm_vision_tower\":\"./tower\"}")
                .getAsJsonObject();
        authors.entrySet().forEach(entry -> config.add(entry.getKey(), entry.getValue()));
        Files.writeString(folder.resolve("config.json"), config.toString());
        // The authors take the last layer off, which their tower's configuration still counts.
        JsonObject vision = old.getAsJsonObject("vision_config");
        vision.addProperty("num_hidden_layers", 4);
        Path tower = Files.createDirectory(folder.resolve("tower"));
        Files.writeString(tower.resolve("config.json"), vision.toString());
        JsonObject preprocessor = read(folder.resolve("preprocessor_config.json"));
        preprocessor.addProperty("image_processor_type", "SiglipImageProcessor");
        Files.writeString(tower.resolve("preprocessor_config.json"), preprocessor.toString());
        return folder;
    }

    @Test
    void theAuthorsLayoutOfLlavaOneVisionIsTheSameModel() throws IOException {
        try (ModelFolder before = ModelFolder.open(bundled.resolve("families/llava-onevision/checkpoint"));
                ModelFolder after = ModelFolder.open(authorsOfOneVision())) {
            assertThat(after.vision().elements()).isEqualTo(before.vision().elements());
            assertThat(after.adapter().config()).isEqualTo(before.adapter().config());
            assertThat(after.imagePrompt()).isEqualTo(new ImagePrompt.Splice());
            for (Size picture : PICTURES) {
                assertThat(after.pictures().plan(picture).layout().tokens())
                        .isEqualTo(before.pictures().plan(picture).layout().tokens());
            }
            assertThat(after.pictures().plan(new Size(640, 480)).layout().mixes())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "internvl|config.json|\"downsample_ratio\": 0.5|\"downsample_ratio\": 0.3|'downsample_ratio' is 0.3",
                "internvl|config.json|\"norm_type\": \"layer_norm\"|\"norm_type\": \"batch_norm\"|norm_type' is 'batch_norm'; supported are layer_norm and rms_norm",
                "internvl|config.json|\"hidden_act\": \"gelu\"|\"hidden_act\": \"relu\"|hidden_act' is 'relu'",
                "internvl|config.json|\"hidden_size\": 24|\"hidden_size\": 25|which is not divisible by num_attention_heads 3",
                "internvl|config.json|\"hidden_size\": 24|\"hidden_size\": 48|has shape",
                "internvl|config.json|\"vision_feature_layer\": -1|\"vision_feature_layer\": 3|the encoder has 2 layers",
                "internvl|config.json|\"vision_feature_layer\": -1|\"vision_feature_layer\": [-1, -2]|vision_feature_layer",
                "internvl|config.json|\"default\"|\"full\"|vision_feature_select_strategy' is 'full'; only default",
                "internvl|config.json|\"num_channels\": 3|\"num_channels\": 1|only 3 (RGB)",
                "internvl|preprocessor_config.json|\"height\": 32|\"height\": 16|makes tiles of 32 x 16",
                "internvl|preprocessor_config.json|\"min_patches\": 1|\"min_patches\": 7|at least 7 tiles and at most 6",
                "internvl|preprocessor_config.json|\"max_patches\": 6|\"max_patches\": 100000|supported are up to 1000",
                "internvl|preprocessor_config.json|\"resample\": 3|\"resample\": 0|resample' is 0",
                "llava-onevision|config.json|anyres_max_9|anyres|only anyres_max_N is supported",
                "llava-onevision|config.json|\"vision_feature_layer\": -1|\"vision_feature_layer\": -5|Layer -5 is asked for",
                "llava-onevision|config.json|\"full\"|\"default\"|a SigLIP encoder has no class token",
                "llava-onevision|preprocessor_config.json|LlavaOnevisionImageProcessor|VideoImageProcessor|'VideoImageProcessor'",
                "granite-vision|config.json|-4|-9|Layer -9 is asked for",
                "granite-vision|config.json|-4,|-4, -2,|has shape",
            })
    void whatDoesNotFitIsRefusedByName(String family, String file, String old, String now, String message)
            throws IOException {
        Path folder = copy(family);
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(old);
        Files.writeString(folder.resolve(file), text.replaceFirst(java.util.regex.Pattern.quote(old), now));
        assertThatExceptionOfType(LangBridgeException.class)
                .isThrownBy(() -> ModelFolder.open(folder).close())
                .withMessageContaining(message)
                .isInstanceOfAny(CheckpointException.class, UnsupportedModelException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "internvl, vision_tower.encoder.layer.1.lambda_2",
        "internvl, multi_modal_projector.layer_norm.bias",
        "internvl, vision_tower.embeddings.cls_token",
        "llava-onevision, image_newline",
        "granite-vision, vision_tower.encoder.layers.3.mlp.fc1.bias"
    })
    void aMissingTensorIsNamed(String family, String tensor) throws IOException {
        Path folder = copy(family);
        rename(folder, name -> name.equals(tensor) ? null : name);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ModelFolder.open(folder).close())
                .withMessageContaining(tensor.substring(tensor.indexOf('.') + 1));
    }

    @ParameterizedTest
    @CsvSource({
        "ps_version, v1, 'only v2 is supported'",
        "pad2square, true, 'only false is'",
        "force_image_size, 64, 'image_size is 32'",
        "select_layer, 5, 'the encoder has 2 layers'",
    })
    void whatTheAuthorsOfInternVlDoOtherwiseIsRefused(String key, String value, String message) throws IOException {
        Path folder = authorsOfInternVl();
        JsonObject config = read(folder.resolve("config.json"));
        config.add(key, JsonParser.parseString(value));
        Files.writeString(folder.resolve("config.json"), config.toString());
        assertThatExceptionOfType(LangBridgeException.class)
                .isThrownBy(() -> ModelFolder.open(folder).close())
                .withMessageContaining(key)
                .withMessageContaining(message);
    }
}

package io.langbridge.runtime.core.family;

import static io.langbridge.runtime.core.family.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Gemma4Config;
import io.langbridge.runtime.core.network.GemmaConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Qwen35Config;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.network.VisionConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReadersTest {
    private static LlamaConfig decoder(String members) {
        return (LlamaConfig) DecoderConfigReader.read(json(members));
    }

    @Test
    void absent_keys_have_the_defaults_of_the_family() {
        LlamaConfig llama = decoder("\"model_type\":\"llama\"");
        assertThat(llama.hiddenSize()).isEqualTo(4096);
        assertThat(llama.numKeyValueHeads()).isEqualTo(32);
        assertThat(llama.headDim()).isEqualTo(128);
        assertThat(llama.maxPositionEmbeddings()).isEqualTo(2048);
        assertThat(llama.rope()).isEqualTo(new Rope(10_000, null));
        assertThat(llama.qkvBias()).isFalse();

        LlamaConfig qwen3 = decoder("\"model_type\":\"qwen3\",\"hidden_size\":1024,\"num_attention_heads\":16,"
                + "\"num_key_value_heads\":8");
        assertThat(qwen3.headDim()).isEqualTo(128);
        assertThat(qwen3.qkNorm()).isTrue();
        assertThat(qwen3.qkvBias()).isFalse();

        assertThat(decoder("\"model_type\":\"qwen2\"").qkvBias()).isTrue();
        assertThat(decoder("\"model_type\":\"mistral\"").numKeyValueHeads()).isEqualTo(8);
        assertThat(decoder("\"model_type\":\"mistral\",\"num_key_value_heads\":null")
                        .numKeyValueHeads())
                .isEqualTo(32);
    }

    @Test
    void qwens_decoders_of_pictures_share_frequencies_among_three_axes() {
        LlamaConfig second = decoder("\"model_type\":\"qwen2_5_vl\",\"hidden_size\":1536,\"num_attention_heads\":12,"
                + "\"num_key_value_heads\":2,\"rope_scaling\":{\"type\":\"mrope\",\"mrope_section\":[16,24,24]}");
        assertThat(second.rope()).isEqualTo(new Rope(1_000_000, null, new Rope.Sections(List.of(16, 24, 24), false)));
        assertThat(second.qkvBias()).isTrue();
        assertThat(second.rmsNormEps()).isEqualTo(1e-5f);
        assertThat(second.vocabSize()).isEqualTo(152_064);

        LlamaConfig third = decoder("\"model_type\":\"qwen3_vl_text\"");
        assertThat(third.rope()).isEqualTo(new Rope(500_000, null, new Rope.Sections(List.of(24, 20, 20), true)));
        assertThat(third.qkNorm()).isTrue();
        assertThat(third.headDim()).isEqualTo(128);

        assertThatThrownBy(
                        () -> decoder("\"model_type\":\"qwen2_vl_text\",\"rope_parameters\":{\"rope_type\":\"default\","
                                + "\"mrope_section\":[16,24,25]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("mrope_section", "64", "[16, 24, 25]");
        assertThatThrownBy(() -> decoder("\"model_type\":\"qwen2\",\"rope_scaling\":{\"type\":\"mrope\","
                        + "\"mrope_section\":[16,24,24]}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("mrope_section");
    }

    private static Qwen35Config qwen35(String members) {
        return (Qwen35Config) DecoderConfigReader.read(json("\"model_type\":\"qwen3_5_text\"" + members));
    }

    @Test
    void what_qwen3_5_files_leave_out_has_the_reference_s_defaults() {
        Qwen35Config plain = qwen35(",\"num_hidden_layers\":5");
        assertThat(plain.linearLayer()).containsExactly(true, true, true, false, true);
        assertThat(plain.headDim()).isEqualTo(256);
        assertThat(plain.rotary().width()).isEqualTo(64);
        assertThat(plain.rotary().rope().sections()).isEqualTo(new Rope.Sections(List.of(11, 11, 10), true));
        assertThat(plain.linearNumValueHeads()).isEqualTo(32);
        assertThat(plain.vocabSize()).isEqualTo(248_320);
        assertThat(qwen35(",\"rope_parameters\":{\"partial_rotary_factor\":0.5}")
                        .rotary()
                        .width())
                .isEqualTo(128);

        assertThatThrownBy(() -> qwen35(",\"num_hidden_layers\":1,\"layer_types\":[\"sliding_attention\"]"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("layer_types", "sliding_attention", "linear_attention");
        assertThatThrownBy(() -> qwen35(",\"partial_rotary_factor\":1.5"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("partial_rotary_factor", "1.5");
        assertThatThrownBy(() -> qwen35(",\"linear_num_key_heads\":3"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("linear_num_key_heads", "3", "32");
        assertThatThrownBy(() -> decoder("\"model_type\":\"qwen3_5_moe_text\""))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("qwen3_5_moe_text");
    }

    private static GemmaConfig gemma(String members) {
        return (GemmaConfig) DecoderConfigReader.read(json(members));
    }

    @Test
    void what_gemmas_files_leave_out_has_the_reference_s_defaults() {
        GemmaConfig third = gemma("\"model_type\":\"gemma3_text\",\"hidden_size\":2560,\"intermediate_size\":10240,"
                + "\"num_hidden_layers\":34,\"rope_scaling\":{\"factor\":8.0,\"rope_type\":\"linear\"},"
                + "\"sliding_window\":1024");
        assertThat(third.numAttentionHeads()).isEqualTo(8);
        assertThat(third.numKeyValueHeads()).isEqualTo(4);
        assertThat(third.headDim()).isEqualTo(256);
        assertThat(third.vocabSize()).isEqualTo(262_208);
        assertThat(third.maxPositionEmbeddings()).isEqualTo(131_072);
        assertThat(third.rope()).isEqualTo(new Rope(1e6, new Rope.LinearScaling(8)));
        assertThat(third.slidingRope()).isEqualTo(new Rope(1e4, null));
        assertThat(third.slidingLayer()).startsWith(true, true, true, true, true, false, true);
        assertThat(third.attnLogitSoftcapping()).isZero();
        assertThat(third.tieWordEmbeddings()).isTrue();
        assertThat(third.embeddingScale()).isEqualTo((float) Math.sqrt(2560));

        GemmaConfig second = gemma("\"architectures\":[\"Gemma2ForCausalLM\"],\"final_logit_softcapping\":null");
        assertThat(second.vocabSize()).isEqualTo(256_000);
        assertThat(second.rope()).isEqualTo(new Rope(1e4, null)).isEqualTo(second.slidingRope());
        assertThat(second.slidingLayer()).startsWith(true, false, true);
        assertThat(second.attnLogitSoftcapping()).isEqualTo(50);
        assertThat(second.finalLogitSoftcapping()).isZero();
    }

    @Test
    void what_few_decoders_have_has_the_defaults_of_the_reference() {
        LlamaConfig granite = decoder("\"model_type\":\"granite\",\"residual_multiplier\":0.22,\"logits_scaling\":8");
        assertThat(granite.variant()).isEqualTo(new LlamaConfig.Variant(false, null, 1, 1, 0.22f, 1, 8, null));
        assertThat(decoder("\"model_type\":\"olmo2\"").variant().normsBehind()).isTrue();
        assertThat(decoder("\"model_type\":\"olmo2\"").qkNorm()).isTrue();
        LlamaConfig smol = decoder("\"model_type\":\"smollm3\",\"num_hidden_layers\":8");
        assertThat(smol.variant().stillLayer()).containsExactly(false, false, false, true, false, false, false, true);
        assertThat(smol.tieWordEmbeddings()).isTrue();
        LlamaConfig ministral = decoder("\"model_type\":\"ministral3\"");
        assertThat(ministral.headDim()).isEqualTo(128);
        assertThat(ministral.variant().queryGrowth()).isEqualTo(new Rotary.Growth(0.1, 16_384));
        assertThat(ministral.rope().scaling()).isEqualTo(new Rope.YarnScaling(16, 1, 32, 1, 16_384, true));
    }

    @Test
    void long_rotations_hold_up_to_the_original_length() {
        String phi = "\"model_type\":\"phi3\",\"hidden_size\":32,\"num_attention_heads\":4,"
                + "\"max_position_embeddings\":1024,\"original_max_position_embeddings\":64,";
        LlamaConfig config = decoder(phi + "\"partial_rotary_factor\":0.5,\"rope_scaling\":{\"type\":\"su\","
                + "\"short_factor\":[1,2],\"long_factor\":[3,4]}");
        assertThat(config.maxPositionEmbeddings()).isEqualTo(64);
        assertThat(config.variant().rotatedPart()).isEqualTo(0.5);
        double attention = Math.sqrt(1 + Math.log(16) / Math.log(64));
        assertThat(config.rope().scaling()).isEqualTo(new Rope.LongScaling(List.of(1f, 2f), attention));
        assertThatThrownBy(() -> decoder(phi + "\"rope_scaling\":{\"type\":\"su\",\"short_factor\":[1,2]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("must hold 4 numbers above 0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"rope_theta\":5,\"rope_local_base_freq\":7|5|7",
                "\"rope_parameters\":{\"full_attention\":{\"rope_theta\":5},\"sliding_attention\":{\"rope_theta\":7}}|5|7",
                "\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"}},\"rope_theta\":5|5|10000",
            })
    void layers_of_gemma_3_rotate_in_two_ways(String members, double full, double sliding) {
        GemmaConfig config = gemma("\"model_type\":\"gemma3_text\"," + members);
        assertThat(config.rope()).isEqualTo(new Rope(full, null));
        assertThat(config.slidingRope()).isEqualTo(new Rope(sliding, null));
    }

    @Test
    void gemmas_that_see_both_ways_or_have_other_activations_are_refused() {
        assertThatThrownBy(() -> gemma("\"model_type\":\"gemma3_text\",\"use_bidirectional_attention\":true"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("use_bidirectional_attention");
        assertThatThrownBy(() -> gemma("\"model_type\":\"gemma2\",\"hidden_activation\":\"silu\""))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("hidden_activation");
    }

    private static Gemma4Config gemma4(String members) {
        return (Gemma4Config) DecoderConfigReader.read(json("\"model_type\":\"gemma4_text\"" + members));
    }

    @Test
    void what_gemma_4_s_files_leave_out_has_the_reference_s_defaults() {
        Gemma4Config all = gemma4("");
        assertThat(all.numHiddenLayers()).isEqualTo(30);
        assertThat(all.slidingLayer())
                .startsWith(true, true, true, true, true, false, true)
                .endsWith(true, false);
        assertThat(all.sliding()).isEqualTo(new Gemma4Config.Heads(4, 256, new Rope(1e4, null)));
        assertThat(all.full())
                .isEqualTo(new Gemma4Config.Heads(4, 512, new Rope(1e6, new Rope.ProportionalScaling(1, 0.25))));
        assertThat(all.slidingWindow()).isEqualTo(512);
        assertThat(all.inputWidth()).isEqualTo(2304 + 30 * 256);
        assertThat(all.visualWidth()).isEqualTo(2304);
        assertThat(all.finalLogitSoftcapping()).isZero();
        assertThat(all.opensPictures()).isFalse();
        assertThat(all.tieWordEmbeddings()).isTrue();

        Gemma4Config without = gemma4(",\"hidden_size_per_layer_input\":0");
        assertThat(without.secondTable()).isNull();
        assertThat(without.inputWidth()).isEqualTo(without.hiddenSize()).isEqualTo(without.visualWidth());
        assertThat(gemma4(",\"num_hidden_layers\":2,\"layer_types\":[\"full_attention\",\"sliding_attention\"]")
                        .slidingLayer())
                .containsExactly(false, false);
    }

    @Test
    void full_layers_of_gemma_4_have_heads_of_their_own_in_published_files_and_in_those_of_transformers_5() {
        String some = ",\"num_hidden_layers\":2,\"layer_types\":[\"sliding_attention\",\"full_attention\"],"
                + "\"num_key_value_heads\":2,\"head_dim\":16";
        Gemma4Config published = gemma4(some + ",\"global_head_dim\":32,\"num_global_key_value_heads\":1");
        assertThat(published.full().numKeyValueHeads()).isEqualTo(2); // without attention_k_eq_v
        assertThat(published.full().headDim()).isEqualTo(32);
        Gemma4Config together =
                gemma4(some + ",\"global_head_dim\":32,\"num_global_key_value_heads\":1,\"attention_k_eq_v\":true");
        assertThat(together.full().numKeyValueHeads()).isEqualTo(1);
        Gemma4Config saved = gemma4(some + ",\"per_layer_config\":{\"1\":{\"head_dim\":32,\"num_key_value_heads\":1}}");
        assertThat(saved.full()).isEqualTo(together.full());
        assertThat(saved.sliding()).isEqualTo(together.sliding()).isEqualTo(published.sliding());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"enable_moe_block\":true | enable_moe_block",
                "\"use_bidirectional_attention\":\"all\" | 'all'",
                "\"hidden_activation\":\"silu\" | only gelu_pytorch_tanh",
                "\"num_kv_shared_layers\":30 | num_kv_shared_layers",
                "\"num_hidden_layers\":3,\"num_kv_shared_layers\":1 | is a full_attention layer",
                "\"per_layer_config\":{\"5\":{\"intermediate_size\":8}} | head_dim and num_key_value_heads",
                "\"per_layer_config\":{\"5\":{\"head_dim\":8}} | only one size of heads",
                "\"vocab_size_per_layer_input\":8 | a row for every token",
                "\"rope_parameters\":{\"full_attention\":{}} | nothing for sliding_attention",
            })
    void what_gemma_4_cannot_be_is_named(String members, String expected) {
        assertThatThrownBy(() -> gemma4("," + members))
                .isInstanceOfAny(UnsupportedModelException.class, CheckpointException.class)
                .hasMessageContaining(expected);
    }

    @Test
    void proportional_rotation_leaves_the_last_pairs_where_they_are() {
        float[] all = new Rope(1e6, null).inverseFrequencies(32);
        float[] some = new Rope(1e6, new Rope.ProportionalScaling(2, 0.3)).inverseFrequencies(32);
        assertThat(some).hasSize(16);
        for (int i = 0; i < 16; i++) {
            assertThat(some[i]).isEqualTo(i < 4 ? all[i] / 2 : 0);
        }
    }

    @Test
    void bias_of_llama_is_for_all_four_projections() {
        LlamaConfig llama = decoder("\"model_type\":\"llama\",\"attention_bias\":true,\"mlp_bias\":true");
        assertThat(llama.qkvBias()).isTrue();
        assertThat(llama.outputBias()).isTrue();
        assertThat(llama.mlpBias()).isTrue();
    }

    @Test
    void sliding_window_of_mistral_is_on_unless_it_is_null() {
        assertThat(decoder("\"model_type\":\"mistral\"").slidingWindow()).isEqualTo(4096);
        assertThat(decoder("\"model_type\":\"mistral\"").slidingLayer()).containsOnly(true);
        LlamaConfig without = decoder("\"model_type\":\"mistral\",\"sliding_window\":null");
        assertThat(without.slidingWindow()).isZero();
        assertThat(without.slidingLayer()).containsOnly(false);
    }

    @Test
    void sliding_window_of_qwen2_is_off_unless_it_is_used_and_then_starts_at_max_window_layers() {
        String qwen2 = "\"model_type\":\"qwen2\",\"num_hidden_layers\":3,\"sliding_window\":8,\"max_window_layers\":2";
        assertThat(decoder(qwen2).slidingWindow()).isZero();
        assertThat(decoder(qwen2 + ",\"use_sliding_window\":true").slidingLayer())
                .containsExactly(false, false, true);
        assertThat(decoder(qwen2 + ",\"use_sliding_window\":true,\"layer_types\":[\"sliding_attention\","
                                + "\"full_attention\",\"full_attention\"]")
                        .slidingLayer())
                .containsExactly(true, false, false);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"rope_theta\":5,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}",
                "\"rope_theta\":5,\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2.0}",
                "\"rope_parameters\":{\"rope_theta\":5.0,\"rope_type\":\"linear\",\"factor\":2}"
            })
    void rope_is_read_in_the_old_and_the_new_style(String rope) {
        assertThat(decoder("\"model_type\":\"llama\"," + rope).rope())
                .isEqualTo(new Rope(5, new Rope.LinearScaling(2)));
    }

    @Test
    void llama3_scaling_is_read() {
        assertThat(decoder("\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,"
                                + "\"low_freq_factor\":1,\"high_freq_factor\":4,"
                                + "\"original_max_position_embeddings\":64}")
                        .rope()
                        .scaling())
                .isEqualTo(new Rope.Llama3Scaling(8, 1, 4, 64));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"model_type\":\"gemma\" | gemma",
                "\"architectures\":[\"GPT2LMHeadModel\"] | GPT2LMHeadModel",
                "\"model_type\":\"llama\",\"hidden_act\":\"gelu\" | only silu",
                "\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"su\"} | default, linear, dynamic, llama3 and yarn",
                "\"model_type\":\"phi3\",\"rope_scaling\":{\"rope_type\":\"linear\"} | default and longrope",
                "\"model_type\":\"llama\",\"quantization_config\":{\"quant_method\":\"gptq\"} | gptq",
                "\"model_type\":\"qwen2\",\"num_hidden_layers\":1,\"layer_types\":[\"x\"] | sliding_attention"
            })
    void what_is_not_supported_is_named(String config, String expected) {
        assertThatThrownBy(() -> decoder(config))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"hidden_size\":0",
                "\"hidden_size\":\"4\"",
                "\"hidden_size\":33",
                "\"num_key_value_heads\":5",
                "\"num_hidden_layers\":2000000000",
                "\"head_dim\":7",
                "\"rope_theta\":-1",
                "\"rope_scaling\":{\"type\":\"linear\"}",
                "\"tie_word_embeddings\":1"
            })
    void impossible_values_are_refused_with_their_key(String member) {
        String key = member.substring(1, member.indexOf('"', 1));
        assertThatThrownBy(() -> decoder("\"model_type\":\"llama\"," + member))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("config.json, key '" + key);
    }

    @Test
    void vision_defaults_are_those_of_the_family() {
        VisionConfig clip = VisionConfigReader.read(json("\"model_type\":\"clip\""), FeatureSelection.DEFAULT);
        assertThat(clip.hiddenAct()).isEqualTo(Activation.QUICK_GELU);
        assertThat(clip.layerNormEps()).isEqualTo(1e-5f);
        assertThat(clip.patchSize()).isEqualTo(32);
        assertThat(clip.layersToRun()).isEqualTo(11);
        VisionConfig siglip = VisionConfigReader.read(
                json("\"model_type\":\"siglip\",\"vision_config\":{\"hidden_size\":24}"), FeatureSelection.DEFAULT);
        assertThat(siglip.kind()).isEqualTo(VisionConfig.Kind.SIGLIP);
        assertThat(siglip.hiddenAct()).isEqualTo(Activation.GELU_TANH);
        assertThat(siglip.layerNormEps()).isEqualTo(1e-6f);
        assertThat(siglip.patchSize()).isEqualTo(16);
    }

    @Test
    void another_encoder_and_an_impossible_layer_are_refused() {
        assertThatThrownBy(() -> VisionConfigReader.read(json("\"model_type\":\"dinov2\""), FeatureSelection.DEFAULT))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("dinov2")
                .hasMessageContaining("siglip");
        assertThatThrownBy(
                        () -> VisionConfigReader.read(json("\"model_type\":\"clip\""), new FeatureSelection(13, true)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("-13 to 12");
    }

    @Test
    void preprocessor_sizes_are_numbers_or_objects() {
        PreprocessorConfig numbers =
                PreprocessorConfigReader.read(json("\"size\":28,\"crop_size\":28"), VisionConfig.Kind.CLIP, 1);
        PreprocessorConfig objects = PreprocessorConfigReader.read(
                json("\"size\":{\"shortest_edge\":28},\"crop_size\":{\"height\":28,\"width\":28}"),
                VisionConfig.Kind.CLIP,
                1);
        assertThat(numbers).isEqualTo(objects);
        assertThat(numbers.resize()).isEqualTo(new PreprocessorConfig.ShortestEdge(28));
        assertThat(numbers.crop()).isEqualTo(new Size(28, 28));
        PreprocessorConfig siglip = PreprocessorConfigReader.read(json("\"size\":30"), VisionConfig.Kind.SIGLIP, 1);
        assertThat(siglip.resize()).isEqualTo(new PreprocessorConfig.Stretch(new Size(30, 30)));
        assertThat(siglip.crop()).isNull();
        assertThat(siglip.imageMean()).containsOnly(0.5);
    }

    @Test
    void preprocessor_steps_can_be_switched_off() {
        PreprocessorConfig config = PreprocessorConfigReader.read(
                json("\"do_resize\":false,\"do_center_crop\":false,\"do_rescale\":false,\"do_normalize\":false"),
                VisionConfig.Kind.CLIP,
                28);
        assertThat(config).isEqualTo(new PreprocessorConfig(null, 3, null, null, null, null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"image_processor_type\":\"ViTImageProcessor\"",
                "\"resample\":0",
                "\"size\":{\"longest_edge\":3}"
            })
    void other_preprocessing_is_unsupported(String member) {
        assertThatThrownBy(() -> PreprocessorConfigReader.read(json(member), VisionConfig.Kind.CLIP, 28))
                .isInstanceOf(UnsupportedModelException.class);
    }

    @Test
    void pinpoints_are_lists_or_the_text_of_a_list_and_each_program_has_its_order() {
        String list = "\"image_aspect_ratio\":\"anyres\",\"image_grid_pinpoints\":[[28,56],[56,28]]";
        String text = "\"image_aspect_ratio\":\"anyres\",\"image_grid_pinpoints\":\"[(28, 56), (56, 28)]\"";
        Tiling.AnyResolution authors = (Tiling.AnyResolution) TilingReader.ofAuthors(json(list), 0);
        assertThat(authors).isEqualTo(TilingReader.ofAuthors(json(text), 0));
        assertThat(authors.resolutions()).containsExactly(new Size(28, 56), new Size(56, 28));
        assertThat(authors.merge()).isEqualTo(Tiling.Merge.FLAT);
        Tiling.AnyResolution next = (Tiling.AnyResolution) TilingReader.ofNext(json(list), json(""));
        assertThat(next.resolutions()).containsExactly(new Size(56, 28), new Size(28, 56));
        assertThat(next.merge()).isEqualTo(Tiling.Merge.SPATIAL_UNPAD);
    }

    @Test
    void authors_count_grids_in_tiles_too() {
        Tiling.AnyResolution range = (Tiling.AnyResolution) TilingReader.ofAuthors(
                json("\"image_aspect_ratio\":\"anyres_max_9\",\"image_grid_pinpoints\":\"(1x1),...,(2x3)\""), 10);
        assertThat(range.maxTiles()).isEqualTo(9);
        assertThat(range.resolutions())
                .containsExactly(
                        new Size(10, 10),
                        new Size(10, 20),
                        new Size(10, 30),
                        new Size(20, 10),
                        new Size(20, 20),
                        new Size(20, 30));
    }

    @Test
    void llava_onevision_has_grids_of_up_to_six_tiles_where_the_file_says_nothing() {
        Tiling.AnyResolution absent = (Tiling.AnyResolution) TilingReader.ofOneVision(json(""), json(""));
        assertThat(absent.maxTiles()).isEqualTo(9);
        assertThat(absent.convention()).isEqualTo(Tiling.Convention.HF);
        assertThat(absent.resolutions())
                .hasSize(36)
                .startsWith(new Size(384, 384), new Size(768, 384))
                .endsWith(new Size(2304, 2304));
        assertThatThrownBy(() -> TilingReader.ofOneVision(json("\"vision_aspect_ratio\":\"anyres\""), json("")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("'vision_aspect_ratio' is 'anyres'")
                .hasMessageContaining("anyres_max_N");
    }

    @Test
    void features_may_be_those_of_several_layers() {
        assertThat(FeatureSelection.ofTransformers(
                        json("\"vision_feature_layer\":[-24,3,-1],\"vision_feature_select_strategy\":\"full\"")))
                .isEqualTo(new FeatureSelection(Arrays.asList(-24, 3, -1), false));
        assertThat(FeatureSelection.ofAuthors(json("\"mm_vision_select_layer\":[-2,-5]"))
                        .layers())
                .containsExactly(-2, -5);
        assertThatThrownBy(() -> FeatureSelection.ofTransformers(json("\"vision_feature_layer\":[]")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("'vision_feature_layer' is empty");
        VisionConfig tower = VisionConfigReader.read(
                json("\"model_type\":\"siglip\",\"vision_config\":{\"num_hidden_layers\":4}"),
                new FeatureSelection(Arrays.asList(-4, 2, -3), false));
        assertThat(tower.layersToRun()).isEqualTo(2);
        assertThatThrownBy(() -> VisionConfigReader.read(
                        json("\"model_type\":\"siglip\",\"vision_config\":{\"num_hidden_layers\":4}"),
                        new FeatureSelection(Arrays.asList(-4, 5), false)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("Layer 5 is asked for");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"image_aspect_ratio\":\"anyres_max_0\"",
                "\"image_aspect_ratio\":\"anyres_max_many\"",
                "\"image_aspect_ratio\":\"anyres_max_9\",\"image_grid_pinpoints\":\"(1x1),...,(6x6)\"",
                "\"image_aspect_ratio\":\"crop_split\"",
                "\"mm_patch_merge_type\":\"spatial_maxpool2x2\""
            })
    void other_tilings_are_unsupported(String member) {
        assertThatThrownBy(() -> TilingReader.ofAuthors(json(member), 0)).isInstanceOf(UnsupportedModelException.class);
    }

    @Test
    void rope_scaling_wins_over_rope_parameters_as_in_the_reference() {
        String parameters = "\"model_type\":\"llama\",\"rope_parameters\":{\"rope_theta\":5,\"rope_type\":\"default\"}";
        assertThat(decoder(parameters).rope()).isEqualTo(new Rope(5, null));
        String linear = ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}";
        assertThat(decoder(parameters + linear).rope()).isEqualTo(new Rope(10_000, new Rope.LinearScaling(4)));
        assertThat(decoder(parameters + linear + ",\"rope_theta\":7").rope())
                .isEqualTo(new Rope(7, new Rope.LinearScaling(4)));
        assertThat(decoder(parameters + ",\"rope_scaling\":{}").rope()).isEqualTo(new Rope(5, null));
        assertThat(decoder(parameters + ",\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":\"default\"}")
                        .rope())
                .isEqualTo(new Rope(10_000, null));
        assertThat(decoder(parameters + ",\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}")
                        .rope())
                .isEqualTo(new Rope(10_000, null));
        for (String kind : new String[] {"ntk", "longrope"}) {
            assertThatThrownBy(() -> decoder(parameters + ",\"rope_scaling\":{\"rope_type\":\"" + kind + "\"}"))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("rope_scaling.rope_type' is '" + kind);
        }
        assertThatThrownBy(() -> decoder("\"model_type\":\"llama\",\"rope_parameters\":{\"full_attention\":{}}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("rope_parameters.full_attention");
        assertThatThrownBy(() -> decoder(parameters + linear + ",\"partial_rotary_factor\":0.5"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("partial_rotary_factor");
    }
}

package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.GemmaConfig;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * PaliGemma 2: SigLIP to its end, one product, Gemma 2. Picture and question see each other in both directions. It
 * knows tasks and no conversations: one question each time, such as {@code answer en What is this?}.
 */
final class PaliGemma implements Family {
    static final Set<String> NAMES =
            Collections.unmodifiableSet(new HashSet<>(Arrays.asList("PaliGemmaForConditionalGeneration", "paligemma")));

    private static final String PROJECTION = "multi_modal_projector.linear";

    private static final FeatureSelection LAST = new FeatureSelection(-1, true);

    /** The begin token stands behind the pictures, and a line break ends the question, as its processor does it. */
    private static final String TEMPLATE = """
            {%- if messages | length != 1 or messages[0]['role'] != 'user' -%}
            {{- raise_exception('PaliGemma answers one question, without a system message or turns before it') -}}
            {%- endif -%}
            {%- set pictures = namespace(last=-1) -%}
            {%- for part in messages[0]['content'] -%}
            {%- if part['type'] == 'image' -%}{%- set pictures.last = loop.index0 -%}{%- endif -%}
            {%- endfor -%}
            {%- if pictures.last < 0 -%}{{- bos_token -}}{%- endif -%}
            {%- for part in messages[0]['content'] -%}
            {{- '<image>' if part['type'] == 'image' else part['text'] -}}
            {%- if loop.index0 == pictures.last -%}{{- bos_token -}}{%- endif -%}
            {%- endfor -%}
            {{- '\\n' -}}
            """;

    @Override
    public ChatTemplate chatTemplate(Json config, Path folder) {
        ChatTemplate own = ChatTemplate.of(folder);
        return own == null ? ChatTemplate.of(TEMPLATE, "PaliGemma's form of a question", folder) : own;
    }

    @Override
    public Set<String> names() {
        return NAMES;
    }

    @Override
    public ModelFolder open(Checkpoint checkpoint) {
        VisionConfig tower =
                VisionConfigReader.read(checkpoint.configOf("vision_config"), VisionConfig.Kind.SIGLIP, LAST);
        LlmPart llm = checkpoint.llm(decoder -> ((GemmaConfig) decoder).openingPrompts());
        int hidden = llm.config().hiddenSize();
        if (tower.patches() >= llm.config().maxPositionEmbeddings()) {
            throw new UnsupportedModelException(checkpoint
                            .configOf("vision_config")
                            .at("image_size") + " is "
                    + tower.imageSize() + ", which makes " + tower.patches() + " visual tokens of a picture, but only "
                    + llm.config().maxPositionEmbeddings() + " positions (sliding_window) are supported; take the model"
                    + " for smaller pictures.");
        }
        Json config = checkpoint.config();
        int width = config.positiveOr("projection_dim", 2048);
        if (width != hidden) {
            throw new CheckpointException(config.at("projection_dim") + " is " + width
                    + ", but the language model's hidden_size is " + hidden + ".");
        }
        AdapterConfig.Connector connector = new AdapterConfig.Connector(
                "linear",
                tower.hiddenSize(),
                hidden,
                net -> net.linear(
                        net.input(Projector.FEATURES, Net.ANY, tower.hiddenSize()), PROJECTION, hidden, true));
        Json json = checkpoint.preprocessor();
        GridPictures.same(json, "image_seq_length", tower.patches(), tower.patches());
        LlavaPictures pictures = new LlavaPictures(
                PreprocessorConfigReader.find(tower, checkpoint.folder()),
                new Tiling.Plain(),
                tower.imageSize(),
                tower.patches());
        VisionPart vision = VisionPart.toTheEnd(tower, checkpoint, pictures);
        AdapterPart adapter = AdapterPart.ofFamily(connector, checkpoint.part(PROJECTION + ".weight"));
        return ModelFolder.of(
                checkpoint,
                vision,
                adapter,
                llm,
                pictures,
                new ImagePrompt.Placeholder(checkpoint.imageTokenId(256_000), "<image>"));
    }
}

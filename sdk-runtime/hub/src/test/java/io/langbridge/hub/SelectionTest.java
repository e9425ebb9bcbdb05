package io.langbridge.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelectionTest {
    private static List<RepoFile> files(String... paths) {
        return Arrays.stream(paths)
                .map(path -> new RepoFile(path, 1, "a".repeat(40), null, null))
                .toList();
    }

    private static List<String> needed(String... paths) {
        return Selection.needed(files(paths)).stream().map(RepoFile::path).toList();
    }

    @Test
    void safetensorsRatherThanPickles() {
        assertThat(needed(
                        "model.safetensors",
                        "pytorch_model.bin",
                        "consolidated.00.pth",
                        "tf_model.h5",
                        "flax_model.msgpack",
                        "model.onnx",
                        "model.gguf",
                        "model.fp16.safetensors",
                        "run.py",
                        ".gitattributes",
                        "training_args.bin",
                        "picture.png"))
                .containsExactly("model.safetensors");
    }

    @Test
    void shardsAndTheirIndex() {
        assertThat(needed(
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json",
                        "consolidated.safetensors",
                        "pytorch_model-00001-of-00001.bin",
                        "pytorch_model.bin.index.json"))
                .containsExactly(
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json");
        assertThat(needed("model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json"))
                .containsExactly("model.safetensors");
    }

    @Test
    void picklesWhereThereIsNothingElse() {
        assertThat(needed(
                        "pytorch_model-00001-of-00002.bin",
                        "pytorch_model-00002-of-00002.bin",
                        "pytorch_model.bin.index.json",
                        "mm_projector.bin",
                        "optimizer.bin"))
                .containsExactly(
                        "pytorch_model-00001-of-00002.bin",
                        "pytorch_model-00002-of-00002.bin",
                        "pytorch_model.bin.index.json",
                        "mm_projector.bin");
        assertThat(needed("mm_projector.bin", "vocab_matrix.pt", "model.safetensors"))
                .containsExactly("mm_projector.bin", "vocab_matrix.pt", "model.safetensors");
        assertThat(needed("mm_projector.bin", "mm_projector.safetensors")).containsExactly("mm_projector.safetensors");
    }

    @Test
    void aTowerBesidePicklesIsNotTheModel() {
        assertThat(needed(
                        "pytorch_model-00001-of-00002.bin",
                        "pytorch_model-00002-of-00002.bin",
                        "pytorch_model.bin.index.json",
                        "vision_tower.safetensors"))
                .containsExactly(
                        "pytorch_model-00001-of-00002.bin",
                        "pytorch_model-00002-of-00002.bin",
                        "pytorch_model.bin.index.json");
        assertThat(needed("pytorch_model.bin", "tower-00001-of-00001.safetensors"))
                .containsExactly("pytorch_model.bin");
        assertThat(needed("pytorch_model.bin", "model-00001-of-00001.bin", "vision_tower.safetensors"))
                .containsExactly("pytorch_model.bin");
        assertThat(needed("model-00001-of-00001.safetensors", "pytorch_model.bin", "vision_tower.safetensors"))
                .containsExactly("model-00001-of-00001.safetensors");
        assertThat(needed("model.safetensors", "vision_tower.safetensors", "mm_projector.bin"))
                .containsExactly("model.safetensors", "mm_projector.bin");
    }

    @Test
    void anIndexMayNameAnything() {
        assertThat(needed(
                        "model.safetensors.index.json",
                        "text.safetensors",
                        "vision_tower.safetensors",
                        "model.fp16.safetensors",
                        "pytorch_model.bin"))
                .containsExactly("model.safetensors.index.json", "text.safetensors", "vision_tower.safetensors");
    }

    @Test
    void safetensorsOfAnyNameWhereThereIsNothingElse() {
        assertThat(needed("weights.safetensors", "config.json")).containsExactly("weights.safetensors", "config.json");
    }

    @Test
    void textsAsLongAsDataAreLeftOut() {
        assertThat(Selection.needed(List.of(
                        new RepoFile("tokenizer.json", 100_000_000, "a".repeat(40), null, null),
                        new RepoFile("training.json", 100_000_001, "b".repeat(40), null, null))))
                .extracting(RepoFile::path)
                .containsExactly("tokenizer.json");
    }

    @Test
    void textsButNotThoseOfTraining() {
        assertThat(needed(
                        "config.json",
                        "tokenizer.model",
                        "merges.txt",
                        "chat_template.jinja",
                        "LICENSE",
                        "README.md",
                        "trainer_state.json",
                        "eval_results.json",
                        "requirements.txt",
                        "flax_model.msgpack.index.json"))
                .containsExactly(
                        "config.json", "tokenizer.model", "merges.txt", "chat_template.jinja", "LICENSE", "README.md");
    }

    @Test
    void foldersOnlyWhereTheyHoldAPartOfTheModel() {
        assertThat(needed(
                        "config.json",
                        "tower/config.json",
                        "tower/model.safetensors",
                        "docs/a.json",
                        "original/config.json",
                        "original/model.safetensors",
                        "onnx/config.json",
                        "checkpoint-10/config.json",
                        "x/original/config.json",
                        "additional_chat_templates/tool.jinja"))
                .containsExactlyInAnyOrder(
                        "config.json",
                        "tower/config.json",
                        "tower/model.safetensors",
                        "additional_chat_templates/tool.jinja");
    }

    @Test
    void patternsAreThoseOfPython() {
        List<RepoFile> files = files("a.json", "b/c.json", "b/d.txt", "[x].txt", "ab.bin");
        assertThat(Selection.matching(files, List.of("*.json")))
                .extracting(RepoFile::path)
                .containsExactly("a.json", "b/c.json");
        assertThat(Selection.matching(files, List.of("b/")))
                .extracting(RepoFile::path)
                .containsExactly("b/c.json", "b/d.txt");
        assertThat(Selection.matching(files, List.of("?.json")))
                .extracting(RepoFile::path)
                .containsExactly("a.json");
        assertThat(Selection.matching(files, List.of("[!b]*.*", "!*.bin")))
                .extracting(RepoFile::path)
                .containsExactly("a.json", "[x].txt");
        assertThat(Selection.matching(files, List.of("[ab]*"))).hasSize(4);
        assertThat(Selection.matching(files, List.of("[x"))).isEmpty();
    }
}

package io.langbridge.runtime.core.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.MissingTokens;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.TestTensors;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FakeEngine;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VocabularyMatrixTest {
    @TempDir
    private Path folder;

    /** Row i is 2i, 2i + 1. */
    @SuppressWarnings("NullAway.Init")
    private Weights llm;

    @BeforeEach
    void open() {
        llm = Checkpoints.open(new TestTensors().add("embeddings", 5, 2).write(folder.resolve("llm.safetensors")));
    }

    @AfterEach
    void close() {
        llm.close();
    }

    private static SharedVocabulary.Transfer transfer(Map<String, Integer> llmVocabulary) {
        return SharedVocabulary.of(List.of("a", "b", "c"), new int[] {0, 1, 2}).forVocabulary(llmVocabulary);
    }

    private float[] matrix(Map<String, Integer> llmVocabulary, MissingTokens policy) {
        return VocabularyMatrix.of(llm.get("embeddings"), transfer(llmVocabulary), policy)
                .read(0, 3)
                .toArray();
    }

    @Test
    void rowsAreInTheOrderOfTheVocabulary() {
        assertThat(matrix(Map.of("a", 4, "b", 0, "c", 2), MissingTokens.REFUSE)).containsExactly(8, 9, 0, 1, 4, 5);
    }

    @Test
    void missingTokensAreDroppedOrBecomeTheMeanOfTheOthers() {
        Map<String, Integer> llmVocabulary = Map.of("a", 4, "c", 1);
        assertThat(matrix(llmVocabulary, MissingTokens.DROP)).containsExactly(8, 9, 0, 0, 2, 3);
        assertThat(matrix(llmVocabulary, MissingTokens.MEAN)).containsExactly(8, 9, 5, 6, 2, 3);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> matrix(llmVocabulary, MissingTokens.REFUSE))
                .withMessageContaining("1 of 3 tokens are not in the tokenizer")
                .withMessageContaining("[b]")
                .withMessageContaining("Adapter.missingTokens(..)");
    }

    @Test
    void nothingInCommonIsAnErrorWhateverThePolicy() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> matrix(Map.of("x", 1), MissingTokens.DROP))
                .withMessageStartingWith("None of the 3 shared tokens, the first are [a, b, c], is in the tokenizer")
                .withMessageContaining("llm.safetensors");
    }

    @Test
    void anIdBeyondTheEmbeddingsIsNamedWithBothNumbers() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> matrix(Map.of("a", 0, "b", 5, "c", 1), MissingTokens.REFUSE))
                .withMessage("The shared token at position 1 has the id 5 in the tokenizer, but tensor embeddings in "
                        + folder.resolve("llm.safetensors")
                        + " has only 5 rows; tokenizer and weights belong to different models.");
    }

    @Test
    void aTableThatIsNoMatrixIsRefused() {
        try (Weights flat =
                Checkpoints.open(new TestTensors().add("flat", 6).write(folder.resolve("flat.safetensors")))) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> VocabularyMatrix.of(flat.get("flat")))
                    .withMessageContaining("Tensor flat in")
                    .withMessageContaining("has shape [6]");
        }
    }

    @Test
    void aProjectorWithAWeightThatIsNoNumberIsRefusedBeforeAnEngineSeesIt() {
        float[] weight = new float[6];
        weight[4] = Float.NEGATIVE_INFINITY;
        Path file = new TestTensors()
                .add("weight", weight, 2, 3)
                .add("bias", 2)
                .write(folder.resolve("mm_projector.safetensors"));
        try (Weights weights = Checkpoints.open(file)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> Adapters.attach(
                            new FakeEngine("none"),
                            new AdapterConfig.Linear(3, 2),
                            weights,
                            null,
                            null,
                            new EngineOptions(1, false, folder)))
                    .withMessage("Tensor weight in " + file + " holds -Infinity at row 1, column 1 of "
                            + Arrays.toString(new int[] {2, 3})
                            + "; weights are finite numbers. Training went wrong or the file is damaged.");
        }
    }
}

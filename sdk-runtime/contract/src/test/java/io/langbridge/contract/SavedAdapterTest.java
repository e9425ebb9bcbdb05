package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import io.langbridge.Adapter;
import io.langbridge.AdapterWriter;
import io.langbridge.CheckpointException;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.model.Loader;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavedAdapterTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path scratch;

    @SuppressWarnings("NullAway.Init")
    private static Path fixtures;

    @BeforeAll
    static void unpack() {
        fixtures = Fixtures.bundled(scratch);
    }

    private static Path checkpoint(String name) {
        return fixtures.resolve("end-to-end").resolve(name).resolve("checkpoint");
    }

    /** A tensor's bytes as they lie in its file. */
    private static byte[] bytes(StoredTensor tensor) {
        try {
            byte[] all = Files.readAllBytes(tensor.file());
            int start = Math.toIntExact(Objects.requireNonNull(tensor.offset()));
            return Arrays.copyOfRange(
                    all, start, start + (int) tensor.elements() * tensor.dtype().bytes());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void assertSame(StoredTensor actual, StoredTensor expected) {
        assertThat(actual.dtype()).isEqualTo(expected.dtype());
        assertThat(actual.shape()).containsExactly(expected.shape());
        assertThat(bytes(actual)).containsExactly(bytes(expected));
    }

    @Test
    void everyFormOfAnAuthorsCheckpointIsSavedBitForBit() throws IOException {
        List<Path> sources = new ArrayList<>(List.of(
                checkpoint("langbridge-pad"), checkpoint("langbridge-pad-llama3"), checkpoint("langbridge-anyres")));
        Path vocabulary = checkpoint("langbridge-pad").resolve("vocabulary.json");
        try (var files = Files.newDirectoryStream(fixtures.resolve("adapter/langbridge"), "mm_projector.*")) {
            files.forEach(sources::add);
        }
        assertThat(sources).hasSizeGreaterThan(5);
        for (Path source : sources) {
            Path named = Files.isDirectory(source) ? source.resolve("vocabulary.json") : vocabulary;
            Path folder = scratch.resolve("saved-" + sources.indexOf(source));
            Adapter saved = AdapterWriter.save(Adapter.langBridge(source, named), null, folder);
            try (AdapterPart before = AdapterPart.open(source, named);
                    AdapterPart after = AdapterPart.open(saved.path())) {
                assertThat(after.config()).isEqualTo(before.config());
                for (String name : List.of("0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias")) {
                    assertSame(after.weights().get(name), before.weights().get(name));
                }
                StoredTensor newline = before.imageNewline();
                if (newline == null) {
                    assertThat(after.imageNewline()).isNull();
                } else {
                    assertSame(Objects.requireNonNull(after.imageNewline()), newline);
                }
                assertThat(after.tiling()).isEqualTo(before.tiling());
                assertThat(after.selection()).isEqualTo(before.selection());
                assertThat(after.visionTower()).isEqualTo(before.visionTower());
                assertThat(SharedVocabulary.read(Objects.requireNonNull(after.vocabularyFile())))
                        .isEqualTo(SharedVocabulary.read(named));
            }
        }
    }

    @Test
    void itSaysWhereItComesFrom() throws IOException {
        Path source = checkpoint("langbridge-pad");
        Path first = scratch.resolve("first");
        Path second = scratch.resolve("second");
        AdapterWriter.save(Adapter.langBridge(source), null, first);
        AdapterWriter.save(Adapter.langBridge(first).softmax(), Llm.of(source), second);
        try (AdapterPart part = AdapterPart.open(first);
                AdapterPart again = AdapterPart.open(second)) {
            String provenance = String.valueOf(part.provenance());
            assertThat(provenance)
                    .contains("\"file\":\"model.safetensors\",\"sha256\":\""
                            + sha256(source.resolve("model.safetensors")))
                    .contains("\"file\":\"vocabulary.json\",\"sha256\":\"" + sha256(source.resolve("vocabulary.json")))
                    .contains("\"trained_with\":{\"folder\":\"checkpoint\"")
                    .contains("\"hidden_size\":32");
            JsonElement before =
                    Objects.requireNonNull(again.provenance()).getAsJsonObject().get("before");
            assertThat(before).isEqualTo(part.provenance());
            assertThat(again.config())
                    .isInstanceOfSatisfying(
                            AdapterConfig.LangBridge.class,
                            config -> assertThat(config.softmax()).isTrue());
        }
    }

    private static String sha256(Path file) throws IOException {
        try {
            byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return String.format("%064x", new java.math.BigInteger(1, digest));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aLanguageModelItWasNotTrainedWithIsRefused() {
        assertThatThrownBy(() -> AdapterWriter.save(
                        Adapter.langBridge(checkpoint("langbridge-pad")),
                        Llm.of(checkpoint("langbridge-pad-llama3")),
                        scratch.resolve("wrong")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("vocabulary.json has other token ids than")
                .hasMessageContaining("langbridge-pad-llama3");
        assertThat(scratch.resolve("wrong")).doesNotExist();
    }

    @Test
    void withoutAVocabularyItIsNotSaved() throws IOException {
        Path lonely = Files.createDirectories(scratch.resolve("lonely")).resolve("mm_projector.safetensors");
        Files.copy(checkpoint("langbridge-pad").resolve("model.safetensors"), lonely);
        assertThatThrownBy(() -> AdapterWriter.save(Adapter.langBridge(lonely), null, scratch.resolve("never")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has no shared vocabulary beside it");
    }

    @Test
    void aSoftmaxIsNotFoldedWhetherItIsAskedForOrStandsInTheAdaptersFolder() {
        Path source = checkpoint("langbridge-pad");
        LangBridgeAdapter asked = Adapter.langBridge(source).softmax();
        LangBridgeAdapter stored = Adapter.langBridge(scratch.resolve("softmax"));
        AdapterWriter.save(asked, null, stored.path());
        EngineOptions options = new EngineOptions(1, false, scratch.resolve("cache"));
        for (LangBridgeAdapter adapter : List.of(asked, stored)) {
            Path folder = scratch.resolve("folded");
            assertThatThrownBy(() -> Loader.fold(adapter, Llm.of(source), false, folder, new CountingEngine(), options))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining(adapter.path() + " has a softmax")
                    .hasMessageContaining("cannot be folded");
            assertThat(folder).doesNotExist();
        }
    }
}

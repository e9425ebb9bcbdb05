package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.FitReport;
import io.langbridge.FitReport.Verdict;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FitReportTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path scratch;

    @SuppressWarnings("NullAway.Init")
    private static Path endToEnd;

    @BeforeAll
    static void unpack() {
        endToEnd = Fixtures.bundled(scratch).resolve("end-to-end");
    }

    private static Path checkpoint(String name) {
        return endToEnd.resolve(name).resolve("checkpoint");
    }

    private static final String QWEN = "langbridge-pad";
    private static final String LLAMA = "langbridge-pad-llama3";

    private static Encoder tower() {
        return Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
    }

    private static FitReport check(Encoder encoder, Adapter adapter, Llm llm, @Nullable Long memoryLimit) {
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().encoder(encoder).adapter(adapter).llm(llm);
        if (memoryLimit != null) {
            builder.memoryLimit(memoryLimit);
        }
        return builder.check();
    }

    private static FitReport check(Path folder) {
        return VisionLanguageModel.builder().folder(folder).check();
    }

    private static String text(FitReport report, Verdict verdict, String subject) {
        return report.findings().stream()
                .filter(finding ->
                        finding.verdict() == verdict && finding.subject().equals(subject))
                .map(FitReport.Finding::text)
                .findFirst()
                .orElseThrow(() -> new AssertionError("No " + verdict + " " + subject + " in\n" + report));
    }

    @Test
    void partsThatWereTrainedTogetherFit() {
        FitReport report = check(tower(), Adapter.langBridge(checkpoint(QWEN)), Llm.of(checkpoint(QWEN)), null);
        assertThat(report.fits()).as(report.toString()).isTrue();
        assertThat(text(report, Verdict.FITS, "feature size")).isEqualTo("32 on both sides");
        assertThat(text(report, Verdict.FITS, "layer")).isEqualTo("-2, as the adapter was trained");
        assertThat(text(report, Verdict.FITS, "tokenizer"))
                .endsWith("the ids that the adapter's vocabulary was made with");
        assertThat(text(report, Verdict.FITS, "vocabulary")).isEqualTo("160 of 160 shared tokens are there");
        assertThat(text(report, Verdict.FITS, "image_newline")).isEqualTo("not needed");
        assertThat(text(report, Verdict.NOTE, "licences")).startsWith("none is named");
        FitReport.Coverage coverage = Objects.requireNonNull(report.coverage());
        assertThat(coverage.exact()).isEqualTo(160);
        assertThat(coverage.missing()).isEmpty();
        assertThat(report.memory()).extracting(FitReport.Memory::name).contains("language model", "encoder", "adapter");
        assertThat(report.memoryNeeded()).isPositive();
        assertThat(report.toString()).contains("fits     feature size    32 on both sides");
    }

    @Test
    void memoryFollowsWhatIsAskedFor() {
        long cache = memory(builder().contextLength(64), "KV cache for 64 positions");
        assertThat(memory(builder().contextLength(128), "KV cache for 128 positions"))
                .isEqualTo(2 * cache);
        // The angles of the positions stay in float32.
        assertThat(memory(builder().contextLength(64).halfKvCache(true), "KV cache for 64 positions"))
                .isBetween(cache / 2, cache - 1);
        assertThat(memory(builder().contextLength(64).maxConcurrentRequests(3), "3 KV caches for 64 positions"))
                .isEqualTo(3 * cache);
        assertThat(memory(builder().contextLength(64).maxConcurrentRequests(3), "rows for steps of 3 together"))
                .isEqualTo(3 * cache);
        assertThat(memory(builder().contextLength(64).keptPrefixes(3), "3 KV caches for 64 positions"))
                .isEqualTo(3 * cache);
        VisionLanguageModel.Builder more =
                builder().contextLength(64).maxConcurrentRequests(2).keptPrefixes(3);
        assertThat(memory(more, "3 KV caches for 64 positions")).isEqualTo(3 * cache);
        assertThat(memory(more, "rows for steps of 2 together")).isEqualTo(2 * cache);
        assertThat(memory(builder().sharedImages(6), "6 pictures kept encoded"))
                .isEqualTo(2 * memory(builder().sharedImages(3), "3 pictures kept encoded"));
        assertThat(memory(builder().prefillChunk(1), "activations"))
                .isLessThan(memory(builder().prefillChunk(32), "activations"));
        FitReport kept = builder().check();
        FitReport notKept = builder().withoutCache().check();
        assertThat(kept.memoryNeededFirstTime()).isGreaterThan(kept.memoryNeeded());
        assertThat(notKept.memoryNeeded())
                .isEqualTo(notKept.memoryNeededFirstTime())
                .isEqualTo(kept.memoryNeededFirstTime());
        assertThat(text(kept, Verdict.FITS, "memory")).contains("the first time, when weights are converted");
    }

    @Test
    void whatExplainingTakesIsSaidApart() {
        FitReport report = builder().check();
        assertThat(report.memoryToExplain()).isPositive();
        assertThat(text(report, Verdict.FITS, "explanations")).contains("releaseExplanation()");
        LangBridgeAdapter softmax = Adapter.langBridge(checkpoint(QWEN)).softmax();
        long ofSoftmax = builder().adapter(softmax).check().memoryToExplain();
        assertThat(ofSoftmax).isPositive();
        // What is cut needs the coefficients for every answer, and what is left of them of 16 patches to explain.
        VisionLanguageModel.Builder cut = builder().adapter(softmax.softmax(8));
        assertThat(cut.check().memoryToExplain()).isEqualTo(16 * 160 * Float.BYTES);
        assertThat(text(cut.check(), Verdict.FITS, "explanations")).endsWith("while one is made");
        assertThat(memory(cut, "coefficients")).isEqualTo(ofSoftmax);
        assertThat(check(checkpoint("llava-native")).memoryToExplain()).isZero();
    }

    private VisionLanguageModel.Builder builder() {
        return VisionLanguageModel.builder()
                .encoder(tower())
                .adapter(Adapter.langBridge(checkpoint(QWEN)))
                .llm(Llm.of(checkpoint(QWEN)));
    }

    private static long memory(VisionLanguageModel.Builder builder, String item) {
        FitReport report = builder.check();
        return report.memory().stream()
                .filter(memory -> memory.name().equals(item))
                .mapToLong(FitReport.Memory::bytes)
                .findFirst()
                .orElseThrow(() -> new AssertionError("No " + item + " in " + report.memory()));
    }

    @Test
    void wholeFoldersOfEveryLayoutFit() {
        for (String name : new String[] {QWEN, LLAMA, "langbridge-anyres", "llava-native", "llava-next-native"}) {
            FitReport report = check(checkpoint(name));
            assertThat(report.fits()).as(report.toString()).isTrue();
        }
    }

    @Test
    void aMoveToAnotherLanguageModelIsNoted() {
        FitReport report = check(tower(), Adapter.langBridge(checkpoint(QWEN)), Llm.of(checkpoint(LLAMA)), null);
        assertThat(report.fits()).as(report.toString()).isTrue();
        assertThat(text(report, Verdict.NOTE, "tokenizer"))
                .contains("other ids than the adapter's vocabulary was made with");
    }

    @Test
    void everyProblemIsNamedAtOnce() {
        Encoder siglip = Encoder.of(endToEnd.resolveSibling("vision/siglip/checkpoint"));
        FitReport report =
                check(siglip, Adapter.langBridge(checkpoint("langbridge-anyres")), Llm.of(checkpoint(LLAMA)), 1000L);
        assertThat(report.fits()).isFalse();
        assertThat(report.problems())
                .extracting(FitReport.Finding::subject)
                .containsExactly("feature size", "image_newline", "memory");
        assertThat(text(report, Verdict.PROBLEM, "feature size"))
                .contains("takes features of size 32")
                .contains("gives 24");
    }

    @Test
    void aPartThatCannotBeReadIsAProblemAndTheOthersAreStillLookedAt() {
        FitReport report = check(
                Encoder.of(scratch.resolve("nowhere")),
                Adapter.projector(checkpoint(QWEN)),
                Llm.of(scratch.resolve("nothing")),
                null);
        assertThat(report.problems())
                .extracting(FitReport.Finding::subject)
                .containsExactly("adapter", "encoder", "language model");
        assertThat(text(report, Verdict.PROBLEM, "adapter")).contains("use Adapter.langBridge(..)");
        assertThat(report.memoryNeeded()).isZero();
    }

    @Test
    void missingTokensAreNamedByRankWithWhatIsDoneAboutThem() throws IOException {
        Path vocabulary = scratch.resolve("strange.json");
        String known = Files.readString(checkpoint(QWEN).resolve("vocabulary.json"));
        int second = known.indexOf('"', known.indexOf(',') + 1);
        Files.writeString(
                vocabulary,
                known.substring(0, second + 1) + "no such token" + known.substring(known.indexOf('"', second + 1)));
        LangBridgeAdapter adapter = Adapter.langBridge(checkpoint(QWEN), vocabulary);

        FitReport refused = check(tower(), adapter, Llm.of(checkpoint(LLAMA)), null);
        assertThat(refused.fits()).isFalse();
        assertThat(text(refused, Verdict.PROBLEM, "vocabulary")).contains("1 of 160 tokens");
        assertThat(text(refused, Verdict.NOTE, "missing tokens"))
                .isEqualTo(
                        "159 of 160 shared tokens are there; 1 are missing and refused, by rank: 'no such token' (2.)");
        assertThat(Objects.requireNonNull(refused.coverage()).missing()).containsExactly("no such token");

        FitReport dropped = check(tower(), adapter.missingTokens(MissingTokens.DROP), Llm.of(checkpoint(LLAMA)), null);
        assertThat(dropped.fits()).as(dropped.toString()).isTrue();
        assertThat(text(dropped, Verdict.NOTE, "vocabulary")).contains("1 are missing and dropped");
        assertThat(Objects.requireNonNull(dropped.coverage()).policy()).isEqualTo(MissingTokens.DROP);
    }

    @Test
    void anotherLayerThanTheTrainedOneIsNoted() {
        FitReport report =
                check(tower().layer(-1), Adapter.langBridge(checkpoint(QWEN)), Llm.of(checkpoint(QWEN)), null);
        assertThat(text(report, Verdict.NOTE, "layer"))
                .isEqualTo("-1 was asked for, but the adapter was trained on -2");
    }

    @Test
    void anAdapterThatNamesAnotherEncoderIsRefused() throws IOException {
        Path folder = Files.createDirectories(scratch.resolve("named-tower"));
        Files.copy(checkpoint(QWEN).resolve("model.safetensors"), folder.resolve("mm_projector.safetensors"));
        Files.copy(checkpoint(QWEN).resolve("vocabulary.json"), folder.resolve("vocabulary.json"));
        Files.writeString(
                folder.resolve("config.json"),
                Files.readString(checkpoint(QWEN).resolve("config.json"))
                        .replace("./vision_tower", "openai/clip-vit-large-patch14-336"));
        FitReport report = check(tower(), Adapter.langBridge(folder), Llm.of(checkpoint(QWEN)), null);
        assertThat(text(report, Verdict.PROBLEM, "feature size"))
                .contains("was trained with openai/clip-vit-large-patch14-336, CLIP with 24 layers of size 1024")
                .contains("use the encoder that the adapter was trained with");
    }

    @Test
    void aVocabularyOfAnotherSizeOrWithImpossibleIdsIsNamed() throws IOException {
        Path folder = copy(checkpoint(QWEN), scratch.resolve("impossible"));
        Path vocabulary = folder.resolve("vocabulary.json");
        String known = Files.readString(vocabulary);
        int colon = known.indexOf(':');
        int comma = known.indexOf(',', colon);
        Files.writeString(vocabulary, known.substring(0, colon + 1) + "70000" + known.substring(comma));
        FitReport impossible = check(tower(), Adapter.langBridge(folder), Llm.of(folder), null);
        assertThat(text(impossible, Verdict.PROBLEM, "vocabulary"))
                .startsWith(vocabulary.toString())
                .contains("has the id 70000, but the language model has only 624 rows in embed_tokens");

        Files.writeString(vocabulary, "{" + known.substring(comma + 1));
        FitReport shorter = check(tower(), Adapter.langBridge(folder), Llm.of(folder), null);
        assertThat(text(shorter, Verdict.PROBLEM, "adapter"))
                .contains(vocabulary + " has 159 tokens, but the adapter has 160 columns");

        Files.writeString(vocabulary, known.substring(0, comma + 1) + known.substring(1));
        FitReport twice = check(tower(), Adapter.langBridge(folder), Llm.of(folder), null);
        assertThat(text(twice, Verdict.PROBLEM, "adapter"))
                .startsWith(vocabulary.toString())
                .contains("stands there twice");
    }

    @Test
    void licencesAreReadFromModelCardsAndFileNames() throws IOException {
        Path llm = copy(checkpoint(QWEN), scratch.resolve("licensed"));
        Files.writeString(llm.resolve("README.md"), "---\nlicense: apache-2.0\nlanguage: en\n---\nlicense: none\n");
        Files.writeString(llm.resolve("LICENSE.txt"), "text");
        Path encoder = copy(checkpoint(QWEN).resolve("vision_tower"), scratch.resolve("licensed-tower"));
        Files.writeString(encoder.resolve("README.md"), "---\nlicense: other\nlicense_name: \"llama3\" # own\n---\n");
        FitReport report = check(Encoder.of(encoder), Adapter.langBridge(checkpoint(QWEN)), Llm.of(llm), null);
        assertThat(report.licences())
                .containsExactly(
                        new FitReport.Licence("encoder", encoder.resolve("README.md"), "llama3"),
                        new FitReport.Licence("language model", llm.resolve("README.md"), "apache-2.0"),
                        new FitReport.Licence("language model", llm.resolve("LICENSE.txt"), null));
        assertThat(text(report, Verdict.NOTE, "licences"))
                .isEqualTo("encoder: llama3; language model: apache-2.0; language model: LICENSE.txt");
    }

    private static Path copy(Path folder, Path target) throws IOException {
        Files.createDirectories(target);
        try (var files = Files.newDirectoryStream(folder, Files::isRegularFile)) {
            for (Path file : files) {
                Files.copy(file, target.resolve(String.valueOf(file.getFileName())));
            }
        }
        return target;
    }
}

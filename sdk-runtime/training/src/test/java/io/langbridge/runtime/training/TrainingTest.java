package io.langbridge.runtime.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.Adapter;
import io.langbridge.AnswerStream;
import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingTest {
    @TempDir
    private static Path scratch;

    private static Tiny tiny;

    @TempDir
    private Path folder;

    @BeforeAll
    static void unpack() {
        tiny = new Tiny(scratch);
    }

    @BeforeEach
    void requireNatives() {
        Tiny.requireNatives();
    }

    private NewAdapter adapter(String kind) {
        return switch (kind) {
            case "LangBridge" -> NewAdapter.langBridge(tiny.vocabulary()).hiddenSize(48);
            case "softmax" ->
                NewAdapter.langBridge(tiny.vocabulary()).hiddenSize(48).softmax();
            case "MLP" -> NewAdapter.mlp(2);
            default -> NewAdapter.linear();
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"LangBridge", "softmax", "MLP", "linear"})
    void whatWasTrainedAnswersOnBothEngines(String kind) {
        TrainingResult aligned = tiny.training(Training.pretraining(), folder.resolve("1"))
                .newAdapter(adapter(kind))
                .steps(20)
                .build()
                .run();
        assertThat(aligned.llm().folder()).isEqualTo(tiny.llm().folder());
        TrainingResult tuned = tiny.training(Training.instructionTuning(), folder.resolve("2"))
                .adapter(aligned.adapter())
                .steps(120)
                .build()
                .run();
        assertThat(tuned.loss()).isLessThan(0.02);
        for (EngineName engine : List.of(EngineName.ONNX, EngineName.PYTORCH)) {
            try (VisionLanguageModel model = VisionLanguageModel.builder()
                    .encoder(tuned.encoder())
                    .adapter(tuned.adapter())
                    .llm(tuned.llm())
                    .engine(engine)
                    .cacheDirectory(folder.resolve("cache"))
                    .threads(1)
                    .build()) {
                for (TrainingExample example : Tiny.colours()) {
                    Request question = Request.builder()
                            .image(example.images().get(0))
                            .text("Which colour?")
                            .options(GenerationOptions.greedy())
                            .build();
                    try (AnswerStream stream = model.stream(question)) {
                        assertThat(stream.answer().text())
                                .as(engine + ", " + example.name())
                                .isEqualTo(answer(example));
                    }
                }
            }
        }
    }

    private static String answer(TrainingExample example) {
        Message last = example.messages().get(example.messages().size() - 1);
        return ((Message.Text) last.parts().get(0)).text();
    }

    /** Stopped by its listener between two checkpoints. */
    @Test
    void aTrainingThatWasInterruptedComesToTheSameResult() throws IOException {
        List<TrainingExample> examples = new ArrayList<>(Tiny.colours());
        examples.addAll(Tiny.colours());
        examples.remove(7);
        Training.Builder whole = tiny.training(Training.instructionTuning(), folder.resolve("whole"))
                .newAdapter(adapter("LangBridge"))
                .data(examples)
                .evaluationData(Tiny.colours())
                .evaluateEvery(4)
                .saveEvery(3)
                .encoderLearningRate(1e-4)
                .averageWeights(4)
                .batchSize(2)
                .steps(10);
        TrainingResult uninterrupted = whole.build().run();
        whole.output(folder.resolve("parts"));
        Training training = whole.listener(progress -> {
                    if (progress.step() == 5) {
                        throw new IllegalStateException("power cut");
                    }
                })
                .build();
        assertThatIllegalStateException().isThrownBy(training::run).withMessage("power cut");
        List<Integer> steps = new ArrayList<>();
        TrainingResult continued =
                whole.listener(progress -> steps.add(progress.step())).build().run();
        assertThat(steps).containsExactly(4, 5, 6, 7, 8, 9, 10);
        assertThat(continued.curves()).hasSameTextualContentAs(uninterrupted.curves());
        for (String file :
                new String[] {"adapter/mm_projector.safetensors", "llm/model.safetensors", "encoder/model.safetensors"
                }) {
            assertThat(folder.resolve("parts").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(file));
        }
        assertThat(Files.readAllLines(continued.curves()))
                .hasSize(11)
                .startsWith("step,epoch,loss,evaluation_loss,learning_rate,gradient_norm");
        assertThat(ImageIO.read(folder.resolve("parts/curves.png").toFile())).isNotNull();
        assertThat(folder.resolve("parts/checkpoints"))
                .isDirectoryContaining("glob:**step-00000010")
                .isDirectoryNotContaining("glob:**step-00000003");
        // Run again, it has nothing left to do.
        assertThat(whole.listener(progress -> steps.add(0)).build().run().steps())
                .isEqualTo(10);
        assertThat(steps).hasSize(7);
    }

    /** Of the first three updates each counts a third; from then on the new one does. */
    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void theResultIsTheMeanOfTheWeightsIfAskedFor(int steps) throws IOException {
        tiny.training(Training.instructionTuning(), folder)
                .newAdapter(adapter("LangBridge"))
                .averageWeights(3)
                .saveEvery(1)
                .keepCheckpoints(steps)
                .steps(steps)
                .build()
                .run();
        for (String name : new String[] {"adapter.2.weight", "llm.model.norm.weight"}) {
            boolean llm = name.startsWith("llm.");
            float[] mean = null;
            float[] last = null;
            for (int step = 1; step <= steps; step++) {
                last = tensor(
                        folder.resolve("checkpoints/step-0000000" + step + "/trained.safetensors"),
                        "parameter." + name);
                mean = mean == null ? last.clone() : mean;
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += (last[i] - mean[i]) / Math.min(step, 3);
                }
            }
            float[] result = llm
                    ? tensor(folder.resolve("llm/model.safetensors"), "model.norm.weight")
                    : tensor(folder.resolve("adapter/mm_projector.safetensors"), "model.mm_projector.2.weight");
            assertThat(result).usingComparatorWithPrecision(1e-6f).containsExactly(mean);
            assertThat(result).usingComparatorWithPrecision(1e-6f).isNotEqualTo(last);
        }
    }

    private static float[] tensor(Path file, String name) {
        try (Weights weights = Checkpoints.open(file)) {
            StoredTensor stored = weights.get(name);
            FloatTensor values = FloatTensor.allocate((int) stored.elements());
            stored.read(0, values.data());
            return values.toArray();
        }
    }

    @Test
    void aCheckpointOfOtherSettingsIsRefused() {
        Training.Builder builder = tiny.training(Training.pretraining(), folder)
                .newAdapter(adapter("MLP"))
                .steps(2);
        builder.build().run();
        builder.learningRate(0.02);
        assertThatExceptionOfType(TrainingException.class)
                .isThrownBy(() -> builder.build().run())
                .withMessageContaining("learningRate was 0.01 and is 0.02");
    }

    @Test
    void badRecordsAreLeftOutAndNamed() {
        List<TrainingExample> examples = new ArrayList<>(Tiny.colours());
        examples.add(TrainingExample.caption("gone", Image.of(folder.resolve("gone.png")), "a cat"));
        examples.add(new TrainingExample(
                "blind",
                List.of(
                        new Message(Message.Role.USER, List.of(new Message.Text("Hello?"))),
                        new Message(Message.Role.ASSISTANT, List.of(new Message.Text("Hello."))))));
        Training.Builder builder = tiny.training(Training.pretraining(), folder.resolve("few"))
                .newAdapter(adapter("MLP"))
                .data(examples)
                .epochs(1);
        TrainingResult result = builder.build().run();
        assertThat(result.badRecordCount()).isEqualTo(2);
        assertThat(result.badRecords())
                .anySatisfy(problem -> assertThat(problem).contains("gone.png"))
                .contains("Record blind has 0 pictures and 1 answers; pretraining learns from pairs of one picture and"
                        + " one caption");
        builder.output(folder.resolve("none")).maxBadRecords(1);
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> builder.build().run())
                .withMessageContaining("records are bad, more than maxBadRecords 1; the last one: ");
    }

    @Test
    void progressTellsHowFarItIs() {
        List<TrainingProgress> all = new ArrayList<>();
        tiny.training(Training.pretraining(), folder)
                .newAdapter(adapter("softmax"))
                .data(() -> Tiny.colours().iterator())
                .batchSize(3)
                .epochs(2)
                .warmupRatio(0.5)
                .evaluationData(Tiny.colours())
                .listener(all::add)
                .build()
                .run();
        assertThat(all).extracting(TrainingProgress::step).containsExactly(1, 2, 3);
        assertThat(all).extracting(TrainingProgress::steps).containsOnly(3);
        assertThat(all).extracting(TrainingProgress::epoch).containsExactly(0.75, 1.5, 2.0);
        assertThat(all).extracting(TrainingProgress::learningRate).containsExactly(0.0, 0.005, 0.01);
        assertThat(all.get(0).evaluationLoss()).isNull();
        assertThat(all.get(2).evaluationLoss()).isPositive();
        assertThat(all.get(2).remaining()).isZero();
        assertThat(all).allSatisfy(progress -> {
            assertThat(progress.loss()).isPositive();
            assertThat(progress.gradientNorm()).isPositive();
            assertThat(progress.examplesPerSecond()).isPositive();
        });
    }

    @Test
    void everyFamilyOfLanguageModelsIsTuned() {
        for (String name : List.of(
                "llama3",
                "mistral",
                "qwen3",
                "qwen3.5",
                "gemma2",
                "gemma3",
                "granite",
                "olmo2",
                "smollm3",
                "phi3",
                "ministral3",
                "lfm2")) {
            List<Double> losses = new ArrayList<>();
            TrainingResult result = tiny.training(Training.instructionTuning(), folder.resolve(name))
                    .llm(tiny.llm(name))
                    .newAdapter(NewAdapter.mlp(2))
                    .steps(12)
                    .listener(progress -> losses.add(progress.loss()))
                    .build()
                    .run();
            assertThat(losses.get(11)).as(name).isLessThan(0.8 * losses.get(0));
            float[] trained = norm(result.llm());
            float[] before = norm(tiny.llm(name));
            for (int i = 0; i < before.length; i++) {
                assertThat(trained[i]).as(name).isCloseTo(before[i], within(0.2f));
            }
            VisionLanguageModel.builder()
                    .encoder(result.encoder())
                    .adapter(result.adapter())
                    .llm(result.llm())
                    .engine(EngineName.PYTORCH)
                    .build()
                    .close();
        }
    }

    /** Beside its visual tokens stand rows of a second table, which is read where it lies. */
    @Test
    void anAdapterIsTunedBehindGemma4AndTheModelIsNot() {
        List<Double> losses = new ArrayList<>();
        tiny.training(Training.pretraining(), folder.resolve("adapter"))
                .llm(tiny.gemma4())
                .newAdapter(NewAdapter.mlp(2))
                .steps(30)
                .listener(progress -> losses.add(progress.loss()))
                .build()
                .run();
        assertThat(losses.get(29)).isLessThan(0.8 * losses.get(0));

        Training whole = tiny.training(Training.instructionTuning(), folder.resolve("whole"))
                .llm(tiny.gemma4())
                .newAdapter(NewAdapter.mlp(2))
                .build();
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(whole::run)
                .withMessageContainingAll("gemma4", "adapter alone");
    }

    /** The last one, as it is stored. */
    private static float[] norm(Llm llm) {
        try (Weights weights = Checkpoints.open(llm.folder())) {
            String name = weights.names().stream()
                    .filter(each -> each.endsWith("model.norm.weight") || each.endsWith("embedding_norm.weight"))
                    .findFirst()
                    .orElseThrow();
            return weights.get(name).toFloats();
        }
    }

    @Test
    void aLanguageModelIsTrainedOnTextAlone() {
        List<TrainingExample> texts = new ArrayList<>();
        for (String colour : new String[] {"red", "green"}) {
            texts.add(new TrainingExample(
                    colour,
                    List.of(
                            new Message(
                                    Message.Role.USER, List.of(new Message.Text("A " + colour + " house. Colour?"))),
                            new Message(Message.Role.ASSISTANT, List.of(new Message.Text(colour))))));
        }
        TrainingResult result = alone(Training.textPretraining(), folder.resolve("text"))
                .llm(tiny.llm())
                .data(texts)
                .steps(80)
                .build()
                .run();
        assertThat(result.loss()).isLessThan(0.1);
        assertThat(result.llm().folder()).isEqualTo(folder.resolve("text/llm"));
        assertThatIllegalStateException().isThrownBy(result::adapter).withMessage("This training had no adapter");
        Training.Builder pictures = alone(Training.textPretraining(), folder.resolve("pictures"))
                .llm(tiny.llm())
                .data(Tiny.colours())
                .maxBadRecords(0);
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> pictures.build().run())
                .withMessageContaining("has a picture, but this training is one on text alone");
    }

    /** Then a linear adapter on top of the trained encoder tells its labels apart at once. */
    @Test
    void anEncoderIsTrainedToLabelPatches() throws IOException {
        List<TrainingExample> records = new ArrayList<>();
        String[] labels = {"red", "green", "blue", "dark light"};
        for (int i = 0; i < 4; i++) {
            String caption = String.join("\n", Collections.nCopies(16, labels[i]));
            Image image = Tiny.colours().get(i).images().get(0);
            records.add(TrainingExample.caption(labels[i], image, i == 0 ? caption.replaceFirst("red", "") : caption));
        }
        Training.Builder builder = alone(Training.encoderPretraining(), folder.resolve("labels"))
                .encoder(Encoder.of(tiny.encoder().folder()).layer(-1))
                .labels(List.of("red", "green", "blue", "dark", "light"))
                .data(records)
                .steps(60);
        TrainingResult result = builder.build().run();
        // Two labels on a quarter of the patches: the best possible is ln 2 for these, and they count twice.
        assertThat(result.loss()).isBetween(0.27, 0.35);
        assertThat(result.encoder().folder()).isEqualTo(folder.resolve("labels/encoder"));
        assertThatIllegalStateException().isThrownBy(result::llm).withMessage("This training had no language model");
        assertThat(folder.resolve("labels/encoder/model.safetensors")).isNotEmptyFile();
        builder.output(folder.resolve("unknown"))
                .data(List.of(TrainingExample.caption(
                        "odd", Tiny.picture(0), String.join("\n", Collections.nCopies(16, "grey")))))
                .maxBadRecords(0);
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> builder.build().run())
                .withMessageContaining("Record odd has the label 'grey' on patch 0, which is none of labels(..)");
    }

    private static Training.Builder alone(Training.Builder builder, Path output) {
        return builder.output(output)
                .learningRate(0.01)
                .batchSize(4)
                .microBatchSize(2)
                .threads(1)
                .device(Device.CPU)
                .listener(progress -> {});
    }

    @Test
    void aFrozenAdapterStaysAsItIs() throws IOException {
        TrainingResult aligned = tiny.training(Training.pretraining(), folder.resolve("1"))
                .newAdapter(adapter("LangBridge"))
                .steps(2)
                .build()
                .run();
        TrainingResult tuned = tiny.training(Training.instructionTuning(), folder.resolve("2"))
                .adapter(aligned.adapter())
                .freezeAdapter()
                .steps(60)
                .build()
                .run();
        assertThat(tuned.loss()).isLessThan(0.5);
        assertThat(tuned.adapter().path().resolve("mm_projector.safetensors"))
                .hasSameBinaryContentAs(aligned.adapter().path().resolve("mm_projector.safetensors"));
    }

    @Test
    void aLossThatIsNoNumberEndsTheTraining() {
        Path broken = folder.resolve("broken.safetensors");
        try (VisionPart encoder = VisionPart.open(tiny.encoder().folder())) {
            int features = encoder.config().hiddenSize();
            FloatTensor weight = FloatTensor.allocate(32, features);
            weight.data().put(5, Float.NaN);
            new SafetensorsWriter()
                    .add("model.mm_projector.weight", weight.data(), 32, features)
                    .add("model.mm_projector.bias", FloatTensor.allocate(32).data(), 32)
                    .write(broken);
        }
        assertThatExceptionOfType(TrainingException.class)
                .isThrownBy(() -> tiny.training(Training.pretraining(), folder.resolve("output"))
                        .adapter(Adapter.projector(broken))
                        .steps(3)
                        .build()
                        .run())
                .withMessageStartingWith("In update 1 of 3 the loss is NaN and the gradient's norm NaN; ")
                .withMessageContaining("Lower the learning rate (0.01)");
    }

    @Test
    void partsThatDoNotFitAreRefused() {
        TrainingResult result = tiny.training(Training.pretraining(), folder.resolve("1"))
                .newAdapter(adapter("MLP"))
                .steps(1)
                .build()
                .run();
        Training.Builder another =
                tiny.training(Training.pretraining(), folder.resolve("2")).steps(1);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> another.adapter(result.adapter())
                        .llm(tiny.llm("qwen2.5"))
                        .build()
                        .run())
                .withMessageContaining("gives visual tokens of size 32, but the language model")
                .withMessageContaining(" takes 40; ");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> another.adapter(
                                Adapter.langBridge(result.adapter().path()))
                        .build()
                        .run())
                .withMessageContaining("use Adapter.projector(..)");
    }
}

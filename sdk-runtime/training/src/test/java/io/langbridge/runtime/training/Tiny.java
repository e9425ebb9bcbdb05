package io.langbridge.runtime.training;

import static org.junit.jupiter.api.Assumptions.abort;

import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.contract.Fixtures;
import io.langbridge.runtime.pytorch.PyTorchEngine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The tiny checkpoints of the fixtures, and pictures of one colour each. */
final class Tiny {
    private final Path fixtures;

    Tiny(Path scratch) {
        fixtures = Fixtures.bundled(scratch);
    }

    /** Skips the test where there are no natives for this machine on the class path. */
    static void requireNatives() {
        try {
            new PyTorchEngine().require(Device.CPU, false);
        } catch (RuntimeUnavailableException e) {
            abort("Needs PyTorch's natives: " + e.getMessage());
        }
    }

    Encoder encoder() {
        return Encoder.of(fixtures.resolve("end-to-end/langbridge-pad/checkpoint/vision_tower"));
    }

    Llm llm() {
        return llm("qwen2");
    }

    Llm llm(String name) {
        return Llm.of(fixtures.resolve("decoders").resolve(name).resolve("checkpoint"));
    }

    Llm gemma4() {
        return Llm.of(fixtures.resolve("families/gemma4/checkpoint"));
    }

    Path vocabulary() {
        return fixtures.resolve("end-to-end/langbridge-pad/checkpoint/vocabulary.json");
    }

    static Image picture(int rgb) {
        int[] pixels = new int[28 * 28];
        Arrays.fill(pixels, 0xff000000 | rgb);
        return Image.ofArgb(pixels, 28, 28);
    }

    static List<TrainingExample> colours() {
        List<TrainingExample> examples = new ArrayList<>();
        examples.add(TrainingExample.question("red", picture(0xff0000), "Which colour?", "It is red."));
        examples.add(TrainingExample.question("green", picture(0x00ff00), "Which colour?", "A green one."));
        examples.add(TrainingExample.question("blue", picture(0x0000ff), "Which colour?", "Blue, I think."));
        examples.add(TrainingExample.question("white", picture(0xffffff), "Which colour?", "White."));
        return examples;
    }

    /** A training of a few seconds. */
    Training.Builder training(Training.Builder builder, Path output) {
        return builder.encoder(encoder())
                .llm(llm())
                .data(colours())
                .output(output)
                .learningRate(0.01)
                .batchSize(4)
                .microBatchSize(2)
                .threads(1)
                .device(Device.CPU)
                .listener(progress -> {});
    }
}

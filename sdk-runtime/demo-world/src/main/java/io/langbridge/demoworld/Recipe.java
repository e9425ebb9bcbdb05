package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.ImageFit;
import io.langbridge.Llm;
import io.langbridge.runtime.training.NewAdapter;
import io.langbridge.runtime.training.Optimizer;
import io.langbridge.runtime.training.Training;
import io.langbridge.runtime.training.TrainingListener;
import io.langbridge.tools.SharedVocabularies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How a model of the world is trained, step by step; each step goes on where it was stopped. The language models never
 * see a picture before {@link #align}, the encoder never a language model.
 *
 * @param folder for all that is made
 * @param seed of all that is random
 * @param length of every step, of which 1 is the recipe's own; at least two updates remain
 * @param progress shows how far a step is
 */
record Recipe(Path folder, long seed, double length, Progress progress) {
    private static final int ENCODER_STEPS = 9000;
    private static final int MORE_ENCODER_STEPS = 3600;
    private static final int TEXT_STEPS = 5400;
    static final int ALIGN_STEPS = 300;
    static final int TUNE_A_STEPS = 45_000;
    static final int TUNE_B_STEPS = 34_000;
    private static final int VOCABULARY = 256;
    private static final int ADAPTER_HIDDEN = 384;
    static final int QUESTIONS = 8;

    /** Gives a step its listener. */
    interface Progress {
        TrainingListener of(String step);
    }

    /** An encoder that has learnt to tell what lies on each patch, with one optimizer after the other. */
    Encoder encoder() throws IOException {
        Path fresh = folder.resolve("encoder-new");
        if (!Files.exists(fresh)) {
            EncoderFolder.write(fresh, seed + 6);
        }
        Encoder first = encoder("encoder-adamw", asUsed(Encoder.of(fresh)), ENCODER_STEPS, 7e-4, Optimizer.ADAMW, seed);
        return encoder("encoder", first, MORE_ENCODER_STEPS, 6e-4, Optimizer.MUON, seed + 50);
    }

    private Encoder encoder(String name, Encoder start, int steps, double rate, Optimizer optimizer, long data) {
        Encoder trained = training(Training.encoderPretraining(), name, steps, 32, rate)
                .optimizer(optimizer)
                .encoder(start)
                .labels(PatchLessons.labels())
                .data(Lessons.patches(data))
                .weightDecay(0.05)
                .build()
                .run()
                .encoder();
        return asUsed(trained);
    }

    /** Pictures that are not square lie between bars of gray: stretched, a circle could not be told from an oval. */
    static Encoder asUsed(Encoder encoder) {
        return encoder.layer(EncoderFolder.LAYER).fit(ImageFit.PAD);
    }

    /** A language model that has learnt from text about the world. */
    Llm text(LlmFolder kind) throws IOException {
        Path fresh = folder.resolve("llm-" + kind + "-new");
        if (!Files.exists(fresh)) {
            kind.write(fresh, seed + 19 + kind.ordinal());
        }
        return training(Training.textPretraining(), "llm-" + kind + "-text", TEXT_STEPS, 8, 1.2e-3)
                .llm(Llm.of(fresh))
                .data(Lessons.texts(seed + 2 + kind.ordinal(), QUESTIONS))
                .weightDecay(0.01)
                .build()
                .run()
                .llm();
    }

    /** The tokens that the texts need most, among those that all language models have; with the first one's ids. */
    Path vocabulary(Llm first, Llm... others) throws IOException {
        Path file = folder.resolve("vocabulary.json");
        if (!Files.exists(file)) {
            Path texts = folder.resolve("texts.txt");
            Files.write(texts, TextLessons.texts(seed + 40, 5000));
            Path counts = folder.resolve("counts.json");
            SharedVocabularies.count(first, List.of(texts), counts, (bytes, all, tokens) -> {});
            SharedVocabularies.Builder shared = SharedVocabularies.builder()
                    .size(VOCABULARY)
                    .llm("first", first)
                    .counts(counts);
            for (int i = 0; i < others.length; i++) {
                shared.llm("other " + i, others[i]);
            }
            shared.build().save("first", file);
        }
        return file;
    }

    /** A new LangBridge adapter. */
    static NewAdapter.LangBridge langBridge(Path vocabulary) {
        return NewAdapter.langBridge(vocabulary).hiddenSize(ADAPTER_HIDDEN);
    }

    /** LLaVA 1.5's adapter. */
    static NewAdapter mlp() {
        return NewAdapter.mlp(2);
    }

    /** Stage 1: a new adapter learns to show pictures to a language model that stays as it is. */
    Adapter align(String name, Encoder encoder, NewAdapter adapter, Llm llm) {
        return align(name, encoder, adapter, llm, ALIGN_STEPS);
    }

    /** The same with another number of updates. */
    Adapter align(String name, Encoder encoder, NewAdapter adapter, Llm llm, int steps) {
        return aligning(name, encoder, llm, steps)
                .newAdapter(adapter)
                .data(Lessons.pictures(seed + 10, QUESTIONS))
                .build()
                .run()
                .adapter();
    }

    /** Stage 1, of an adapter and pictures that are still to be named. */
    Training.Builder aligning(String name, Encoder encoder, Llm llm, int steps) {
        return training(Training.pretraining(), name, steps, 16, 3e-3)
                .conversations()
                .encoder(encoder)
                .llm(llm);
    }

    /** Stage 2: adapter and language model learn to answer. Still needs an adapter, old or new. */
    Training.Builder tuning(String name, Encoder encoder, Llm llm, int steps) {
        return training(Training.instructionTuning(), name, steps, 8, 3e-3)
                .llmLearningRate(1.2e-3)
                .encoder(encoder)
                .llm(llm)
                .data(Lessons.pictures(seed + 11, QUESTIONS));
    }

    /**
     * Goes on with a trained model, encoder and all, in smaller steps; what comes out is a running mean. Still needs an
     * adapter, and a rate for the encoder if that is to learn too.
     *
     * @param rate how fast, of which 1 is the recipe's own
     */
    Training.Builder again(String name, Encoder encoder, Llm llm, int steps, double rate) {
        return training(Training.instructionTuning(), name, steps, 16, 1e-3 * rate)
                .llmLearningRate(6e-4 * rate)
                .encoder(asUsed(encoder))
                .llm(llm)
                .averageWeights(Math.max(1, steps / 8))
                .data(Lessons.pictures(seed + 12, QUESTIONS));
    }

    private Training.Builder training(Training.Builder training, String name, int steps, int batch, double rate) {
        return training.output(folder.resolve(name))
                .listener(progress.of(name))
                .learningRate(rate)
                .optimizer(Optimizer.MUON)
                .warmupRatio(0.05)
                .batchSize(batch)
                .microBatchSize(batch)
                .steps((int) Math.max(2, length * steps))
                .saveEvery(100)
                .seed(41 + seed)
                .device(Device.CPU);
    }
}

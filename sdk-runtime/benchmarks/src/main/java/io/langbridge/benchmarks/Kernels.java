package io.langbridge.benchmarks;

import io.langbridge.Image;
import io.langbridge.runtime.core.constrain.Constraints;
import io.langbridge.runtime.core.family.LlavaPictures;
import io.langbridge.runtime.core.family.PreprocessorConfig;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.TokenRules;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.StreamingDecoder;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.spi.RgbPixels;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What is plain Java and runs for every picture or every token. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls the setup first
public class Kernels {
    /** System property: the folder with the picture and the tokenizer. */
    static final String MODELS = "benchmarks.models";

    private static final int VOCABULARY = 151_936;
    private static final int TILE = 336;
    private static final String TEXT = "the quick brown fox jumps over the lazy dog, 1234567890 times. ".repeat(8);

    private Path picture;
    private RgbPixels pixels;
    private ImagePreprocessor preprocessor;
    private FloatBuffer logits;
    private Sampler greedy;
    private Sampler drawing;
    private Tokenizer tokenizer;
    private int[] ids;
    private Constraints constraints;

    /** Prepares the inputs. */
    @Setup
    public void prepare() throws IOException {
        Path models = Path.of(System.getProperty(MODELS));
        picture = Picture.in(models);
        pixels = Image.of(picture).pixels();
        preprocessor = new ImagePreprocessor(new LlavaPictures(
                new PreprocessorConfig(
                        new PreprocessorConfig.ShortestEdge(TILE),
                        3,
                        new Size(TILE, TILE),
                        1 / 255.0,
                        List.of(0.48, 0.46, 0.41),
                        List.of(0.27, 0.26, 0.28)),
                new Tiling.Pad(),
                TILE,
                1));
        FloatTensor values = FloatTensor.allocate(VOCABULARY);
        logits = values.data();
        Random random = new Random(7);
        for (int i = 0; i < VOCABULARY; i++) {
            logits.put(i, (float) (3 * random.nextGaussian()));
        }
        greedy = new Sampler(Sampler.Settings.GREEDY);
        drawing = new Sampler(new Sampler.Settings(0.7, 50, 0.9, 0, 1.1, 7));
        tokenizer = Tokenizer.of(models.resolve("tokenizer"));
        ids = tokenizer.encode(TEXT, false);
        constraints = new Constraints(tokenizer);
    }

    /** A JPEG file of 1024 x 768 to pixels. */
    @Benchmark
    public RgbPixels decodePicture() {
        return Image.of(picture).pixels();
    }

    /** 1024 x 768, padded, to one tile of 336 x 336, normalised. */
    @Benchmark
    public PreparedImage resizePicture() {
        return preprocessor.prepare(pixels);
    }

    /** The likeliest of 151,936. */
    @Benchmark
    public int sampleGreedily() {
        return greedy.next(logits);
    }

    /** Repetition penalty, temperature, top-k 50, top-p 0.9 and the draw. */
    @Benchmark
    public int sampleByChance() {
        return drawing.next(logits);
    }

    /** The likeliest of what a pattern allows, most of the vocabulary, which is known from the step before. */
    @Benchmark
    public int sampleHeld() {
        return new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, constraints.pattern("[^A-Z]+")).next(logits);
    }

    /** 504 characters to ids. */
    @Benchmark
    public int[] encodeText() {
        return tokenizer.encode(TEXT, false);
    }

    /** The same ids one by one to text. */
    @Benchmark
    public int decodeTokens() {
        StreamingDecoder decoder = tokenizer.newStreamingDecoder();
        int length = 0;
        for (int id : ids) {
            length += decoder.next(id).length();
        }
        return length;
    }
}

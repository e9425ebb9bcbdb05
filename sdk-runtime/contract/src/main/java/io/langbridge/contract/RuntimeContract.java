package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.langbridge.Precision;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.Scores;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/**
 * Runs an engine, and with it the whole core, against the reference's results. An engine's module extends it in its
 * tests and supplies the engine; everything else is found in the folder of fixtures, see its {@code README.md}:
 *
 * <pre>{@code
 * ./mvnw test                               # the bundled fixtures
 * ./mvnw test -Dlangbridge.fixtures=DIR     # another folder of the same layout, with any cases in it
 * }</pre>
 *
 * <p>Prints one line per area and one for all, {@code parity onnx decoders: 8 found, 8 passed, 0 failed, 0 skipped}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class RuntimeContract {
    private static final List<String> NETWORKS = List.of("vision", "adapter", "decoders", "end-to-end", "families");

    private final Map<String, Tally> tallies = new LinkedHashMap<>();
    private final List<String> leftOut = new ArrayList<>();
    private @Nullable Engine engine;

    /** Public for JUnit. */
    protected RuntimeContract() {}

    /** The engine to check. */
    protected abstract Engine engine();

    /** The precision to check; areas that have no network in them are left to the check in full precision. */
    protected Precision precision() {
        return Precision.FULL;
    }

    /** Whether decoders hold their quantised layers twice; null is the usual. */
    protected @Nullable Boolean twoForms() {
        return null;
    }

    /**
     * The scores after the processors that are on, as the engine computes them where it chooses tokens itself.
     *
     * @param scores the caller's own
     * @param seen ids that the repetition penalty counts
     */
    protected float[] process(float[] scores, Set<Integer> seen, Sampler.Settings settings) {
        Scores.repetitionPenalty(scores, seen, settings.repetitionPenalty());
        Sampler.process(scores, settings);
        return scores;
    }

    /** One test per case, in one container per area. */
    @TestFactory
    Stream<DynamicNode> equalsTheReference(@TempDir Path scratch) {
        Engine checked = engine();
        Fixtures fixtures = Fixtures.open(scratch);
        EngineOptions options = new EngineOptions(2, false, scratch.resolve("cache")).with(precision(), twoForms());
        List<Fixtures.Case> cases = new ArrayList<>(fixtures.cases());
        if (precision() != Precision.FULL) {
            cases.removeIf(found -> !NETWORKS.contains(found.area()));
        }
        for (String area : precision() == Precision.FULL ? Fixtures.AREAS : NETWORKS) {
            tallies.put(area, new Tally());
        }
        Map<String, List<DynamicNode>> tests = new LinkedHashMap<>();
        for (Fixtures.Case found : cases) {
            Tally tally = tallies.computeIfAbsent(found.area(), area -> new Tally());
            tally.found++;
            tests.computeIfAbsent(found.area(), area -> new ArrayList<>())
                    .add(dynamicTest(found.name(), found.file().toUri(), () -> {
                        Map<String, Double> plain;
                        try {
                            plain = plainErrors(checked, options, fixtures, found);
                        } catch (Exception | AssertionError e) {
                            tally.failed++;
                            throw e;
                        }
                        run(new Check(checked, options, fixtures, found, plain), tally);
                    }));
        }
        List<DynamicNode> nodes = new ArrayList<>();
        nodes.add(dynamicTest("all of " + fixtures.root() + " belongs to a case", () -> {
            if (cases.isEmpty()) {
                throw new AssertionError("There is no case in " + fixtures.root());
            }
            List<String> strays = fixtures.strayFolders(fixtures.cases());
            if (!strays.isEmpty()) {
                throw new AssertionError("Folders that nothing knows how to check: " + strays);
            }
        }));
        engine = checked;
        tests.forEach((area, nodesOfArea) -> nodes.add(dynamicContainer(area, nodesOfArea)));
        return nodes.stream();
    }

    @Test
    void multipliesMatricesInAnyOrientation(@TempDir Path scratch) {
        EngineOptions options = new EngineOptions(2, false, scratch);
        int m = 37;
        int k = 300;
        int n = 29;
        float[] a = gaussian(new Random(4), m * k);
        float[] b = gaussian(new Random(5), k * n);
        double[] expected = new double[m * n];
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < k; j++) {
                expected[i] += (double) a[i / n * k + j] * b[j * n + i % n];
            }
        }
        for (boolean transposeA : new boolean[] {false, true}) {
            for (boolean transposeB : new boolean[] {false, true}) {
                FloatTensor left = transposeA ? FloatTensor.of(transposed(a, m, k), k, m) : FloatTensor.of(a, m, k);
                FloatTensor right = transposeB ? FloatTensor.of(transposed(b, k, n), n, k) : FloatTensor.of(b, k, n);
                FloatTensor product = engine().multiply(left, transposeA, right, transposeB, options);
                assertThat(product.shape()).containsExactly(m, n);
                double difference = 0;
                double size = 0;
                for (int i = 0; i < expected.length; i++) {
                    difference += Math.pow(product.data().get(i) - expected[i], 2);
                    size += Math.pow(expected[i], 2);
                }
                assertThat(Math.sqrt(difference / size)).isLessThan(1e-6);
            }
        }
        assertThatThrownBy(() -> engine().multiply(
                                FloatTensor.allocate(2, 3), false, FloatTensor.allocate(2, 3), false, options))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("[2, 3] times [2, 3] is no product of matrices");
    }

    private static float[] gaussian(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] transposed(float[] values, int rows, int columns) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i % columns * rows + i / columns] = values[i];
        }
        return result;
    }

    /** The measure for a quantised network, see {@link PlainRounding}; empty in full precision. */
    private Map<String, Double> plainErrors(
            Engine checked, EngineOptions options, Fixtures fixtures, Fixtures.Case found) throws Exception {
        if (precision() == Precision.FULL) {
            return Map.of();
        }
        try (PlainRounding plain = new PlainRounding(checked);
                Check check = new Check(plain, options, fixtures, found, null)) {
            check(check);
            return check.errors();
        }
    }

    private void run(Check check, Tally tally) throws Exception {
        List<String> differences = new ArrayList<>();
        Throwable failure = null;
        try (check) {
            check(check);
        } catch (Exception | AssertionError e) {
            failure = e;
        }
        leftOut.addAll(check.leftOut());
        if (failure == null && check.allLeftOut()) {
            tally.skipped++;
            throw new TestAbortedException(String.join("; ", check.leftOut()));
        }
        differences.addAll(check.differences());
        if (failure != null || !differences.isEmpty()) {
            tally.failed++;
            String name = check.found().name() + ":\n  ";
            throw new AssertionError(
                    name + (failure == null ? "" : failure + "\n  ") + String.join("\n  ", differences), failure);
        }
        tally.passed++;
        if (check.largestShare() > tally.largestShare) {
            tally.largestShare = check.largestShare();
            tally.largest = check.largest();
        }
    }

    /** Decides by the area and what the case holds, never by its name. */
    private void check(Check check) throws Exception {
        switch (check.found().area()) {
            case "images" -> ImageCases.check(check);
            case "preprocessing" -> PreprocessingCases.check(check);
            case "vision" -> VisionCases.check(check);
            case "adapter" -> AdapterCases.check(check);
            case "decoders" -> DecoderCases.check(check);
            case "scores" -> ScoreCases.check(check, this::process);
            case "end-to-end" -> EndToEndCases.check(check);
            case "families" -> FamilyCases.check(check);
            case "tokenizers" -> TokenizerCases.check(check);
            case "shared-vocabulary" -> VocabularyCases.check(check);
            default ->
                throw new AssertionError("There is no area " + check.found().area() + ", only " + Fixtures.AREAS);
        }
    }

    @AfterAll
    void report() {
        if (engine == null) {
            return; // there is no such folder: that has failed, and nothing was found
        }
        String runtime = engine.name()
                + (precision() == Precision.FULL ? "" : "-" + precision().name().toLowerCase(Locale.ROOT))
                + (twoForms() == null ? "" : "-two-forms-" + twoForms());
        StringBuilder report = new StringBuilder();
        leftOut.forEach(what -> report.append("left out ").append(what).append('\n'));
        tallies.forEach((area, tally) -> {
            if (!tally.largest.isEmpty()) {
                report.append("largest error ")
                        .append(area)
                        .append(": ")
                        .append(tally.largest)
                        .append('\n');
            }
        });
        Tally total = new Tally();
        tallies.forEach((area, tally) -> {
            report.append(tally.line(runtime, area));
            total.add(tally);
        });
        report.append(total.line(runtime, "total"));
        System.out.print(report);
        System.out.flush();
    }

    private static final class Tally {
        private int found;
        private int passed;
        private int failed;
        private int skipped;
        private double largestShare;
        private String largest = "";

        void add(Tally other) {
            found += other.found;
            passed += other.passed;
            failed += other.failed;
            skipped += other.skipped;
        }

        String line(String runtime, String area) {
            return "parity " + runtime + " " + area + ": " + found + " found, " + passed + " passed, " + failed
                    + " failed, " + skipped + " skipped\n";
        }
    }
}

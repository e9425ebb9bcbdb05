package io.langbridge.contract;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.Scores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicNode;
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
    private final Map<String, Tally> tallies = new LinkedHashMap<>();
    private final List<String> leftOut = new ArrayList<>();
    private @Nullable Engine engine;

    /** Public for JUnit. */
    protected RuntimeContract() {}

    /** The engine to check. */
    protected abstract Engine engine();

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
        EngineOptions options = new EngineOptions(2, false, scratch.resolve("cache"));
        Fixtures.AREAS.forEach(area -> tallies.put(area, new Tally()));
        List<Fixtures.Case> cases = fixtures.cases();
        Map<String, List<DynamicNode>> tests = new LinkedHashMap<>();
        for (Fixtures.Case found : cases) {
            Tally tally = tallies.computeIfAbsent(found.area(), area -> new Tally());
            tally.found++;
            tests.computeIfAbsent(found.area(), area -> new ArrayList<>())
                    .add(dynamicTest(
                            found.name(),
                            found.file().toUri(),
                            () -> run(new Check(checked, options, fixtures, found), tally)));
        }
        List<DynamicNode> nodes = new ArrayList<>();
        nodes.add(dynamicTest("all of " + fixtures.root() + " belongs to a case", () -> {
            if (cases.isEmpty()) {
                throw new AssertionError("There is no case in " + fixtures.root());
            }
            List<String> strays = fixtures.strayFolders(cases);
            if (!strays.isEmpty()) {
                throw new AssertionError("Folders that nothing knows how to check: " + strays);
            }
        }));
        engine = checked;
        tests.forEach((area, nodesOfArea) -> nodes.add(dynamicContainer(area, nodesOfArea)));
        return nodes.stream();
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
        String runtime = engine.name();
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

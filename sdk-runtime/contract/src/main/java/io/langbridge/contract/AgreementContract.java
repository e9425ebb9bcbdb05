package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Engines give the same greedy tokens on every end-to-end case, with pictures and all. */
public abstract class AgreementContract {
    /** Public for JUnit. */
    protected AgreementContract() {}

    /** The engines to compare, two or more. */
    protected abstract List<Engine> engines();

    /** One test per case. */
    @TestFactory
    Stream<DynamicNode> givesTheSameGreedyTokens(@TempDir Path scratch) {
        List<Engine> engines = engines();
        Fixtures fixtures = Fixtures.open(scratch);
        EngineOptions options = new EngineOptions(2, false, scratch.resolve("cache"));
        List<DynamicNode> tests = new ArrayList<>();
        for (Fixtures.Case found : fixtures.cases()) {
            if (found.area().equals("end-to-end")) {
                tests.add(dynamicTest(found.name(), found.file().toUri(), () -> {
                    Map<String, List<Integer>> first = tokens(new Check(engines.get(0), options, fixtures, found));
                    assertThat(first).isNotEmpty();
                    for (Engine engine : engines.subList(1, engines.size())) {
                        assertThat(tokens(new Check(engine, options, fixtures, found)))
                                .as(
                                        "tokens of %s, expected those of %s",
                                        engine.name(), engines.get(0).name())
                                .isEqualTo(first);
                    }
                }));
            }
        }
        assertThat(tests).isNotEmpty();
        return tests.stream();
    }

    private static Map<String, List<Integer>> tokens(Check check) {
        try (check) {
            return EndToEndCases.check(check);
        }
    }
}

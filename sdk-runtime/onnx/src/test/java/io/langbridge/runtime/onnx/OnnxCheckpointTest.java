package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.family.LlmPart;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose configuration alone does not say what they compute; the logits are those of transformers 5.18. */
class OnnxCheckpointTest {
    @TempDir
    Path cache;

    @ParameterizedTest
    @ValueSource(strings = {"tied-flag-with-a-head", "rope-scaling-beside-parameters"})
    void gives_the_logits_of_the_reference(String name) throws URISyntaxException {
        URL resource = OnnxCheckpointTest.class.getResource("/checkpoints/" + name);
        Path folder = Path.of(Objects.requireNonNull(resource).toURI());
        Json expected = Json.read(folder.resolve("expected.json"));
        int[] ids = expected.longs("ids").stream().mapToInt(Long::intValue).toArray();
        List<Double> logits = expected.doubles("logits");
        try (LlmPart llm = LlmPart.open(folder);
                DecoderNetwork network =
                        new OnnxEngine().decoder(llm.config(), llm.weights(), new EngineOptions(1, false, cache));
                DecoderSession session = network.open(ids.length)) {
            FloatBuffer last = session.prefill(network.embed(ids));
            for (int i = 0; i < logits.size(); i++) {
                assertThat((double) last.get(i)).isCloseTo(logits.get(i), within(2e-5));
            }
        }
    }
}

package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Projector;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantisedBoundTest {
    private static final float[] EXPECTED = {1, -2, 3, 4};

    @TempDir
    Path folder;

    private final List<Weights> opened = new ArrayList<>();
    /** Opens nothing; notes the weights it is given. */
    private final Engine engine = (Engine) Proxy.newProxyInstance(
            Engine.class.getClassLoader(), new Class<?>[] {Engine.class}, (proxy, method, arguments) -> {
                opened.add((Weights) arguments[1]);
                assertThat(((EngineOptions) arguments[3]).precision()).isEqualTo(Precision.FULL);
                return null;
            });

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void acceptsWhatPlainRoundingCosts(Precision precision) throws IOException {
        assertThat(differences(precision, 0.1, 1.1f)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void refusesAResultOfNothingButZerosHoweverMuchPlainRoundingCosts(Precision precision) throws IOException {
        assertThat(differences(precision, 5, 0)).isNotEmpty();
    }

    @Test
    void refusesWhatIsFarWorseThanPlainRounding() throws IOException {
        assertThat(differences(Precision.INT8, 0.01, 1.1f))
                .hasSize(2)
                .anySatisfy(
                        difference -> assertThat(difference).startsWith("The median of the relative errors is 0.1"));
    }

    @Test
    void takesIntoAccountThatActivationsAreRoundedToTheSameBits() throws IOException {
        assertThat(differences(Precision.INT4, 0.06, 1.1f)).hasSize(1);
        assertThat(differences(Precision.INT8, 0.06, 1.1f)).isEmpty();
    }

    /** Of one result, {@code factor} times what it should be. */
    private List<String> differences(Precision precision, double plainError, float factor) throws IOException {
        Path file = Files.writeString(folder.resolve("case.json"), "{\"tolerance\": 1e-5}");
        Fixtures.Case found = new Fixtures.Case("decoders", "decoders/test", file);
        float[] actual = EXPECTED.clone();
        for (int i = 0; i < actual.length; i++) {
            actual[i] *= factor;
        }
        try (Check check =
                new Check(engine, options(precision), Fixtures.open(folder), found, Map.of("logits", plainError))) {
            check.close("logits", actual, EXPECTED, check.tolerance("logits"));
            return check.differences();
        }
    }

    @Test
    void roundsMatricesByTheLargestMagnitudeOfEachBlockAndLeavesVectorsAlone() throws IOException {
        float[] matrix = new float[2 * 130];
        Arrays.fill(matrix, 0.26f);
        matrix[0] = -0.7f; // the first block's largest value, so steps of 0.1
        matrix[129] = 7; // the second block has two values
        matrix[130] = 127; // steps of about 18
        Path file = new SafetensorsWriter()
                .add("weight", FloatBuffer.wrap(matrix), 2, 130)
                .add("bias", FloatBuffer.wrap(new float[] {0.26f}), 1)
                .write(folder.resolve("given.safetensors"));
        AdapterConfig.LangBridge config = new AdapterConfig.LangBridge(1, 1, 1, false);
        try (Weights given = Checkpoints.open(file);
                PlainRounding plain = new PlainRounding(engine)) {
            plain.open(Projector.coefficients(config), given, Map.of(), options(Precision.INT4));

            float[] rounded = opened.get(0).get("weight").toFloats();
            assertThat(rounded[0]).isEqualTo(-0.7f);
            assertThat(rounded[127]).isEqualTo(0.3f, within(1e-6f));
            assertThat(rounded[128]).isZero();
            assertThat(rounded[129]).isEqualTo(7);
            assertThat(rounded[131]).isZero();
            assertThat(opened.get(0).get("bias").toFloats()).containsExactly(0.26f);
        }
    }

    private EngineOptions options(Precision precision) {
        return new EngineOptions(1, false, folder.resolve("cache")).with(precision);
    }
}

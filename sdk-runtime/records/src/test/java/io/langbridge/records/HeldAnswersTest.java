package io.langbridge.records;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Image;
import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.constrain.Constraints;
import io.langbridge.runtime.core.constrain.TokenSet;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a model says that is held to the schema of a type is a value of the type. */
class HeldAnswersTest {
    private static final Tokenizer TOKENIZER = Tokenizer.of(Path.of("../core/src/test/resources/qwen2-style"));

    @ParameterizedTest
    @ValueSource(
            classes = {
                RecordsTest.Receipt.class,
                RecordsTest.Numbers.class,
                RecordsTest.Times.class,
                RecordsTest.Holders.class,
                RecordsTest.Document.class,
                RecordsTest.Part.class,
                RecordsTest.Outer.Both.class,
                RecordsTest.Plain[].class,
                RecordsTest.Currency.class,
                long.class,
            })
    void random_answers_are_read(Class<?> type) {
        Constraints constraints = new Constraints(TOKENIZER);
        Random random = new Random(type.getName().hashCode());
        int ended = 0;
        for (int i = 0; i < 20; i++) {
            String answer = answer(constraints.jsonSchema(Records.schema(type)), random);
            if (answer != null) {
                ended++;
                try (FakeModel model =
                        FakeModel.builder().next(FakeAnswer.ofPieces(answer)).build()) {
                    assertThat((Object) Records.of(model).ask(Image.of(Path.of("x.png")), "What?", type))
                            .isNotNull();
                }
            }
        }
        assertThat(ended).isGreaterThan(10);
    }

    /** Tokens drawn, those that end something more often; null if it takes too long. */
    private static @Nullable String answer(Constraint constraint, Random random) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int step = 0; step < 2000; step++) {
            if (constraint.mayEnd() && (constraint.isComplete() || random.nextInt(4) == 0)) {
                return text.toString(StandardCharsets.UTF_8);
            }
            TokenSet allowed = constraint.allowed();
            int best = -1;
            float most = 0;
            for (int id = 0; id < TOKENIZER.vocabularySize(); id++) {
                if (allowed.contains(id)) {
                    String token = new String(TOKENIZER.bytesOf(id), StandardCharsets.UTF_8);
                    float score = random.nextFloat() + (token.matches("[\"\\]}nl ].*") ? 0.3f + step / 1000f : 0);
                    if (best < 0 || score > most) {
                        best = id;
                        most = score;
                    }
                }
            }
            constraint.accept(best);
            text.writeBytes(TOKENIZER.bytesOf(best));
        }
        return null;
    }
}

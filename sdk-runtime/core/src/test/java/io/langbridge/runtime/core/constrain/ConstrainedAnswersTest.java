package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random schemas and random scores. {@code -Dlangbridge.schemas=10000} makes more of them;
 * {@code -Dlangbridge.tokenizer=FOLDER} takes a vocabulary of another size.
 */
class ConstrainedAnswersTest {
    private static final int SCHEMAS = Integer.getInteger("langbridge.schemas", 400);
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private final Path folder = Paths.get(System.getProperty("langbridge.tokenizer", "src/test/resources/qwen2-style"));

    @Test
    void every_answer_is_a_value_of_its_schema() {
        Tokenizer tokenizer = Tokenizer.of(folder);
        Constraints constraints = new Constraints(tokenizer);
        Random random = new Random(3);
        RandomSchemas schemas = new RandomSchemas(random);
        int ended = 0;
        int longer = 0;
        for (int i = 0; i < SCHEMAS; i++) {
            String schema = schemas.next();
            String answer = answer(constraints.jsonSchema(schema), tokenizer, random);
            if (answer == null) {
                continue;
            }
            ended++;
            longer += answer.length() > 20 ? 1 : 0;
            assertThat(errors(schema, answer)).as("%s%n%s", schema, answer).isEmpty();
        }
        assertThat(ended).isGreaterThan(SCHEMAS * 4 / 5);
        assertThat(longer).isGreaterThan(SCHEMAS / 6);
    }

    static List<Error> errors(String schema, String value) {
        Schema validator = REGISTRY.getSchema(schema);
        return validator.validate(
                value,
                InputFormat.JSON,
                context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    }

    /** What comes out if tokens are drawn, those that end something more often; null if it does not end. */
    private static @Nullable String answer(Constraint constraint, Tokenizer tokenizer, Random random) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int n = 0; n < 3000; n++) {
            int[] forced = constraint.forced();
            int id = forced.length > 0 ? forced[0] : -1;
            if (id < 0) {
                if (constraint.mayEnd() && (constraint.isComplete() || random.nextInt(4) == 0)) {
                    String answer = new String(text.toByteArray(), StandardCharsets.UTF_8);
                    assertThat(answer.getBytes(StandardCharsets.UTF_8)).isEqualTo(text.toByteArray());
                    return answer;
                }
                id = draw(constraint.allowed(), tokenizer, random, n);
            } else {
                assertThat(constraint.allowed().contains(id)).isTrue();
            }
            constraint.accept(id);
            text.writeBytes(tokenizer.bytesOf(id));
        }
        return null;
    }

    /** By id, of each tokenizer: whether a token may end something. */
    private static final Map<Tokenizer, boolean[]> ENDS = new HashMap<>();

    private static boolean[] ends(Tokenizer tokenizer) {
        boolean[] ends = new boolean[tokenizer.vocabularySize()];
        for (int id = 0; id < ends.length; id++) {
            ends[id] = new String(tokenizer.bytesOf(id), StandardCharsets.UTF_8).matches("[\"\\]}nl ].*");
        }
        return ends;
    }

    private static int draw(TokenSet allowed, Tokenizer tokenizer, Random random, int step) {
        boolean[] ends = ENDS.computeIfAbsent(tokenizer, ConstrainedAnswersTest::ends);
        float[] scores = new float[tokenizer.vocabularySize()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = random.nextFloat();
        }
        allowed.keepOnly(scores);
        int best = -1;
        for (int id = 0; id < scores.length; id++) {
            if (scores[id] == Float.NEGATIVE_INFINITY) {
                if (allowed.contains(id)) {
                    throw new AssertionError("The token " + id + " is allowed and has no score");
                }
                continue;
            }
            scores[id] += ends[id] ? 0.3f + step / 1000f : 0;
            best = best < 0 || scores[id] > scores[best] ? id : best;
        }
        return best;
    }

    @Test
    void the_tokens_are_those_of_which_every_byte_may_follow() {
        Tokenizer tokenizer = Tokenizer.of(folder);
        Random random = new Random(4);
        RandomSchemas schemas = new RandomSchemas(random);
        int steps = 0;
        for (int i = 0; i < Math.min(200, SCHEMAS / 10); i++) {
            String schema = schemas.next();
            Constraint constraint = new Constraints(tokenizer).jsonSchema(schema);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            for (int n = 0; n < 40 && !constraint.isComplete(); n++) {
                TokenSet allowed = constraint.allowed();
                Automaton fresh = new Automaton(SchemaReader.read(schema), TokenTrie.of(tokenizer));
                Automaton.State at = Objects.requireNonNull(fresh.next(fresh.first(), text.toByteArray()));
                int count = 0;
                for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                    byte[] bytes = tokenizer.bytesOf(id);
                    boolean expected = bytes.length > 0 && !tokenizer.isAdded(id) && fresh.next(at, bytes) != null;
                    if (allowed.contains(id) != expected) {
                        fail("%s %s %s", schema, text, tokenizer.tokenOf(id));
                    }
                    count += expected ? 1 : 0;
                }
                assertThat(allowed.size()).isEqualTo(count);
                steps++;
                if (count == 0) {
                    break;
                }
                int id = draw(allowed, tokenizer, random, n);
                constraint.accept(id);
                text.writeBytes(tokenizer.bytesOf(id));
            }
        }
        assertThat(steps).isGreaterThan(100);
    }

    @Test
    void a_sentencepiece_answer_may_begin_with_the_blank_that_decoding_leaves_out() {
        Tokenizer tokenizer = Tokenizer.of(Paths.get("src/test/resources/sentencepiece/bpe"));
        Random random = new Random(5);
        RandomSchemas schemas = new RandomSchemas(random);
        Constraints constraints = new Constraints(tokenizer);
        int ended = 0;
        for (int i = 0; i < SCHEMAS / 8; i++) {
            String schema = schemas.next();
            String text = answer(constraints.jsonSchema(schema), tokenizer, random);
            if (text != null) {
                ended++;
                String decoded = text.startsWith(" ") ? text.substring(1) : text;
                assertThat(errors(schema, decoded))
                        .as("%s%n%s", schema, decoded)
                        .isEmpty();
            }
        }
        assertThat(ended).isGreaterThan(SCHEMAS / 10);
    }

    @Test
    void what_must_follow_comes_as_the_tokenizer_writes_it_and_stops_where_a_token_could_reach_further() {
        Tokenizer tokenizer = Tokenizer.of(folder);
        Constraint constraint = new Constraints(tokenizer)
                .jsonSchema(
                        "{'type': 'object', 'properties': {'name': {'type': 'string'}, 'count': {'enum': [12, 13]}},"
                                        .replace('\'', '"')
                                + "\"required\": [\"name\", \"count\"]}");
        int[] forced = constraint.forced();
        int[] all = tokenizer.encodeAsText("{\"name\": \"");
        assertThat(forced).hasSizeGreaterThan(2).isEqualTo(Arrays.copyOf(all, forced.length));
        assertThat(all.length - forced.length).isLessThanOrEqualTo(1);
        for (int id : forced) {
            constraint.accept(id);
        }
        for (int i = forced.length; i < all.length; i++) {
            assertThat(constraint.allowed().size()).isGreaterThan(1);
            constraint.accept(all[i]);
        }
        for (int id : tokenizer.encodeAsText("x\"")) {
            constraint.accept(id);
        }
        forced = constraint.forced();
        assertThat(tokenizer.decode(forced, false)).startsWith(", \"count");
        for (int id : forced) {
            constraint.accept(id);
        }
        assertThat(constraint.mayEnd()).isFalse();
        assertThat(constraint.isComplete()).isFalse();
    }

    @Test
    void a_pattern_holds_the_whole_answer() {
        Tokenizer tokenizer = Tokenizer.of(folder);
        Random random = new Random(6);
        Constraints constraints = new Constraints(tokenizer);
        for (String pattern : List.of("(yes|no)( [a-z]+)*", "\\d{3}-\\d{4}", "[\u4e00-\u9fff]{2,5}", "(a|b)?c")) {
            for (int i = 0; i < 10; i++) {
                String text = answer(constraints.pattern(pattern), tokenizer, random);
                assertThat(text).matches(pattern);
            }
        }
    }

    @Test
    void answers_that_share_an_automaton_go_on_when_it_forgets() {
        Tokenizer tokenizer = Tokenizer.of(folder);
        String schema =
                "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"bc\"]}},\"minItems\":2}";
        Automaton automaton = new Automaton(SchemaReader.read(schema), TokenTrie.of(tokenizer));
        Constraint.Tokens tokens = new Constraint.Tokens() {
            @Override
            public byte[] bytesOf(int id) {
                return tokenizer.bytesOf(id);
            }

            @Override
            public int[] canonical(byte[] utf8) {
                return new int[0];
            }
        };
        Random random = new Random(7);
        for (int round = 0; round < 20; round++) {
            List<Constraint> constraints = new ArrayList<>();
            List<ByteArrayOutputStream> texts = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                constraints.add(new Constraint(automaton, tokens, "the schema"));
                texts.add(new ByteArrayOutputStream());
            }
            for (int n = 0; n < 200; n++) {
                int i = random.nextInt(constraints.size());
                if (!constraints.get(i).isComplete()) {
                    int id = draw(constraints.get(i).allowed(), tokenizer, random, n);
                    constraints.get(i).accept(id);
                    texts.get(i).writeBytes(tokenizer.bytesOf(id));
                }
                if (random.nextInt(3) == 0) {
                    automaton.forget();
                }
            }
            for (int i = 0; i < constraints.size(); i++) {
                if (constraints.get(i).isComplete()) {
                    assertThat(errors(schema, texts.get(i).toString(StandardCharsets.UTF_8)))
                            .isEmpty();
                }
            }
        }
    }
}

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.constrain.Constraints;
import io.langbridge.runtime.core.constrain.TokenSet;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What it costs to hold answers to a schema, with the tokenizer in {@code --llm}, on one thread: {@code vocabulary},
 * once for a model; {@code schema.*}, once for a schema, which is reading it and looking at its first answer's states;
 * {@code step.*}, for each token of a later answer, from what is forced to scores with the mask on.
 */
final class ConstrainSet {
    private static final String NOTHING = "{\"type\": \"null\"}";
    private static final int MOST_STEPS = 2_000;
    private static final double MICROS = 1e3;
    private static final double BYTES_PER_MIB = 1 << 20;

    private ConstrainSet() {}

    /** The guide's recipes, and what is costly. */
    private static Map<String, String> schemas() {
        Map<String, String> schemas = new LinkedHashMap<>();
        schemas.put("receipt", """
                {"type": "object", "required": ["shop", "date", "items", "total"], "properties": {
                 "shop": {"type": "string", "minLength": 1, "maxLength": 60},
                 "date": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                 "items": {"type": "array", "maxItems": 50, "items": {
                  "type": "object", "required": ["name", "price"], "properties": {
                   "name": {"type": "string", "maxLength": 60},
                   "price": {"type": "number", "minimum": -10000, "maximum": 10000}}}},
                 "total": {"type": "number", "minimum": 0}}}""");
        schemas.put("inventory", """
                {"type": "array", "maxItems": 20, "items": {
                 "type": "object", "required": ["what", "count", "where"], "properties": {
                  "what": {"type": "string", "minLength": 1, "maxLength": 40},
                  "count": {"type": "integer", "minimum": 1, "maximum": 100},
                  "where": {"enum": ["left", "centre", "right"]}}}}""");
        schemas.put("decision", """
                {"type": "object", "required": ["reason", "answer"], "properties": {
                 "reason": {"type": "string", "maxLength": 200}, "answer": {"enum": ["yes", "no", "unsure"]}}}""");
        schemas.put("document", """
                {"oneOf": [
                 {"type": "object", "required": ["kind", "number", "due"], "properties": {
                  "kind": {"const": "invoice"}, "number": {"type": "string", "pattern": "^[A-Z0-9-]{3,20}$"},
                  "due": {"type": "string", "format": "date"}}},
                 {"type": "object", "required": ["kind", "from"], "properties": {
                  "kind": {"const": "letter"}, "from": {"type": "string", "maxLength": 80}}},
                 {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "other"}}}]}""");
        schemas.put("form", """
                {"type": "object", "required": ["name", "email", "born"], "properties": {
                 "name": {"type": "string", "minLength": 1, "maxLength": 80},
                 "email": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
                 "born": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}}""");
        schemas.put(
                "enum1000",
                IntStream.range(0, 1000)
                        .mapToObj(i -> "\"" + words(i) + "\"")
                        .collect(Collectors.joining(", ", "{\"enum\": [", "]}")));
        schemas.put("text200", "{\"type\": \"string\", \"maxLength\": 200}");
        schemas.put("pattern", """
                {"type": "string", "pattern": "^([a-z]{1,12}( |-)){2,6}[a-z]{1,12}(, [A-Z0-9]{2,8}){0,3}$"}""");
        return schemas;
    }

    private static String words(int number) {
        Random random = new Random(number);
        return IntStream.range(0, 3)
                        .mapToObj(i -> new String(Character.toChars('a' + random.nextInt(26))).repeat(1 + i))
                        .collect(Collectors.joining(" "))
                + " " + number;
    }

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Tokenizer tokenizer = Tokenizer.of(setup.tokenizer());
        float[] scores = new float[tokenizer.vocabularySize()];
        double before = usedMb();
        Constraints constraints = new Constraints(tokenizer);
        constraints.jsonSchema(NOTHING);
        double vocabulary = usedMb() - before;
        out.accept(setup.line("constrain.vocabulary", "llm")
                .put("vocabulary", tokenizer.vocabularySize())
                .rounded("mb", vocabulary)
                .put(
                        "ms",
                        new Measure(setup.reps, setup.patience)
                                .millis(() -> new Constraints(tokenizer).jsonSchema(NOTHING)))
                .json());
        int[] fresh = {0};
        for (Map.Entry<String, String> entry : schemas().entrySet()) {
            String schema = entry.getValue();
            int[] answer = answer(constraints.jsonSchema(schema), tokenizer);
            Constraints own = new Constraints(tokenizer);
            own.jsonSchema(NOTHING);
            before = usedMb();
            walk(own.jsonSchema(schema), answer, scores);
            double kept = usedMb() - before;
            // What looks different is made anew.
            Runnable first = () -> walk(own.jsonSchema(schema + " ".repeat(fresh[0]++)), answer, scores);
            out.accept(setup.line("constrain.schema." + entry.getKey(), "llm")
                    .put("tokens", answer.length)
                    .rounded("mb", kept)
                    .put("ms", new Measure(setup.reps, setup.patience).millis(first))
                    .json());
            Measure steps = new Measure(setup.reps, setup.patience);
            walk(constraints.jsonSchema(schema), answer, scores);
            while (!steps.enough()) {
                steps.take(() -> microsPerStep(constraints, schema, answer, scores));
            }
            out.accept(setup.line("constrain.step." + entry.getKey(), "llm")
                    .put("tokens", answer.length)
                    .put("us", steps)
                    .json());
        }
    }

    private static double microsPerStep(Constraints constraints, String schema, int[] answer, float[] scores) {
        int rounds = Math.max(1, MOST_STEPS / answer.length);
        long start = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
            walk(constraints.jsonSchema(schema), answer, scores);
        }
        return (System.nanoTime() - start) / MICROS / rounds / answer.length;
    }

    /**
     * The way of an answer, with all that a sampler asks at each token; more than it asks, as what is forced has no
     * mask.
     */
    private static void walk(Constraint constraint, int[] answer, float[] scores) {
        for (int id : answer) {
            if (constraint.forced().length > MOST_STEPS) {
                throw new IllegalStateException("Too much is forced");
            }
            constraint.allowed().keepOnly(scores);
            constraint.accept(id);
        }
    }

    /** Tokens drawn, those that end something more often. */
    private static int[] answer(Constraint constraint, Tokenizer tokenizer) {
        Random random = new Random(7);
        List<Integer> answer = new ArrayList<>();
        while (answer.size() < MOST_STEPS && !constraint.isComplete()) {
            TokenSet allowed = constraint.allowed();
            int best = -1;
            float most = 0;
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                if (allowed.contains(id)) {
                    String text = new String(tokenizer.bytesOf(id), StandardCharsets.UTF_8);
                    float score = random.nextFloat() + (text.matches("[\"\\]}].*") ? answer.size() / 500f : 0);
                    if (best < 0 || score > most) {
                        best = id;
                        most = score;
                    }
                }
            }
            constraint.accept(best);
            answer.add(best);
        }
        return answer.stream().mapToInt(Integer::intValue).toArray();
    }

    /** What is in use of the heap. */
    private static double usedMb() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return (runtime.totalMemory() - runtime.freeMemory()) / BYTES_PER_MIB;
    }
}

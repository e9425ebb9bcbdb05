package io.langbridge.contract;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.Scores;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.StreamingDecoder;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Decoders: logits, hidden states and cache, in one run and in parts; greedy generation; score processors. */
final class DecoderCases {
    /** In names of results that come one behind the other. */
    static final String STEP = ", step ";

    private static final Pattern SCORES = Pattern.compile("scores\\.(\\w+?)_(\\d+(?:\\.\\d+)?)");
    private static final Pattern CHAIN = Pattern.compile("(penalty|temperature|top_k|top_p|min_p) (\\d+(?:\\.\\d+)?)");

    private static final int COMPARED_STEPS = 16;

    private DecoderCases() {}

    static void check(Check check) {
        Entry json = check.json();
        json.describe("incremental");
        Path checkpoint = check.folder().resolve(json.text("checkpoint"));
        if (!check.isRead(() -> LlmPart.open(checkpoint))) {
            return;
        }
        LlmPart part = check.closing(LlmPart.open(checkpoint));
        Tokenizer tokenizer = Tokenizer.of(checkpoint);
        DecoderNetwork network = check.closing(check.engine().decoder(part.config(), part.weights(), check.options()));

        Entry inputs = json.object("inputs");
        inputs.describe("short.input_ids", "long.input_ids", "embeds.inputs_embeds");
        int[] shortIds = check.ids("short.input_ids");
        int[] longIds = check.ids("long.input_ids");
        FloatTensor embeds = check.tensor("embeds.inputs_embeds");
        check.same("ids of the prompt", tokenizer.encode(inputs.text("prompt"), true), shortIds);
        check.same("ids of the long prompt", tokenizer.encode(inputs.text("prompt_long"), true), longIds);

        if (check.quantized()) {
            DecoderNetwork full = check.closing(check.engine()
                    .decoder(part.config(), part.weights(), check.options().with(Precision.FULL)));
            checkAgainstFull(check, "embeds", network, full, new Given(embeds));
            checkAgainstFull(check, "long", network, full, new Given(network.embed(longIds)));
        }
        check.same("the first row of the table", row(part.embeddings(), longIds[0]), row(network.embed(longIds)));
        checkTraces(check, network, shortIds, longIds, embeds);
        checkParts(check, network, longIds);
        SequenceCases.check(check, network, longIds, check.tolerance("long.logits"));
        checkFrequencies(check, Inventory.of(part.config().network()).rotaries(), checkpoint);
        for (String key : json.keys()) {
            if (key.startsWith("generate")) {
                boolean fromEmbeds = key.contains("from_embeds");
                FloatTensor prompt = fromEmbeds ? embeds : network.embed(shortIds);
                Entry run = json.object(key);
                if (run.has("input")) {
                    check.same("input of " + key, run.text("input"), fromEmbeds ? "embeds.inputs_embeds" : "prompt");
                }
                checkGeneration(check, network, tokenizer, run, prompt, fromEmbeds ? new int[0] : shortIds);
            }
        }
        if (check.hasTensor("scores.input")) {
            checkScores(check, shortIds);
        }
    }

    /** What the core takes for what the decoder reads of a token. */
    private static float[] row(StoredTensor table, int id) {
        float[] row = new float[(int) table.shape()[1]];
        table.read((long) id * row.length, FloatBuffer.wrap(row));
        return row;
    }

    private static float[] row(FloatTensor rows) {
        return rows.rows(0, 1).toArray();
    }

    /** Of the only way of rotating, or of the one of each kind of layer. */
    private static void checkFrequencies(Check check, List<Rotary> rotaries, Path checkpoint) {
        String all = "rope.inv_freq";
        for (String name : check.tensorNames()) {
            if (name.equals(all) || name.startsWith(all + ".")) {
                int index = 0;
                if (!name.equals(all)) {
                    List<String> kinds = Json.read(checkpoint.resolve("config.json")).strings("layer_types").stream()
                            .distinct()
                            .toList();
                    index = kinds.indexOf(name.substring(all.length() + 1));
                    check.same("ways of rotating", rotaries.size(), kinds.size());
                }
                float[] frequencies = rotaries.get(index).inverseFrequencies();
                check.close(name, FloatTensor.of(frequencies, frequencies.length));
            }
        }
    }

    private static void checkTraces(
            Check check, DecoderNetwork network, int[] shortIds, int[] longIds, FloatTensor embeds) {
        DecoderNetwork.Trace trace = network.trace(network.embed(shortIds));
        check.closeIfGiven("short.logits", trace.logits());
        check.closeIfGiven("short.hidden_states", stacked(trace.hiddenStates()));
        check.closeIfGiven("short.cache_keys", trace.cacheKeys());
        check.closeIfGiven("short.cache_values", trace.cacheValues());

        FloatTensor longLogits = network.trace(network.embed(longIds)).logits();
        check.close("long.logits", last(longLogits, check.tensor("long.logits").size(0)));
        int[] argmax = new int[longIds.length];
        for (int i = 0; i < argmax.length; i++) {
            argmax[i] = argmax(longLogits.rows(i, i + 1).data());
        }
        int[] expected = check.ids("long.argmax");
        if (!check.quantized()) {
            check.same("long.argmax", argmax, expected);
        }

        FloatTensor fromEmbeds = network.trace(embeds).logits();
        check.close(
                "embeds.logits", last(fromEmbeds, check.tensor("embeds.logits").size(0)));
    }

    /** The same through the cache: at once, 5 + 1 + 1 + .., and after forgetting most of it, in chunks of 4. */
    private static void checkParts(Check check, DecoderNetwork network, int[] ids) {
        FloatTensor expected = check.tensor("long.logits");
        int first = ids.length - expected.size(0);
        double tolerance = check.tolerance("long.logits");
        try (DecoderSession session = network.open(ids.length)) {
            float[] atOnce = copy(session.prefill(network.embed(ids)));
            check.close("long.logits, last", atOnce, last(expected, 1).toArray(), tolerance);
            session.rewind(0);

            FloatTensor stepped = FloatTensor.allocate(expected.shape());
            FloatBuffer rows = stepped.data();
            session.prefill(network.embed(Arrays.copyOf(ids, 5)));
            for (int i = 5; i < ids.length; i++) {
                float[] logits = copy(session.step(ids[i]));
                if (i >= first) {
                    rows.put(logits);
                }
            }
            check.close("long.logits, one by one", stepped.toArray(), expected.toArray(), tolerance);

            for (int from = session.rewind(3); from < ids.length; from += 4) {
                int to = Math.min(from + 4, ids.length);
                float[] logits = copy(session.prefill(network.embed(Arrays.copyOfRange(ids, from, to))));
                if (to > first) {
                    check.close(
                            "long.logits, chunk to " + to,
                            logits,
                            expected.rows(to - 1 - first, to - first).toArray(),
                            tolerance);
                }
            }
            check.same("length of the cache", session.length(), ids.length);
            checkRewinding(check, network, session, ids);
        }
    }

    /** Back to a mark, before it and behind it: what follows is as if nothing had been in between. */
    private static void checkRewinding(Check check, DecoderNetwork network, DecoderSession session, int[] ids) {
        FloatTensor expected = check.tensor("long.logits");
        int marked = ids.length / 2;
        session.rewind(0);
        session.prefill(network.embed(Arrays.copyOf(ids, marked)));
        session.mark();
        for (int wanted : new int[] {marked, marked + 2, marked - 1}) {
            for (int i = session.length(); i < ids.length; i++) {
                session.step(ids[ids.length - 1 - i]);
            }
            int kept = session.rewind(wanted);
            check.same("length after going back to " + wanted, session.length(), kept);
            check.holds(
                    "a session that goes back to " + wanted + " with a mark at " + marked + " is at " + kept,
                    kept <= wanted && (wanted < marked || kept >= marked));
            if (kept > marked) {
                session.rewind(marked); // the others were steps of something else
                kept = session.length();
            }
            float[] logits = copy(session.prefill(network.embed(Arrays.copyOfRange(ids, kept, ids.length))));
            check.close(
                    "long.logits, last, after going back to " + wanted,
                    logits,
                    last(expected, 1).toArray(),
                    check.tolerance("long.logits"));
        }
    }

    /**
     * A greedy run: ids, text and why it stopped.
     *
     * @param promptIds what the repetition penalty sees of the prompt
     */
    private static void checkGeneration(
            Check check, DecoderNetwork network, Tokenizer tokenizer, Entry run, FloatTensor prompt, int[] promptIds) {
        run.describe("mode", "smallest_margin_top1_top2", "penalty_applies_to");
        String stepLogits = run.where().substring(run.where().indexOf('/') + 1) + ".step_logits";
        if (check.quantized()) {
            run.describeAll();
            if (check.hasTensor(stepLogits)) {
                check.describeTensor(stepLogits); // along the reference's tokens, which may not be chosen here
            }
            return;
        }
        boolean ignoresEnd = !run.has("eos_token_id");
        if (run.has("eos")) {
            check.same(run.where() + "/eos", run.text("eos"), "ignored");
        }
        int[] stop = ignoresEnd ? new int[0] : run.integers("eos_token_id");
        double penalty = run.has("repetition_penalty") ? run.number("repetition_penalty") : 1;
        List<float[]> steps = new ArrayList<>();
        int[] ids = greedy(network, new Given(prompt), promptIds, penalty, stop, run.integer("max_new_tokens"), steps);
        check.same(run.where() + "/new_ids", ids, run.integers("new_ids"));
        if (run.has("new_text")) {
            check.same(run.where() + "/new_text", text(tokenizer, ids), run.text("new_text"));
        }
        if (run.has("stopped_by")) {
            boolean stopped = ids.length > 0 && contains(stop, ids[ids.length - 1]);
            check.same(run.where() + "/stopped_by", stopped ? "eos" : "length", run.text("stopped_by"));
        }
        if (check.hasTensor(stepLogits)) {
            FloatTensor expected = check.tensor(stepLogits);
            for (int i = 0; i < expected.size(0); i++) {
                check.close(
                        stepLogits + " " + i,
                        steps.get(i),
                        expected.rows(i, i + 1).toArray(),
                        check.tolerance(stepLogits));
            }
        }
    }

    /** Along the tokens that the network in full precision chooses. */
    static void checkAgainstFull(Check check, String label, DecoderNetwork network, DecoderNetwork full, Given prompt) {
        int capacity = prompt.tokens() + COMPARED_STEPS;
        try (DecoderSession session = network.open(capacity);
                DecoderSession exact = full.open(capacity)) {
            float[] actual = copy(prompt.prefill(session));
            float[] expected = copy(prompt.prefill(exact));
            check.sameChoice(label + ", the prompt's end", actual, expected);
            for (int i = 0; i < COMPARED_STEPS; i++) {
                int token = argmax(FloatBuffer.wrap(expected));
                actual = copy(session.step(token));
                expected = copy(exact.step(token));
                check.sameChoice(label + STEP + i, actual, expected);
            }
        }
    }

    /**
     * Generates with the likeliest token at every step.
     *
     * @param steps gets the logits of every step
     * @return the new ids, the stop token included
     */
    static int[] greedy(
            DecoderNetwork network,
            Given prompt,
            int[] promptIds,
            double penalty,
            int[] stop,
            int maxNewTokens,
            List<float[]> steps) {
        Sampler sampler = new Sampler(new Sampler.Settings(0, 0, 1, 0, penalty, 0));
        sampler.see(promptIds);
        int[] ids = new int[maxNewTokens];
        try (DecoderSession session = network.open(prompt.tokens() + maxNewTokens)) {
            FloatBuffer logits = prompt.prefill(session);
            for (int i = 0; i < maxNewTokens; i++) {
                steps.add(copy(logits));
                ids[i] = sampler.next(logits);
                if (contains(stop, ids[i])) {
                    return Arrays.copyOf(ids, i + 1);
                }
                if (i + 1 < maxNewTokens) {
                    logits = session.step(ids[i]);
                }
            }
        }
        return ids;
    }

    /** What a user reads while the tokens come. */
    static String text(Tokenizer tokenizer, int[] ids) {
        StreamingDecoder decoder = tokenizer.newStreamingDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.next(id));
        }
        return text.append(decoder.flush()).toString();
    }

    private static void checkScores(Check check, int[] seen) {
        float[] input = check.floats("scores.input");
        float[] lastRow = last(check.tensor("short.logits"), 1).toArray();
        check.same("scores.input", input, lastRow);
        for (String name : check.tensorNames()) {
            Matcher single = SCORES.matcher(name);
            if (single.matches()) {
                float[] scores = input.clone();
                ScoreCases.apply(single.group(1), Double.parseDouble(single.group(2)), scores, seen);
                check.sameKept(name, scores, check.floats(name), check.tolerance(name));
            }
        }
        if (!check.hasTensor("scores.chain")) {
            return;
        }
        Entry outputs = check.json().object("outputs");
        outputs.describeAll();
        String text = outputs.text("scores.*");
        Matcher chain = CHAIN.matcher(text.substring(text.indexOf("'chain'")));
        Map<String, Double> values = new LinkedHashMap<>();
        while (chain.find()) {
            values.put(chain.group(1), Double.parseDouble(chain.group(2)));
        }
        float[] scores = input.clone();
        ScoreCases.apply("penalty", Objects.requireNonNull(values.getOrDefault("penalty", 1.0)), scores, seen);
        Sampler.process(
                scores,
                new Sampler.Settings(
                        values.getOrDefault("temperature", 1.0),
                        (int) (double) values.getOrDefault("top_k", 0.0),
                        values.getOrDefault("top_p", 1.0),
                        values.getOrDefault("min_p", 0.0),
                        1,
                        0));
        check.sameKept("scores.chain", scores, check.floats("scores.chain"), check.tolerance("scores.chain"));
        check.sameKept(
                "scores.chain_probabilities",
                Scores.probabilities(scores),
                check.floats("scores.chain_probabilities"),
                check.tolerance("scores.chain_probabilities"));
    }

    static FloatTensor last(FloatTensor rows, int count) {
        return rows.rows(rows.size(0) - count, rows.size(0));
    }

    static int argmax(FloatBuffer values) {
        int best = 0;
        for (int i = 1; i < values.limit(); i++) {
            if (values.get(i) > values.get(best)) {
                best = i;
            }
        }
        return best;
    }

    static float[] copy(FloatBuffer buffer) {
        float[] values = new float[buffer.limit()];
        buffer.duplicate().rewind().get(values);
        return values;
    }

    private static FloatTensor stacked(List<FloatTensor> tensors) {
        int[] shape = tensors.get(0).shape();
        FloatTensor all = FloatTensor.allocate(tensors.size(), shape[0], shape[1]);
        FloatBuffer target = all.data();
        tensors.forEach(tensor -> target.put(tensor.data()));
        return all;
    }

    private static boolean contains(int[] ids, int id) {
        return Arrays.stream(ids).anyMatch(each -> each == id);
    }
}

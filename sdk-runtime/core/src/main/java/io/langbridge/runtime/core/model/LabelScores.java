package io.langbridge.runtime.core.model;

import io.langbridge.Choice;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.Scores;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds how likely a decoder is to say each of some texts behind a prompt, and nothing more. Not thread-safe. */
final class LabelScores {
    private final List<String> labels;
    private final List<int[]> tokens = new ArrayList<>();
    private final Set<Integer> stopTokens;
    private final double[] logProbabilities;

    /**
     * Of some labels.
     *
     * @param stopTokens any of which ends the turn; none if nothing does
     */
    LabelScores(List<String> labels, Set<Integer> stopTokens, Tokenizer tokenizer) {
        this.labels = labels;
        this.stopTokens = stopTokens;
        this.logProbabilities = new double[labels.size()];
        for (String label : labels) {
            tokens.add(tokenizer.encodeAsText(label));
        }
    }

    /** Positions that the longest label takes. */
    int longest() {
        return tokens.stream().mapToInt(ids -> ids.length).max().orElse(0);
    }

    /**
     * Runs every label behind the prompt that the session holds, and leaves the session as it was.
     *
     * @param logits behind the prompt
     * @param between called between two steps; what it throws ends this
     */
    void run(DecoderSession session, FloatBuffer logits, Runnable between) {
        int start = session.length();
        session.mark();
        List<float[]> known = new ArrayList<>(); // by number of tokens read: the logits behind them
        known.add(copied(logits));
        int[] read = {};
        for (int label : inOrder()) {
            int[] ids = tokens.get(label);
            int common = common(read, ids);
            int held = session.rewind(start + common) - start; // or less, where it cannot stop there
            while (known.size() > common + 1) {
                known.remove(known.size() - 1);
            }
            for (int i = held; i < ids.length; i++) {
                between.run();
                FloatBuffer next = session.step(ids[i]);
                if (i == known.size() - 1) {
                    known.add(copied(next));
                }
            }
            read = ids;
            double sum = 0;
            for (int i = 0; i < ids.length; i++) {
                sum += logProbability(known.get(i), Set.of(ids[i]));
            }
            logProbabilities[label] =
                    stopTokens.isEmpty() ? sum : sum + logProbability(known.get(ids.length), stopTokens);
        }
        session.rewind(start);
    }

    /** So that those that begin alike stand side by side. */
    private List<Integer> inOrder() {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            order.add(i);
        }
        order.sort((a, b) -> compare(tokens.get(a), tokens.get(b)));
        return order;
    }

    private static int compare(int[] a, int[] b) {
        int common = common(a, b);
        return common < Math.min(a.length, b.length)
                ? Integer.compare(a[common], b[common])
                : Integer.compare(a.length, b.length);
    }

    private static int common(int[] a, int[] b) {
        int n = 0;
        while (n < a.length && n < b.length && a[n] == b[n]) {
            n++;
        }
        return n;
    }

    private static float[] copied(FloatBuffer logits) {
        float[] copy = new float[logits.limit()];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = logits.get(i);
        }
        return copy;
    }

    /** Of one of some tokens, which need not all be the model's. */
    private static double logProbability(float[] logits, Set<Integer> ids) {
        double[] all = Scores.logProbabilities(logits);
        double most = Double.NEGATIVE_INFINITY;
        for (int id : ids) {
            most = id < all.length ? Math.max(most, all[id]) : most;
        }
        if (Double.isNaN(most)) {
            throw Sampler.notNumbers(FloatBuffer.wrap(logits));
        }
        double sum = 0;
        for (int id : ids) {
            sum += id < all.length && most > Double.NEGATIVE_INFINITY ? Math.exp(all[id] - most) : 0;
        }
        return most + Math.log(sum);
    }

    /** What came out. */
    Choice choice() {
        double most = Arrays.stream(logProbabilities).max().orElse(0);
        double all = 0;
        double total = 0;
        for (double one : logProbabilities) {
            all += Math.exp(one - most);
            total += Math.exp(one);
        }
        Map<String, Double> probabilities = new LinkedHashMap<>();
        for (int i = 0; i < labels.size(); i++) {
            boolean none = most == Double.NEGATIVE_INFINITY;
            probabilities.put(labels.get(i), none ? 1.0 / labels.size() : Math.exp(logProbabilities[i] - most) / all);
        }
        return new Choice(probabilities, Math.min(total, 1));
    }
}

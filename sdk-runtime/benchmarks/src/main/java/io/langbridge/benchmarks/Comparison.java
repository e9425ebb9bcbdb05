package io.langbridge.benchmarks;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Sets our figures beside those of another run or of another program. Lines are taken as rounds: the n-th line of a
 * figure on our side is compared with the n-th on theirs, so that what drifts between rounds cancels.
 */
final class Comparison {
    /** What a program measures under another name than ours: encoding and the adapter, in milliseconds. */
    private static final Map<String, String> PHASES = Map.of("clip", "encode", "langbridge", "adapter");

    /** Numbers of whole lines that can be compared too. */
    private static final Set<String> PLAIN = Set.of("rel_err", "rel_err_vs_hf", "rel_err_vs_torch");

    /** Figures that peers name as we do. */
    private static final Set<String> PEERS =
            Set.of("prefill_tok_s", "decode_tok_s", "alone_tok_s", "kept", "worst_alone_ms", "worst_step_ms");

    private Comparison() {}

    /** The figures of one side: name, then who, then one median per round. */
    private record Side(Map<String, Map<String, List<Double>>> figures) {
        void add(String figure, String who, double value) {
            figures.computeIfAbsent(figure, f -> new LinkedHashMap<>())
                    .computeIfAbsent(who, w -> new ArrayList<>())
                    .add(value);
        }
    }

    /** One line per figure that both sides have. {@code ratio} above 1 is better for us, whatever the unit. */
    static List<JsonObject> of(List<JsonObject> ours, List<JsonObject> theirs) {
        boolean byLength = ours.stream().anyMatch(line -> text(line, "phase").equals("context"));
        Side us = side(ours, byLength);
        Side them = side(theirs, byLength);
        addFirstToken(us, them);
        List<JsonObject> lines = new ArrayList<>();
        us.figures.forEach((figure, byUs) -> byUs.forEach((who, values) -> them.figures
                .getOrDefault(figure, Map.of())
                .forEach((peer, others) -> lines.add(line(figure, who, values, peer, others)))));
        return lines;
    }

    private static JsonObject line(String figure, String who, List<Double> ours, String peer, List<Double> theirs) {
        boolean higherIsBetter = figure.contains("tok_s") || figure.equals("kept");
        int rounds = ours.size() == theirs.size() ? ours.size() : 1;
        double[] ratios = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            double our = rounds == 1 ? median(ours) : ours.get(i);
            double their = rounds == 1 ? median(theirs) : theirs.get(i);
            ratios[i] = higherIsBetter ? our / their : their / our;
        }
        return new Line("compare")
                .put("figure", figure)
                .put("of", who)
                .put("peer", peer)
                .put("ours", median(ours))
                .put("theirs", median(theirs))
                .put("ratio", ratios)
                .json();
    }

    private static double median(List<Double> values) {
        return Statistics.median(values.stream().mapToDouble(d -> d).toArray());
    }

    /** @param byLength whether figures of prompts of other lengths are other figures */
    private static Side side(List<JsonObject> lines, boolean byLength) {
        Side side = new Side(new LinkedHashMap<>());
        for (JsonObject line : lines) {
            String bench = text(line, "bench");
            String who = who(line, bench);
            for (Map.Entry<String, JsonElement> entry : line.entrySet()) {
                String key = entry.getKey();
                if (entry.getValue() instanceof JsonObject statistics && statistics.has("median")) {
                    double median = statistics.get("median").getAsDouble();
                    String length = byLength ? " at " + text(line, "prompt") : "";
                    side.add(figure(line, bench, key) + length, who, median);
                    if (key.equals("prefill_tok_s") && line.has("prompt") && !byLength) {
                        side.add("prefill.ms", who, 1e3 * line.get("prompt").getAsDouble() / median);
                    }
                } else if (PLAIN.contains(key)
                        && entry.getValue().isJsonPrimitive()
                        && entry.getValue().getAsDouble() > 0) { // 0 is the reference itself
                    String phase =
                            bench.equals(Line.BENCH) ? text(line, "phase") : PHASES.getOrDefault(bench, "prefill");
                    side.add(phase + ".rel_err", who, entry.getValue().getAsDouble());
                }
            }
        }
        return side;
    }

    private static String figure(JsonObject line, String bench, String key) {
        if (PEERS.contains(key)) {
            return key;
        }
        String phase = bench.equals(Line.BENCH) ? text(line, "phase") : PHASES.getOrDefault(bench, bench);
        if (bench.equals("langbridge")) {
            String what = text(line, "what");
            phase = what.startsWith("fold time") ? "fold" : what.startsWith("published chain") ? "unfolded" : phase;
        }
        return phase + "." + key;
    }

    private static String who(JsonObject line, String bench) {
        StringBuilder who = new StringBuilder(bench);
        for (String key : List.of("engine", "kind", "what", "label", "model", "dtype", "precision", "threads")) {
            if (!text(line, key).isEmpty()) {
                who.append(' ').append(text(line, key));
            }
        }
        return who.toString();
    }

    private static String text(JsonObject line, String key) {
        JsonElement value = line.get(key);
        return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
    }

    /**
     * Peers are measured in pieces: what they need from the picture to the first token is at least the encoder's time
     * and that of the prefill added up.
     */
    private static void addFirstToken(Side us, Side them) {
        if (!us.figures.containsKey("first_token.ms") || them.figures.containsKey("first_token.ms")) {
            return;
        }
        Map<String, List<Double>> encoders = them.figures.getOrDefault("encode.ms", Map.of());
        Map<String, List<Double>> decoders = them.figures.getOrDefault("prefill.ms", Map.of());
        encoders.forEach((encoder, encode) -> decoders.forEach((decoder, prefill) -> Stream.iterate(
                        0, i -> i < Math.min(encode.size(), prefill.size()), i -> i + 1)
                .forEach(i -> them.add("first_token.ms", encoder + " + " + decoder, encode.get(i) + prefill.get(i)))));
    }
}

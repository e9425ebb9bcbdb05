package io.langbridge.demoworld;

import io.langbridge.Llm;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Embeddings of tokens that two language models have.
 *
 * @param from {@code [tokens, width of the one]}
 * @param to {@code [tokens, width of the other]}; zeros for a token that it lacks
 * @param present 1 for each token that both have, 0 for others
 * @param counts how often each occurs in texts of the world, at least 1; 0 where {@code present} is
 */
record SharedTokens(double[][] from, double[][] to, double[] present, double[] counts) {
    private static final int TEXTS = 1000;
    private static final long SEED = 77;

    /** Every token that both have. */
    static SharedTokens all(Llm from, Llm to) {
        List<String> tokens = new ArrayList<>();
        Tokenizer own = Tokenizer.of(from.folder());
        Tokenizer other = Tokenizer.of(to.folder());
        List<Integer> ids = new ArrayList<>();
        own.vocabulary().forEach((token, id) -> {
            if (other.idOf(token) != null && !own.isSpecial(id)) {
                tokens.add(token);
                ids.add(id);
            }
        });
        int[] idsOfFrom = ids.stream().mapToInt(Integer::intValue).toArray();
        return of(from, to, SharedVocabulary.of(tokens, idsOfFrom));
    }

    /** Those of a LangBridge adapter's vocabulary, in its order. */
    static SharedTokens of(Llm from, Llm to, Path vocabulary) {
        return of(from, to, SharedVocabulary.read(vocabulary));
    }

    private static SharedTokens of(Llm from, Llm to, SharedVocabulary vocabulary) {
        Tokenizer own = Tokenizer.of(from.folder());
        int[] ids = vocabulary.forTokenizer(own).idsOrMinusOne();
        int[] others = vocabulary.forTokenizer(Tokenizer.of(to.folder())).idsOrMinusOne();
        double[] present = new double[ids.length];
        Arrays.setAll(present, i -> ids[i] < 0 || others[i] < 0 ? 0 : 1);
        long[] seen = new long[own.vocabularySize()];
        for (String text : TextLessons.texts(SEED, TEXTS)) {
            Arrays.stream(own.encode(text, false)).forEach(id -> seen[id]++);
        }
        double[] counts = new double[ids.length];
        Arrays.setAll(counts, i -> present[i] == 0 ? 0 : Math.max(1, seen[ids[i]]));
        return new SharedTokens(rows(from, ids), rows(to, others), present, counts);
    }

    private static double[][] rows(Llm llm, int[] ids) {
        try (LlmPart part = LlmPart.open(llm.folder())) {
            double[][] table = AdapterLayers.matrix(part.embeddings());
            return Arrays.stream(ids)
                    .mapToObj(id -> id < 0 ? new double[table[0].length] : table[id])
                    .toArray(double[][]::new);
        }
    }
}

package io.langbridge.runtime.core.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The added tokens of a tokenizer: numbered, looked for and overruled by later declarations as the reference does.
 * Immutable.
 */
final class AddedTokens {
    /** What a text is made of, in order. */
    interface Pieces {
        void text(int start, int end);

        void token(int id);
    }

    /** How SentencePiece writes a space. */
    private static final int BLOCK = 0x2581;

    private final Finder raw;
    private final Finder normalized;
    private final Finder literal;
    /** By the numbers of the words in the finders. */
    private final int[] rawIds;

    private final int[] normalizedIds;
    private final int[] literalIds;
    private final BitSet normalizedWords = new BitSet();
    private final Map<Integer, String> decoded = new HashMap<>();
    private final Map<Integer, AddedToken> byId;
    private final Set<String> specialTexts;

    private AddedTokens(Builder builder, Normalizer normalizer) {
        byId = builder.byId;
        specialTexts = builder.specialTexts;
        List<String> rawTexts = new ArrayList<>();
        List<String> normalizedTexts = new ArrayList<>();
        Map<String, Integer> normalizedTo = new LinkedHashMap<>();
        List<AddedToken> all = new ArrayList<>(builder.special);
        all.addAll(builder.plain);
        for (AddedToken token : all) {
            if (!token.normalized()) {
                rawTexts.add(token.content());
            } else {
                normalizedWords.set(builder.id(token.content()));
                String text = normalizer.apply(token.content(), true);
                decoded.put(builder.id(token.content()), text);
                if (!text.isEmpty()) {
                    normalizedTexts.add(text);
                    normalizedTo.putIfAbsent(text, builder.id(token.content()));
                }
            }
        }
        raw = new Finder(rawTexts);
        rawIds = rawTexts.stream().mapToInt(builder::id).toArray();
        normalized = new Finder(normalizedTexts);
        normalizedIds = normalizedTexts.stream().mapToInt(normalizedTo::get).toArray();
        List<String> texts = new ArrayList<>(builder.ids.keySet());
        literal = new Finder(texts);
        literalIds = texts.stream().mapToInt(builder::id).toArray();
    }

    /** Collects tokens in the order of their declaration. */
    static final class Builder {
        private final Vocabulary vocabulary;
        private final List<AddedToken> special = new ArrayList<>();
        private final List<AddedToken> plain = new ArrayList<>();
        private final Set<String> specialTexts = new HashSet<>();
        private final Map<String, Integer> ids = new LinkedHashMap<>();
        private final Map<Integer, AddedToken> byId = new HashMap<>();
        private final Set<AddedToken> known = new HashSet<>();
        private int nextId;

        /** @param vocabulary of the model alone; gets the tokens that are new */
        Builder(Vocabulary vocabulary) {
            this.vocabulary = vocabulary;
            nextId = vocabulary.size();
        }

        /**
         * Adds tokens, or changes those of the same text. The ids that files give are not asked for: a text that the
         * vocabulary has keeps its id, others are numbered from its end.
         */
        void add(Collection<AddedToken> tokens) {
            for (AddedToken token : tokens) {
                if (token.special() && !token.content().isEmpty() && specialTexts.add(token.content())) {
                    special.add(token);
                }
            }
            for (AddedToken token : tokens) {
                if (token.content().isEmpty() || !known.add(token)) {
                    continue;
                }
                int id = vocabulary.id(token.content());
                if (id == Vocabulary.NONE) {
                    id = nextId;
                    vocabulary.add(token.content(), id);
                }
                nextId = Math.max(nextId, id + 1);
                ids.put(token.content(), id);
                AddedToken before = byId.put(id, token);
                if (before != null) {
                    known.remove(before);
                }
                if (!specialTexts.contains(token.content())) {
                    plain.add(token);
                }
            }
        }

        private int id(String content) {
            Integer id = ids.get(content);
            if (id == null) {
                throw new IllegalStateException(content);
            }
            return id;
        }

        boolean has(String content) {
            return ids.containsKey(content);
        }

        AddedTokens build(Normalizer normalizer) {
            return new AddedTokens(this, normalizer);
        }
    }

    boolean isSpecial(int id) {
        AddedToken token = byId.get(id);
        return token != null && isSpecial(token);
    }

    boolean isSpecial(AddedToken token) {
        return specialTexts.contains(token.content());
    }

    /** The ids of all added tokens. */
    Set<Integer> ids() {
        return Collections.unmodifiableSet(byId.keySet());
    }

    /** The texts of some. */
    List<String> contents(Predicate<AddedToken> wanted) {
        List<String> contents = new ArrayList<>();
        for (AddedToken token : byId.values()) {
            if (wanted.test(token)) {
                contents.add(token.content());
            }
        }
        return contents;
    }

    @Nullable
    AddedToken token(int id) {
        return byId.get(id);
    }

    /** Splits a text at the tokens that are looked for before it is normalized. */
    void splitRaw(String text, Ids steps, Pieces pieces) {
        split(raw, rawIds, text, steps, pieces);
    }

    /** Splits a normalized text at the tokens that are looked for in such. */
    void splitNormalized(String text, Ids steps, Pieces pieces) {
        split(normalized, normalizedIds, text, steps, pieces);
    }

    /** Splits a text at all tokens as they are written, but at none that {@link Guard} marked. */
    void splitLiteral(String text, Ids steps, Pieces pieces) {
        split(literal, literalIds, text, steps, pieces);
    }

    /** What decoding makes of a token: if it is looked for in normalized text, then what was found there. */
    String decoded(int id, String token) {
        String text = decoded.get(id);
        return text == null ? token : text;
    }

    /** Whether some token is written in a text, be it normalized or not. */
    boolean appearIn(String text, IntPredicate wanted) {
        boolean[] found = new boolean[1];
        Pieces pieces = new Pieces() {
            @Override
            public void text(int start, int end) {}

            @Override
            public void token(int id) {
                found[0] |= wanted.test(id);
            }
        };
        splitNormalized(text, new Ids(0), pieces);
        splitLiteral(text, new Ids(0), pieces);
        return found[0];
    }

    /** Whether it is looked for in the normalized text. */
    boolean isNormalized(int id) {
        return normalizedWords.get(id);
    }

    /** Whether it is special and more than white space or a single character, which a text may have. */
    boolean isSpecialWord(int id) {
        return isSpecial(id) && isWord(id);
    }

    /** Whether it is an added token of several characters that are more than blanks. */
    boolean isWord(int id) {
        AddedToken token = byId.get(id);
        return token != null
                && token.content().codePointCount(0, token.content().length()) > 1
                && !token.content().codePoints().allMatch(c -> c == BLOCK || Unicode.isWhiteSpace(c));
    }

    /** Whether no token takes white space around it along. */
    boolean takeNoSpace() {
        return byId.values().stream().noneMatch(token -> token.lstrip() || token.rstrip());
    }

    /**
     * The longest match first, then the flags, as in the reference: a word that is thrown out for them hides those
     * inside it, and white space that one takes along can be another one all the same.
     */
    private void split(Finder finder, int[] ids, String text, Ids steps, Pieces pieces) {
        Finder.Matches matches = finder.find(text, steps);
        int done = 0;
        int from = 0;
        while (true) {
            matches.skipTo(from);
            if (matches.isEmpty()) {
                break;
            }
            int start = matches.start();
            int end = matches.end();
            from = end;
            int id = ids[matches.word()];
            AddedToken token = byId.get(id);
            if (token == null || token.singleWord() && !isWord(text, start, end) || Guard.isMarked(text, end)) {
                continue;
            }
            if (token.lstrip()) {
                start = Math.max(start, done);
                while (start > done && Unicode.isWhiteSpace(text.codePointBefore(start))) {
                    start -= Character.charCount(text.codePointBefore(start));
                }
            }
            if (token.rstrip()) {
                while (end < text.length() && Unicode.isWhiteSpace(text.codePointAt(end))) {
                    end += Character.charCount(text.codePointAt(end));
                }
            }
            if (done < start) {
                pieces.text(done, start);
            }
            if (start < end) {
                pieces.token(id);
                done = end;
            }
        }
        if (done < text.length()) {
            pieces.text(done, text.length());
        }
    }

    private static boolean isWord(String text, int start, int end) {
        return (start == 0 || !Unicode.isWord(text.codePointBefore(start)))
                && (end == text.length() || !Unicode.isWord(text.codePointAt(end)));
    }
}

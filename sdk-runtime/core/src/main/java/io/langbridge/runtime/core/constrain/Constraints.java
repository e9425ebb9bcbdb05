package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes constraints for the vocabulary of one model. Keeps what it has made of the latest schemas and patterns.
 * Thread-safe.
 */
public final class Constraints {
    /** So many schemas and patterns are kept. */
    private static final int KEPT = 8;

    private static final CharDfa SOME = Regex.whole("[^]+", "", new CharDfa.Work());
    private static final CharDfa NO_BLANK_FIRST = Regex.whole("([^ ][^]*)?", "", new CharDfa.Work());

    private final Tokenizer tokenizer;
    private final Words words;
    /** Guarded by itself; what is in it by itself too. */
    private final Map<String, Kept> kept = new LinkedHashMap<>(KEPT, 0.75f, true);

    private @Nullable TokenTrie trie;

    /** For a model with this tokenizer; nothing is computed before the first constraint. */
    public Constraints(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.words = new Words(tokenizer);
    }

    /**
     * An answer that is a value of a JSON Schema.
     *
     * @param schema JSON
     * @throws PromptException if the schema is not JSON, has a keyword that is not supported, is too large, or nothing
     *     satisfies it
     * @throws UnsupportedModelException if this model's tokenizer cannot be held to anything
     */
    public Constraint jsonSchema(String schema) {
        return make("schema " + schema, "the schema", () -> {
            SchemaReader.Result read = SchemaReader.read(schema);
            return withBlank(read.grammar(), read.entry(), read.entry());
        });
    }

    /**
     * An answer that a regular expression matches from its first to its last character.
     *
     * @param pattern as JSON Schema has them
     * @throws PromptException if it is no regular expression, is not supported, too large, or matches no text
     * @throws UnsupportedModelException if this model's tokenizer cannot be held to anything
     */
    public Constraint pattern(String pattern) {
        return make("pattern " + pattern, "the pattern", () -> {
            CharDfa.Work work = new CharDfa.Work();
            CharDfa texts = Regex.whole(pattern, "The pattern", work);
            if (texts.isEmpty()
                    || texts.states() == 1
                            && texts.and(SOME, "The pattern", work).isEmpty()) {
                throw new PromptException("The pattern '" + pattern + "' matches "
                        + (texts.isEmpty() ? "no text" : "the empty text only") + "; correct it");
            }
            Grammar grammar = new Grammar("The pattern");
            int entry = grammar.texts(texts, false, "");
            if (!tokenizer.dropsFirstBlank()) {
                return new SchemaReader.Result(grammar, entry);
            }
            // A blank of the text itself must not be the one that is left out.
            int direct = grammar.texts(texts.and(NO_BLANK_FIRST, "The pattern", work), false, "");
            return withBlank(grammar, direct, entry);
        });
    }

    /** Where decoding leaves a blank in front out, a text may begin with one. */
    private SchemaReader.Result withBlank(Grammar grammar, int direct, int behindBlank) {
        if (!tokenizer.dropsFirstBlank()) {
            return new SchemaReader.Result(grammar, direct);
        }
        int entry = grammar.state();
        grammar.skip(entry, direct);
        grammar.text(entry, " ", behindBlank);
        return new SchemaReader.Result(grammar, entry);
    }

    /** Makes a constraint, or takes what is kept of its key. {@code read} runs once for all who ask meanwhile. */
    Constraint make(String key, String name, Supplier<SchemaReader.Result> read) {
        Kept wanted;
        synchronized (kept) {
            wanted = kept.computeIfAbsent(key, k -> new Kept());
            if (kept.size() > KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
        // Who wants the same waits for it; who wants another does not.
        synchronized (wanted) {
            Automaton automaton = wanted.automaton;
            if (automaton == null) {
                try {
                    automaton = new Automaton(read.get(), trie());
                } catch (RuntimeException | Error e) {
                    synchronized (kept) {
                        kept.remove(key, wanted);
                    }
                    throw e;
                }
                wanted.automaton = automaton;
            }
            return new Constraint(automaton, words, name);
        }
    }

    private synchronized TokenTrie trie() {
        TokenTrie known = trie;
        if (known == null) {
            known = TokenTrie.of(tokenizer);
            trie = known;
        }
        return known;
    }

    /** A place for what is made of a schema or pattern; empty until it is made. */
    private static final class Kept {
        private @Nullable Automaton automaton;
    }

    /** The tokenizer as a constraint needs it. */
    private static final class Words implements Constraint.Tokens {
        /** Behind it a text is tokenized as in the middle of one, without the blank that some put in front. */
        private static final String BEFORE = "\n";

        private final Tokenizer tokenizer;

        Words(Tokenizer tokenizer) {
            this.tokenizer = tokenizer;
        }

        @Override
        public byte[] bytesOf(int id) {
            return tokenizer.isSpecial(id) ? new byte[0] : tokenizer.bytesOf(id);
        }

        @Override
        public int @Nullable [] canonical(byte[] utf8) {
            int[] ids = tokenizer.encodeAsText(BEFORE + new String(utf8, StandardCharsets.UTF_8));
            int first = ids.length;
            for (int length = 0; first > 0 && length < utf8.length; ) {
                length += bytesOf(ids[--first]).length;
            }
            ByteArrayOutputStream behind = new ByteArrayOutputStream();
            for (int i = first; i < ids.length; i++) {
                byte[] bytes = bytesOf(ids[i]);
                behind.write(bytes, 0, bytes.length);
            }
            return Arrays.equals(behind.toByteArray(), utf8) ? Arrays.copyOfRange(ids, first, ids.length) : null;
        }
    }
}

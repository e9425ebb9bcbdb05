package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One answer that is held to a schema or pattern: which tokens may come next, and which must. For one thread at a time;
 * answers of one schema share what is found out about it.
 */
public final class Constraint {
    private final Automaton automaton;
    private final Tokens tokens;
    private final String name;
    private Automaton.State state;
    /** Of the automaton, when the state was its. */
    private int epoch;

    private byte[] text = new byte[64];
    private int length;

    /** What a constraint asks of a tokenizer. */
    interface Tokens {
        byte[] bytesOf(int id);

        /** A text as ids whose bytes together are the text, or null if it has none. */
        int @Nullable [] canonical(byte[] utf8);
    }

    Constraint(Automaton automaton, Tokens tokens, String name) {
        this.automaton = automaton;
        this.tokens = tokens;
        this.name = name;
        synchronized (automaton) {
            state = automaton.first();
            epoch = automaton.epoch();
        }
    }

    /**
     * The tokens that may come next; stop tokens are none of them, see {@link #mayEnd}.
     *
     * @throws PromptException if none may, though the text is not complete: the vocabulary cannot write what must
     *     follow
     */
    public TokenSet allowed() {
        TokenSet allowed = locked(Automaton::tokens);
        if (allowed.size() == 0 && !state.accepts()) {
            throw new PromptException("No token of the vocabulary can go on what " + name
                    + " begins; the characters that must follow cannot be written with this model");
        }
        return allowed;
    }

    private interface Question<T> {
        T of(Automaton automaton, Automaton.State state);
    }

    private <T> T locked(Question<T> question) {
        synchronized (automaton) {
            if (epoch != automaton.epoch()) {
                state = Objects.requireNonNull(automaton.next(automaton.first(), Arrays.copyOf(text, length)));
                epoch = automaton.epoch();
            }
            return question.of(automaton, state);
        }
    }

    /** Whether the answer may end here. */
    public boolean mayEnd() {
        return state.accepts();
    }

    /** Whether the answer is complete: it may end, and nothing may follow. */
    public boolean isComplete() {
        return state.accepts() && state.isLast();
    }

    /**
     * Takes the next token.
     *
     * @param id one of {@link #allowed}
     * @throws IllegalArgumentException if it is not
     */
    public void accept(int id) {
        byte[] bytes = tokens.bytesOf(id);
        state = locked((known, from) -> {
            Automaton.State next = bytes.length == 0 ? null : known.next(from, bytes);
            if (next == null) {
                throw new IllegalArgumentException("The token " + id + " may not come next");
            }
            return next;
        });
        if (text.length - length < bytes.length) {
            text = Arrays.copyOf(text, 2 * text.length + bytes.length);
        }
        System.arraycopy(bytes, 0, text, length, bytes.length);
        length += bytes.length;
        synchronized (automaton) {
            automaton.forgetIfFull();
        }
    }

    /**
     * The tokens that come next whatever the model says: what must follow, as the tokenizer writes it, as far as no
     * token could write more at once. Takes none of them.
     *
     * @return often none
     */
    public int[] forced() {
        return locked((known, from) -> {
            byte[] forced = known.forced(from);
            int[] ids = forced.length == 0 ? null : tokens.canonical(forced);
            if (ids == null) {
                return new int[0];
            }
            int at = 0;
            Automaton.State way = from;
            for (int i = 0; i < ids.length; i++) {
                if (way == null || known.reachesBeyond(way, forced, at)) {
                    return Arrays.copyOf(ids, i);
                }
                byte[] bytes = tokens.bytesOf(ids[i]);
                way = known.next(way, bytes);
                at += bytes.length;
            }
            return ids;
        });
    }
}

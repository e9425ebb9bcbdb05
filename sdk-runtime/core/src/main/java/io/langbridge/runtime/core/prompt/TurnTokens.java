package io.langbridge.runtime.core.prompt;

import io.langbridge.LangBridgeException;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the tokens that give a conversation its shape: those that open or close a turn, end an answer or stand for a
 * picture. Files declare some of them as not special, but nobody's words may ever act as one.
 *
 * <p>A chat template is asked by rendering short conversations and looking which added tokens it writes around the
 * words. Around an answer it may also write what a model itself writes there, an empty {@code <think></think>}; a pair
 * of that form counts only where it stands between turns.
 */
final class TurnTokens {
    private static final String FIRST = "langbridge-probe-one-5c1e";
    private static final String SECOND = "langbridge-probe-two-5c1e";
    private static final String THIRD = "langbridge-probe-three-5c1e";

    private final Tokenizer tokenizer;
    private final Set<String> found = new LinkedHashSet<>();

    private TurnTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * The texts of the tokens.
     *
     * @param form how the template takes the words of a message
     * @param stopTokens ids that end an answer
     */
    static Set<String> of(
            Tokenizer tokenizer, ChatTemplate template, MessageForm form, Collection<Integer> stopTokens) {
        TurnTokens tokens = new TurnTokens(tokenizer);
        for (int id : stopTokens) {
            tokens.add(id);
        }
        for (Integer id : Arrays.asList(tokenizer.bosId(), tokenizer.eosId())) {
            if (id != null) {
                tokens.add(id);
            }
        }
        tokens.lookAtTurns(template, form);
        if (form.isNative()) {
            tokens.lookAtPicture(template, form);
        }
        return Collections.unmodifiableSet(tokens.found);
    }

    private void lookAtTurns(ChatTemplate template, MessageForm form) {
        List<Map<String, Object>> turns = new ArrayList<>();
        turns.add(form.message("user", FIRST));
        turns.add(form.message("assistant", SECOND));
        turns.add(form.message("user", THIRD));
        String text = rendered(template, turns, false);
        int second = text.indexOf(SECOND);
        int third = text.indexOf(THIRD);
        if (second < 0 || third < second) {
            return; // a template of its own kind: begin, end and stop tokens are all that is known
        }
        addAll(text.substring(second + SECOND.length(), third), true);
        addAll(text.substring(third + THIRD.length()), false);
        addAll(text.substring(0, second), false);
        addAll(rendered(template, turns.subList(0, 1), true), false);
        addAll(
                rendered(template, Arrays.asList(form.message("system", SECOND), form.message("user", FIRST)), false),
                false);
    }

    private void lookAtPicture(ChatTemplate template, MessageForm form) {
        String text = rendered(template, Collections.singletonList(form.around(FIRST, SECOND)), false);
        int first = text.indexOf(FIRST);
        int second = text.indexOf(SECOND);
        if (first >= 0 && second > first) {
            addAll(text.substring(first + FIRST.length(), second), true);
        }
    }

    /** Nothing where the template refuses such a conversation. */
    private static String rendered(ChatTemplate template, List<Map<String, Object>> turns, boolean prompt) {
        try {
            return template.render(turns, prompt, Collections.emptyMap());
        } catch (LangBridgeException e) {
            return "";
        }
    }

    /** The tokens in a text that a template wrote. */
    private void addAll(String text, boolean betweenTurns) {
        for (int id : tokenizer.encode(text, false)) {
            if (betweenTurns || tokenizer.isSpecial(id) || !isOfPair(id)) {
                add(id);
            }
        }
    }

    /** White space that a tokenizer lists as a token shapes nothing. */
    private void add(int id) {
        String token = tokenizer.isAdded(id) ? tokenizer.tokenOf(id) : null;
        if (token != null && !token.chars().allMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c))) {
            found.add(token);
        }
    }

    /** One of {@code <think>} and {@code </think>}, unless the other stands between turns. */
    private boolean isOfPair(int id) {
        String token = tokenizer.tokenOf(id);
        if (token == null || token.length() < 3) {
            return false;
        }
        String other = token.charAt(1) == '/'
                ? token.charAt(0) + token.substring(2)
                : token.charAt(0) + "/" + token.substring(1);
        Integer otherId = tokenizer.idOf(other);
        return otherId != null && tokenizer.isAdded(otherId) && !found.contains(other);
    }
}

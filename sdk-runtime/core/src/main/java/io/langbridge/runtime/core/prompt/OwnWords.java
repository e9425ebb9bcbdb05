package io.langbridge.runtime.core.prompt;

import io.langbridge.Answer;
import io.langbridge.FinishReason;
import io.langbridge.runtime.core.text.StreamingDecoder;
import io.langbridge.runtime.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What this model said, on its way back into a prompt: the tokens that it wrote are tokens, and what only looks like
 * one is text.
 *
 * @param text for the chat template, with the special tokens that {@link Answer#text()} leaves out
 * @param ids what the text was said with; null if they cannot stand for all of it
 */
@SuppressWarnings("ArrayRecordComponent")
record OwnWords(String text, int @Nullable [] ids) {
    /**
     * Reads an answer.
     *
     * @param guarded tokens that give a prompt its shape, which no answer may bring in
     * @return null if this tokenizer reads the answer's ids as another text, so that another model said it
     */
    static @Nullable OwnWords of(Answer answer, Tokenizer tokenizer, Collection<String> guarded) {
        int[] ids = answer.tokenIds();
        if (answer.finishReason() == FinishReason.STOP_TOKEN && ids.length > 0) {
            ids = Arrays.copyOf(ids, ids.length - 1);
        }
        Reader reader = new Reader(wanted(answer.text(), tokenizer.decode(ids, true)), tokenizer, guarded);
        for (int id : ids) {
            reader.take(id);
        }
        return reader.end(ids);
    }

    /** With the thoughts before it, if there are any; if they did not end, they are all there is. */
    private static String wanted(String text, String said) {
        if (said.startsWith(text) && !text.isEmpty()) {
            return text;
        }
        int end = said.indexOf(PromptAssembler.THINKING_ENDS);
        if (end < 0) {
            return text.isEmpty() ? said : text;
        }
        int begins = end + PromptAssembler.THINKING_ENDS.length();
        while (begins < said.length() && said.charAt(begins) == '\n') {
            begins++;
        }
        return said.startsWith(text, begins) ? said.substring(0, begins) + text : text;
    }

    private static final class Reader {
        private final String wanted;
        private final Tokenizer tokenizer;
        private final Collection<String> guarded;
        private final StreamingDecoder decoder;
        private final StringBuilder said = new StringBuilder();
        private final StringBuilder plain = new StringBuilder();
        private final StringBuilder text = new StringBuilder();
        private boolean whole = true;

        Reader(String wanted, Tokenizer tokenizer, Collection<String> guarded) {
            this.wanted = wanted;
            this.tokenizer = tokenizer;
            this.guarded = guarded;
            this.decoder = tokenizer.newStreamingDecoder();
        }

        void take(int id) {
            String piece = decoder.next(id);
            String token = tokenizer.isAdded(id) ? tokenizer.tokenOf(id) : null;
            boolean shapes = token != null && guarded.contains(token);
            boolean visible = token != null && piece.endsWith(token);
            whole &= !shapes;
            if (token == null || shapes || !(visible || tokenizer.isSpecial(id))) {
                say(piece);
                return;
            }
            say(visible ? piece.substring(0, piece.length() - token.length()) : piece);
            // A stop string ends the text inside the answer; what was said behind it is no part of it.
            if (said.length() + (visible ? token.length() : 0) > wanted.length()) {
                whole = false;
            } else {
                endPlain();
                text.append(token);
                said.append(visible ? token : "");
            }
        }

        private void say(String piece) {
            int kept = Math.min(piece.length(), wanted.length() - said.length());
            whole &= kept == piece.length();
            said.append(piece, 0, kept);
            plain.append(piece, 0, kept);
        }

        private void endPlain() {
            List<String> parts = new ArrayList<>();
            parts.add(plain.toString());
            text.append(tokenizer.guard(parts, guarded, false).get(0));
            plain.setLength(0);
        }

        @Nullable
        OwnWords end(int[] ids) {
            say(decoder.flush());
            endPlain();
            if (!wanted.contentEquals(said)) {
                return null;
            }
            return new OwnWords(text.toString(), whole && ids.length > 0 ? ids : null);
        }
    }
}

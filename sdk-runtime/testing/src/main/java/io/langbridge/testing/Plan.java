package io.langbridge.testing;

import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Message;
import io.langbridge.PromptException;
import io.langbridge.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What becomes of an answer under the options of a request, token by token. */
final class Plan {
    /** Of CLIP-L/14-336, one tile. */
    static final int TOKENS_PER_PICTURE = 576;
    /** What GenerationOptions documents. */
    private static final int MOST_NEW_TOKENS = 512;
    /** What a chat template writes around a message. */
    private static final int TOKENS_AROUND = 4;

    private static final int STOP_TOKEN = 2;
    private static final int VOCABULARY = 32_000;

    final int promptTokens;
    final int visualTokens;
    final List<String> pieces;
    final FinishReason reason;
    final @Nullable RuntimeException failure;
    final int stallAfter;
    private final int contextLength;
    private final boolean stopTokenLast;

    Plan(FakeAnswer answer, Request request, int contextLength) {
        this.contextLength = contextLength;
        int visual = 0;
        int text = 0;
        for (Message message : request.messages()) {
            text += TOKENS_AROUND;
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.Text words) {
                    text += FakeAnswer.of(words.text()).pieces.size();
                } else if (part instanceof Message.Answered answered) {
                    text += answered.answer().tokenIds().length;
                } else {
                    visual += TOKENS_PER_PICTURE;
                }
            }
        }
        visualTokens = visual;
        promptTokens = text + visual;
        stallAfter = answer.stallAfter;

        GenerationOptions options = request.options();
        int most = Objects.requireNonNullElse(options.maxNewTokens(), MOST_NEW_TOKENS);
        int limit = Math.max(0, Math.min(most, contextLength - promptTokens));
        boolean ends = answer.failure == null && answer.reason == FinishReason.STOP_TOKEN;
        List<String> all = new ArrayList<>(answer.pieces);
        if (ends) {
            all.add("");
        }
        List<String> stopped =
                untilStopString(answer.pieces, Objects.requireNonNullElse(options.stopStrings(), List.of()));
        if (stopped != null && stopped.size() <= limit) {
            pieces = stopped;
            reason = FinishReason.STOP_STRING;
            failure = null;
            stopTokenLast = false;
        } else if (all.size() + (answer.failure == null ? 0 : 1) > limit) {
            pieces = all.subList(0, limit);
            reason = limit == most ? FinishReason.MAX_NEW_TOKENS : FinishReason.CONTEXT_FULL;
            failure = null;
            stopTokenLast = false;
        } else {
            pieces = all;
            reason = answer.reason;
            failure = answer.failure;
            stopTokenLast = ends;
        }
    }

    /** The tokens up to the one that completes a stop string, which is no part of their text; null if none does. */
    private static @Nullable List<String> untilStopString(List<String> pieces, List<String> stops) {
        String text = String.join("", pieces);
        int cut = -1;
        int end = Integer.MAX_VALUE;
        for (String stop : stops) {
            int found = text.indexOf(stop);
            int foundEnd = found + stop.length();
            if (found >= 0 && (foundEnd < end || foundEnd == end && found < cut)) {
                cut = found;
                end = foundEnd;
            }
        }
        if (cut < 0) {
            return null;
        }
        List<String> result = new ArrayList<>();
        int from = 0;
        for (String piece : pieces) {
            int to = from + piece.length();
            result.add(text.substring(Math.min(from, cut), Math.min(to, cut)));
            if (to >= end) {
                break;
            }
            from = to;
        }
        return result;
    }

    void requireRoom() {
        if (promptTokens >= contextLength) {
            throw new PromptException("The prompt has " + promptTokens + " tokens (" + visualTokens
                    + " of them from pictures), but the context of this FakeModel holds " + contextLength
                    + " and the answer needs at least one; shorten it, use fewer pictures, or raise contextLength(..)");
        }
    }

    int tokenId(int index) {
        return stopTokenLast && index == pieces.size() - 1
                ? STOP_TOKEN
                : STOP_TOKEN + 1 + Math.floorMod(pieces.get(index).hashCode(), VOCABULARY - STOP_TOKEN - 1);
    }
}

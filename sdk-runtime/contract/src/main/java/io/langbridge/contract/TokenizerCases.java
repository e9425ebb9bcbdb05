package io.langbridge.contract;

import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.StreamingDecoder;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tokenizers: encoding and decoding, streaming, chat templates. */
final class TokenizerCases {
    private TokenizerCases() {}

    static void check(Check check) {
        String file = String.valueOf(check.found().file().getFileName());
        switch (file) {
            case "encode.json" -> checkEncoding(check, Tokenizer.of(check.folder()));
            case "streaming.json" -> checkStreaming(check, Tokenizer.of(check.folder()));
            case "chat.json" -> checkChat(check, Tokenizer.of(check.folder()));
            case "template-features.json" -> checkFeatures(check);
            case "case.json" -> VocabularyCases.checkShared(check);
            default -> throw new AssertionError("An unknown kind of tokenizer case: " + file);
        }
    }

    private static void checkEncoding(Check check, Tokenizer tokenizer) {
        for (Entry one : check.json().objects("cases")) {
            String text = one.text("text");
            int[] ids = tokenizer.encode(text, true);
            check.same("ids of " + text, ids, one.integers("ids"));
            check.same(
                    "ids without special of " + text,
                    tokenizer.encode(text, false),
                    one.integers("ids_without_special"));
            check.same("decoded " + text, tokenizer.decode(ids, false), one.text("decoded"));
            check.same(
                    "decoded without special " + text, tokenizer.decode(ids, true), one.text("decoded_skip_special"));
        }
        if (check.json().has("special_as_text")) {
            for (Entry one : check.json().objects("special_as_text")) {
                int[] expected = one.integers("ids_without_special");
                String text = one.text("text");
                check.same("ids as text of " + text, tokenizer.encodeAsText(text), expected);
                String guarded = tokenizer.guard(text, Collections.emptyList());
                check.same("ids of guarded " + text, tokenizer.encode(guarded, false), expected);
            }
        }
    }

    private static void checkStreaming(Check check, Tokenizer tokenizer) {
        for (Entry one : check.json().objects("cases")) {
            one.describe("what", "text");
            int[] ids = one.integers("ids");
            String what = one.where();
            StreamingDecoder decoder = tokenizer.newStreamingDecoder();
            List<String> pieces = new ArrayList<>();
            for (int id : ids) {
                pieces.add(decoder.next(id));
            }
            String flushed = decoder.flush();
            check.same("pieces of " + what, pieces, one.texts("pieces"));
            check.same("flush of " + what, flushed, one.text("flush"));
            check.same("joined " + what, String.join("", pieces) + flushed, one.text("joined"));
            check.same("decode of " + what, tokenizer.decode(ids, true), one.text("decode"));
        }
    }

    private static void checkChat(Check check, Tokenizer tokenizer) {
        ChatTemplate template =
                Optional.ofNullable(ChatTemplate.of(check.folder())).orElseThrow();
        for (Entry one : check.json().objects("cases")) {
            one.describe("name");
            List<Map<String, Object>> messages = Entry.maps(one.get("messages"));
            boolean prompt = one.isTrue("add_generation_prompt");
            if (one.has("error")) {
                checkError(check, one, () -> template.render(messages, prompt, Collections.emptyMap()));
            } else {
                String text = template.render(messages, prompt, Collections.emptyMap());
                check.same("text of " + one.where(), text, one.text("text"));
                check.same("ids of " + one.where(), tokenizer.encode(text, false), one.integers("ids"));
            }
        }
    }

    private static void checkFeatures(Check check) {
        for (Entry one : check.json().objects("cases")) {
            String name = one.text("name");
            ChatTemplate template = ChatTemplate.parse(one.text("template"), name);
            Map<String, Object> context = Entry.map(one.get("context"));
            if (one.has("error")) {
                checkError(check, one, () -> template.render(context));
            } else {
                check.same("'" + name + "'", template.render(context), one.text("text"));
            }
        }
    }

    private static void checkError(Check check, Entry one, Runnable rendering) {
        String expected = one.text("error");
        try {
            rendering.run();
            check.holds(one.where() + " should be refused: " + expected, false);
        } catch (PromptException e) {
            String message = String.valueOf(e.getMessage());
            check.holds(one.where() + " should say '" + expected + "', not: " + message, message.contains(expected));
        }
    }
}

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Phases {@code tokenizer.open}, {@code tokenizer.encode.*} and {@code tokenizer.decode.*} of the tokenizer in
 * {@code --llm}, in milliseconds, on one thread. The texts are written into the folder {@code texts} of
 * {@code --models}, so that a peer can read the same.
 */
final class TokenizerSet {
    private static final int LENGTH = 300_000;

    private TokenizerSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Path folder = setup.tokenizer();
        Tokenizer tokenizer = Tokenizer.of(folder);
        out.accept(setup.line("tokenizer.open", "llm")
                .put("vocabulary", tokenizer.vocabularySize())
                .put("ms", new Measure(setup.reps, setup.patience).millis(() -> Tokenizer.of(folder)))
                .json());
        for (Map.Entry<String, String> entry : texts().entrySet()) {
            String text = entry.getValue();
            write(setup, entry.getKey(), text);
            int[] ids = tokenizer.encode(text, false);
            out.accept(setup.line("tokenizer.encode." + entry.getKey(), "llm")
                    .put("characters", text.length())
                    .put("tokens", ids.length)
                    .put("ms", new Measure(setup.reps, setup.patience).millis(() -> tokenizer.encode(text, false)))
                    .json());
            out.accept(setup.line("tokenizer.decode." + entry.getKey(), "llm")
                    .put("tokens", ids.length)
                    .put("ms", new Measure(setup.reps, setup.patience).millis(() -> tokenizer.decode(ids, false)))
                    .json());
        }
    }

    private static Map<String, String> texts() {
        SampleText sample = new SampleText();
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("prose", sample.prose(LENGTH));
        texts.put("code", sample.code(LENGTH));
        texts.putAll(SampleText.hostile());
        return texts;
    }

    private static void write(Setup setup, String name, String text) throws IOException {
        Path texts = Files.createDirectories(setup.models().resolve("texts"));
        Files.writeString(texts.resolve(name + ".txt"), text);
    }
}

package io.langbridge.examples.batch;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.Choice;
import io.langbridge.EncodedImage;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What is asked about every picture.
 *
 * @param question in words
 * @param choices the answers there are, or null
 * @param schema the JSON Schema of an answer, or null
 * @param maxTokens most tokens of an answer
 */
record Task(String question, List<String> choices, String schema, int maxTokens) implements Serializable {
    /** @return what a row has in {@code task} that is an answer to this by that model */
    String key(String revision) {
        String labels = choices == null ? "" : String.join("\1", choices);
        String all = String.join("\0", question, labels, String.valueOf(schema), "" + maxTokens, revision);
        return HexFormat.of().formatHex(Arrays.copyOf(sha256().digest(all.getBytes(StandardCharsets.UTF_8)), 8));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("Every Java has SHA-256", e);
        }
    }

    /**
     * Tries the schema without a picture: what is wrong with it is not to be written into every row.
     *
     * @throws PromptException if answers cannot be held to it
     */
    void check(VisionLanguageModel model) {
        if (schema != null) {
            GenerationOptions once = options().maxNewTokens(1).build();
            model.answer(Request.builder().text(question).options(once).build());
        }
    }

    private GenerationOptions.Builder options() {
        GenerationOptions.Builder options =
                GenerationOptions.builder().temperature(0).maxNewTokens(maxTokens);
        return schema == null ? options : options.jsonSchema(schema).logProbabilities(0);
    }

    /**
     * Asks, and puts what comes of it into the row: the answer, or what is wrong with the picture. A picture that is
     * too large, damaged or none fails again next time, so its row is as final as others. What is no fault of the
     * picture's is thrown.
     */
    void ask(VisionLanguageModel model, Image image, Answered row) {
        long start = System.nanoTime();
        row.question = question;
        try {
            if (choices != null) {
                choose(model, image, row);
            } else {
                answer(model, image, row);
            }
        } catch (ImageException | PromptException e) {
            row.error = e.getMessage();
        }
        row.millis = (System.nanoTime() - start) / 1_000_000;
    }

    private void choose(VisionLanguageModel model, Image image, Answered row) {
        EncodedImage seen = model.encode(image);
        row.visualTokens = model.visualTokenCount(seen.width(), seen.height());
        Choice choice = model.choose(seen, question, choices);
        row.answer = choice.best();
        row.probabilities = choice.probabilities();
    }

    private void answer(VisionLanguageModel model, Image image, Answered row) {
        Answer answer = model.answer(Request.builder()
                .image(image)
                .text(question)
                .options(options().build())
                .build());
        if (answer.finishReason() == FinishReason.CANCELLED) {
            throw new AnswerException("The answer was cancelled", answer);
        }
        row.answer = answer.text();
        row.finish = answer.finishReason().name().toLowerCase(Locale.ROOT);
        row.promptTokens = answer.usage().promptTokens();
        row.visualTokens = answer.usage().visualTokens();
        row.newTokens = answer.usage().newTokens();
        if (schema != null) {
            values(answer, row);
        }
    }

    /** The probability of each value, by its name. */
    private static void values(Answer answer, Answered row) {
        try {
            Map<String, Double> probabilities = new LinkedHashMap<>();
            if (answer.json() instanceof Map<?, ?> object) {
                for (Object name : object.keySet()) {
                    String pointer = "/" + name.toString().replace("~", "~0").replace("/", "~1");
                    probabilities.put(name.toString(), answer.probability(pointer));
                }
            } else {
                probabilities.put("", answer.probability(""));
            }
            row.probabilities = probabilities;
        } catch (AnswerException e) {
            row.error = e.getMessage(); // it was cut off
        }
    }
}

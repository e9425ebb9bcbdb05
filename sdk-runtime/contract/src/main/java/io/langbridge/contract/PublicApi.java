package io.langbridge.contract;

import com.google.gson.JsonElement;
import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.Device;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.model.Loader;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The runs of an end-to-end case as an application asks for them. */
final class PublicApi {
    private static final String IMAGE = "<image>";
    /** A turn as ChatML or Llama 3 writes it. */
    private static final Pattern TURN = Pattern.compile(
            "<\\|im_start\\|>(\\w+)\\n(.*?)<\\|im_end\\|>\\n"
                    + "|<\\|start_header_id\\|>(\\w+)<\\|end_header_id\\|>\\n\\n(.*?)<\\|eot_id\\|>",
            Pattern.DOTALL);

    private PublicApi() {}

    /** @param fromOwnPixels ids by run where they follow from other pixels than the reference's */
    static void check(
            Check check,
            Path checkpoint,
            @Nullable SharedVocabulary vocabulary,
            List<Entry> runs,
            int maxNewTokens,
            Map<String, int[]> fromOwnPixels) {
        GenerationOptions options = GenerationOptions.greedy().toBuilder()
                .repetitionPenalty(1)
                .stopTokens()
                .maxNewTokens(maxNewTokens)
                .build();
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder()
                .folder(checkpoint)
                .threads(check.options().threads())
                .cacheDirectory(check.options().cacheDirectory())
                .device(Device.CPU)
                .precision(check.options().precision())
                .encoderPrecision(check.options().precision())
                .twoForms(check.options().inTwoForms());
        try (VisionLanguageModel model = builder.build(new Loader(check.engine()))) {
            for (Entry run : runs) {
                String label = run.text("label");
                if (vocabulary != null) {
                    explanations(check, model, run, vocabulary.tokens());
                }
                List<Message> messages = messages(check, checkpoint, run);
                if (messages == null) {
                    check.leaveOut("run " + label + " through the public API: a Request cannot express it");
                    continue;
                }
                Request request =
                        Request.builder().messages(messages).options(options).build();
                StringBuilder pieces = new StringBuilder();
                try (AnswerStream stream = model.stream(request)) {
                    for (AnswerStream.Piece piece : stream) {
                        pieces.append(piece.text());
                    }
                    Answer answer = stream.answer();
                    if (check.quantized()) {
                        check.same("answer's length, " + label, answer.tokenIds().length, maxNewTokens);
                    } else if (fromOwnPixels.containsKey(label)) {
                        check.same("answer's ids, " + label, answer.tokenIds(), fromOwnPixels.get(label));
                    } else {
                        check.same("answer's ids, " + label, answer.tokenIds(), run.integers("new_ids"));
                        check.same("answer's text, " + label, answer.text(), run.text("new_text"));
                    }
                    check.same("answer's pieces, " + label, pieces.toString(), answer.text());
                    check.same("prompt's length, " + label, answer.usage().promptTokens(), run.integer("sequence"));
                    check.same(
                            "visual tokens told before, " + label,
                            visualTokenCount(check, model, run),
                            answer.usage().visualTokens());
                }
            }
        }
    }

    private static int visualTokenCount(Check check, VisionLanguageModel model, Entry run) {
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        return run.texts("pictures").stream()
                .map(pictures::decoded)
                .mapToInt(picture -> model.visualTokenCount(picture.width(), picture.height()))
                .sum();
    }

    /** The words of each picture whose vocabulary logits the reference gives. */
    private static void explanations(Check check, VisionLanguageModel model, Entry run, List<String> vocabulary) {
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        List<String> names = run.texts("pictures");
        for (int i = 0; i < names.size(); i++) {
            String tensor = run.text("label") + "." + i + ".vocabulary_logits";
            Optional<Path> file = pictures.exact(names.get(i));
            if (check.hasTensor(tensor) && file.isPresent()) {
                ExplainOptions options = ExplainOptions.builder()
                        .wordsPerPatch(20)
                        .imageWords(20)
                        .raw(true)
                        .build();
                Explanation explanation = model.explain(model.encode(Image.of(file.get())), options);
                compare(check, tensor, explanation, vocabulary);
            }
        }
    }

    private static void compare(Check check, String tensor, Explanation explanation, List<String> vocabulary) {
        FloatTensor logits = check.tensor(tensor);
        int columns = logits.size(2);
        float[] all = logits.toArray();
        FloatBuffer values = FloatBuffer.allocate(explanation.patches().size() * 20);
        FloatBuffer ofTheirWords = FloatBuffer.allocate(values.capacity());
        FloatBuffer strongest = FloatBuffer.allocate(values.capacity());
        FloatBuffer heat = FloatBuffer.allocate(values.capacity());
        FloatBuffer heatOfTheirWords = FloatBuffer.allocate(values.capacity());
        for (int i = 0; i < explanation.patches().size(); i++) {
            Explanation.Patch patch = explanation.patches().get(i);
            int side = explanation.tiles().get(patch.tile()).patchColumns();
            int start = (patch.tile() * logits.size(1) + patch.row() * side + patch.column()) * columns;
            for (Explanation.Weight weight : patch.words()) {
                values.put(weight.value());
                ofTheirWords.put(all[start + vocabulary.indexOf(weight.word().token())]);
            }
            float[] sorted = Arrays.copyOfRange(all, start, start + columns);
            Arrays.sort(sorted);
            for (int rank = 0; rank < 20; rank++) {
                strongest.put(sorted[columns - 1 - rank]);
            }
            for (Explanation.ImageWord word : explanation.words()) {
                heat.put(word.value(i));
                heatOfTheirWords.put(all[start + vocabulary.indexOf(word.word().token())]);
            }
        }
        double tolerance = check.tolerance(tensor);
        check.close("explained " + tensor, values.array(), ofTheirWords.array(), tolerance);
        check.close("strongest of " + tensor, values.array(), strongest.array(), tolerance);
        check.close("heat maps of " + tensor, heat.array(), heatOfTheirWords.array(), tolerance);
    }

    /** The conversation of a run, or null if there is none that gives its prompt. */
    private static @Nullable List<Message> messages(Check check, Path checkpoint, Entry run) {
        if (run.has("messages")) {
            return messages(check, run);
        }
        List<Image> images = images(check, run);
        return images == null ? null : parsed(checkpoint, run.text("prompt"), images.iterator());
    }

    /** The messages that a run states, or null if a picture is not there as a file with the reference's pixels. */
    static @Nullable List<Message> messages(Check check, Entry run) {
        List<Image> images = images(check, run);
        if (images == null) {
            return null;
        }
        if (!run.get("messages").isJsonNull()) {
            return given(run.get("messages"), images.iterator());
        }
        // A model that knows no conversations: the question as it is, behind its pictures.
        List<Message.Part> parts = new ArrayList<>();
        images.forEach(image -> parts.add(new Message.ImagePart(image)));
        parts.add(new Message.Text(run.text("prompt")));
        return List.of(new Message(Message.Role.USER, parts));
    }

    private static @Nullable List<Image> images(Check check, Entry run) {
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        List<Image> images = new ArrayList<>();
        for (String name : run.texts("pictures")) {
            Optional<Path> file = pictures.exact(name);
            if (file.isEmpty()) {
                return null;
            }
            images.add(Image.of(file.get()));
        }
        return images;
    }

    private static List<Message> given(JsonElement messages, Iterator<Image> images) {
        List<Message> result = new ArrayList<>();
        for (JsonElement message : messages.getAsJsonArray()) {
            List<Message.Part> parts = new ArrayList<>();
            JsonElement content = message.getAsJsonObject().get("content");
            if (content.isJsonPrimitive()) {
                parts.add(new Message.Text(content.getAsString()));
            } else {
                for (JsonElement part : content.getAsJsonArray()) {
                    String type = part.getAsJsonObject().get("type").getAsString();
                    parts.add(
                            type.equals("image")
                                    ? new Message.ImagePart(images.next())
                                    : new Message.Text(
                                            part.getAsJsonObject().get("text").getAsString()));
                }
            }
            result.add(new Message(role(message.getAsJsonObject().get("role").getAsString()), parts));
        }
        return result;
    }

    /** Takes a prompt apart; null if the chat template would not make the same one of it. */
    private static @Nullable List<Message> parsed(Path checkpoint, String prompt, Iterator<Image> images) {
        List<Message> messages = new ArrayList<>();
        List<Map<String, Object>> again = new ArrayList<>();
        Matcher turn = TURN.matcher(prompt);
        while (turn.find()) {
            String role = turn.group(1) != null ? turn.group(1) : turn.group(3);
            String content = turn.group(1) != null ? turn.group(2) : turn.group(4);
            List<Message.Part> parts = parts(content, images);
            if (parts == null) {
                return null;
            }
            messages.add(new Message(role(role), parts));
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("role", role);
            message.put("content", content);
            again.add(message);
        }
        ChatTemplate template = ChatTemplate.of(checkpoint);
        if (template == null || messages.isEmpty()) {
            return null;
        }
        String rendered = template.render(again, true, Collections.emptyMap());
        Tokenizer tokenizer = Tokenizer.of(checkpoint);
        String begin = tokenizer.bosToken();
        return rendered.equals(prompt) || begin != null && rendered.equals(begin + prompt) ? messages : null;
    }

    /** A request writes the line break after leading pictures itself. */
    private static @Nullable List<Message.Part> parts(String content, Iterator<Image> images) {
        List<Message.Part> parts = new ArrayList<>();
        String[] texts = content.split(IMAGE, -1);
        boolean leading = true;
        for (int i = 0; i < texts.length; i++) {
            String text = texts[i];
            if (i > 0) {
                parts.add(new Message.ImagePart(images.next()));
                if (leading && !text.startsWith("\n")) {
                    return null;
                }
                text = leading ? text.substring(1) : text;
            }
            if (!text.isEmpty()) {
                parts.add(new Message.Text(text));
                leading = false;
            }
        }
        return parts;
    }

    private static Message.Role role(String role) {
        return Message.Role.valueOf(role.toUpperCase(Locale.ROOT));
    }
}

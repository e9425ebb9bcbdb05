package io.langbridge.runtime.core.prompt;

import io.langbridge.Answer;
import io.langbridge.Message;
import io.langbridge.PromptException;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns a conversation into the pieces of a prompt. Words are taken literally wherever they come from a user: neither
 * placeholders nor a special token in them has an effect, not even if it is put together from several parts. Answers
 * keep the markers that models write in them, such as {@code <think>}; an {@link Message.Answered} of this model keeps
 * every token it was said with. Nobody's words open or close a turn or show a picture. Thread-safe.
 */
public final class PromptAssembler {
    /** What models write around their thoughts. */
    public static final String THINKING_BEGINS = "<think>";

    public static final String THINKING_ENDS = "</think>";

    /** The variable of chat templates that says whether a model thinks. */
    private static final String ENABLE_THINKING = "enable_thinking";

    /** So many of a prompt's last tokens may follow {@link #THINKING_BEGINS}: line breaks. */
    private static final int LAST_TOKENS = 16;

    /** No characters, so that nobody writes them; they show where the template put an answer. */
    private static final char ANSWER_BEGINS = '\uFDD1';

    private static final char ANSWER_ENDS = '\uFDD2';

    /** Beyond any context; a chat template works on its messages several times over. */
    private static final int MOST_CHARACTERS = 1 << 22;
    /** Tokens that end a turn are shorter. */
    private static final int LOOK_AHEAD = 256;

    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    /** What the template writes for a picture. */
    private final String image;
    /** What takes its place, with {@link #place} in it. */
    private final String written;
    /** Where a picture stands. */
    private final String place;

    private final @Nullable Integer imageId;
    private final MessageForm form;
    private final Set<String> guarded;
    /** Ids of words that pictures bring along. */
    private final Map<String, int[]> known = new ConcurrentHashMap<>();

    private final int[] before;
    private final int[] after;
    /** For the template. */
    private final Map<String, Object> variables;

    /** A stretch of the prompt: a text, or the ids of an answer. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Run(String text, int @Nullable [] ids) {}

    /**
     * Creates an assembler.
     *
     * @param images how pictures get their place
     * @param stopTokens ids that end an answer
     */
    public PromptAssembler(
            Tokenizer tokenizer, ChatTemplate template, ImagePrompt images, Collection<Integer> stopTokens) {
        this.tokenizer = tokenizer;
        this.template = template;
        ImagePrompt.Placeholder placeholder = images instanceof ImagePrompt.Placeholder p ? p : null;
        this.image = placeholder == null ? "<image>" : placeholder.mark();
        this.written = placeholder == null ? image : placeholder.written();
        this.place = placeholder == null ? image : placeholder.token();
        this.imageId = placeholder == null ? null : (Integer) placeholder.tokenId();
        this.form = MessageForm.of(template, image);
        this.guarded = new LinkedHashSet<>(TurnTokens.of(tokenizer, template, form, stopTokens));
        this.guarded.add(image);
        this.guarded.add(place);
        this.before = tokenizer.specialsBefore();
        this.after = tokenizer.specialsAfter();
        this.variables = Collections.emptyMap();
    }

    private PromptAssembler(PromptAssembler other, Map<String, Object> variables) {
        this.tokenizer = other.tokenizer;
        this.template = other.template;
        this.image = other.image;
        this.written = other.written;
        this.place = other.place;
        this.imageId = other.imageId;
        this.form = other.form;
        this.guarded = other.guarded;
        this.before = other.before;
        this.after = other.after;
        this.variables = variables;
    }

    /**
     * The same for prompts that have the model think or not.
     *
     * @param thinking null for the template's default
     * @throws PromptException if the model is to think and the template cannot say so
     */
    public PromptAssembler thinking(@Nullable Boolean thinking) {
        if (thinking == null || !thinking && !template.mentions(ENABLE_THINKING)) {
            return this; // whether the prompt has it think all the same is seen in the prompt
        }
        if (!template.mentions(ENABLE_THINKING)) {
            throw new PromptException(
                    "thinking(true) asks the model to think, but its chat template, " + template.where() + ", has no "
                            + ENABLE_THINKING + "; leave it out, or take a model that thinks on request");
        }
        return new PromptAssembler(this, Collections.singletonMap(ENABLE_THINKING, thinking));
    }

    /** Whether the model may write thoughts in front of its answers. */
    public boolean knowsThinking() {
        return template.mentions(THINKING_ENDS);
    }

    /** Whether a prompt ends where a thought begins. */
    public boolean endsInThought(List<int[]> prompt) {
        int[] last = prompt.get(prompt.size() - 1);
        int[] end = Arrays.copyOfRange(last, Math.max(0, last.length - LAST_TOKENS), last.length);
        return knowsThinking() && tokenizer.decode(end, false).trim().endsWith(THINKING_BEGINS);
    }

    /** Where the chat template is, for messages. */
    public String templateName() {
        return template.where();
    }

    /** Id of the placeholder where the model has one, which then stands in the ids once per visual token; or null. */
    public @Nullable Integer imageId() {
        return imageId;
    }

    /** Ids of the words among a picture's visual tokens, in their order. */
    public List<int[]> words(TokenLayout layout) {
        List<int[]> ids = new ArrayList<>();
        for (TokenLayout.Words words : layout.words()) {
            ids.add(known.computeIfAbsent(words.text(), text -> tokenizer.encode(text, false)));
        }
        return ids;
    }

    /** Positions that a picture takes. */
    public int positions(TokenLayout layout) {
        return layout.tokens()
                + words(layout).stream().mapToInt(ids -> ids.length).sum();
    }

    public static boolean isPicture(Message.Part part) {
        return part instanceof Message.ImagePart || part instanceof Message.EncodedImagePart;
    }

    /**
     * Token ids between the pictures.
     *
     * @param room positions that are left for text
     * @param context positions that the model has, for the message
     * @return one entry more than there are pictures; an entry may be empty
     * @throws PromptException if there are more ids than room, or pictures without a place
     */
    public List<int[]> assemble(List<Message> messages, int room, int context) {
        int pictures = 0;
        long words = 0;
        for (Message message : messages) {
            words += message.text().length();
            for (Message.Part part : message.parts()) {
                pictures += isPicture(part) ? 1 : 0;
            }
        }
        requireFits(words, room, context); // before the template works on it
        String text = render(messages, true);
        requireFits(text.length(), room, context);
        Pieces pieces = new Pieces(room);
        boolean begun = beginsItself(text);
        pieces.add(begun ? new int[0] : before);
        for (Run run : runs(messages, text)) {
            pieces.add(run);
        }
        pieces.add(begun ? new int[0] : after);
        if (pieces.full()) {
            throw tooLong("more than " + room + " tokens", text.length(), context);
        }
        if (pieces.done.size() != pictures) {
            throw new PromptException(
                    "The request has " + pictures + " picture(s), but the chat template gives place to "
                            + pieces.done.size() + "; "
                            + (form.isNative()
                                    ? "it may allow fewer pictures per turn, ask about them one by one"
                                    : "it may drop or rewrite messages, put the pictures into the last turn"));
        }
        return pieces.all();
    }

    /** Refuses a text that is too long even if all of it were the vocabulary's longest token. */
    private void requireFits(long characters, int room, int context) {
        long least = characters / tokenizer.longestToken();
        if (least > room) {
            throw tooLong("at least " + least + " tokens", characters, context);
        }
        if (characters > MOST_CHARACTERS) {
            throw tooLong("more than " + MOST_CHARACTERS + " characters", characters, context);
        }
    }

    private static PromptException tooLong(String size, long characters, int context) {
        return new PromptException("The prompt is too long for the context: its text of " + characters
                + " characters has " + size + ", the context holds " + context
                + " tokens for text, pictures and answer; shorten it, or raise contextLength(..) if the language model"
                + " allows more");
    }

    /**
     * The conversation in the words of the chat template, with a placeholder for every picture and the users' words
     * guarded, see {@link #split}.
     *
     * @param addGenerationPrompt whether to end with the words that begin the assistant's answer
     * @throws PromptException if the template refuses the conversation
     */
    public String render(List<Message> messages, boolean addGenerationPrompt) {
        try {
            return render(messages, addGenerationPrompt, false);
        } catch (PromptException e) {
            throw refusesSystem(messages)
                    ? new PromptException(
                            "The chat template has no place for a system message: " + e.getMessage()
                                    + "; put the instructions into the user's first turn",
                            e)
                    : e;
        }
    }

    /** Whether the conversation would be fine without its system message. */
    private boolean refusesSystem(List<Message> messages) {
        if (messages.size() < 2 || messages.get(0).role() != Message.Role.SYSTEM) {
            return false;
        }
        try {
            render(messages.subList(1, messages.size()), true, false);
            return true;
        } catch (PromptException e) {
            return false;
        }
    }

    private String render(List<Message> messages, boolean addGenerationPrompt, boolean answersMarked) {
        List<Map<String, Object>> rendered = new ArrayList<>();
        for (Message message : messages) {
            rendered.add(form.message(
                    message.role().name().toLowerCase(Locale.ROOT), message, words(message, answersMarked), image));
        }
        return template.render(rendered, addGenerationPrompt, variables);
    }

    /** The texts of a message, guarded. */
    private List<String> words(Message message, boolean answersMarked) {
        List<String> words = new ArrayList<>();
        for (Message.Part part : message.parts()) {
            if (part instanceof Message.Answered answered) {
                OwnWords own = own(answered.answer());
                if (own != null) {
                    return Collections.singletonList(
                            answersMarked && own.ids() != null ? ANSWER_BEGINS + own.text() + ANSWER_ENDS : own.text());
                }
                words.add(answered.answer().text());
            } else if (part instanceof Message.Text text) {
                words.add(text.text());
            }
        }
        return tokenizer.guard(words, guarded, message.role() == Message.Role.ASSISTANT);
    }

    private @Nullable OwnWords own(Answer answer) {
        return OwnWords.of(answer, tokenizer, guarded);
    }

    /**
     * Where an answer stands in the prompt as it was said, its own ids take the place of its text: the same text can be
     * cut into tokens in several ways, and the KV cache holds the model's.
     */
    private List<Run> runs(List<Message> messages, String text) {
        List<Run> whole = Collections.singletonList(new Run(text, null));
        List<OwnWords> answers = new ArrayList<>();
        for (Message message : messages) {
            if (message.parts().get(0) instanceof Message.Answered answered) {
                OwnWords own = own(answered.answer());
                if (own != null && own.ids() != null) {
                    answers.add(own);
                }
            }
        }
        if (answers.isEmpty() || text.indexOf(ANSWER_BEGINS) >= 0 || text.indexOf(ANSWER_ENDS) >= 0) {
            return whole;
        }
        String marked = render(messages, true, true);
        String unmarked = marked.replace(String.valueOf(ANSWER_BEGINS), "").replace(String.valueOf(ANSWER_ENDS), "");
        return unmarked.equals(text) ? cut(marked, answers, opening(messages, text)) : whole;
    }

    /** What the template writes in front of an answer; if nothing, the last character of the prompt. */
    private String opening(List<Message> messages, String text) {
        String turns = render(messages, false, false);
        boolean opens = text.startsWith(turns) && text.length() > turns.length();
        return text.substring(opens ? turns.length() : Math.max(0, text.length() - 1));
    }

    private List<Run> cut(String marked, List<OwnWords> answers, String opening) {
        List<Run> runs = new ArrayList<>();
        StringBuilder pending = new StringBuilder();
        int at = 0;
        for (int begins = marked.indexOf(ANSWER_BEGINS); begins >= 0; begins = marked.indexOf(ANSWER_BEGINS, at)) {
            int ends = marked.indexOf(ANSWER_ENDS, begins);
            String said = marked.substring(begins + 1, ends < 0 ? marked.length() : ends);
            int[] ids = null;
            for (OwnWords answer : answers) {
                if (ends > 0 && answer.text().equals(said)) {
                    ids = answer.ids();
                    answers.remove(answer);
                    break;
                }
            }
            pending.append(marked, at, begins);
            at = ends < 0 ? marked.length() : ends + 1;
            // They belong behind the words that they were said after: a template may write a past turn with a blank
            // more. And only in front of a token is a text cut as it is at its beginning.
            if (ids != null
                    && pending.toString().endsWith(opening)
                    && beginsWithToken(marked.substring(at, Math.min(marked.length(), at + LOOK_AHEAD)))) {
                runs.add(new Run(pending.toString(), null));
                runs.add(new Run(said, ids));
                pending.setLength(0);
            } else {
                pending.append(said);
            }
        }
        pending.append(marked, at, marked.length());
        runs.add(new Run(pending.toString().replace(String.valueOf(ANSWER_ENDS), ""), null));
        return runs;
    }

    private boolean beginsWithToken(String text) {
        int[] ids = tokenizer.encode(text, false, 0);
        return ids.length > 0 && tokenizer.isAdded(ids[0]);
    }

    /**
     * As the reference decides: a prompt that begins with the begin token's text is complete. In front of it there may
     * be pictures.
     */
    private boolean beginsItself(String text) {
        String begin = tokenizer.bosToken();
        int at = 0;
        while (text.startsWith(image, at)) {
            at += image.length();
        }
        return begin != null && text.startsWith(begin, at);
    }

    /**
     * Splits a rendered prompt at the placeholders and turns it into ids, so that no token spans a picture.
     *
     * @param begins whether the text is the beginning of a prompt, which gets the tokenizer's begin token unless the
     *     template has written it
     * @return one entry more than there are pictures; an entry may be empty
     */
    public List<int[]> split(String text, boolean begins) {
        Pieces pieces = new Pieces(Integer.MAX_VALUE);
        if (begins && !beginsItself(text)) {
            pieces.add(before);
        }
        pieces.add(new Run(text, null));
        return pieces.all();
    }

    /** Collects ids between pictures. */
    private final class Pieces {
        private final List<int[]> done = new ArrayList<>();
        private int[] current = new int[0];
        private int room;

        Pieces(int room) {
            this.room = room;
        }

        boolean full() {
            return room < 0;
        }

        void add(Run run) {
            if (run.ids() != null) {
                add(run.ids());
            } else if (imageId != null && tokenizer.isAdded(imageId)) {
                addWhole(run.text().replace(image, written), imageId);
            } else {
                addCut(run.text().replace(image, written));
            }
        }

        void add(int[] ids) {
            current =
                    IntStream.concat(Arrays.stream(current), Arrays.stream(ids)).toArray();
            room -= ids.length;
        }

        private void next() {
            done.add(current);
            current = new int[0];
        }

        /** transformers: the text is tokenized with the placeholders in it. */
        private void addWhole(String text, int placeholder) {
            int[] ids = encode(text, places(text));
            int from = 0;
            for (int i = 0; i < ids.length; i++) {
                if (ids[i] == placeholder) {
                    add(Arrays.copyOfRange(ids, from, i));
                    next();
                    from = i + 1;
                }
            }
            add(Arrays.copyOfRange(ids, from, ids.length));
        }

        /** LLaVA's authors: the text is cut at the placeholders, and the pieces are tokenized one by one. */
        private void addCut(String text) {
            int from = 0;
            for (int at = text.indexOf(place); at >= 0 && !full(); at = text.indexOf(place, from)) {
                add(encode(text.substring(from, at), 0));
                next();
                from = at + place.length();
            }
            add(encode(text.substring(from), 0));
        }

        /** No more ids than show that there are too many. */
        private int[] encode(String text, int places) {
            int limit = (int) Math.min(Integer.MAX_VALUE - 1, (long) room + places);
            return text.isEmpty() || full() ? new int[0] : tokenizer.encode(text, false, limit);
        }

        private int places(String text) {
            int places = 0;
            for (int at = text.indexOf(place); at >= 0; at = text.indexOf(place, at + place.length())) {
                places++;
            }
            return places;
        }

        List<int[]> all() {
            List<int[]> all = new ArrayList<>(done);
            all.add(current);
            return all;
        }
    }
}

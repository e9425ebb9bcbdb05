package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizer of a language model: text to token ids and back, and access to its vocabulary.
 *
 * <h2>User text must not speak with the template's voice</h2>
 *
 * A chat template writes special tokens such as {@code <|im_end|>} as text, and {@link #encode} recognises them. A user
 * who types the same characters must not end the turn. {@link #guard} marks such places before the template is
 * rendered, and {@code encode} reads marked places as ordinary characters:
 *
 * <pre>{@code
 * String safe = tokenizer.guard("What does <|im_end|> mean?", Collections.emptyList());
 * String prompt = template.render(messagesWith(safe), true, extra);
 * int[] ids = tokenizer.encode(prompt, false);    // the user's <|im_end|> is text, the template's is a token
 * }</pre>
 *
 * The mark is U+FDD0, a code point that is no character. In a text that was not guarded, {@code encode} would take a
 * U+FDD0 for a mark; {@link #encodeAsText} knows no marks.
 *
 * <p>No text of a user becomes a special token in another way either: not cut into several parts, not through the
 * tokenizer's normalizer (full-width letters, characters without width, another case), and not through its model.
 *
 * <p>Immutable and thread-safe. Time and memory grow with the text, nearly in proportion, whatever it is.
 *
 * @since 0.1
 */
public final class Tokenizer {
    /** How many bytes of text can be lost for one of its normal form: the Kelvin sign, three bytes, is a K. */
    private static final int NORMAL_FORM = 3;

    private final Vocabulary vocabulary;
    private final DeclaredTokens declared;
    private final AddedTokens added;
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final TokenModel model;
    private final PostProcessor postProcessor;
    private final Decoder decoder;
    private final TokenBytes bytes;
    private final Guard guard;

    private Tokenizer(TokenizerSource file, DeclaredTokens declared) {
        this.declared = declared;
        vocabulary = file.vocabulary();
        decoder = Decoder.of(file.part("decoder"));
        bytes = TokenBytes.of(file.part("decoder"));
        normalizer = Normalizer.of(file.part("normalizer"));
        preTokenizer = PreTokenizer.of(file.part("pre_tokenizer"));
        AddedTokens.Builder tokens = new AddedTokens.Builder(vocabulary);
        tokens.add(file.added());
        declared.addTo(tokens);
        vocabulary.index();
        added = tokens.build(normalizer);
        guard = new Guard(added, normalizer);
        model = file.model(preTokenizer.endsInBytes(), added);
        postProcessor = PostProcessor.of(file.part("post_processor"), vocabulary.limit());
    }

    /**
     * Opens the tokenizer of a Hugging Face folder.
     *
     * @param folder holds {@code tokenizer.json} or else SentencePiece's {@code tokenizer.model}, and usually
     *     {@code tokenizer_config.json}, which declares further tokens, changes which are special, and names some;
     *     older folders have {@code special_tokens_map.json} and {@code added_tokens.json} for that
     * @throws CheckpointException if a file is missing or damaged
     * @throws io.langbridge.UnsupportedModelException if the tokenizer has a part that is not known here; names it
     */
    public static Tokenizer of(Path folder) {
        Part config = DeclaredTokens.config(folder);
        Path pieces = folder.resolve("tokenizer.model");
        if (Files.exists(folder.resolve("tokenizer.json")) || !Files.exists(pieces)) {
            TokenizerFile file = TokenizerFile.read(folder.resolve("tokenizer.json"));
            return new Tokenizer(file, DeclaredTokens.of(folder, config, file.added(), Collections.emptyMap()));
        }
        SentencePieceTokenizer file = SentencePieceTokenizer.read(pieces, config);
        return new Tokenizer(file, DeclaredTokens.of(folder, config, file.added(), file.names()));
    }

    /**
     * Text to ids. Special tokens written in the text become their ids, except where {@link #guard} marked them.
     *
     * @param text any text; unpaired surrogates are read as U+FFFD
     * @param addSpecialTokens whether to add what the tokenizer puts around a text (often a begin token); false for a
     *     text that a chat template made
     * @return the ids, possibly none
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        return encode(text, addSpecialTokens, Integer.MAX_VALUE);
    }

    /**
     * As {@link #encode(String, boolean)}, but for one who can use a limited number of ids only.
     *
     * @param limit how many ids are of interest, at least 0
     * @return all ids if they are {@code limit} at most; otherwise more than {@code limit} of them, the first ones
     */
    public int[] encode(String text, boolean addSpecialTokens, int limit) {
        Ids ids = new Ids(limit == Integer.MAX_VALUE ? limit : limit + 1);
        add(addSpecialTokens ? postProcessor.before() : new int[0], ids);
        encode(text, ids);
        add(addSpecialTokens ? postProcessor.after() : new int[0], ids);
        return ids.toArray();
    }

    private static void add(int[] some, Ids ids) {
        for (int id : some) {
            ids.add(id);
        }
    }

    /** The ids of a text alone, with the steps it took. */
    void encode(String text, Ids ids) {
        String clean = wellFormed(text);
        if (clean.indexOf(Guard.MARK) < 0) {
            PreTokenizer.Words words = model.into(ids, false);
            added.splitRaw(clean, ids, new Run(ids) {
                @Override
                public void text(int start, int end) {
                    normalized(clean.substring(start, end), start == 0, ids, words);
                }
            });
            return;
        }
        PreTokenizer.Words words = model.into(ids, true);
        added.splitLiteral(clean, ids, new Run(ids) {
            private boolean fresh = true;

            @Override
            public void token(int id) {
                // Before such a token, the reference has normalized already, so that nothing begins behind it.
                fresh = !added.isNormalized(id);
                super.token(id);
            }

            @Override
            public void text(int start, int end) {
                if (!ids.isFull()) {
                    String run = Guard.unguard(clean.substring(start, end));
                    preTokenizer.split(normalizer.apply(run, fresh), start == 0, words);
                }
            }
        });
    }

    private abstract static class Run implements AddedTokens.Pieces {
        private final Ids ids;

        Run(Ids ids) {
            this.ids = ids;
        }

        @Override
        public void token(int id) {
            if (!ids.isFull()) {
                ids.add(id);
            }
        }
    }

    private void normalized(String piece, boolean first, Ids ids, PreTokenizer.Words words) {
        if (ids.isFull()) {
            return;
        }
        String text = normalizer.apply(piece, true);
        added.splitNormalized(text, ids, new Run(ids) {
            @Override
            public void text(int start, int end) {
                if (!ids.isFull()) {
                    preTokenizer.split(text.substring(start, end), first && start == 0, words);
                }
            }
        });
    }

    /**
     * Text to ids, with special tokens in the text read as the characters they are written with. Nothing is added.
     *
     * @param text any text; unpaired surrogates are read as U+FFFD
     * @return the ids, possibly none
     */
    public int[] encodeAsText(String text) {
        Ids ids = new Ids(Integer.MAX_VALUE);
        preTokenizer.split(normalizer.apply(wellFormed(text), true), true, model.into(ids, true));
        return ids.toArray();
    }

    /**
     * What the tokenizer puts before a text if it is to add its special tokens, often a begin token.
     *
     * @return ids, possibly none
     */
    public int[] specialsBefore() {
        return postProcessor.before();
    }

    /**
     * What the tokenizer puts after a text if it is to add its special tokens.
     *
     * @return ids, possibly none
     */
    public int[] specialsAfter() {
        return postProcessor.after();
    }

    /**
     * How much text one token can stand for, to tell at once that a text is too long.
     *
     * @return in bytes of UTF-8; {@link Integer#MAX_VALUE} if the tokenizer leaves text out, so that there is no bound
     */
    public int longestToken() {
        boolean bound = model.coversAllText()
                && preTokenizer.keepsAllText()
                && normalizer.keepsAllText()
                && added.takeNoSpace();
        return bound ? NORMAL_FORM * vocabulary.longest() : Integer.MAX_VALUE;
    }

    /** A token as decoding takes it, null if it is unknown, or special and not wanted. */
    @Nullable
    String decodable(int id, boolean skipSpecialTokens) {
        String token = vocabulary.token(id);
        return token == null || skipSpecialTokens && isSpecial(id) ? null : added.decoded(id, token);
    }

    /**
     * Ids to text.
     *
     * @param ids token ids; those the tokenizer does not know (models often have more rows than tokens) are left out
     * @param skipSpecialTokens whether special tokens are left out too
     * @return the text; malformed bytes become U+FFFD
     */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        Decoder.Run run = decoder.start();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            String token = decodable(id, skipSpecialTokens);
            if (token != null) {
                text.append(run.next(token));
            }
        }
        return text.append(run.flush()).toString();
    }

    /**
     * Marks what would be read as a special token, so that {@link #encode} reads it as text. White space is never
     * marked, even if the tokenizer lists it as a token.
     *
     * @param userText text from outside
     * @param alsoGuard further strings that mean something in a prompt, for example {@code <image>}
     * @return the text with marks; equal to {@code userText} if there was nothing to mark
     */
    public String guard(String userText, Collection<String> alsoGuard) {
        return guard(Collections.singletonList(userText), alsoGuard, false).get(0);
    }

    /**
     * Marks the words of one message, which may come in several parts: a token that is cut in two by them is marked
     * too.
     *
     * @param parts the words, in order; may be none
     * @param alsoGuard further strings that mean something in a prompt, for example {@code <image>}
     * @param markersAllowed for the words of a model: its markers, added tokens that are not special ({@code <think>},
     *     {@code <tool_call>}), stay what they are; false for the words of a user
     * @return the parts with marks
     */
    public List<String> guard(List<String> parts, Collection<String> alsoGuard, boolean markersAllowed) {
        return guard.guard(parts, alsoGuard, markersAllowed);
    }

    /**
     * Takes the marks out again.
     *
     * @param guarded what {@link #guard} returned, or a text that contains it
     * @return the text as it was before
     */
    public String unguard(String guarded) {
        return Guard.unguard(guarded);
    }

    /**
     * Looks a token up.
     *
     * @param token as the vocabulary writes it (byte-level alphabet or with U+2581), or the text of an added token
     * @return its id, or null
     */
    public @Nullable Integer idOf(String token) {
        int id = vocabulary.id(token);
        return id == Vocabulary.NONE ? null : id;
    }

    /**
     * Looks an id up.
     *
     * @param id any number
     * @return the token as the vocabulary writes it, or null
     */
    public @Nullable String tokenOf(int id) {
        return vocabulary.token(id);
    }

    /**
     * The largest id plus one, added tokens included. A model may have more rows, never fewer.
     *
     * @return at least 1
     */
    public int vocabularySize() {
        return vocabulary.limit();
    }

    /**
     * All tokens with their ids, added tokens included.
     *
     * @return in the order of the file, unmodifiable
     */
    public Map<String, Integer> vocabulary() {
        return vocabulary.asMap();
    }

    /**
     * Whether an id is a special token, which decoding leaves out on request.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isSpecial(int id) {
        return added.isSpecial(id);
    }

    /**
     * Whether an id is an added token, which is looked for in a text before anything else; special or not.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isAdded(int id) {
        return added.contains(id);
    }

    /**
     * The begin token.
     *
     * @return null if the folder names none
     */
    public @Nullable String bosToken() {
        return declared.named("bos_token");
    }

    /**
     * The id of the begin token.
     *
     * @return null if the folder names none, or one that is not in the vocabulary
     */
    public @Nullable Integer bosId() {
        String token = bosToken();
        return token == null ? null : idOf(token);
    }

    /**
     * The end token.
     *
     * @return null if the folder names none
     */
    public @Nullable String eosToken() {
        return declared.named("eos_token");
    }

    /**
     * The id of the end token.
     *
     * @return null if the folder names none, or one that is not in the vocabulary
     */
    public @Nullable Integer eosId() {
        String token = eosToken();
        return token == null ? null : idOf(token);
    }

    /**
     * The bytes of text a token stands for; they may begin or end inside a UTF-8 character.
     *
     * @param id any number
     * @return empty for unknown ids
     */
    public byte[] bytesOf(int id) {
        String token = vocabulary.token(id);
        return token == null ? new byte[0] : bytes.of(token);
    }

    /**
     * Whether decoding writes the bytes of the tokens one behind the other, but for {@link #dropsFirstBlank}.
     *
     * @return false where what a token writes depends on those around it
     */
    public boolean concatenates() {
        return bytes.concatenates();
    }

    /**
     * Whether decoding leaves out a blank at the start of a text.
     *
     * @return true for SentencePiece, which puts one there
     */
    public boolean dropsFirstBlank() {
        return bytes.dropsFirstBlank();
    }

    /**
     * How the vocabulary writes its tokens.
     *
     * @return from the decoder that {@code tokenizer.json} names
     */
    public Spelling spelling() {
        return bytes.spelling();
    }

    /**
     * Whether a token, {@code <0x0A>}, stands for a byte that no other token covers.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isByteFallback(int id) {
        String token = vocabulary.token(id);
        return token != null && bytes.isFallback(token);
    }

    /**
     * Starts decoding an answer token by token.
     *
     * @return a fresh decoder, independent of all others
     */
    public StreamingDecoder newStreamingDecoder() {
        return new StreamingDecoder(this, decoder.start());
    }

    /** As if the text came in UTF-8, which cannot hold unpaired surrogates. */
    private static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.isHighSurrogate(text.charAt(i))
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            if (repaired == null) {
                repaired = new StringBuilder(text);
            }
            repaired.setCharAt(i, '\uFFFD');
        }
        return repaired == null ? text : repaired.toString();
    }
}

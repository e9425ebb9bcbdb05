package io.langbridge.runtime.core.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.langbridge.CheckpointException;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.text.TokenizerFile.AddedToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;
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
 * <p>Thread-safe. Whoever opens a tokenizer closes it; {@code encode} and {@code decode} then throw
 * {@link IllegalStateException}, questions about the vocabulary are still answered.
 *
 * @since 0.1
 */
public final class Tokenizer implements AutoCloseable {
    private static final char MARK = '\uFDD0';
    private static final String ONE_MARK = String.valueOf(MARK);
    private static final String TWO_MARKS = ONE_MARK + ONE_MARK;

    static {
        // Read by DJL when its classes are loaded: no CUDA build is chosen or downloaded, no usage is reported.
        setUnlessSet("RUST_FLAVOR", "cpu");
        setUnlessSet("OPT_OUT_TRACKING", "true");
    }

    private final TokenizerFile file;
    private final Map<String, String> namedTokens;
    private final BitSet special = new BitSet();
    private final BitSet added = new BitSet();
    private final int longest;
    private final HuggingFaceTokenizer tokenizer;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final Map<Boolean, HuggingFaceTokenizer> plain = new HashMap<>();
    private boolean closed;

    private Tokenizer(TokenizerFile file, Map<String, String> namedTokens, HuggingFaceTokenizer tokenizer) {
        this.file = file;
        this.namedTokens = namedTokens;
        this.tokenizer = tokenizer;
        for (AddedToken token : file.added()) {
            special.set(token.id(), token.special());
            added.set(token.id());
        }
        int most = 1;
        for (String token : file.ids().keySet()) {
            most = Math.max(most, token.length());
        }
        longest = most;
    }

    /**
     * Opens the tokenizer of a Hugging Face folder.
     *
     * @param folder holds {@code tokenizer.json}, and usually {@code tokenizer_config.json} for the named tokens
     * @return to be closed by the caller
     * @throws CheckpointException if a file is missing or damaged
     * @throws io.langbridge.UnsupportedModelException if the tokenizer decodes in a way that is not known here
     * @throws RuntimeUnavailableException if there is no native tokenizer library for this platform
     */
    public static Tokenizer of(Path folder) {
        TokenizerFile file = TokenizerFile.read(folder.resolve("tokenizer.json"));
        Map<String, String> namedTokens = TokenizerConfigFile.namedTokens(folder);
        try (InputStream json = Files.newInputStream(file.path())) {
            return new Tokenizer(file, namedTokens, open(file.path(), json));
        } catch (IOException e) {
            throw new CheckpointException(file.path() + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static HuggingFaceTokenizer open(Path path, InputStream json) throws IOException {
        Map<String, String> options = new HashMap<>();
        options.put("truncation", "false");
        options.put("padding", "false");
        try {
            return HuggingFaceTokenizer.newInstance(json, options);
        } catch (LinkageError e) {
            throw new RuntimeUnavailableException(
                    "The native tokenizer library cannot be loaded on "
                            + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ": "
                            + (e.getCause() == null ? e : e.getCause()).getMessage()
                            + ". On Android add ai.djl.android:tokenizer-native; elsewhere ai.djl.huggingface:tokenizers"
                            + " brings it and unpacks it into the folder ENGINE_CACHE_DIR, which must be writable.",
                    e);
        } catch (RuntimeException e) {
            throw new CheckpointException(
                    path + " is not accepted by the tokenizer library: " + e.getMessage()
                            + ". Download the file again, or write it anew with a current version of tokenizers.",
                    e);
        }
    }

    private static void setUnlessSet(String name, String value) {
        if (System.getenv(name) == null && System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
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
        String clean = wellFormed(text);
        if (clean.indexOf(MARK) < 0) {
            return encode(tokenizer, clean, addSpecialTokens);
        }
        IntStream.Builder ids = IntStream.builder();
        encodeRuns(clean, ids);
        int[] all = ids.build().toArray();
        return addSpecialTokens ? surround(all) : all;
    }

    /**
     * Text to ids, with special tokens in the text read as the characters they are written with. Nothing is added.
     *
     * @param text any text; unpaired surrogates are read as U+FFFD
     * @return the ids, possibly none
     */
    public int[] encodeAsText(String text) {
        return encode(plain(true), wellFormed(text), false);
    }

    /**
     * Ids to text.
     *
     * @param ids token ids; those the tokenizer does not know (models often have more rows than tokens) are left out
     * @param skipSpecialTokens whether special tokens are left out too
     * @return the text; malformed bytes become U+FFFD
     */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        long[] known = Arrays.stream(ids)
                .filter(id -> file.token(id) != null)
                .asLongStream()
                .toArray();
        return use(() -> tokenizer.decode(known, skipSpecialTokens));
    }

    /**
     * As {@link #encode(String, boolean)}, but stops when there are more ids than anybody wants.
     *
     * @param limit most ids of interest, at least 0
     * @return the ids, or the first {@code limit + 1} of more
     */
    public int[] encode(String text, boolean addSpecialTokens, int limit) {
        int[] ids = encode(text, addSpecialTokens);
        return ids.length <= limit ? ids : Arrays.copyOf(ids, limit + 1);
    }

    /**
     * What the tokenizer puts before a text where special tokens are added, often a begin token.
     *
     * @return the caller's own, often empty
     */
    public int[] specialsBefore() {
        return surroundings()[0];
    }

    /**
     * What the tokenizer puts behind a text where special tokens are added.
     *
     * @return the caller's own, mostly empty
     */
    public int[] specialsAfter() {
        return surroundings()[1];
    }

    /**
     * Most characters of a text that one token can stand for, so that a text of n characters has at least {@code n /
     * longestToken()} tokens.
     *
     * @return at least 1
     */
    public int longestToken() {
        return longest;
    }

    /**
     * Whether an id is an added token, which is looked for in a text before anything else; special or not.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isAdded(int id) {
        return id >= 0 && added.get(id);
    }

    /**
     * Marks what would be read as a special token, as {@link #guard(List, Collection, boolean)} does.
     *
     * @param userText text from outside
     * @param alsoGuard further strings that mean something in a prompt, for example {@code <image>}
     * @return the text with marks; equal to {@code userText} if there was nothing to mark
     */
    public String guard(String userText, Collection<String> alsoGuard) {
        return guard(Collections.singletonList(userText), alsoGuard, false).get(0);
    }

    /**
     * Marks what would be read as a special token, so that {@link #encode} reads it as text. The parts are looked at as
     * one text: a token that begins in one and ends in another is found. Text made of nothing but white space is never
     * marked, even if the tokenizer lists it as a token.
     *
     * @param parts texts from outside that will follow each other
     * @param alsoGuard further strings that mean something in a prompt, for example {@code <image>}
     * @param markersAllowed whether added tokens that are not special, such as {@code <think>}, keep their meaning
     * @return the parts with marks, as many
     */
    public List<String> guard(List<String> parts, Collection<String> alsoGuard, boolean markersAllowed) {
        Set<String> contents = new LinkedHashSet<>(alsoGuard);
        for (AddedToken token : file.added()) {
            if (token.special() || !markersAllowed) {
                contents.add(token.content());
            }
        }
        String joined = String.join("", parts);
        BitSet marks = new BitSet();
        for (String content : contents) {
            int first = content.isEmpty() ? 0 : Character.charCount(content.codePointAt(0));
            if (first == content.length() || isWhiteSpace(content)) {
                continue;
            }
            for (int at = joined.indexOf(content); at >= 0; at = joined.indexOf(content, at + 1)) {
                marks.set(at + first);
            }
        }
        if (marks.isEmpty() && joined.indexOf(MARK) < 0) {
            return parts;
        }
        List<String> guarded = new ArrayList<>();
        int start = 0;
        for (String part : parts) {
            guarded.add(marked(part, marks, start));
            start += part.length();
        }
        return guarded;
    }

    private static String marked(String part, BitSet marks, int start) {
        StringBuilder marked = new StringBuilder(part.length() + 1);
        for (int i = 0; i < part.length(); i++) {
            if (marks.get(start + i)) {
                marked.append(MARK);
            }
            char c = part.charAt(i);
            marked.append(c == MARK ? TWO_MARKS : String.valueOf(c));
        }
        return marked.toString();
    }

    /**
     * Takes the marks out again.
     *
     * @param guarded what {@link #guard} returned, or a text that contains it
     * @return the text as it was before
     */
    public String unguard(String guarded) {
        if (guarded.indexOf(MARK) < 0) {
            return guarded;
        }
        StringBuilder text = new StringBuilder(guarded.length());
        for (int i = 0; i < guarded.length(); i++) {
            if (guarded.charAt(i) != MARK) {
                text.append(guarded.charAt(i));
            } else if (guarded.startsWith(TWO_MARKS, i)) {
                text.append(MARK);
                i++;
            }
        }
        return text.toString();
    }

    /**
     * Looks a token up.
     *
     * @param token as the vocabulary writes it (byte-level alphabet or with U+2581), or the text of an added token
     * @return its id, or null
     */
    public @Nullable Integer idOf(String token) {
        return file.ids().get(token);
    }

    /**
     * Looks an id up.
     *
     * @param id any number
     * @return the token as the vocabulary writes it, or null
     */
    public @Nullable String tokenOf(int id) {
        return file.token(id);
    }

    /**
     * The largest id plus one, added tokens included. A model may have more rows, never fewer.
     *
     * @return at least 1
     */
    public int vocabularySize() {
        return file.size();
    }

    /**
     * All tokens with their ids, added tokens included.
     *
     * @return in the order of the file, unmodifiable
     */
    public Map<String, Integer> vocabulary() {
        return file.ids();
    }

    /**
     * Whether an id is a special token, which decoding leaves out on request.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isSpecial(int id) {
        return id >= 0 && special.get(id);
    }

    /**
     * The begin token.
     *
     * @return null if the folder names none
     */
    public @Nullable String bosToken() {
        return namedTokens.get("bos_token");
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
        return namedTokens.get("eos_token");
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
        String token = file.token(id);
        return token == null ? new byte[0] : file.bytes().of(token);
    }

    /**
     * How the vocabulary writes its tokens.
     *
     * @return from the decoder that {@code tokenizer.json} names
     */
    public Spelling spelling() {
        return file.bytes().spelling();
    }

    /**
     * Whether a token, {@code <0x0A>}, stands for a byte that no other token covers.
     *
     * @param id any number
     * @return false also for unknown ids
     */
    public boolean isByteFallback(int id) {
        String token = file.token(id);
        return token != null && file.bytes().isFallback(token);
    }

    /**
     * Starts decoding an answer token by token.
     *
     * @return a fresh decoder, independent of all others
     */
    public StreamingDecoder newStreamingDecoder() {
        return new StreamingDecoder(this, file.bytes().dropsFirstSpace());
    }

    /** Frees the native tokenizer. Waits for calls that run; closing again does nothing. */
    @Override
    public void close() {
        Lock write = lock.writeLock();
        write.lock();
        try {
            if (!closed) {
                closed = true;
                tokenizer.close();
                plain.values().forEach(HuggingFaceTokenizer::close);
            }
        } finally {
            write.unlock();
        }
    }

    /** Splits at the added tokens that carry no mark, and reads everything between them as text. */
    private void encodeRuns(String text, IntStream.Builder ids) {
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            AddedToken token = addedTokenAt(text, at);
            if (token == null) {
                at++;
                continue;
            }
            int end = at;
            while (token.lstrip() && end > start && isWhiteSpace(text.charAt(end - 1))) {
                end--;
            }
            encodeRun(text, start, end, ids);
            ids.add(token.id());
            at += token.content().length();
            while (token.rstrip() && at < text.length() && isWhiteSpace(text.charAt(at))) {
                at++;
            }
            start = at;
        }
        encodeRun(text, start, text.length(), ids);
    }

    private void encodeRun(String text, int start, int end, IntStream.Builder ids) {
        if (start < end) {
            for (int id : encode(plain(start == 0), unguard(text.substring(start, end)), false)) {
                ids.add(id);
            }
        }
    }

    /** The longest added token that begins here, as the native tokenizer would choose it. */
    private @Nullable AddedToken addedTokenAt(String text, int at) {
        AddedToken longest = null;
        for (AddedToken token : file.added()) {
            String content = token.content();
            if (text.startsWith(content, at)
                    && (longest == null || content.length() > longest.content().length())
                    && (!token.singleWord() || isWord(text, at, at + content.length()))) {
                longest = token;
            }
        }
        return longest;
    }

    private static boolean isWord(String text, int start, int end) {
        return (start == 0 || !isWordCharacter(text.codePointBefore(start)))
                && (end == text.length() || !isWordCharacter(text.codePointAt(end)));
    }

    private static boolean isWordCharacter(int codePoint) {
        return Character.isLetterOrDigit(codePoint) || codePoint == '_';
    }

    private static boolean isWhiteSpace(String text) {
        return text.chars().allMatch(c -> isWhiteSpace((char) c));
    }

    /** Unicode's White_Space, which unlike Java's has U+00A0 and U+0085, and lacks U+001C to U+001F. */
    private static boolean isWhiteSpace(char c) {
        return Character.isSpaceChar(c) || c >= '\t' && c <= '\r' || c == '\u0085';
    }

    /** What the post-processor puts around a text is found by watching it work on a short one. */
    private int[][] surroundings() {
        int[] bare = encode(tokenizer, "a", false);
        int[] whole = encode(tokenizer, "a", true);
        int before = 0;
        while (before + bare.length < whole.length
                && !Arrays.equals(bare, Arrays.copyOfRange(whole, before, before + bare.length))) {
            before++;
        }
        int after = Math.min(before + bare.length, whole.length);
        return new int[][] {Arrays.copyOf(whole, before), Arrays.copyOfRange(whole, after, whole.length)};
    }

    private int[] surround(int[] ids) {
        int[][] around = surroundings();
        return IntStream.of(0, 1, 2)
                .mapToObj(i -> i == 0 ? around[0] : i == 1 ? ids : around[1])
                .flatMapToInt(Arrays::stream)
                .toArray();
    }

    /** The tokenizer that knows no added tokens, made when it is needed first: most prompts never need it. */
    private HuggingFaceTokenizer plain(boolean firstRun) {
        boolean key = firstRun || !file.firstRunDiffers();
        return use(() -> {
            synchronized (plain) {
                HuggingFaceTokenizer known = plain.get(key);
                if (known == null) {
                    try (InputStream json = new ByteArrayInputStream(file.withoutAddedTokens(key))) {
                        known = open(file.path(), json);
                    } catch (IOException e) {
                        throw new CheckpointException(file.path() + " cannot be read: " + e.getMessage() + ".", e);
                    }
                    plain.put(key, known);
                }
                return known;
            }
        });
    }

    private int[] encode(HuggingFaceTokenizer with, String text, boolean addSpecialTokens) {
        return use(() -> {
            Encoding encoding = with.encode(text, addSpecialTokens, false);
            return Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
        });
    }

    /** The native library does not survive a call after close, so calls and close exclude each other. */
    private <T> T use(Supplier<T> call) {
        Lock read = lock.readLock();
        read.lock();
        try {
            if (closed) {
                throw new IllegalStateException("The tokenizer of " + file.path() + " is closed.");
            }
            return call.get();
        } finally {
            read.unlock();
        }
    }

    /** The native side takes UTF-8 only, which cannot hold unpaired surrogates. */
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

package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Reads {@code tokenizer.json}: the small parts as a tree, vocabulary and merges as they stand in the file. */
final class TokenizerFile implements TokenizerSource {
    private static final long MOST_BYTES = 500_000_000;
    private static final Set<String> PARTS =
            new HashSet<>(Arrays.asList("normalizer", "pre_tokenizer", "post_processor", "decoder", "version"));
    private static final String MODELS = "BPE and Unigram";

    private final Path path;
    private final JsonBytes json;
    private final Map<String, @Nullable Object> parts = new HashMap<>();
    private final Map<String, @Nullable Object> model = new HashMap<>();
    private final Vocabulary vocabulary;
    private final List<AddedToken> added = new ArrayList<>();
    /** Of a Unigram model, by id. */
    private double[] scores = new double[0];

    private int merges = -1;

    private TokenizerFile(Path path, byte[] bytes) {
        this.path = path;
        json = new JsonBytes(path, bytes);
        vocabulary = new Vocabulary(path);
    }

    static TokenizerFile read(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException("There is no " + path + ". The tokenizer is read from the tokenizer.json"
                    + " or tokenizer.model of the language model's folder; if the folder has only a vocab.json,"
                    + " convert it with AutoTokenizer.from_pretrained(...).save_pretrained(...).");
        }
        TokenizerFile file = new TokenizerFile(path, DeclaredTokens.bytes(path, MOST_BYTES));
        file.readRoot();
        return file;
    }

    private void readRoot() {
        Set<String> keys = new HashSet<>();
        json.expect('{');
        if (!json.take('}')) {
            do {
                json.readString();
                String key = json.string();
                json.expect(':');
                if (!keys.add(key)) {
                    throw json.broken("the key " + Shown.text(key) + " is there twice");
                }
                if (key.equals("model")) {
                    readModel();
                } else if (key.equals("added_tokens")) {
                    readAdded();
                } else if (PARTS.contains(key)) {
                    parts.put(key, json.readTree());
                } else {
                    json.skip();
                }
            } while (json.take(','));
            json.expect('}');
        }
        json.end();
        Part version = part("version");
        if (!version.isNull() && !version.text().equals("1.0")) {
            throw version.unsupported(Shown.text(version.text()), "files of version 1.0");
        }
        if (vocabulary.size() == 0) {
            throw new CheckpointException(path + " has no vocabulary under model.vocab. Download the file again.");
        }
        vocabulary.endOfModel();
    }

    private void readAdded() {
        if (json.peek() == 'n') {
            new Part(path, "added_tokens", json.readTree()).parts();
        }
        json.expect('[');
        if (json.take(']')) {
            return;
        }
        do {
            Part token = new Part(path, "added_tokens[" + added.size() + "]", json.readTree());
            token.part("id").integer(Integer.MAX_VALUE);
            added.add(AddedToken.of(token));
        } while (json.take(','));
        json.expect(']');
    }

    private void readModel() {
        if (json.peek() != '{') {
            throw json.broken("'model' is not an object");
        }
        json.expect('{');
        if (json.take('}')) {
            return;
        }
        do {
            json.readString();
            String key = json.string();
            json.expect(':');
            if (model.containsKey(key)) {
                throw json.broken("the key " + Shown.text("model." + key) + " is there twice");
            }
            if (key.equals("vocab")) {
                readVocabulary();
                model.put(key, null);
            } else if (key.equals("merges")) {
                // They speak of the vocabulary, which may come after them.
                merges = json.position();
                json.skip();
                model.put(key, null);
            } else {
                model.put(key, json.readTree());
            }
        } while (json.take(','));
        json.expect('}');
    }

    private void readVocabulary() {
        if (json.take('[')) {
            readScores();
            return;
        }
        json.expect('{');
        if (json.take('}')) {
            return;
        }
        do {
            json.readString();
            byte[] token = json.bytes();
            int length = json.length();
            json.expect(':');
            Integer id = json.readInteger();
            if (id == null || id < 0) {
                throw json.broken("the id of the token " + Shown.text(json.string()) + " is not a whole number from 0");
            }
            if (!vocabulary.add(token, length, id)) {
                throw json.broken("the token " + Shown.text(json.string()) + " is there twice");
            }
        } while (json.take(','));
        json.expect('}');
    }

    /** Unigram models list pairs of token and score; the position is the id. */
    private void readScores() {
        int n = 0;
        if (json.take(']')) {
            return;
        }
        do {
            json.expect('[');
            json.readString();
            json.expect(',');
            if (n == scores.length) {
                scores = Arrays.copyOf(scores, Math.max(64, 2 * n));
            }
            byte[] token = json.bytes();
            int length = json.length();
            scores[n] = json.readNumber();
            json.expect(']');
            if (!vocabulary.add(token, length, n)) {
                throw json.broken("the token " + Shown.text(json.string()) + " is there twice");
            }
            n++;
        } while (json.take(','));
        json.expect(']');
        scores = Arrays.copyOf(scores, n);
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public List<AddedToken> added() {
        return added;
    }

    @Override
    public Part part(String name) {
        return new Part(path, name, parts.get(name));
    }

    private Part model(String name) {
        return new Part(path, "model." + name, model.get(name));
    }

    @Override
    public TokenModel model(boolean byteLevel, AddedTokens added) {
        String type = model("type").textOr(scores.length > 0 ? "Unigram" : merges >= 0 ? "BPE" : "WordLevel");
        switch (type) {
            case "BPE" -> {
                return pairs(byteLevel, added::isSpecialWord);
            }
            case "Unigram" -> {
                return unigram(byteLevel, added::isWord);
            }
            default ->
                throw new UnsupportedModelException(
                        path + " has a model of type " + Shown.text(type) + ". Supported are " + MODELS + ".");
        }
    }

    private TokenModel pairs(boolean byteLevel, IntPredicate hidden) {
        Part dropout = model("dropout");
        if (!dropout.isNull() && dropout.number() != 0) {
            throw dropout.unsupported("above 0 (it makes ids by chance)", "files without it");
        }
        if (merges < 0) {
            throw model("merges").damaged("is missing");
        }
        Part unknown = model("unk_token");
        BytePairs pairs = new BytePairs(
                path,
                vocabulary,
                new BytePairs.Options(
                        unknown.isNull() ? null : unknown.text(),
                        model("fuse_unk").flagOr(false),
                        model("byte_fallback").flagOr(false),
                        model("ignore_merges").flagOr(false),
                        model("continuing_subword_prefix").textOr(""),
                        model("end_of_word_suffix").textOr("")),
                hidden);
        readMerges(pairs);
        return pairs.finish(byteLevel) ? pairs : written(pairs);
    }

    private void readMerges(BytePairs pairs) {
        json.seek(merges);
        json.expect('[');
        if (json.take(']')) {
            return;
        }
        byte[] left = new byte[64];
        do {
            if (json.take('[')) {
                json.readString();
                int length = json.length();
                if (left.length < length) {
                    left = new byte[2 * length];
                }
                System.arraycopy(json.bytes(), 0, left, 0, length);
                json.expect(',');
                json.readString();
                json.expect(']');
                pairs.merge(left, length, json.bytes(), json.length());
            } else {
                json.readString();
                mergeOfText(pairs);
            }
        } while (json.take(','));
        json.expect(']');
    }

    /** As files were written before 2024: both parts in one text, with a space between. */
    private void mergeOfText(BytePairs pairs) {
        byte[] both = json.bytes();
        int space = 0;
        while (space < json.length() && both[space] != ' ') {
            space++;
        }
        int spaces = 0;
        for (int i = 0; i < json.length(); i++) {
            spaces += both[i] == ' ' ? 1 : 0;
        }
        if (both[0] == '#' && json.string().startsWith("#version")) {
            return;
        }
        if (spaces != 1) {
            throw json.broken("the merge " + Shown.text(json.string()) + " is not two tokens with a space between");
        }
        pairs.merge(both, space, Arrays.copyOfRange(both, space + 1, json.length()), json.length() - space - 1);
    }

    private TokenModel unigram(boolean byteLevel, IntPredicate hidden) {
        for (double score : scores) {
            if (Double.isNaN(score) || Double.isInfinite(score)) {
                throw model("vocab").damaged("has a score that is no number");
            }
        }
        if (scores.length == 0) {
            throw model("vocab").damaged("is not a list of tokens and scores");
        }
        Part unknown = model("unk_id");
        Unigram unigram = new Unigram(
                path,
                vocabulary,
                scores,
                unknown.isNull() ? Vocabulary.NONE : unknown.integer(scores.length - 1),
                model("byte_fallback").flagOr(false),
                hidden);
        return byteLevel ? written(unigram) : unigram;
    }

    /** A model that gets its words in the alphabet of {@link ByteLevel}. */
    private static TokenModel written(TokenModel model) {
        return new TokenModel() {
            @Override
            public PreTokenizer.Words into(Ids ids, boolean asText) {
                PreTokenizer.Words words = model.into(ids, asText);
                return (text, start, end) -> {
                    String word = ByteLevel.write(text, start, end);
                    words.word(word, 0, word.length());
                };
            }

            @Override
            public boolean coversAllText() {
                return model.coversAllText();
            }
        };
    }
}

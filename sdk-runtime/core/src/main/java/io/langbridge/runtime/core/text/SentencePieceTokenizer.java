package io.langbridge.runtime.core.text;

import io.langbridge.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a {@code tokenizer.model} and no {@code tokenizer.json}. SentencePiece does not say all that a
 * tokenizer does; the class that {@code tokenizer_config.json} names says the rest, as transformers converts it.
 */
final class SentencePieceTokenizer implements TokenizerSource {
    private static final String TO_BLOCKS = "{'type':'Replace','pattern':{'String':' '},'content':'\u2581'}";
    private static final String TO_SPACES = "{'type':'Replace','pattern':{'String':'\u2581'},'content':' '}";
    private static final String BYTES = ",{'type':'ByteFallback'},{'type':'Fuse'}";
    private static final String STRIP = ",{'type':'Strip','content':' ','start':1,'stop':0}";

    private final Path path;
    private final SentencePieceModel model;
    private final Vocabulary vocabulary;
    private final List<AddedToken> added = new ArrayList<>();
    private final Map<String, String> parts = new LinkedHashMap<>();
    private final Map<String, String> names = new LinkedHashMap<>();
    /** Texts of the tokens around a text. */
    private @Nullable String begin;

    private @Nullable String end;
    private boolean withUnknown = true;

    private SentencePieceTokenizer(Path path) {
        this.path = path;
        model = SentencePieceModel.read(path);
        vocabulary = new Vocabulary(path);
        for (int id = 0; id < model.size(); id++) {
            vocabulary.add(model.piece(id), id);
            SentencePieceModel.Type type = model.type(id);
            boolean control = type == SentencePieceModel.Type.CONTROL;
            if (control || type == SentencePieceModel.Type.USER_DEFINED) {
                added.add(new AddedToken(model.piece(id), false, false, false, false, control));
            }
        }
        vocabulary.endOfModel();
    }

    /** @param config {@code tokenizer_config.json}, may be null */
    static SentencePieceTokenizer read(Path path, Part config) {
        SentencePieceTokenizer tokenizer = new SentencePieceTokenizer(path);
        tokenizer.configure(config);
        return tokenizer;
    }

    private void configure(Part config) {
        String named = config.isNull() ? "" : config.part("tokenizer_class").textOr("");
        String type = named.endsWith("Fast") ? named.substring(0, named.length() - 4) : named;
        name("bos_token", model.beginningId());
        name("eos_token", model.endId());
        name("unk_token", model.unknownId());
        boolean gemma = type.equals("GemmaTokenizer");
        switch (type) {
            case "LlamaTokenizer" -> llama(config);
            case "GemmaTokenizer" -> {
                names.put("bos_token", "<bos>");
                names.put("eos_token", "<eos>");
                names.put("pad_token", "<pad>");
                names.put("mask_token", "<mask>");
                parts.put("normalizer", TO_BLOCKS);
                parts.put(
                        "pre_tokenizer",
                        "{'type':'Split','pattern':{'String':' '},'behavior':'MergedWithPrevious','invert':false}");
                parts.put("decoder", sequence("decoders", TO_SPACES + BYTES));
            }
            case "T5Tokenizer" -> t5(config);
            case "", "PreTrainedTokenizer", "TokenizersBackend" -> plain();
            default ->
                throw new UnsupportedModelException(path + " belongs to a " + Shown.text(named)
                        + ", which is read from a tokenizer.json only. Convert it with"
                        + " AutoTokenizer.from_pretrained(...).save_pretrained(...). Without a tokenizer.json, supported are"
                        + " LlamaTokenizer, GemmaTokenizer, T5Tokenizer and PreTrainedTokenizerFast.");
        }
        if (!config.isNull()) {
            begin = config.part("add_bos_token").flagOr(gemma) ? named(config, "bos_token") : null;
            end = config.part("add_eos_token").flagOr(type.equals("T5Tokenizer")) ? named(config, "eos_token") : null;
        }
    }

    private @Nullable String named(Part config, String name) {
        Part value = config.part(name);
        return value.isNull()
                ? names.get(name)
                : value.isText() ? value.text() : value.part("content").text();
    }

    private void name(String name, int id) {
        if (id >= 0) {
            names.put(name, model.piece(id));
        }
    }

    private void llama(Part config) {
        boolean space = config.part("add_prefix_space").flagOr(true);
        String scheme = !space ? "never" : config.part("legacy").flagOr(false) ? "always" : "first";
        parts.put(
                "pre_tokenizer",
                "{'type':'Metaspace','replacement':'\u2581','prepend_scheme':'" + scheme + "','split':false}");
        parts.put("decoder", sequence("decoders", TO_SPACES + BYTES + (space ? STRIP : "")));
        withUnknown = false;
    }

    private void t5(Part config) {
        String block = "{'type':'Metaspace','replacement':'\u2581'}";
        parts.put("normalizer", sequence("normalizers", precompiled()));
        parts.put("pre_tokenizer", sequence("pretokenizers", "{'type':'WhitespaceSplit'}," + block));
        parts.put("decoder", block);
        Part extra = config.part("extra_ids");
        for (int i = (extra.isNull() ? 100 : extra.integer(10_000)) - 1; i >= 0; i--) {
            added.add(new AddedToken("<extra_id_" + i + ">", false, false, false, false, true));
        }
    }

    private String precompiled() {
        byte[] charsmap = model.charsmap();
        String base64 = Base64.getEncoder().encodeToString(charsmap);
        return charsmap.length == 0 ? "" : "{'type':'Precompiled','precompiled_charsmap':'" + base64 + "'}";
    }

    private void plain() {
        String precompiled = precompiled();
        parts.put("normalizer", sequence("normalizers", precompiled + (precompiled.isEmpty() ? "" : ",") + TO_BLOCKS));
        parts.put("decoder", sequence("decoders", TO_SPACES + (model.byteFallback() ? BYTES : "")));
    }

    private static String sequence(String key, String parts) {
        return "{'type':'Sequence','" + key + "':[" + parts + "]}";
    }

    /** The special tokens that the model names, {@code bos_token} and the like, where no other file does. */
    Map<String, String> names() {
        return Collections.unmodifiableMap(names);
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
        return Collections.unmodifiableList(added);
    }

    @Override
    public Part part(String name) {
        String json = name.equals("post_processor") ? template() : parts.get(name);
        return new Part(
                path,
                name,
                json == null
                        ? null
                        : new JsonBytes(path, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)).readTree());
    }

    private String template() {
        int first = begin == null ? Vocabulary.NONE : vocabulary.id(begin);
        int last = end == null ? Vocabulary.NONE : vocabulary.id(end);
        return "{'type':'TemplateProcessing','single':[" + (first < 0 ? "" : special("begin") + ",")
                + "{'Sequence':{'id':'A'}}" + (last < 0 ? "" : "," + special("end"))
                + "],'special_tokens':{'begin':{'ids':[" + first + "]},'end':{'ids':[" + last + "]}}}";
    }

    private static String special(String name) {
        return "{'SpecialToken':{'id':'" + name + "'}}";
    }

    @Override
    public TokenModel model(boolean byteLevel, AddedTokens tokens) {
        if (model.kind() == SentencePieceModel.Kind.UNIGRAM) {
            double[] scores = new double[model.size()];
            for (int id = 0; id < scores.length; id++) {
                scores[id] = model.score(id);
            }
            return new Unigram(path, vocabulary, scores, model.unknownId(), model.byteFallback(), tokens::isWord);
        }
        String unknown = withUnknown ? model.piece(model.unknownId()) : null;
        boolean bytes = model.byteFallback() || !withUnknown;
        BytePairs pairs = new BytePairs(
                path, vocabulary, new BytePairs.Options(unknown, true, bytes, false, "", ""), tokens::isSpecialWord);
        int[] merges = model.merges();
        for (int i = 0; i < merges.length; i += 2) {
            byte[] left = model.piece(merges[i]).getBytes(StandardCharsets.UTF_8);
            byte[] right = model.piece(merges[i + 1]).getBytes(StandardCharsets.UTF_8);
            pairs.merge(left, left.length, right, right.length);
        }
        pairs.finish(false);
        return pairs;
    }
}

package io.langbridge.contract;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Adapters from every file format, and the files a reader of {@code torch.save} meets. */
final class AdapterCases {
    /** "row i = .. of ../../decoders/a (x) and b (y)". */
    private static final Pattern DECODER = Pattern.compile("(\\S+) \\((\\w+)\\)");

    private static final Pattern FOREIGN = Pattern.compile("harmless: ([\\w.]+)");

    private AdapterCases() {}

    static void check(Check check) throws IOException {
        Entry json = check.json();
        if (!json.has("config") && json.has("files")) {
            checkTorchFiles(check);
        } else if (json.has("config") && json.has("vocabulary")) {
            checkLangBridge(check);
        } else if (json.has("config")) {
            checkProjector(check);
        } else {
            throw new AssertionError("An unknown kind of adapter case with the keys " + json.keys());
        }
    }

    private static List<Path> files(Check check, Predicate<String> name) throws IOException {
        try (Stream<Path> list = Files.list(check.folder())) {
            return list.filter(file -> name.test(String.valueOf(file.getFileName())))
                    .sorted()
                    .toList();
        }
    }

    private static AdapterNetwork open(
            Check check, AdapterConfig config, Weights weights, @Nullable FloatTensor matrix) {
        return check.closing(check.engine().adapter(config, weights, matrix, check.options()));
    }

    /** LLaVA's projectors. */
    private static void checkProjector(Check check) throws IOException {
        Entry config = check.json().object("config");
        for (Path file : files(check, name -> name.startsWith("mm_projector."))) {
            AdapterPart part = check.closing(AdapterPart.open(file));
            FloatTensor features = check.tensor("features");
            check.same("mm_projector_type", part.config().type(), config.text("mm_projector_type"));
            check.same("mm_hidden_size", part.config().mmHiddenSize(), config.integer("mm_hidden_size"));
            FloatTensor tokens =
                    open(check, part.config(), part.weights(), null).visualTokens(features);
            check.same("hidden_size", tokens.size(-1), config.integer("hidden_size"));
            check.close("visual_tokens", tokens);
        }
    }

    private static void checkLangBridge(Check check) throws IOException {
        Entry json = check.json();
        json.describe("files", "inputs");
        Entry config = json.object("config");
        AdapterConfig.LangBridge raw = new AdapterConfig.LangBridge(
                config.integer("mm_hidden_size"),
                config.integer("mlp_hidden_size"),
                config.integer("mm_vocab_size"),
                false);
        AdapterConfig.LangBridge softmax =
                new AdapterConfig.LangBridge(raw.mmHiddenSize(), raw.mlpHiddenSize(), raw.mmVocabSize(), true);
        check.same("mm_projector_type", raw.type(), config.text("mm_projector_type"));
        check.describeTensor("after_gelu"); // what comes before and after is compared

        Map<String, Llm> llms = llms(check);
        FloatTensor features = check.tensor("features");
        for (Path file : files(check, name -> name.startsWith("mm_projector."))) {
            AdapterPart part = check.closing(AdapterPart.open(file));
            check.same("what " + file.getFileName() + " holds", part.config(), raw);
            String prefix = file.getFileName().toString().contains(".bf16.") ? "bf16." : "";
            if (prefix.isEmpty()) {
                checkFirstLayer(check, part, features);
            }
            for (Map.Entry<String, Llm> llm : llms.entrySet()) {
                String tokens = prefix + llm.getKey() + ".visual_tokens";
                FloatTensor matrix = llm.getValue().matrix();
                AdapterNetwork network = open(check, raw, part.weights(), matrix);
                FloatTensor logits = network.coefficients(features);
                check.close(prefix + "vocabulary_logits", logits);
                if (prefix.isEmpty()) {
                    checkStrongest(check, llm.getValue().vocabulary(), logits);
                }
                if (check.hasTensor(tokens)) {
                    check.close(tokens, network.visualTokens(features));
                    checkFolded(check, raw, part, llm.getValue(), features, tokens);
                }
                if (check.hasTensor(tokens + "_softmax")) {
                    AdapterNetwork mixed = open(check, softmax, part.weights(), matrix);
                    check.close(tokens + "_softmax", mixed.visualTokens(features));
                    check.close("vocabulary_probabilities", mixed.coefficients(features));
                }
            }
        }
    }

    /** As a model runs it: attached to the decoder's own rows, and still giving coefficients. */
    private static void checkFolded(
            Check check,
            AdapterConfig.LangBridge config,
            AdapterPart part,
            Llm llm,
            FloatTensor features,
            String tokens) {
        VocabularyMatrix rows =
                VocabularyMatrix.of(llm.decoder().weights().get("model.embed_tokens.weight"), llm.vocabulary());
        AdapterNetwork folded =
                check.closing(Adapters.attach(check.engine(), config, part.weights(), rows, null, check.options()));
        check.close(
                tokens + ", folded",
                folded.visualTokens(features).toArray(),
                check.tensor(tokens).toArray(),
                check.tolerance(tokens));
        String logits = tokens.startsWith("bf16.") ? "bf16.vocabulary_logits" : "vocabulary_logits";
        check.close(logits, folded.coefficients(features));
    }

    private static void checkFirstLayer(Check check, AdapterPart part, FloatTensor features) {
        FloatTensor expected = check.tensor("after_first_linear");
        Weights first = Checkpoints.renamed(part.weights(), name -> name.startsWith("0.") ? name.substring(2) : null);
        AdapterConfig linear = new AdapterConfig.Linear(features.size(-1), expected.size(-1));
        check.close("after_first_linear", open(check, linear, first, null).visualTokens(features));
    }

    private record Llm(SharedVocabulary vocabulary, FloatTensor matrix, LlmPart decoder) {}

    /** Every language model's vocabulary and its matrix, made from its decoder and compared with the files. */
    private static Map<String, Llm> llms(Check check) throws IOException {
        Entry json = check.json();
        Map<String, Path> decoders = new TreeMap<>();
        Matcher named = DECODER.matcher(json.text("vocabulary_matrix"));
        Path last = check.folder();
        while (named.find()) {
            // A name without a path lies beside the one before.
            String path = named.group(1);
            last = path.contains("/") ? check.folder().resolve(path).normalize() : last.resolveSibling(path);
            decoders.put(named.group(2), last);
        }
        Map<String, Llm> llms = new LinkedHashMap<>();
        Entry vocabularies = json.object("vocabulary");
        for (String llm : vocabularies.keys()) {
            SharedVocabulary vocabulary = SharedVocabulary.read(
                    check.folder().resolve(vocabularies.text(llm)).normalize());
            FloatTensor matrix = check.tensor(llm + ".vocabulary_matrix");
            Path decoder = decoders.get(llm);
            if (decoder == null) {
                throw new AssertionError("'vocabulary_matrix' names no decoder for " + llm);
            }
            LlmPart part = check.closing(LlmPart.open(decoder.resolve("checkpoint")));
            llms.put(llm, new Llm(vocabulary, matrix, part));
            DecoderNetwork network =
                    check.closing(check.engine().decoder(part.config(), part.weights(), check.options()));
            check.same(
                    llm + ".vocabulary_matrix from the decoder",
                    network.embed(vocabulary.ids()).toArray(),
                    matrix.toArray());
            for (Path file : files(check, name -> name.startsWith("vocabulary_matrix." + llm + "."))) {
                StoredTensor stored = check.closing(Checkpoints.open(file)).get("");
                check.same(String.valueOf(file.getFileName()), stored.toFloats(), matrix.toArray());
            }
        }
        return llms;
    }

    private static void checkStrongest(Check check, SharedVocabulary vocabulary, FloatTensor logits) {
        if (check.quantized()) {
            check.json().describe("strongest_tokens_of_first_patches");
            return;
        }
        int n = vocabulary.size();
        float[] values = logits.toArray();
        List<List<String>> strongest = new ArrayList<>();
        check.json().get("strongest_tokens_of_first_patches").getAsJsonArray().forEach(patch -> {
            int start = strongest.size() * n;
            strongest.add(IntStream.range(0, n)
                    .boxed()
                    .sorted(Comparator.comparing((Integer i) -> -values[start + i]))
                    .limit(patch.getAsJsonArray().size())
                    .map(vocabulary.tokens()::get)
                    .toList());
            List<String> expected = new ArrayList<>();
            patch.getAsJsonArray().forEach(token -> expected.add(token.getAsString()));
            check.same(
                    "strongest tokens of patch " + (strongest.size() - 1),
                    strongest.get(strongest.size() - 1),
                    expected);
        });
    }

    /** Files to read, and files to refuse: what the text about each says. */
    private static void checkTorchFiles(Check check) {
        Entry files = check.json().object("files");
        for (String name : files.keys()) {
            Path file = check.folder().resolve(name);
            String text = files.text(name);
            if (text.contains("must be refused")) {
                checkRefused(check, file, foreignGlobal(files, name));
                continue;
            }
            String stem = name.substring(0, name.indexOf('.'));
            Map<String, String> expected = new LinkedHashMap<>();
            for (String tensor : check.tensorNames()) {
                if (tensor.equals(stem) || tensor.startsWith(stem + "/")) {
                    expected.put(tensor.equals(stem) ? "" : tensor.substring(stem.length() + 1), tensor);
                }
            }
            try (Weights weights = Checkpoints.open(file)) {
                check.same(
                        "names in " + name,
                        weights.names().stream().sorted().toList(),
                        expected.keySet().stream().sorted().toList());
                expected.forEach((inFile, tensor) -> {
                    StoredTensor actual = weights.get(inFile);
                    StoredTensor stored = check.stored(tensor);
                    String what = name + " " + inFile;
                    check.same("type of " + what, actual.dtype(), stored.dtype());
                    check.same("shape of " + what, Arrays.toString(actual.shape()), Arrays.toString(stored.shape()));
                    check.same(what, actual.toFloats(), stored.toFloats());
                });
            }
        }
    }

    /** What a file of this name asks for, as the text about it or about the same in the other format says. */
    private static String foreignGlobal(Entry files, String name) {
        String stem = name.substring(0, name.indexOf('.') + 1);
        for (String other : files.keys()) {
            Matcher foreign = FOREIGN.matcher(files.text(other));
            if (other.startsWith(stem) && foreign.find()) {
                return foreign.group(1);
            }
        }
        return "";
    }

    private static void checkRefused(Check check, Path file, String global) {
        try (Weights weights = Checkpoints.open(file)) {
            check.holds(file + " was not refused, but read: " + weights.names(), false);
        } catch (CheckpointException e) {
            String message = String.valueOf(e.getMessage());
            String name = String.valueOf(file.getFileName());
            check.holds("The message does not name the file: " + message, message.contains(name));
            check.holds("The message does not name " + global + ": " + message, message.contains(global));
        }
    }
}

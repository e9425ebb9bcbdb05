package io.langbridge.runtime.core.model;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.FitReport;
import io.langbridge.FitReport.Verdict;
import io.langbridge.LangBridgeException;
import io.langbridge.Message;
import io.langbridge.MissingTokens;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary.Match;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary.Transfer;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Opens the files of a model, goes through what {@link Loader} would refuse, and writes all of it down. */
final class FitCheck {
    private static final int NAMED_TOKENS = 10;

    private final ModelSpec spec;
    private final List<Engine> engines;
    private final Closing closing = new Closing();
    private final List<FitReport.Finding> findings = new ArrayList<>();
    private final List<FitReport.Licence> licences = new ArrayList<>();
    private final List<FitReport.Memory> memory = new ArrayList<>();
    private long memoryToExplain;
    private FitReport.@Nullable Coverage coverage;

    private FitCheck(ModelSpec spec, List<Engine> engines) {
        this.spec = spec;
        this.engines = engines;
    }

    static FitReport of(ModelSpec spec, List<Engine> engines) {
        FitCheck check = new FitCheck(spec, engines);
        try {
            ModelFiles files = spec.folder() == null ? check.separate() : check.whole(spec.folder());
            if (files != null) {
                check.parts(files);
            }
            check.licences();
        } finally {
            Closing.all(check.closing.opened());
        }
        return new FitReport(
                check.findings,
                check.coverage,
                check.licences,
                check.memory,
                check.memoryToExplain,
                Memory.available(spec.memoryLimit()));
    }

    private @Nullable ModelFiles whole(Path folder) {
        licences.addAll(Licences.of("model", folder));
        return attempt("model", () -> ModelFiles.whole(folder, spec, closing));
    }

    private @Nullable ModelFiles separate() {
        Encoder encoder = Objects.requireNonNull(spec.encoder());
        Adapter wanted = Objects.requireNonNull(spec.adapter());
        Path llmFolder = Objects.requireNonNull(spec.llm()).folder();
        AdapterPart adapter = attempt("adapter", () -> closing.add(Fit.open(wanted)));
        boolean kind = adapter != null && attempt("adapter", () -> Fit.requireKind(wanted, adapter));
        FeatureSelection selection = Fit.selection(encoder, adapter);
        VisionPart vision = attempt("encoder", () -> closing.add(VisionPart.open(encoder.folder(), selection)));
        LlmPart llm = attempt("language model", () -> closing.add(LlmPart.open(llmFolder)));
        licences.addAll(Licences.of("encoder", encoder.folder()));
        licences.addAll(Licences.of("adapter", wanted.path()));
        licences.addAll(Licences.of("language model", llmFolder));
        return adapter == null || vision == null || llm == null || !kind
                ? null
                : ModelFiles.separate(wanted, encoder, vision, adapter, llm).atMost(spec.maxVisualTokens());
    }

    private void parts(ModelFiles files) {
        AdapterConfig adapter = files.adapterConfig();
        int hidden = files.llm().config().hiddenSize();
        add(
                Verdict.FITS,
                "encoder",
                files.vision().folder() + ": " + files.vision().description());
        add(Verdict.FITS, "adapter", files.adapter().weights().source() + ": " + describe(adapter));
        add(
                Verdict.FITS,
                "language model",
                files.llm().folder() + ": " + files.llm().config().modelType() + ", "
                        + files.llm().config().numHiddenLayers() + " layers of size " + hidden);

        if (attempt("feature size", () -> Fit.requireFeatures(files.adapter(), files.vision()))) {
            add(Verdict.FITS, "feature size", files.vision().width() + " on both sides");
            picture(files);
        }
        layer(files);
        if (attempt("visual tokens", () -> Fit.requireWidth(files.adapter(), files.llm()))) {
            add(Verdict.FITS, "visual tokens", "of size " + hidden);
        }
        Tokenizer tokenizer =
                attempt("tokenizer", () -> Tokenizer.of(files.llm().folder()));
        if (tokenizer != null) {
            tokenizer(files, tokenizer);
        }
        if (tokenizer == null) {
            attempt("chat template", () -> {
                Fit.requireTemplate(files, Fit.wantedTemplate(spec));
            });
        } else {
            prompt(files, tokenizer);
        }
        String ignored = Fit.ignoredGeneration(files);
        if (ignored != null) {
            add(Verdict.NOTE, "generation", ignored);
        }
        memory(files);
    }

    private static String describe(AdapterConfig adapter) {
        if (adapter instanceof AdapterConfig.LangBridge c) {
            return "LangBridge, " + c.mmHiddenSize() + " -> " + c.mlpHiddenSize() + " -> " + c.mmVocabSize()
                    + " shared tokens" + (c.softmax() ? ", softmax" : "");
        }
        return adapter.type() + ", takes features of size " + adapter.mmHiddenSize();
    }

    private void picture(ModelFiles files) {
        Pictures pictures = attempt("picture", files::pictures);
        if (pictures != null) {
            add(Verdict.FITS, "picture", pictures.description());
        }
    }

    private void layer(ModelFiles files) {
        if (files.adapterConfig() instanceof AdapterConfig.Connector) {
            return; // belongs to the encoder, and knows what it takes
        }
        String layer = words(files.vision().config().selectLayers());
        FeatureSelection trained = files.adapter().selection();
        if (trained == null) {
            add(
                    Verdict.NOTE,
                    "layer",
                    layer + "; the adapter's folder has no config.json that says which one it was trained on");
        } else if (!trained.layers().equals(files.vision().config().selectLayers())) {
            add(
                    Verdict.NOTE,
                    "layer",
                    layer + " was asked for, but the adapter was trained on " + words(trained.layers()));
        } else {
            add(Verdict.FITS, "layer", layer + ", as the adapter was trained");
        }
    }

    private static String words(List<Integer> layers) {
        return layers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private void tokenizer(ModelFiles files, Tokenizer tokenizer) {
        String size = tokenizer.vocabularySize() + " tokens, spelled as "
                + tokenizer.spelling().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
        Fit.Lookup vocabulary = attempt("vocabulary", () -> Fit.lookup(files.adapter(), tokenizer));
        if (vocabulary == null) {
            add(Verdict.FITS, "tokenizer", size);
        } else if (vocabulary.sameIds()) {
            add(Verdict.FITS, "tokenizer", size + "; the ids that the adapter's vocabulary was made with");
        } else {
            add(
                    Verdict.NOTE,
                    "tokenizer",
                    size + "; other ids than the adapter's vocabulary was made with, so the adapter moves to another"
                            + " language model: expect less than after tuning that model with it");
        }
        if (attempt("image_newline", () -> Fit.requireNewline(files, vocabulary))) {
            add(
                    Verdict.FITS,
                    "image_newline",
                    files.needsNewline() ? "is there, and belongs to this language model" : "not needed");
        }
        if (files.adapterConfig() instanceof AdapterConfig.LangBridge) {
            vocabulary(files, vocabulary);
        }
    }

    /** What a question takes beside its own words and pictures, put together as it will be. */
    private void prompt(ModelFiles files, Tokenizer tokenizer) {
        PromptAssembler assembler =
                attempt("chat template", () -> Fit.assembler(files, tokenizer, Fit.wantedTemplate(spec)));
        if (assembler == null) {
            return;
        }
        List<Message> question = Collections.singletonList(
                new Message(Message.Role.USER, Collections.singletonList(new Message.Text("?"))));
        attempt("chat template", () -> {
            int[] ids = assembler
                    .assemble(question, Integer.MAX_VALUE, Integer.MAX_VALUE)
                    .get(0);
            add(
                    Verdict.FITS,
                    "chat template",
                    "a question of one character takes " + ids.length + " tokens, of which the first is '"
                            + (ids.length == 0 ? "" : tokenizer.tokenOf(ids[0])) + "'");
        });
    }

    private void vocabulary(ModelFiles files, Fit.@Nullable Lookup vocabulary) {
        boolean usable = attempt("vocabulary", () -> {
            Fit.vocabularyMatrix(files, vocabulary);
        });
        StoredTensor saved = files.adapter().vocabularyMatrix();
        if (vocabulary == null) {
            if (usable && saved != null) {
                add(Verdict.FITS, "vocabulary", "the authors' matrix " + saved.file());
            }
            return;
        }
        Transfer transfer = vocabulary.transfer();
        MissingTokens policy = files.missingTokens();
        List<String> missing = transfer.missing();
        int tokens = vocabulary.trained().size();
        coverage = new FitReport.Coverage(
                tokens,
                transfer.count(Match.EXACT),
                transfer.count(Match.BY_TEXT),
                transfer.count(Match.AMBIGUOUS),
                missing,
                policy);
        StringBuilder text = new StringBuilder()
                .append(tokens - missing.size())
                .append(" of ")
                .append(tokens)
                .append(" shared tokens are there");
        if (transfer.count(Match.BY_TEXT) > 0) {
            text.append(", ").append(transfer.count(Match.BY_TEXT)).append(" of them spelled in another way");
        }
        if (missing.isEmpty()) {
            add(Verdict.FITS, "vocabulary", text.toString());
            return;
        }
        text.append("; ").append(missing.size()).append(" are missing and ").append(done(policy));
        text.append(", by rank: ").append(firstMissing(vocabulary));
        if (usable) {
            add(Verdict.NOTE, "vocabulary", text.toString());
        } else {
            // Refused with the same numbers just before: this names more of the tokens.
            add(Verdict.NOTE, "missing tokens", text.toString());
        }
    }

    private static String done(MissingTokens policy) {
        return switch (policy) {
            case REFUSE -> "refused";
            case DROP -> "dropped";
            case MEAN -> "replaced by the mean embedding of the others";
        };
    }

    /** The most frequent tokens that are missing, with their ranks. */
    private static String firstMissing(Fit.Lookup vocabulary) {
        int[] ids = vocabulary.transfer().idsOrMinusOne();
        List<String> named = new ArrayList<>();
        for (int i = 0; i < ids.length && named.size() < NAMED_TOKENS; i++) {
            if (ids[i] < 0) {
                named.add("'" + vocabulary.trained().tokens().get(i) + "' (" + (i + 1) + ".)");
            }
        }
        boolean more = named.size() < vocabulary.transfer().missing().size();
        return String.join(", ", named) + (more ? ", .." : "");
    }

    private void memory(ModelFiles files) {
        Integer context = attempt("context", () -> files.contextLength(spec));
        if (context == null) {
            return;
        }
        Memory needed = attempt(
                "memory",
                () -> Memory.of(files, spec, EngineChoice.presumed(engines, spec), spec.llm(), context, true));
        if (needed == null) {
            return;
        }
        memory.addAll(needed.items());
        if (attempt("memory", () -> needed.check(spec.memoryLimit()))) {
            long first = needed.totalOfFirstTime();
            add(
                    Verdict.FITS,
                    "memory",
                    "about " + Memory.megabytes(needed.total()) + " with " + context + " positions"
                            + (first == needed.total()
                                    ? ""
                                    : ", " + Memory.megabytes(first) + " the first time, when weights are converted"));
        }
        memoryToExplain = Memory.explaining(files, spec, EngineChoice.presumed(engines, spec));
        if (memoryToExplain > 0) {
            add(
                    Verdict.FITS,
                    "explanations",
                    "by coefficients take about " + Memory.megabytes(memoryToExplain)
                            + (files.topK() == null
                                    ? " more from the first on, until langBridge().releaseExplanation()"
                                    : " more while one is made"));
        }
    }

    private void licences() {
        if (licences.isEmpty()) {
            add(Verdict.NOTE, "licences", "none is named in the folders; that does not mean that none applies");
        } else {
            add(
                    Verdict.NOTE,
                    "licences",
                    licences.stream()
                            .map(licence -> licence.part() + ": "
                                    + (licence.name() == null
                                            ? String.valueOf(licence.file().getFileName())
                                            : licence.name()))
                            .collect(Collectors.joining("; ")));
        }
    }

    private void add(Verdict verdict, String subject, String text) {
        findings.add(new FitReport.Finding(verdict, subject, text));
    }

    /** Null if it fails, which is then a problem in the report. */
    private <T> @Nullable T attempt(String subject, Supplier<@Nullable T> action) {
        try {
            return action.get();
        } catch (LangBridgeException e) {
            add(Verdict.PROBLEM, subject, String.valueOf(e.getMessage()));
            return null;
        }
    }

    /** Whether it succeeds; if not, that is a problem in the report. */
    private boolean attempt(String subject, Runnable action) {
        return attempt(subject, () -> {
                    action.run();
                    return Boolean.TRUE;
                })
                != null;
    }
}

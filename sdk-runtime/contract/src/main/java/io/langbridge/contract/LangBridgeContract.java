package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.Adapter;
import io.langbridge.AdapterWriter;
import io.langbridge.Answer;
import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.EncodedImage;
import io.langbridge.Encoder;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.FitReport;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageFit;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.LangBridgeModel;
import io.langbridge.Llm;
import io.langbridge.MissingTokens;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.SoftmaxCut;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.model.Loader;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * What LangBridge adds, on any engine: an adapter moves to another language model and then answers as the reference
 * does there. An engine's module extends it and supplies the engine.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class LangBridgeContract {
    private static final String QWEN = "langbridge-pad";
    private static final String LLAMA = "langbridge-pad-llama3";
    private static final String QUESTION = "What is unusual about this image?";

    /**
     * Answers of every kind of decoder behind the adapter, computed with the reference: visual tokens are the
     * coefficients times what its embedding module gives for the shared tokens.
     */
    private static final List<String> MOVED = List.of(
            "gemma2, 607 394 540 268 158 158 731 540 356 294 1 377 377 377 377 575",
            "gemma3, 320 246 246 246 71 71 71 574 574 22 435 435 637 522 61 483",
            "granite, 319 185 595 103 585 543 656 309 104 527 60 553 426 319 185 595",
            "lfm2, 67 583 731 47 139 705 189 237 634 634 507 416 261 643 111 646",
            "llama3, 447 179 197 28 601 447 611 450 17 285 261 686 203 205 121 115",
            "llama3.1, 497 15 33 708 360 572 33 147 560 696 130 321 130 159 647 526",
            "ministral3, 191 122 24 278 65 76 122 237 505 254 235 37 677 225 175 648",
            "mistral, 576 665 687 653 610 135 541 410 293 637 346 543 650 224 109 650",
            "olmo2, 585 585 375 135 25 536 238 11 585 687 438 11 259 135 11 585",
            "phi3, 487 108 522 108 108 487 108 108 522 108 522 523 517 487 487 384",
            "qwen2, 629 3 544 35 219 219 219 219 219 219 219 219 219 219 219 219",
            "qwen2.5, 168 467 168 139 71 446 275 196 56 60 103 536 168 476 568 199",
            "qwen3, 632 632 632 632 632 632 632 520 579 316 316 316 51 365 365 365",
            "qwen3.5, 193 52 591 209 88 255 345 193 242 538 525 509 52 624 448 615",
            "smollm2, 81 688 108 108 108 576 576 576 108 576 40 555 555 555 555 555",
            "smollm3, 656 656 611 530 380 65 1 423 423 559 243 446 423 80 454 108");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path fixtures;

    /** Public for JUnit. */
    protected LangBridgeContract() {}

    /** The engine to check. */
    protected abstract Engine engine();

    @BeforeAll
    void unpack() {
        fixtures = Fixtures.bundled(scratch);
    }

    private Path checkpoint(String name) {
        return fixtures.resolve("end-to-end").resolve(name).resolve("checkpoint");
    }

    private VisionLanguageModel load(String name) {
        return load(name, engine());
    }

    private VisionLanguageModel load(String name, Engine engine) {
        return builder().folder(checkpoint(name)).build(new Loader(engine));
    }

    private VisionLanguageModel load(Encoder encoder, Adapter adapter, Llm llm) {
        return builder().encoder(encoder).adapter(adapter).llm(llm).build(new Loader(engine()));
    }

    private static VisionLanguageModel.Builder builder() {
        return VisionLanguageModel.builder()
                .threads(2)
                .cacheDirectory(scratch.resolve("cache"))
                .device(Device.CPU);
    }

    private static LangBridgeModel langBridge(VisionLanguageModel model) {
        return model.langBridge().orElseThrow();
    }

    private Llm llm(String name) {
        return Llm.of(checkpoint(name));
    }

    private Image picture() {
        return Image.of(fixtures.resolve("images/landscape.png"));
    }

    /** The reference's answer about one picture. */
    private int[] expected(String name) {
        Entry run = Entry.read(fixtures.resolve("end-to-end").resolve(name).resolve("case.json"))
                .objects("runs")
                .get(0);
        assertThat(run.texts("pictures")).containsExactly("landscape.png");
        return run.integers("new_ids");
    }

    /** The question of the reference, as the language model's own prompts put it. */
    private static Request.Builder request(String name) {
        Request.Builder request = Request.builder()
                .options(GenerationOptions.builder()
                        .temperature(0)
                        .repetitionPenalty(1)
                        .stopTokens()
                        .maxNewTokens(16)
                        .build());
        return name.equals(LLAMA) ? request.system("Be brief.") : request;
    }

    private Answer ask(VisionLanguageModel model, String name) {
        return model.answer(request(name).image(picture()).text(QUESTION).build());
    }

    @Test
    void moved_to_another_llm_it_answers_as_the_reference_does_there() {
        for (String from : List.of(QWEN, LLAMA)) {
            String to = from.equals(QWEN) ? LLAMA : QWEN;
            try (VisionLanguageModel model = load(from);
                    VisionLanguageModel moved = langBridge(model).withLlm(llm(to));
                    VisionLanguageModel back = langBridge(moved).withLlm(llm(from))) {
                assertThat(ask(moved, to).tokenIds()).containsExactly(expected(to));
                assertThat(ask(model, from).tokenIds()).containsExactly(expected(from));
                assertThat(ask(back, from).tokenIds()).containsExactly(expected(from));
            }
        }
    }

    /** Whatever a decoder does with its embeddings, and whatever state it keeps. */
    @Test
    void moved_to_any_decoder_it_answers_as_the_reference_does_there() throws IOException {
        for (String row : MOVED) {
            int[] expected = Arrays.stream(row.substring(row.indexOf(',') + 2).split(" "))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            moved(row.substring(0, row.indexOf(',')), expected);
        }
    }

    private void moved(String decoder, int... expected) throws IOException {
        String from = decoder.startsWith("qwen") ? QWEN : LLAMA;
        // A context of 64, which is Phi's, has no room for the longer question.
        boolean isShort = decoder.equals("phi3");
        Request request = request(isShort ? QWEN : from)
                .image(picture())
                .text(isShort ? "?" : QUESTION)
                .build();
        Llm llm = decoder(decoder);
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        LangBridgeAdapter adapter = Adapter.langBridge(checkpoint(QWEN));

        FitReport report = builder().encoder(encoder).adapter(adapter).llm(llm).check();
        assertThat(report.fits()).as(report.toString()).isTrue();
        assertThat(Objects.requireNonNull(report.coverage()).missing()).isEmpty();
        try (VisionLanguageModel model = load(from);
                VisionLanguageModel moved = langBridge(model).withLlm(llm)) {
            assertThat(moved.answer(request).tokenIds()).as(decoder).containsExactly(expected);
            Explanation words = moved.explain(moved.encode(picture()), ExplainOptions.defaults());
            assertThat(words.patches())
                    .hasSize(16)
                    .allSatisfy(patch -> assertThat(patch.words()).hasSize(8));
        }
        assertThat(answer(encoder, folded(adapter, llm, false, decoder), llm, request))
                .containsExactly(expected);
        Path narrow = narrowAdapter(24);
        assertThat(answer(encoder, folded(Adapter.langBridge(narrow), llm, true, decoder + "-standard"), llm, request))
                .containsExactly(answer(encoder, Adapter.langBridge(narrow), llm, request));
    }

    @Test
    void every_kind_of_decoder_is_moved_to() throws IOException {
        try (Stream<Path> kinds = Files.list(fixtures.resolve("decoders"))) {
            assertThat(kinds.map(kind -> String.valueOf(kind.getFileName())).filter(kind -> !kind.equals("qwen2-bf16")))
                    .allMatch(kind -> MOVED.stream().anyMatch(row -> row.startsWith(kind + ",")));
        }
    }

    @Test
    void a_context_that_has_no_room_for_the_picture_is_a_prompt_that_is_too_long() {
        try (VisionLanguageModel model = load(LLAMA);
                VisionLanguageModel moved = langBridge(model).withLlm(decoder("phi3"))) {
            Request request =
                    request(LLAMA).image(picture()).text(QUESTION + QUESTION).build();
            assertThat(moved.contextLength()).isEqualTo(64);
            assertThatThrownBy(() -> moved.answer(request))
                    .isInstanceOf(PromptException.class)
                    .hasMessageContaining("64");
        }
    }

    private Llm decoder(String kind) {
        return Llm.of(fixtures.resolve("decoders").resolve(kind).resolve("checkpoint"));
    }

    private Adapter folded(LangBridgeAdapter adapter, Llm llm, boolean standard, String name) {
        Path folder = scratch.resolve("folded-for-" + name);
        fold(adapter, llm, standard, folder);
        return Adapter.projector(folder);
    }

    private int[] answer(Encoder encoder, Adapter adapter, Llm llm, Request request) {
        try (VisionLanguageModel model = load(encoder, adapter, llm)) {
            return model.answer(request).tokenIds();
        }
    }

    @Test
    void a_picture_encoded_by_one_model_is_asked_of_the_other() {
        AtomicInteger pictures = new AtomicInteger();
        try (VisionLanguageModel model = load(QWEN, counting(pictures, new AtomicInteger(), new AtomicInteger()));
                VisionLanguageModel moved = langBridge(model).withLlm(llm(LLAMA))) {
            EncodedImage seen = model.encode(picture());
            Request question = request(LLAMA).image(seen).text(QUESTION).build();
            assertThat(moved.answer(question).tokenIds()).containsExactly(expected(LLAMA));
            assertThat(pictures).hasValue(1);
        }
    }

    @Test
    void the_encoder_is_loaded_once_and_closed_with_the_last_model_whatever_the_order() {
        for (boolean originalFirst : new boolean[] {true, false}) {
            AtomicInteger opened = new AtomicInteger();
            AtomicInteger closed = new AtomicInteger();
            VisionLanguageModel model = load(QWEN, counting(new AtomicInteger(), opened, closed));
            VisionLanguageModel moved = langBridge(model).withLlm(llm(LLAMA));
            VisionLanguageModel first = originalFirst ? model : moved;
            VisionLanguageModel last = originalFirst ? moved : model;
            first.close();
            first.close();
            assertThat(closed).hasValue(0);
            assertThatThrownBy(() -> langBridge(first).withLlm(llm(QWEN))).isInstanceOf(IllegalStateException.class);
            String left = originalFirst ? LLAMA : QWEN;
            assertThat(ask(last, left).tokenIds()).containsExactly(expected(left));
            last.close();
            assertThat(opened).hasValue(1);
            assertThat(closed).hasValue(1);
        }
    }

    @Test
    void a_move_that_fails_leaves_the_model_as_it_was_and_its_encoder_closable() {
        AtomicInteger closed = new AtomicInteger();
        try (VisionLanguageModel model = load(QWEN, counting(new AtomicInteger(), new AtomicInteger(), closed))) {
            assertThatThrownBy(() -> langBridge(model).withLlm(Llm.of(fixtures.resolve("nowhere"))))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("nowhere");
            assertThat(closed).hasValue(0);
            assertThat(ask(model, QWEN).tokenIds()).containsExactly(expected(QWEN));
        }
        assertThat(closed).hasValue(1);
    }

    @Test
    void a_model_whose_decoder_fails_to_open_closes_its_encoder() {
        AtomicInteger opened = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        Engine counting = counting(new AtomicInteger(), opened, closed);
        Engine broken = (Engine) Proxy.newProxyInstance(
                Engine.class.getClassLoader(), new Class<?>[] {Engine.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("decoder")) {
                        throw new InsufficientMemoryException("no room for the decoder");
                    }
                    return method.invoke(counting, arguments);
                });
        assertThatThrownBy(() -> load(QWEN, broken)).isInstanceOf(InsufficientMemoryException.class);
        assertThat(opened).hasValue(1);
        assertThat(closed).hasValue(1);
    }

    @Test
    void an_adapter_of_another_kind_does_not_move() {
        try (VisionLanguageModel model = load("llava-native")) {
            assertThat(model.langBridge()).isEmpty();
        }
    }

    @Test
    void image_newline_does_not_move_but_the_adapter_does_without_tiles() {
        try (VisionLanguageModel model = load("langbridge-anyres")) {
            assertThatThrownBy(() -> langBridge(model).withLlm(llm(LLAMA)))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("model.image_newline")
                    .hasMessageContaining("which has 32 values learnt for one language model")
                    .hasMessageContaining("takes 32 and has other token ids")
                    .hasMessageContaining("Encoder.fit(ImageFit.PAD)");
        }
        Adapter adapter = Adapter.langBridge(checkpoint("langbridge-anyres"));
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        assertThatThrownBy(() -> load(encoder, adapter, llm(LLAMA))).isInstanceOf(UnsupportedModelException.class);
        try (VisionLanguageModel padded = load(encoder.fit(ImageFit.PAD), adapter, llm(LLAMA))) {
            assertThat(ask(padded, LLAMA).usage().visualTokens()).isEqualTo(16);
        }
    }

    @Test
    void tokens_that_the_llm_lacks_are_refused_unless_the_user_says_what_to_do() throws IOException {
        Path vocabulary = scratch.resolve("with-strange-tokens.json");
        String known = Files.readString(checkpoint(QWEN).resolve("vocabulary.json"));
        // The second entry becomes a word that no tokenizer has.
        int second = known.indexOf('"', known.indexOf(',') + 1);
        Files.writeString(
                vocabulary,
                known.substring(0, second + 1) + "no such token" + known.substring(known.indexOf('"', second + 1)));
        LangBridgeAdapter adapter = Adapter.langBridge(checkpoint(QWEN), vocabulary);
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        assertThatThrownBy(() -> load(encoder, adapter, llm(LLAMA)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(vocabulary.toString())
                .hasMessageContaining("1 of 160 tokens")
                .hasMessageContaining("no such token")
                .hasMessageContaining("Adapter.missingTokens(..)");
        int[] complete;
        try (VisionLanguageModel model = load(
                encoder,
                Adapter.langBridge(checkpoint(QWEN), checkpoint(QWEN).resolve("vocabulary.json")),
                llm(LLAMA))) {
            complete = ask(model, LLAMA).tokenIds();
        }
        for (MissingTokens policy : List.of(MissingTokens.DROP, MissingTokens.MEAN)) {
            try (VisionLanguageModel model = load(encoder, adapter.missingTokens(policy), llm(LLAMA))) {
                assertThat(ask(model, LLAMA).tokenIds()).hasSameSizeAs(complete);
            }
        }
    }

    @Test
    void a_saved_adapter_answers_as_the_original_on_any_llm() {
        Path saved = scratch.resolve("saved");
        LangBridgeAdapter original = Adapter.langBridge(checkpoint(QWEN));
        assertThat(AdapterWriter.save(original, null, saved)).hasToString("Adapter[LangBridge, " + saved + "]");
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        for (String name : List.of(QWEN, LLAMA)) {
            try (VisionLanguageModel model = load(encoder, Adapter.langBridge(saved), llm(name))) {
                assertThat(ask(model, name).tokenIds()).containsExactly(expected(name));
            }
        }
        assertThatThrownBy(() -> AdapterWriter.save(original, null, saved))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("holds mm_projector.safetensors already");
    }

    @Test
    void a_folded_adapter_is_a_projector_that_answers_the_same() {
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        for (String name : List.of(QWEN, LLAMA)) {
            Path folded = scratch.resolve("folded-" + name);
            fold(Adapter.langBridge(checkpoint(QWEN)), llm(name), false, folded);
            try (VisionLanguageModel model = load(encoder, Adapter.projector(folded), llm(name))) {
                assertThat(ask(model, name).tokenIds()).containsExactly(expected(name));
            }
        }
    }

    @Test
    void a_standard_projector_is_exact_or_refused() throws IOException {
        assertThatThrownBy(
                        () -> fold(Adapter.langBridge(checkpoint(QWEN)), llm(LLAMA), true, scratch.resolve("too-wide")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("is 40 wide between its layers")
                .hasMessageContaining("is 32 wide there")
                .hasMessageContaining("AdapterWriter.fold(..)");
        assertThat(scratch.resolve("too-wide")).doesNotExist();

        Path narrow = narrowAdapter(24);
        Path exported = scratch.resolve("exported");
        fold(Adapter.langBridge(narrow), llm(LLAMA), true, exported);
        try (Weights weights = Checkpoints.open(exported.resolve("mm_projector.safetensors"))) {
            assertThat(weights.get("multi_modal_projector.linear_1.weight").shape())
                    .containsExactly(32, 32);
            assertThat(weights.get("multi_modal_projector.linear_2.weight").shape())
                    .containsExactly(32, 32);
        }
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        try (VisionLanguageModel original = load(encoder, Adapter.langBridge(narrow), llm(LLAMA));
                VisionLanguageModel standard = load(encoder, Adapter.projector(exported), llm(LLAMA))) {
            assertThat(ask(standard, LLAMA).tokenIds())
                    .containsExactly(ask(original, LLAMA).tokenIds());
        }
    }

    @Test
    void a_cut_softmax_measures_what_it_costs() {
        Encoder encoder = Encoder.of(checkpoint(QWEN).resolve("vision_tower"));
        LangBridgeAdapter softmax = Adapter.langBridge(checkpoint(QWEN)).softmax();
        int[] whole;
        try (VisionLanguageModel model = load(encoder, softmax, llm(QWEN))) {
            whole = ask(model, QWEN).tokenIds();
            assertThat(langBridge(model).softmaxCut(model.encode(picture()))).isEmpty();
        }
        try (VisionLanguageModel model = load(encoder, softmax.softmax(160), llm(QWEN))) {
            SoftmaxCut all =
                    langBridge(model).softmaxCut(model.encode(picture())).orElseThrow();
            assertThat(all.smallestMassKept()).isCloseTo(1, within(1e-5));
            assertThat(all.relativeError()).isLessThan(1e-5);
            assertThat(ask(model, QWEN).tokenIds()).containsExactly(whole);
        }
        double before = 0;
        for (int k : new int[] {120, 40, 4}) {
            try (VisionLanguageModel model = load(encoder, softmax.softmax(k), llm(QWEN))) {
                SoftmaxCut cut =
                        langBridge(model).softmaxCut(model.encode(picture())).orElseThrow();
                assertThat(cut.k()).isEqualTo(k);
                assertThat(cut.meanMassKept()).isBetween((double) k / 160, 1.0);
                assertThat(cut.smallestMassKept()).isLessThanOrEqualTo(cut.meanMassKept());
                assertThat(cut.relativeError()).isGreaterThan(before);
                before = cut.relativeError();
            }
        }
    }

    private void fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder) {
        Loader.fold(adapter, llm, standard, folder, engine(), new EngineOptions(2, false, scratch.resolve("cache")));
    }

    /** The adapter of the fixtures with fewer units between its layers. */
    private Path narrowAdapter(int width) throws IOException {
        Path folder = Files.createDirectories(scratch.resolve("narrow-" + width));
        if (Files.exists(folder.resolve("vocabulary.json"))) {
            return folder;
        }
        try (AdapterPart part = AdapterPart.open(checkpoint(QWEN))) {
            SafetensorsWriter writer = new SafetensorsWriter();
            cut(writer, part, "0.weight", width, 32);
            cut(writer, part, "0.bias", width);
            cut(writer, part, "2.weight", width, width);
            cut(writer, part, "2.bias", width);
            cut(writer, part, "3.weight", 160, width);
            cut(writer, part, "3.bias", 160);
            writer.write(folder.resolve("mm_projector.safetensors"));
        }
        Files.copy(checkpoint(QWEN).resolve("vocabulary.json"), folder.resolve("vocabulary.json"));
        return folder;
    }

    private static void cut(SafetensorsWriter writer, AdapterPart part, String name, int... shape) {
        StoredTensor tensor = part.weights().get(name);
        int columns = shape.length == 1 ? 1 : shape[1];
        int stride = shape.length == 1 ? 1 : (int) tensor.shape()[1];
        FloatBuffer values = FloatBuffer.allocate(shape[0] * columns);
        for (int row = 0; row < shape[0]; row++) {
            values.limit((row + 1) * columns).position(row * columns);
            tensor.read((long) row * stride, values);
        }
        writer.add(
                "model.mm_projector." + name,
                values.rewind(),
                Arrays.stream(shape).asLongStream().toArray());
    }

    /** The engine, counting encoders and what they do. */
    private Engine counting(AtomicInteger pictures, AtomicInteger opened, AtomicInteger closed) {
        return (Engine) Proxy.newProxyInstance(
                Engine.class.getClassLoader(), new Class<?>[] {Engine.class}, (proxy, method, arguments) -> {
                    Object result;
                    try {
                        result = method.invoke(engine(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (result instanceof Running running
                            && Inventory.of((Network) arguments[0]).inputs().containsKey(Net.PIXEL_VALUES)) {
                        opened.incrementAndGet();
                        return new CountingVision(running, pictures, closed);
                    }
                    return result;
                });
    }

    private record CountingVision(Running running, AtomicInteger pictures, AtomicInteger closed) implements Running {
        @Override
        public FloatTensor run(Map<String, FloatTensor> pixels) {
            pictures.incrementAndGet();
            return running.run(pixels);
        }

        @Override
        public Map<String, FloatTensor> trace(Map<String, FloatTensor> pixels) {
            return running.trace(pixels);
        }

        @Override
        public void close() {
            closed.incrementAndGet();
            running.close();
        }
    }
}

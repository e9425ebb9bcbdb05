package io.langbridge.contract;

import io.langbridge.Message;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.family.Positions;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.Patches;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TileMerge;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.spi.RgbPixels;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Whole models, from picture and prompt to text: step by step through the parts, and again as an application does it.
 */
final class EndToEndCases {
    /** Name of where the reference has a picture's patches. */
    private static final String PLACES = ".image_position_ids";

    /** Rows and columns of the patches of each view; such cases resize with torchvision, whose bytes are others. */
    private static final String SHAPES = ".spatial_shapes";

    private static final double OTHER_RESIZING = 2e-2;

    private static final int SPLICED = -200;

    private final Check check;
    private final ModelFolder folder;
    private final Tokenizer tokenizer;
    private final ImagePreprocessor preprocessor;
    private final Networks networks;
    /** The same in full precision: what a quantised decoder is compared with gets the same visual tokens. */
    private final Networks exact;

    private final float @Nullable [] newline;
    /** What stands for a picture, or for each of its visual tokens. */
    private final String image;

    private final Map<String, List<Integer>> greedyTokens = new LinkedHashMap<>();
    /** Of runs whose pictures the reference resizes in another way: what follows from our own pixels. */
    private final Map<String, int[]> fromOwnPixels = new LinkedHashMap<>();
    /** Of all runs, where positions have several axes. */
    private final List<Given> placed = new ArrayList<>();

    /** A picture on its way through the model. */
    private record Seen(
            List<FloatTensor> each,
            FloatTensor features,
            FloatTensor projected,
            FloatTensor visualTokens,
            FloatTensor exactTokens,
            PicturePlan plan) {

        TokenLayout layout() {
            return plan.layout();
        }

        /** Of all views. */
        FloatTensor pixels() {
            return each.get(0);
        }
    }

    private record Networks(Running vision, AdapterNetwork adapter, DecoderNetwork decoder) {
        static Networks open(Check check, ModelFolder folder, EngineOptions options) {
            Running vision = check.closing(check.engine()
                    .open(folder.vision().network(), folder.vision().weights(), Map.of(), options));
            DecoderNetwork decoder = check.closing(
                    check.engine().decoder(folder.llm().config(), folder.llm().weights(), options));
            AdapterPart part = folder.adapter();
            AdapterNetwork adapter = check.closing(
                    check.engine().adapter(part.config(), part.weights(), matrix(check, decoder, part), options));
            return new Networks(vision, adapter, decoder);
        }
    }

    private EndToEndCases(Check check, Path checkpoint) {
        this.check = check;
        this.folder = check.closing(ModelFolder.open(checkpoint));
        this.tokenizer = Tokenizer.of(checkpoint);
        this.preprocessor = new ImagePreprocessor(folder.pictures());
        this.networks = Networks.open(check, folder, check.options());
        this.exact =
                check.quantized() ? Networks.open(check, folder, check.options().with(Precision.FULL)) : networks;
        StoredTensor stored = folder.adapter().imageNewline();
        this.newline = stored == null ? null : stored.toFloats();
        this.image = folder.imagePrompt() instanceof ImagePrompt.Placeholder p ? p.token() : "<image>";
    }

    /** Returns the greedy tokens by the label of the run; those left out are not there. */
    static Map<String, List<Integer>> check(Check check) {
        Entry json = check.json();
        json.describe("splice", "placeholders");
        Entry generate = json.object("generate");
        generate.describe("mode");
        int maxNewTokens = generate.integer("max_new_tokens");
        Path checkpoint = check.folder().resolve(json.text("checkpoint"));
        EndToEndCases model = new EndToEndCases(check, checkpoint);
        if (json.has("adapter")) {
            boolean softmax = !json.text("adapter").contains("no softmax");
            AdapterConfig config = model.folder.adapter().config();
            check.same("softmax", config instanceof AdapterConfig.LangBridge l && l.softmax(), softmax);
        }
        if (json.has("image_token_id")) {
            int id = model.folder.imagePrompt() instanceof ImagePrompt.Placeholder p ? p.tokenId() : SPLICED;
            check.same("image_token_id", id, json.integer("image_token_id"));
        }
        List<Entry> runs = json.objects("runs");
        for (Entry run : runs) {
            run.describe("smallest_margin_top1_top2", "messages", "expanded_prompt");
            model.checkRun(run, maxNewTokens);
        }
        if (model.placed.size() > 1) {
            SequenceCases.checkPlaced(check, model.networks.decoder(), model.placed, check.tolerance("logits_last"));
        }
        Path vocabulary = model.folder.adapter().vocabularyFile();
        if (!check.measuresPlainRounding()) {
            SharedVocabulary words = vocabulary == null ? null : SharedVocabulary.read(vocabulary);
            PublicApi.check(check, checkpoint, words, runs, maxNewTokens, model.fromOwnPixels);
        }
        return model.greedyTokens;
    }

    /** The rows as stored, which must be the decoder's own. */
    private static @Nullable FloatTensor matrix(Check check, DecoderNetwork decoder, AdapterPart part) {
        Path file = part.vocabularyFile();
        StoredTensor stored = part.vocabularyMatrix();
        if (file == null) {
            return null;
        }
        FloatTensor own = decoder.embed(SharedVocabulary.read(file).ids());
        if (stored != null) {
            check.same("the stored vocabulary matrix", stored.toFloats(), own.toArray());
        }
        return own;
    }

    private void checkRun(Entry run, int maxNewTokens) {
        String label = run.text("label");
        List<Seen> seen = new ArrayList<>();
        for (String name : run.texts("pictures")) {
            Seen picture = see(label, seen, name, true);
            if (picture == null) {
                check.leaveOut("run " + label + ": " + name + " is not there");
                run.describeAll();
                check.tensorNames().stream()
                        .filter(t -> t.startsWith(label + "."))
                        .forEach(check::describeTensor);
                return;
            }
            seen.add(picture);
        }
        checkPictures(label, run.texts("pictures"), seen);
        int[] counts =
                seen.stream().flatMapToInt(picture -> runs(picture.layout())).toArray();
        for (String key : Arrays.asList("visual_tokens", "placeholders", "image_token_runs")) {
            if (run.has(key)) {
                check.same(key + " of " + label, counts, run.integers(key));
            }
        }
        boolean splice = folder.imagePrompt() instanceof ImagePrompt.Splice;
        int[] ids = splice ? splitIds(run.text("prompt")) : expandedIds(prompt(run), seen);
        check.same(label + ".input_ids", ids, check.ids(label + ".input_ids"));
        if (run.has("messages")) {
            checkAssembled(run, label, seen);
        }
        if (run.has("tokens")) {
            check.same("tokens of " + label, ids.length, run.integer("tokens"));
        }
        FloatTensor embeds =
                embeddings(ids, seen.stream().map(Seen::visualTokens).toList(), networks.decoder());
        check.same("sequence of " + label, embeds.size(0), run.integer("sequence"));
        check.closeIfGiven(label + ".inputs_embeds", embeds);
        checkTokenTypes(label, ids);
        Given prompt = new Given(embeds, positions(ids, seen), ahead(ids));
        if (prompt.positions() != null) {
            placed.add(prompt);
        }
        FloatTensor exactEmbeds =
                embeddings(ids, seen.stream().map(Seen::exactTokens).toList(), exact.decoder());
        checkDecoder(run, label, prompt, exactEmbeds, maxNewTokens);
        if (check.hasTensor(label + SHAPES) && !check.quantized()) {
            checkOwnPixels(run, label, ids, maxNewTokens);
        }
    }

    /** The same from our own pixels, which are near to the reference's. */
    private void checkOwnPixels(Entry run, String label, int[] ids, int maxNewTokens) {
        List<Seen> own = new ArrayList<>();
        for (String name : run.texts("pictures")) {
            own.add(Objects.requireNonNull(see(label, own, name, false)));
        }
        checkTogether(label + ".pixel_values", own.stream().map(this::padded).toList(), OTHER_RESIZING);
        FloatTensor embeds =
                embeddings(ids, own.stream().map(Seen::visualTokens).toList(), networks.decoder());
        Given prompt = new Given(embeds, positions(ids, own), ahead(ids));
        fromOwnPixels.put(
                label,
                DecoderCases.greedy(
                        networks.decoder(), prompt, new int[0], 1, new int[0], maxNewTokens, new ArrayList<>()));
    }

    /** As text; of a model that knows no conversations the question as its form has it. */
    private String prompt(Entry run) {
        if (!run.has("messages") || !run.get("messages").isJsonNull()) {
            return run.text("prompt");
        }
        List<Map<String, Object>> parts = new ArrayList<>();
        run.texts("pictures").forEach(picture -> parts.add(Map.of("type", "image")));
        parts.add(Map.of("type", "text", "text", run.text("prompt")));
        ChatTemplate form = Objects.requireNonNull(folder.llm().chatTemplate(null));
        return form.render(List.of(Map.of("role", "user", "content", parts)), true, Map.of());
    }

    /** The ids as the core puts them together from messages. */
    private void checkAssembled(Entry run, String label, List<Seen> seen) {
        ChatTemplate template = folder.llm().chatTemplate(null);
        if (template == null) {
            return; // a prompt as text
        }
        PromptAssembler assembler = new PromptAssembler(
                tokenizer,
                template,
                folder.imagePrompt(),
                folder.llm().generation().eosTokenIds());
        List<Message> messages = PublicApi.messages(check, run);
        if (messages == null) {
            return;
        }
        List<int[]> pieces = assembler.split(assembler.render(messages, true), true);
        int placeholder = folder.imagePrompt() instanceof ImagePrompt.Placeholder p ? p.tokenId() : SPLICED;
        IntStream ids = Arrays.stream(pieces.get(0));
        for (int i = 1; i < pieces.size(); i++) {
            TokenLayout layout = seen.get(i - 1).layout();
            int[] picture =
                    placeholder == SPLICED ? new int[] {SPLICED} : places(layout, assembler.words(layout), placeholder);
            ids = IntStream.concat(ids, IntStream.concat(Arrays.stream(picture), Arrays.stream(pieces.get(i))));
        }
        check.same("assembled ids of " + label, ids.toArray(), check.ids(label + ".input_ids"));
    }

    /** 1 where a picture stands, 0 at words; or 0 at all that sees each other. */
    private void checkTokenTypes(String label, int[] ids) {
        if (folder.llm().config().opensPrompts()) {
            check.same(label + ".token_type_ids", new int[ids.length], check.ids(label + ".token_type_ids"));
            check.describeTensor(label + ".labels");
            return;
        }
        String name = label + (check.hasTensor(label + ".token_type_ids") ? ".token_type_ids" : ".mm_token_type_ids");
        if (check.hasTensor(name) && folder.imagePrompt() instanceof ImagePrompt.Placeholder p) {
            check.same(
                    name,
                    Arrays.stream(ids).map(id -> id == p.tokenId() ? 1 : 0).toArray(),
                    check.ids(name));
        }
    }

    /** Where the tokens stand, if not one behind the other. */
    private int @Nullable [][] positions(int[] ids, List<Seen> seen) {
        Positions positions = folder.positions();
        if (positions == null || !(folder.imagePrompt() instanceof ImagePrompt.Placeholder p)) {
            return null;
        }
        List<Positions.Segment> segments = new ArrayList<>();
        int picture = 0;
        for (int i = 0; i < ids.length; ) {
            TokenLayout layout = ids[i] == p.tokenId() ? seen.get(picture++).layout() : null;
            segments.add(
                    new Positions.Segment(layout == null ? 1 : layout.tokens(), layout == null ? 0 : layout.columns()));
            i += layout == null ? 1 : layout.tokens();
        }
        return positions.of(segments);
    }

    /** How many tokens behind it each sees, where those of a picture see each other. */
    private int @Nullable [] ahead(int[] ids) {
        if (!folder.llm().config().opensPictures() || !(folder.imagePrompt() instanceof ImagePrompt.Placeholder p)) {
            return null;
        }
        int[] ahead = new int[ids.length];
        for (int i = ids.length - 2; i >= 0; i--) {
            boolean sees = folder.llm().config().opensPrompts() || ids[i] == p.tokenId() && ids[i + 1] == p.tokenId();
            ahead[i] = sees ? ahead[i + 1] + 1 : 0;
        }
        return ahead;
    }

    private void checkDecoder(Entry run, String label, Given prompt, FloatTensor exactEmbeds, int maxNewTokens) {
        DecoderNetwork decoder = networks.decoder();
        float[] last;
        try (DecoderSession session = decoder.open(prompt.tokens())) {
            last = DecoderCases.copy(prompt.prefill(session));
        }
        check.closeIfGiven(label + ".logits_last", FloatTensor.of(last, last.length));
        if (prompt.ahead() != null && !check.quantized()) {
            checkPortions(label, prompt, last);
            checkBeside(label, prompt, DecoderCases.argmax(FloatBuffer.wrap(last)));
        }
        if (run.has("argmax_of_last") && !check.quantized()) {
            check.same("argmax", DecoderCases.argmax(FloatBuffer.wrap(last)), run.integer("argmax_of_last"));
        }
        if (check.hasTensor(label + ".logits")) {
            int count = check.tensor(label + ".logits").size(0);
            check.close(
                    label + ".logits",
                    DecoderCases.last(
                            decoder.trace(prompt.embeds(), prompt.positions(), prompt.ahead())
                                    .logits(),
                            count));
        }
        if (check.quantized()) {
            run.describe("argmax_of_last", "new_ids", "new_text");
            check.describeTensor(label + ".step_logits"); // along the reference's tokens, which may not be chosen here
            Given same = new Given(exactEmbeds, prompt.positions(), prompt.ahead());
            DecoderCases.checkAgainstFull(check, label, networks.decoder(), exact.decoder(), same);
            return;
        }
        int[] newIds = DecoderCases.greedy(decoder, prompt, new int[0], 1, new int[0], maxNewTokens, new ArrayList<>());
        greedyTokens.put(label, Arrays.stream(newIds).boxed().toList());
        if (check.hasTensor(label + ".step_logits")) {
            checkSteps(label + ".step_logits", prompt, newIds);
        }
        check.same(label + " new_ids", newIds, run.integers("new_ids"));
        check.same(label + " new_text", DecoderCases.text(tokenizer, newIds), run.text("new_text"));
    }

    /**
     * A prompt in parts that are shorter than its pictures, whose tokens see each other all the same; and again from
     * the middle of the last of them.
     */
    private void checkPortions(String label, Given prompt, float[] expected) {
        EngineOptions o = check.options();
        EngineOptions shorter = new EngineOptions(
                o.threads(),
                o.spinning(),
                o.cacheDirectory(),
                o.device(),
                o.allowDownloads(),
                o.precision(),
                3,
                o.halfKvCache(),
                o.affinity(),
                o.twoForms(),
                o.cacheLimit());
        int[] ahead = Objects.requireNonNull(prompt.ahead());
        int inside = IntStream.range(0, ahead.length)
                .filter(i -> ahead[i] > 0)
                .map(i -> i + 1)
                .max()
                .orElse(0);
        try (DecoderNetwork network = check.engine()
                        .decoder(folder.llm().config(), folder.llm().weights(), shorter);
                DecoderSession session = network.open(prompt.tokens())) {
            int from = 0;
            for (int time = 0; time < (inside == 0 ? 1 : 2); time++) {
                session.lookAhead(Arrays.copyOfRange(ahead, from, ahead.length));
                int at = from;
                for (int rest = prompt.tokens() - at; session.portion(rest) < rest; rest = prompt.tokens() - at) {
                    int to = at + session.portion(rest);
                    session.fill(prompt.embeds().rows(at, to));
                    at = to;
                }
                float[] last = DecoderCases.copy(session.prefill(prompt.embeds().rows(at, prompt.tokens())));
                check.close(
                        label + ".logits_last in parts from " + from,
                        last,
                        expected,
                        check.tolerance(label + ".logits_last"));
                from = session.rewind(inside);
            }
        }
    }

    /** A step of two sequences together is that of each alone. */
    private void checkBeside(String label, Given prompt, int token) {
        int capacity = prompt.tokens() + 1;
        try (DecoderSession alone = networks.decoder().open(capacity);
                DecoderBatch both = networks.decoder().open(2, capacity)) {
            prompt.prefill(alone);
            float[] expected = DecoderCases.copy(alone.step(token));
            prompt.prefill(both.sequence(0));
            prompt.prefill(both.sequence(1));
            FloatTensor logits = both.step(token, token);
            for (int i = 0; i < 2; i++) {
                check.close(
                        label + " beside another, sequence " + i,
                        logits.rows(i, i + 1).toArray(),
                        expected,
                        check.tolerance(label + ".logits_last"));
            }
        }
    }

    /** The scores that the first tokens were chosen from. */
    private void checkSteps(String name, Given prompt, int[] newIds) {
        int steps = check.tensor(name).size(0);
        int vocabulary = folder.llm().config().vocabSize();
        FloatTensor all = FloatTensor.allocate(steps, vocabulary);
        FloatBuffer target = all.data();
        try (DecoderSession session = networks.decoder().open(prompt.tokens() + steps)) {
            target.put(DecoderCases.copy(prompt.prefill(session)));
            for (int i = 1; i < steps; i++) {
                target.put(DecoderCases.copy(session.step(newIds[i - 1])));
            }
        }
        check.close(name, all);
    }

    /** Runs one picture as far as the decoder; null if the picture is not there. */
    private @Nullable Seen see(String label, List<Seen> before, String name, boolean fromGiven) {
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        Optional<RgbPixels> picture = pictures.exactPixels(name);
        if (picture.isEmpty() && !pictures.has(name)) {
            return null;
        }
        PreparedImage prepared = preprocessor.prepare(picture.orElseGet(() -> pictures.decoded(name)));
        List<Map<String, FloatTensor>> each = new ArrayList<>();
        prepared.each().forEach(inputs -> each.add(new LinkedHashMap<>(inputs)));
        String given = label + "." + before.size() + ".pixel_values";
        if (picture.isEmpty() && check.hasTensor(given)) {
            // Another decoder's JPEG: go on with the reference's pixels.
            each.get(0).put(Net.PIXEL_VALUES, check.tensor(given));
        }
        if (fromGiven && check.hasTensor(label + SHAPES)) {
            int first = before.stream().mapToInt(other -> other.each().size()).sum();
            for (int view = 0; view < each.size(); view++) {
                each.get(view)
                        .put(
                                Net.PIXEL_VALUES,
                                givenView(
                                        label,
                                        first + view,
                                        prepared.plan().views().get(view)));
            }
        }
        FloatTensor features = features(networks, prepared, each);
        FloatTensor projected = networks.adapter().visualTokens(features);
        FloatTensor merged = TileMerge.merge(projected, newline, prepared.plan());
        FloatTensor exactTokens = !check.quantized()
                ? merged
                : TileMerge.merge(
                        exact.adapter().visualTokens(features(exact, prepared, each)), newline, prepared.plan());
        return new Seen(
                each.stream()
                        .map(inputs -> Objects.requireNonNull(inputs.get(Net.PIXEL_VALUES)))
                        .toList(),
                features,
                projected,
                merged,
                exactTokens,
                prepared.plan());
    }

    private static FloatTensor features(
            Networks networks, PreparedImage prepared, List<Map<String, FloatTensor>> each) {
        List<FloatTensor> parts =
                each.stream().map(inputs -> networks.vision().run(inputs)).toList();
        if (parts.size() == 1) {
            return parts.get(0);
        }
        FloatTensor all = prepared.features(parts.get(0));
        FloatBuffer target = all.data();
        parts.forEach(part -> target.put(part.data()));
        return all;
    }

    /** Patches of a view as the reference has them, row by row, in our order. */
    private FloatTensor givenView(String label, int view, PicturePlan.View of) {
        FloatTensor all = check.tensor(label + ".pixel_values");
        int rows = of.size().height() / patches().size();
        int columns = of.size().width() / patches().size();
        FloatTensor given = all.rows(view, view + 1).reshape(all.size(1), all.size(2));
        FloatTensor values = FloatTensor.allocate(1, rows * columns, all.size(2));
        FloatBuffer target = values.data();
        int[] row = patches().rows(rows, columns);
        int[] column = patches().columns(rows, columns);
        for (int i = 0; i < row.length; i++) {
            int at = row[i] * columns + column[i];
            target.put(given.rows(at, at + 1).data());
        }
        return values;
    }

    /** Patches of all views row by row, and zeros behind them, as the reference has them. */
    private FloatTensor padded(Seen picture) {
        FloatTensor first = picture.each().get(0);
        int most = check.tensor(check.tensorNames().stream()
                        .filter(name -> name.endsWith(".pixel_values"))
                        .findFirst()
                        .get())
                .size(1);
        FloatTensor all = FloatTensor.allocate(picture.each().size(), most, first.size(2));
        for (int view = 0; view < picture.each().size(); view++) {
            FloatTensor values = picture.each().get(view);
            FloatTensor ours = values.reshape(values.size(1), values.size(2));
            FloatTensor slot = all.rows(view, view + 1).reshape(most, first.size(2));
            PicturePlan.View of = picture.plan().views().get(view);
            int rows = of.size().height() / patches().size();
            int columns = of.size().width() / patches().size();
            int[] row = patches().rows(rows, columns);
            int[] column = patches().columns(rows, columns);
            for (int i = 0; i < row.length; i++) {
                int at = row[i] * columns + column[i];
                slot.rows(at, at + 1).data().put(ours.rows(i, i + 1).data());
            }
        }
        return all;
    }

    /** Tensors of each picture ({@code <run>.<i>.}), and of all pictures of a run together ({@code <run>.}). */
    private void checkPictures(String label, List<String> names, List<Seen> seen) {
        for (int i = 0; i < seen.size(); i++) {
            String name = label + "." + i + ".";
            Seen picture = seen.get(i);
            check.closeIfGiven(name + "pixel_values", picture.pixels());
            check.closeIfGiven(name + "features", picture.features());
            check.closeIfGiven(name + "visual_tokens", picture.visualTokens());
            if (check.hasTensor(name + "vocabulary_logits")) {
                check.close(name + "vocabulary_logits", networks.adapter().coefficients(picture.features()));
            }
        }
        checkTogether(
                label + ".pixel_values",
                seen.stream().map(picture -> asGiven(label, picture)).toList(),
                check.tolerance(label + ".pixel_values"));
        checkTogether(label + ".features", seen.stream().map(Seen::features).toList());
        checkTogether(label + ".projected", seen.stream().map(Seen::projected).toList());
        checkTogether(
                label + ".visual_tokens",
                seen.stream().map(picture -> alone(picture.visualTokens())).toList());
        if (check.hasTensor(label + SHAPES)) {
            int[] shapes = seen.stream()
                    .flatMap(picture -> picture.plan().views().stream())
                    .flatMapToInt(view -> IntStream.of(
                            view.size().height() / patches().size(),
                            view.size().width() / patches().size()))
                    .toArray();
            check.same(label + SHAPES, shapes, check.ids(label + SHAPES));
        }
        if (check.hasTensor(label + PLACES)) {
            checkPlaces(label + PLACES, seen);
        }
        if (check.hasTensor(label + ".image_grid_thw")) {
            int[] grids = seen.stream()
                    .flatMapToInt(picture -> IntStream.of(
                            1,
                            picture.layout().rows() * merge(picture),
                            picture.layout().columns() * merge(picture)))
                    .toArray();
            check.same(label + ".image_grid_thw", grids, check.ids(label + ".image_grid_thw"));
        }
        if (check.hasTensor(label + ".image_sizes")) {
            ReferencePictures pictures = new ReferencePictures(check.fixtures());
            // Of what the encoder sees, if that is at the picture's own shape; else of the picture.
            int[] sizes = folder.pictures().patches() != null
                    ? seen.stream()
                            .map(picture -> picture.plan().views().get(0).size())
                            .flatMapToInt(size -> IntStream.of(size.height(), size.width()))
                            .toArray()
                    : names.stream()
                            .map(pictures::decoded)
                            .flatMapToInt(picture -> IntStream.of(picture.height(), picture.width()))
                            .toArray();
            check.same(label + ".image_sizes", sizes, check.ids(label + ".image_sizes"));
        }
    }

    /** Patches along the side of a visual token. */
    private static int merge(Seen picture) {
        return (int) Math.round(
                Math.sqrt((double) picture.pixels().size(1) / picture.layout().tokens()));
    }

    /** Patches as the reference has them. */
    private FloatTensor asGiven(String label, Seen picture) {
        FloatTensor pixels = picture.pixels();
        String name = label + ".pixel_values";
        if (pixels.shape().length != 3 || !check.hasTensor(name)) {
            return pixels;
        }
        if (check.hasTensor(label + SHAPES)) {
            return padded(picture);
        }
        if (check.tensor(name).shape().length == 4) {
            return inPlanes(picture);
        }
        return check.hasTensor(label + PLACES) ? rowByRow(name, picture) : inFrames(name, pixels);
    }

    /** Pixels of the only view, channel by channel. */
    private FloatTensor inPlanes(Seen picture) {
        Size view = picture.plan().views().get(0).size();
        int size = patches().size();
        FloatTensor planes = FloatTensor.allocate(1, 3, view.height(), view.width());
        float[] ours = picture.pixels().toArray();
        int[] places = places(picture);
        for (int i = 0; i < ours.length; i++) {
            int patch = i / (3 * size * size);
            int in = i % (3 * size * size);
            int y = places[2 * patch + 1] * size + in / size % size;
            int x = places[2 * patch] * size + in % size;
            planes.data().put((in / (size * size) * view.height() + y) * view.width() + x, ours[i]);
        }
        return planes;
    }

    /** Its patches come row by row, and as many of zeros behind them as there may be. */
    private FloatTensor rowByRow(String name, Seen picture) {
        FloatTensor given = picture.pixels()
                .reshape(picture.pixels().size(1), picture.pixels().size(2));
        int[] places = places(picture);
        int columns = picture.layout().columns() * patches().together();
        FloatTensor all = FloatTensor.allocate(check.tensor(name).size(1), given.size(1));
        for (int i = 0; i < given.size(0); i++) {
            int at = places[2 * i + 1] * columns + places[2 * i];
            all.rows(at, at + 1).data().put(given.rows(i, i + 1).data());
        }
        return all;
    }

    private Patches patches() {
        return Objects.requireNonNull(folder.pictures().patches());
    }

    /** Column and row of each patch, in our order. */
    private int[] places(Seen picture) {
        int rows = picture.layout().rows() * patches().together();
        int columns = picture.layout().columns() * patches().together();
        int[] row = patches().rows(rows, columns);
        int[] column = patches().columns(rows, columns);
        int[] places = new int[2 * row.length];
        for (int i = 0; i < row.length; i++) {
            places[2 * i] = column[i];
            places[2 * i + 1] = row[i];
        }
        return places;
    }

    /** Column and row of each patch in the reference's order, -1 where there is none. */
    private void checkPlaces(String name, List<Seen> seen) {
        int[] all = new int[check.ids(name).length];
        Arrays.fill(all, -1);
        int slot = all.length / seen.size();
        for (int picture = 0; picture < seen.size(); picture++) {
            int[] places = places(seen.get(picture));
            int columns = seen.get(picture).layout().columns() * patches().together();
            for (int i = 0; i < places.length; i += 2) {
                int at = picture * slot + 2 * (places[i + 1] * columns + places[i]);
                all[at] = places[i];
                all[at + 1] = places[i + 1];
            }
        }
        check.same(name, all, check.ids(name));
    }

    /** Its patches hold a still in several equal frames, channel by channel. */
    private FloatTensor inFrames(String name, FloatTensor pixels) {
        int frames = check.tensor(name).size(1) / pixels.size(2);
        int channel = pixels.size(2) / 3;
        FloatTensor all = FloatTensor.allocate(pixels.size(1), pixels.size(2) * frames);
        FloatBuffer target = all.data();
        float[] values = pixels.toArray();
        for (int from = 0; from < values.length; from += channel) {
            for (int frame = 0; frame < frames; frame++) {
                target.put(values, from, channel);
            }
        }
        return all;
    }

    /** Without what belongs to them beside the embeddings' width. */
    private FloatTensor alone(FloatTensor visualTokens) {
        int hidden = folder.llm().config().hiddenSize();
        FloatTensor first = FloatTensor.allocate(visualTokens.size(0), hidden);
        FloatBuffer target = first.data();
        for (int i = 0; i < visualTokens.size(0); i++) {
            FloatBuffer row = visualTokens.rows(i, i + 1).data();
            row.limit(hidden);
            target.put(row);
        }
        return first;
    }

    /**
     * One after the other, as far as the reference fills its tensor: it pads every picture of a batch to the largest
     * number of tiles, with zeros.
     */
    private void checkTogether(String name, List<FloatTensor> parts) {
        checkTogether(name, parts, check.tolerance(name));
    }

    private void checkTogether(String name, List<FloatTensor> parts, double tolerance) {
        if (!check.hasTensor(name)) {
            return;
        }
        FloatTensor expected = check.tensor(name);
        boolean padded = expected.shape().length == 5;
        int slot = padded ? expected.count() / expected.size(0) : 0;
        FloatTensor actual = FloatTensor.allocate(expected.count());
        FloatBuffer target = actual.data();
        int values = 0;
        for (int i = 0; i < parts.size(); i++) {
            FloatBuffer part = parts.get(i).data();
            values += part.limit();
            if (part.limit() > (padded ? slot : target.remaining())) {
                break;
            }
            if (padded) {
                target.position(i * slot);
            }
            target.put(part);
        }
        check.holds(
                name + " has " + expected.count() + " values, the pictures have " + values,
                padded ? values <= expected.count() : values == expected.count());
        check.close(name, actual.toArray(), expected.toArray(), tolerance);
    }

    /** The text between the pictures, piece by piece. */
    private int[] splitIds(String prompt) {
        List<Integer> ids = new ArrayList<>();
        String[] pieces = prompt.split(Pattern.quote(image), -1);
        for (int i = 0; i < pieces.length; i++) {
            if (i > 0) {
                ids.add(SPLICED);
            }
            if (i == 0 || !pieces[i].isEmpty()) {
                Arrays.stream(tokenizer.encode(pieces[i], i == 0)).forEach(ids::add);
            }
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    /** How many visual tokens stand side by side, for each such run. */
    private static IntStream runs(TokenLayout layout) {
        IntStream.Builder counts = IntStream.builder();
        int from = 0;
        for (TokenLayout.Words words : layout.words()) {
            if (words.before() > from) {
                counts.add(words.before() - from);
            }
            from = words.before();
        }
        if (layout.tokens() > from) {
            counts.add(layout.tokens() - from);
        }
        return counts.build();
    }

    /** A picture's words, and the placeholder for each visual token. */
    private static int[] places(TokenLayout layout, List<int[]> words, int placeholder) {
        IntStream.Builder ids = IntStream.builder();
        int next = 0;
        for (int token = 0; token <= layout.tokens(); token++) {
            while (next < words.size() && layout.words().get(next).before() == token) {
                Arrays.stream(words.get(next++)).forEach(ids::add);
            }
            if (token < layout.tokens()) {
                ids.add(placeholder);
            }
        }
        return ids.build().toArray();
    }

    /** The placeholder once per visual token, and the words between them, all in one piece. */
    private int[] expandedIds(String prompt, List<Seen> seen) {
        StringBuilder expanded = new StringBuilder();
        String marked = folder.imagePrompt() instanceof ImagePrompt.Placeholder p
                ? prompt.replace(p.mark(), p.written())
                : prompt;
        String[] pieces = marked.split(Pattern.quote(image), -1);
        check.same("places for pictures", pieces.length - 1, seen.size());
        for (int i = 0; i < pieces.length; i++) {
            expanded.append(i > 0 ? text(seen.get(i - 1).layout()) : "").append(pieces[i]);
        }
        String begin = tokenizer.bosToken();
        int text = 0;
        while (prompt.startsWith(image, text)) {
            text += image.length();
        }
        return tokenizer.encode(expanded.toString(), begin == null || !prompt.startsWith(begin, text));
    }

    private String text(TokenLayout layout) {
        StringBuilder text = new StringBuilder();
        int from = 0;
        for (TokenLayout.Words words : layout.words()) {
            text.append(image.repeat(words.before() - from)).append(words.text());
            from = words.before();
        }
        return text.append(image.repeat(layout.tokens() - from)).toString();
    }

    /** Rows of the tokens, with the visual tokens in the place of each picture. */
    private FloatTensor embeddings(int[] ids, List<FloatTensor> pictures, DecoderNetwork decoder) {
        int placeholder = folder.imagePrompt() instanceof ImagePrompt.Placeholder p ? p.tokenId() : SPLICED;
        List<FloatTensor> rows = new ArrayList<>();
        int picture = 0;
        int token = 0;
        for (int id : ids) {
            if (id != placeholder) {
                rows.add(decoder.embed(id));
                continue;
            }
            FloatTensor tokens = decoder.embed(pictures.get(picture));
            int to = placeholder == SPLICED ? tokens.size(0) : token + 1;
            rows.add(tokens.rows(token, to));
            token = to == tokens.size(0) ? 0 : to;
            picture += token == 0 ? 1 : 0;
        }
        int length = rows.stream().mapToInt(row -> row.size(0)).sum();
        FloatTensor all = FloatTensor.allocate(length, folder.llm().config().inputWidth());
        FloatBuffer target = all.data();
        rows.forEach(row -> target.put(row.data()));
        return all;
    }
}

package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import io.langbridge.contract.Fixtures;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.Size;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tables of published models in {@code sdk-api/docs/models.md}: every family and every kind of language model has a
 * row, and its figures are those of today's estimate. After a change, {@code ./mvnw test -pl sdk-runtime/onnx -am
 * -Dtest=ModelsGuideTest -Dlangbridge.models.write -Dsurefire.failIfNoSpecifiedTests=false} writes them anew. A row is
 * an entry of {@code models.json}: a reference case whose files have the layout, and what its published
 * {@code config.json} has instead ({@code null} takes a key away).
 */
class ModelsGuideTest {
    private static final Pattern MARK =
            Pattern.compile("(<!-- (\\w+): written by ModelsGuideTest -->\\n)(.*?)(<!-- end -->)", Pattern.DOTALL);
    private static final Pattern REFUSED = Pattern.compile("Tensor (\\S+) in .* asks for \\[([\\d, ]*)\\]");
    private static final Pattern LAYER = Pattern.compile("(?<=\\.)\\d+(?=\\.)");
    private static final List<Size> PHOTOGRAPHS = List.of(new Size(1024, 768), new Size(4032, 3024));

    @TempDir
    Path scratch = Path.of("");

    /** A row of the file. */
    private record Row(JsonObject json) {
        String text(String key) {
            return json.get(key).getAsString();
        }

        JsonObject object(String key) {
            return json.has(key) ? json.getAsJsonObject(key) : new JsonObject();
        }

        String name() {
            return text("name") + " " + text("size");
        }

        String link() {
            return "[" + name() + "](https://huggingface.co/" + text("hub") + ")";
        }
    }

    private static List<Row> rows(String table) throws IOException {
        List<Row> rows = new ArrayList<>();
        try (Reader reader = Files.newBufferedReader(Path.of("src/test/resources/models.json"))) {
            for (JsonElement row :
                    JsonParser.parseReader(reader).getAsJsonObject().getAsJsonArray(table)) {
                rows.add(new Row(row.getAsJsonObject()));
            }
        }
        return rows;
    }

    @Test
    void theGuideHasTheFiguresOfEveryFamilyAndLanguageModel() throws Exception {
        Path guide = Path.of("../../sdk-api/docs/models.md");
        String text = Files.readString(guide);
        String made = MARK.matcher(text).replaceAll(mark -> {
            try {
                return Matcher.quoteReplacement(
                        mark.group(1) + (mark.group(2).equals("models") ? models() : languageModels()) + mark.group(4));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        if (System.getProperty("langbridge.models.write") != null) {
            Files.writeString(guide, made);
        }
        assertThat(MARK.matcher(text).results()).hasSize(2);
        assertThat(Files.readString(guide))
                .as("tables of models.md; -Dlangbridge.models.write writes them anew")
                .isEqualTo(made);
    }

    private String models() throws IOException {
        StringBuilder table = new StringBuilder()
                .append(
                        "| Model | Licence | Visual tokens, 1,024 x 768 / 4,032 x 3,024 | Memory in GB, FULL / INT8 / INT4 |"
                                + " Not supported |\n|---|---|---|---|---|\n");
        Set<String> described = new TreeSet<>();
        for (Row row : rows("models")) {
            Path folder = shaped(row, ModelFolder::open);
            described.add(architecture(folder));
            List<String> tokens = new ArrayList<>();
            try (ModelFolder model = ModelFolder.open(folder)) {
                for (Size photograph : PHOTOGRAPHS) {
                    tokens.add(String.format(
                            Locale.ROOT,
                            "%,d",
                            model.pictures().plan(photograph).layout().tokens()));
                }
            }
            table.append("| ")
                    .append(row.link())
                    .append(" | ")
                    .append(row.text("licence"))
                    .append(" | ")
                    .append(tokens.get(0).equals(tokens.get(1)) ? tokens.get(0) : String.join(" / ", tokens))
                    .append(" | ")
                    .append(memory(VisionLanguageModel.builder().folder(folder)))
                    .append(" | ")
                    .append(row.text("not"))
                    .append(" |\n");
        }
        for (Set<String> family : ModelFolder.families()) {
            assertThat(described).as("rows of models.json").anyMatch(family::contains);
        }
        return table.toString();
    }

    private String languageModels() throws IOException {
        StringBuilder table = new StringBuilder()
                .append("| Language model | Licence | Memory in GB, FULL / INT8 / INT4 |\n|---|---|---|\n");
        Row parts = rows("parts").get(0);
        Path encoder = shaped(parts, VisionPart::open);
        Path adapter = Files.createDirectories(scratch.resolve("adapter"));
        write(adapter.resolve("mm_projector.safetensors"), shapes(parts.object("adapter")));
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < 19_200; i++) {
            vocabulary.addProperty("token" + i, i);
        }
        Files.writeString(adapter.resolve("vocabulary.json"), vocabulary.toString());
        Set<String> described = new TreeSet<>();
        for (Row row : rows("languageModels")) {
            Path folder = shaped(row, LlmPart::open);
            described.add(row.text("like").substring("decoders/".length()));
            table.append("| ")
                    .append(row.link())
                    .append(" | ")
                    .append(row.text("licence"))
                    .append(" | ")
                    .append(memory(VisionLanguageModel.builder()
                            .encoder(Encoder.of(encoder))
                            .adapter(Adapter.langBridge(adapter))
                            .llm(Llm.of(folder))))
                    .append(" |\n");
        }
        try (Stream<Path> kinds = Files.list(Fixtures.bundled(scratch).resolve("decoders"))) {
            assertThat(described)
                    .as("rows of models.json")
                    .containsAll(kinds.map(kind -> kind.getFileName().toString())
                            .filter(kind -> !kind.equals("qwen2-bf16"))
                            .collect(Collectors.toList()));
        }
        return table.toString();
    }

    private static String memory(VisionLanguageModel.Builder builder) {
        return Stream.of(Precision.values())
                .map(precision -> {
                    long bytes = builder.threads(2).precision(precision).check().memoryNeeded();
                    assertThat(bytes).isGreaterThan(200_000_000L);
                    return String.format(Locale.ROOT, bytes < 9_950_000_000L ? "%.1f" : "%.0f", bytes / 1e9);
                })
                .collect(Collectors.joining(" / "));
    }

    private static String architecture(Path folder) throws IOException {
        return JsonParser.parseString(Files.readString(folder.resolve("config.json")))
                .getAsJsonObject()
                .getAsJsonArray("architectures")
                .get(0)
                .getAsString();
    }

    /** A folder whose files say what the published model is; its weights are as long as they are, and empty. */
    private Path shaped(Row row, Function<Path, AutoCloseable> open) throws IOException {
        Path like = Fixtures.bundled(scratch).resolve(row.text("like"));
        like = Files.exists(like.resolve("checkpoint")) ? like.resolve("checkpoint") : like;
        Path folder = scratch.resolve(row.name().replaceAll("\\W", "-"));
        Files.createDirectories(folder);
        Set<String> names = new LinkedHashSet<>();
        try (Weights weights = Checkpoints.open(like)) {
            names.addAll(weights.names());
        }
        try (Stream<Path> files = Files.walk(like)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".json") && !name.startsWith("tokenizer") && !name.endsWith(".index.json")) {
                    Path copy = folder.resolve(like.relativize(file).toString());
                    Files.createDirectories(copy.getParent());
                    Files.writeString(copy, merged(Files.readString(file), row, name));
                }
            }
        }
        JsonObject config = JsonParser.parseString(Files.readString(folder.resolve("config.json")))
                .getAsJsonObject();
        Map<String, long[]> told = shapes(row.object("shapes"));
        Map<String, long[]> shapes = new LinkedHashMap<>(told);
        shapes.keySet().removeIf(name -> name.contains(".N."));
        // A tower that is named and not described has a number of its own.
        int layers = row.json().has("layers") ? row.json().get("layers").getAsInt() : layers(config);
        for (String name : names) {
            boolean counted = LAYER.matcher(name).find();
            for (int layer = 0; layer < (counted ? layers : 1); layer++) {
                String other = counted ? LAYER.matcher(name).replaceFirst(String.valueOf(layer)) : name;
                if (!row.object("without").has(other)) {
                    String kind = LAYER.matcher(name).replaceFirst("N");
                    shapes.putIfAbsent(other, told.getOrDefault(kind, new long[] {1}));
                }
            }
        }
        learn(folder, shapes, open);
        return folder;
    }

    private static String merged(String text, Row row, String file) {
        JsonElement json = JsonParser.parseString(text);
        JsonObject changes = file.equals("config.json")
                ? row.object("config")
                : row.object("files").getAsJsonObject(file);
        if (changes != null) {
            merge(json.getAsJsonObject(), changes);
        }
        return json.toString();
    }

    private static void merge(JsonObject target, JsonObject changes) {
        changes.entrySet().forEach(change -> {
            JsonElement value = change.getValue();
            if (value.isJsonNull()) {
                target.remove(change.getKey());
            } else if (value.isJsonObject()
                    && target.has(change.getKey())
                    && target.get(change.getKey()).isJsonObject()) {
                merge(target.getAsJsonObject(change.getKey()), value.getAsJsonObject());
            } else {
                target.add(change.getKey(), value);
            }
        });
    }

    private static Map<String, long[]> shapes(JsonObject json) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        json.entrySet().forEach(entry -> {
            JsonArray sizes = entry.getValue().getAsJsonArray();
            long[] shape = new long[sizes.size()];
            Arrays.setAll(shape, i -> sizes.get(i).getAsLong());
            shapes.put(entry.getKey(), shape);
        });
        return shapes;
    }

    /** The most layers of any part. */
    private static int layers(JsonElement json) {
        int most = 1;
        if (json.isJsonObject()) {
            for (Map.Entry<String, JsonElement> entry : json.getAsJsonObject().entrySet()) {
                boolean counts = Set.of("num_hidden_layers", "depth").contains(entry.getKey());
                most = Math.max(most, counts ? entry.getValue().getAsInt() : layers(entry.getValue()));
            }
        }
        return most;
    }

    /** A reader says which shape it wants of a tensor that has another; so they become known one by one. */
    private static void learn(Path folder, Map<String, long[]> shapes, Function<Path, AutoCloseable> open)
            throws IOException {
        Set<String> asked = new LinkedHashSet<>();
        while (true) {
            write(folder.resolve("model.safetensors"), shapes);
            try (AutoCloseable opened = open.apply(folder)) {
                assertThat(opened).isNotNull();
                return;
            } catch (CheckpointException e) {
                Matcher refused = REFUSED.matcher(String.valueOf(e.getMessage()));
                if (!refused.find() || !asked.add(refused.group(1))) {
                    throw e;
                }
                long[] shape = Arrays.stream(refused.group(2).split(", "))
                        .filter(size -> !size.isEmpty())
                        .mapToLong(Long::parseLong)
                        .toArray();
                String kind = LAYER.matcher(refused.group(1)).replaceFirst("N");
                for (Map.Entry<String, long[]> other : shapes.entrySet()) {
                    if (!asked.contains(other.getKey())
                            && LAYER.matcher(other.getKey()).replaceFirst("N").equals(kind)) {
                        other.setValue(shape);
                    }
                }
                shapes.put(refused.group(1), shape);
            } catch (RuntimeException | IOException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    private static void write(Path file, Map<String, long[]> shapes) throws IOException {
        JsonObject header = new JsonObject();
        long at = 0;
        for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
            JsonObject entry = new JsonObject();
            entry.addProperty("dtype", "BF16");
            JsonArray shape = new JsonArray();
            Arrays.stream(tensor.getValue()).forEach(shape::add);
            entry.add("shape", shape);
            JsonArray offsets = new JsonArray();
            offsets.add(at);
            at += 2 * Arrays.stream(tensor.getValue()).reduce(1, Math::multiplyExact);
            offsets.add(at);
            entry.add("data_offsets", offsets);
            header.add(tensor.getKey(), entry);
        }
        String text = header.toString();
        byte[] json =
                (text + " ".repeat(-text.length() & 7)).getBytes(StandardCharsets.UTF_8); // as published files are
        Files.deleteIfExists(file);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .flip());
            channel.write(ByteBuffer.wrap(json));
            channel.write(ByteBuffer.allocate(1), Long.BYTES + json.length + at - 1);
        }
    }
}

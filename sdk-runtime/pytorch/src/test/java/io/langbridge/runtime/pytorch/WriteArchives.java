package io.langbridge.runtime.pytorch;

import com.google.gson.Gson;
import io.langbridge.Image;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.family.DecoderConfigReader;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.family.VisionConfigReader;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Writes the archives that the engine loads into a folder, for {@code src/cuda-check}: of the fixtures' networks and of
 * those whose configurations lie in a folder. Beside each archive is a list of what its weights are.
 */
final class WriteArchives {
    private final Path target;

    private WriteArchives(Path target) {
        this.target = target;
    }

    /** Arguments: where to, the fixtures, the folder with configurations. */
    public static void main(String[] arguments) throws IOException {
        WriteArchives writer = new WriteArchives(Files.createDirectories(Path.of(arguments[0])));
        Path fixtures = Path.of(arguments[1]);
        for (Path folder : in(fixtures.resolve("decoders"))) {
            try (LlmPart part = LlmPart.open(folder.resolve("checkpoint"))) {
                writer.write(folder.getFileName().toString(), part.config().network());
            }
        }
        for (Path folder : in(fixtures.resolve("vision"))) {
            try (VisionPart part = VisionPart.open(folder.resolve("checkpoint"))) {
                writer.write(folder.getFileName().toString(), Vit.network(part.config(), false));
            }
        }
        for (Path folder : in(fixtures.resolve("families"))) {
            try (ModelFolder model = ModelFolder.open(folder.resolve("checkpoint"))) {
                if (model.pictures().patches() != null) {
                    writer.write(folder.getFileName().toString(), model, fixtures.resolve("images/landscape.png"));
                }
            }
        }
        for (Path file : in(Path.of(arguments[2]))) {
            if (file.toString().endsWith(".json")) {
                Json config = Json.read(file);
                writer.write(
                        file.getFileName().toString().replace(".json", ""),
                        config.has("image_size")
                                ? Vit.network(VisionConfigReader.read(config, FeatureSelection.DEFAULT), false)
                                : DecoderConfigReader.read(config).network());
            }
        }
        // Their texts do not depend on the widths.
        writer.write("folded", Projector.network(new AdapterConfig.Mlp(1, 1, 2, true), 1));
        writer.write("softmax", Projector.network(new AdapterConfig.LangBridge(1, 1, 1, true), 1));
    }

    /** A model that takes pictures at their own shape, with what its tower reads of one; in the order of the text. */
    private void write(String name, ModelFolder model, Path picture) throws IOException {
        write(name + "-tower", model.vision().network());
        write(name + "-merger", Projector.network(model.adapter().config(), 0));
        write(name, model.llm().config().network());
        PreparedImage prepared = new ImagePreprocessor(model.pictures())
                .prepare(Image.of(picture).pixels());
        SafetensorsWriter inputs = new SafetensorsWriter();
        int index = 0;
        for (String input : Inventory.of(model.vision().network()).inputs().keySet()) {
            FloatTensor values = Objects.requireNonNull(prepared.inputs().get(input));
            inputs.add(index++ + "." + input, values.data(), values.size(1), values.size(2));
        }
        inputs.write(target.resolve(name + "-inputs.safetensors"));
    }

    private static List<Path> in(Path folder) throws IOException {
        try (Stream<Path> list = Files.list(folder)) {
            return list.filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    private void write(String name, Network network) throws IOException {
        TorchNet net = TorchNet.of(network);
        Files.write(target.resolve(name + ".pt"), TorchScriptArchive.of(net.source(), java.util.Map.of()));
        Files.writeString(target.resolve(name + ".json"), new Gson().toJson(net.slots()));
    }
}

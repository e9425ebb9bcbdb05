package io.langbridge.runtime.pytorch;

import com.google.gson.Gson;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.family.DecoderConfigReader;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.LlmPart;
import io.langbridge.runtime.core.family.VisionConfigReader;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.Vit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

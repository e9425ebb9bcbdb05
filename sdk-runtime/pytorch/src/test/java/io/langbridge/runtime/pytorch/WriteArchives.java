package io.langbridge.runtime.pytorch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the archives that the engine loads into a folder, for {@code src/cuda-check}. */
final class WriteArchives {
    private WriteArchives() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        for (String module : new String[] {"Vision", "Adapter", "Decoder"}) {
            String name = module.toLowerCase(java.util.Locale.ROOT);
            Files.write(
                    folder.resolve(name + ".pt"),
                    TorchScriptArchive.of(new TorchScriptArchive.Source(name + ".py", module)));
        }
    }
}

package io.langbridge.examples.langbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Every command with the tiny model that the example beside this one bundles; its weights are random. */
class MainTest {
    private static final Path BUNDLED = Path.of("../quickstart/src/main/resources");
    private static final String MODEL = BUNDLED.resolve("tiny-random").toString();
    private static final String TOWER =
            BUNDLED.resolve("tiny-random/vision_tower").toString();
    private static final String PICTURE = BUNDLED.resolve("picture.png").toString();

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    @BeforeEach
    void requireModel() {
        assumeTrue(Files.isDirectory(BUNDLED), "copied out of the repository: there is no model to try");
    }

    private int run(String... arguments) {
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        return command.execute(arguments);
    }

    @Test
    void checkPrintsAReport() {
        assertEquals(0, run("check", "--model", MODEL), out + "" + err);
        assertTrue(out.toString().contains("fits     feature size"), out::toString);
    }

    @Test
    void checkExitsWithOneIfThePartsDoNotFit() {
        assertEquals(1, run("check", "--encoder", TOWER, "--adapter", MODEL, "--llm", folder.toString()));
        assertTrue(out.toString().contains("problem  language model"), out::toString);
    }

    @Test
    void transferAsksBothLanguageModels() {
        int code = run("transfer", "--model", MODEL, "--to", MODEL, "--image", PICTURE, "--max-new-tokens", "4");
        assertEquals(0, code, err::toString);
        assertTrue(out.toString().contains("before: "), out::toString);
        assertTrue(out.toString().contains("after:  "), out::toString);
    }

    @Test
    void saveAndExportWriteAdaptersThatCheckAccepts() {
        String saved = folder.resolve("saved").toString();
        String exported = folder.resolve("exported").toString();
        assertEquals(0, run("save", "--adapter", MODEL, "--out", saved), err::toString);
        assertEquals(0, run("check", "--encoder", TOWER, "--adapter", saved, "--llm", MODEL), out::toString);
        int code = run("export", "--adapter", saved, "--llm", MODEL, "--own-width", "--out", exported);
        assertEquals(0, code, err::toString);
        assertTrue(Files.exists(folder.resolve("exported/mm_projector.safetensors")));
        // The tiny adapter is wider between its layers than the tiny language model.
        assertEquals(
                1,
                run(
                        "export",
                        "--adapter",
                        saved,
                        "--llm",
                        MODEL,
                        "--out",
                        folder.resolve("no").toString()));
        assertTrue(err.toString().contains("wide between its layers"), err::toString);
    }

    @Test
    void aFailureIsOneLine() {
        int code = run("transfer", "--model", MODEL, "--to", folder.toString(), "--image", PICTURE);
        assertEquals(1, code);
        assertTrue(err.toString().startsWith("transfer: "), err::toString);
        assertEquals(1, err.toString().lines().count(), err::toString);
    }
}

package io.langbridge.examples.langbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Every command with a tiny model whose weights are random. */
class MainTest {
    private static final Path RESOURCES = Path.of("src/test/resources");
    private static final String MODEL = RESOURCES.resolve("tiny-random").toString();
    private static final String TOWER =
            RESOURCES.resolve("tiny-random/vision_tower").toString();
    private static final String PICTURE = RESOURCES.resolve("picture.png").toString();

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

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
    void explainWritesAPageAndPictures() throws Exception {
        Path explained = folder.resolve("explained");
        int code = run("explain", "--model", MODEL, "--image", PICTURE, "--out", explained.toString(), "--word", "the");
        assertEquals(0, code, err::toString);
        assertTrue(out.toString().contains("16 patches; the strongest words"), out::toString);
        assertTrue(Files.readString(explained.resolve("words.html")).contains("coefficient"));
        for (String picture : new String[] {"words.png", "heat-1.png"}) {
            assertTrue(ImageIO.read(explained.resolve(picture).toFile()).getWidth() > 100, picture);
        }
    }

    @Test
    void explainNamesAWordThatIsNotThere() {
        String[] command = {
            "explain", "--model", MODEL, "--image", PICTURE, "--out", folder.toString(), "--word", "xyzzy"
        };
        assertEquals(1, run(command));
        assertTrue(err.toString().contains("[xyzzy]"), err::toString);
        assertEquals(0, run("explain", "--model", MODEL, "--image", PICTURE, "--out", folder.toString(), "--cosine"));
        assertEquals(
                0,
                run("explain", "--model", MODEL, "--image", PICTURE, "--out", folder.toString(), "--sparse", "--raw"));
    }

    @Test
    void analyseMeasuresASeriesOfAdapters() throws Exception {
        Path csv = folder.resolve("series.csv");
        Path plot = folder.resolve("series.png");
        int code = run(
                "analyse",
                "--encoder",
                TOWER,
                "--llm",
                MODEL,
                "--adapter",
                MODEL,
                MODEL,
                "--image",
                PICTURE,
                "--neighbours",
                "3",
                "--csv",
                csv.toString(),
                "--plot",
                plot.toString(),
                "--show");
        assertEquals(0, code, err::toString);
        List<String> lines = Files.readAllLines(csv);
        assertEquals(3, lines.size());
        assertTrue(lines.get(1).contains("tiny-random\",16,3,0."), lines.get(1));
        assertEquals(lines.get(1), lines.get(2));
        assertTrue(out.toString().contains("token 0, span ratio 0."), out::toString);
        assertEquals(1000, ImageIO.read(plot.toFile()).getWidth());
    }

    @Test
    void analyseFindsAFoldedAdapterWhereItsLangBridgeAdapterIs() throws Exception {
        Path exported = folder.resolve("folded");
        int code = run("export", "--adapter", MODEL, "--llm", MODEL, "--own-width", "--out", exported.toString());
        assertEquals(0, code, err::toString);
        Path before = folder.resolve("before.csv");
        Path after = folder.resolve("after.csv");
        String[] common = {"analyse", "--encoder", TOWER, "--llm", MODEL, "--image", PICTURE};
        assertEquals(0, run(with(common, "--adapter", MODEL, "--csv", before.toString())), err::toString);
        assertEquals(
                0, run(with(common, "--projector", exported.toString(), "--csv", after.toString())), err::toString);
        String[] expected = Files.readAllLines(before).get(1).split(",");
        String[] actual = Files.readAllLines(after).get(1).split(",");
        for (int i = 1; i < expected.length; i++) {
            assertEquals(Double.parseDouble(expected[i]), Double.parseDouble(actual[i]), 2e-6);
        }
    }

    private static String[] with(String[] common, String... more) {
        return Stream.concat(Arrays.stream(common), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void analyseRefusesAnAdapterOfTheOtherKind() {
        int code = run("analyse", "--encoder", TOWER, "--llm", MODEL, "--projector", MODEL, "--image", PICTURE);
        assertEquals(1, code);
        assertTrue(err.toString().contains("mm_vocab"), err::toString);
    }

    @Test
    void numbersThatMakeNoSenseAreErrorsOfUsage() {
        String image = folder.toString();
        assertEquals(2, run("explain", "--model", MODEL, "--image", PICTURE, "--out", image, "--words", "0"));
        assertTrue(err.toString().contains("--words: wordsPerPatch must be from 1 to 100, not 0"), err::toString);
        String[] analyse = {"analyse", "--encoder", TOWER, "--llm", MODEL, "--adapter", MODEL, "--image", PICTURE};
        assertEquals(2, run(with(analyse, "--neighbours", "1000")));
        assertTrue(err.toString().contains("--neighbours: neighbours must be from 1"), err::toString);
    }

    @Test
    void vocabularyCountsTextAndKeepsWhatAllKnow() throws Exception {
        Path corpus = Files.writeString(folder.resolve("corpus.txt"), "the image of the dog\nthe end\n");
        String built = folder.resolve("vocabulary").toString();
        int code =
                run("vocabulary", "--llm", MODEL, MODEL, "--corpus", corpus.toString(), "--size", "4", "--out", built);
        assertEquals(0, code, err::toString);
        assertTrue(err.toString().contains("counted 100 %"), err::toString);
        assertTrue(out.toString().contains("exact, 0 by text, 0 ambiguous, 0 missing"), out::toString);
        Path first = folder.resolve("vocabulary/4_tiny-random.json");
        Path second = folder.resolve("vocabulary/4_tiny-random-2.json");
        assertEquals(Files.readString(first), Files.readString(second));
        assertEquals(4, Files.readString(first).chars().filter(c -> c == ':').count());
        // The counts it wrote build the same again.
        String counts = folder.resolve("vocabulary/counts.json").toString();
        String again = folder.resolve("again").toString();
        assertEquals(0, run("vocabulary", "--llm", MODEL, MODEL, "--counts", counts, "--size", "4", "--out", again));
        assertEquals(Files.readString(first), Files.readString(folder.resolve("again/4_tiny-random.json")));
        assertEquals(2, run("vocabulary", "--llm", MODEL, "--counts", counts, "--size", "4", "--out", again));
        // All that was built is known to those it was built for.
        assertEquals(0, run("shared", "--vocabulary", first.toString(), "--llm", MODEL, MODEL), err::toString);
        assertTrue(out.toString().contains("| tiny-random-2 | 4 | 4 |"), out::toString);
    }

    @Test
    void aFailureIsOneLine() {
        int code = run("transfer", "--model", MODEL, "--to", folder.toString(), "--image", PICTURE);
        assertEquals(1, code);
        assertTrue(err.toString().startsWith("transfer: "), err::toString);
        assertEquals(1, err.toString().lines().count(), err::toString);
    }
}

package io.langbridge.examples.langbridge;

import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import io.langbridge.drawing.ExplanationDrawing;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows which words a picture is made of. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description =
                "Shows which words the patches of a picture are made of: a page for the browser, the words written on"
                        + " the picture, a heat map for each word asked for, and the words of the picture on the console.")
final class Explain implements Callable<Integer> {
    private static final int LISTED = 20;

    @Spec
    private CommandSpec spec;

    @Mixin
    private Parts parts;

    @Option(names = "--image", required = true, paramLabel = "FILE", description = "the picture")
    private Path image;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "made if it does not exist")
    private Path out;

    @Option(names = "--words", paramLabel = "N", description = "words of each patch; default: ${DEFAULT-VALUE}")
    private int words = 8;

    @Option(
            names = "--word",
            paramLabel = "TEXT",
            description = "draw the heat map of this word too; may be given several times")
    private List<String> asked = new ArrayList<>();

    @Option(
            names = "--cosine",
            description = "show the words of the whole vocabulary that each patch is nearest to, not its coefficients")
    private boolean cosine;

    @Option(
            names = "--sparse",
            description = "show the few words of the whole vocabulary whose mixture is nearest to each patch")
    private boolean sparse;

    @Option(names = "--raw", description = "rank words by their values alone, on empty ground too")
    private boolean raw;

    @Option(names = "--by-magnitude", description = "let words with large negative values count as strong")
    private boolean byMagnitude;

    @Override
    public Integer call() throws IOException {
        ExplainOptions options = options();
        Image picture = Image.of(image);
        Explanation explanation;
        try (VisionLanguageModel model = parts.builder().build()) {
            explanation = model.explain(model.encode(picture), options);
        }
        ExplanationDrawing drawing = ExplanationDrawing.of(explanation, picture);
        Files.createDirectories(out);
        Files.writeString(out.resolve("words.html"), drawing.page(), StandardCharsets.UTF_8);
        ImageIO.write(drawing.overlay(), "png", out.resolve("words.png").toFile());
        for (int i = 0; i < asked.size(); i++) {
            Path file = out.resolve("heat-" + (i + 1) + ".png"); // a word may hold what no file name can
            ImageIO.write(drawing.heatMap(explanation.word(asked.get(i)).orElseThrow()), "png", file.toFile());
        }
        print(explanation);
        return 0;
    }

    private ExplainOptions options() {
        ExplainOptions.Builder options =
                ExplainOptions.builder().byMagnitude(byMagnitude).raw(raw);
        try {
            options.wordsPerPatch(words);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--words: " + e.getMessage(), e);
        }
        if (cosine && sparse) {
            throw new ParameterException(spec.commandLine(), "Give either --cosine or --sparse");
        }
        if (cosine || sparse) {
            options.measure(cosine ? Explanation.Measure.COSINE : Explanation.Measure.SPARSE);
        }
        asked.forEach(options::word);
        return options.build();
    }

    private void print(Explanation explanation) {
        PrintWriter console = spec.commandLine().getOut();
        console.println(explanation.patches().size() + " patches; the strongest words of the picture:");
        explanation.words().stream()
                .limit(LISTED)
                .forEach(word -> console.printf(
                        Locale.ROOT,
                        "%10.4f in %4d patches  %s%n",
                        word.strength(),
                        word.strongIn(),
                        word.word().text()));
        List<Path> files = new ArrayList<>(List.of(out.resolve("words.html"), out.resolve("words.png")));
        for (int i = 0; i < asked.size(); i++) {
            files.add(out.resolve("heat-" + (i + 1) + ".png"));
        }
        console.println("Written: " + files.stream().map(Path::toString).collect(Collectors.joining(", ")));
        console.flush();
    }
}

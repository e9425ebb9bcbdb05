package io.langbridge.examples.langbridge;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.tools.Alignment;
import io.langbridge.tools.AlignmentAnalysis;
import java.awt.Color;
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
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures how the visual tokens of a series of adapters lie among the words of a language model. */
@Command(
        name = "analyse",
        mixinStandardHelpOptions = true,
        description = "Measures how much of the visual tokens lies among the words of a language model: the part in the"
                + " span of the nearest words, and the cosines with them; one line for each adapter, in the order given,"
                + " so that the checkpoints of a training show how an adapter gets there.")
final class Analyse implements Callable<Integer> {
    private static final String HEADER =
            "checkpoint,tokens,neighbours,mean_span_ratio,median_span_ratio,mean_cosine,mean_nearest_cosine";
    private static final int SHOWN_TOKENS = 5;

    @Spec
    private CommandSpec spec;

    @Option(names = "--encoder", required = true, paramLabel = "FOLDER", description = "CLIP or SigLIP")
    private Path encoder;

    @Option(names = "--llm", required = true, paramLabel = "FOLDER", description = "the language model")
    private Path llm;

    @ArgGroup(multiplicity = "1")
    private Adapters adapters;

    private static final class Adapters {
        @Option(
                names = "--adapter",
                required = true,
                arity = "1..*",
                paramLabel = "PATH",
                description = "LangBridge adapters: files beside their vocabulary, or folders")
        private List<Path> langBridge;

        @Option(
                names = "--projector",
                required = true,
                arity = "1..*",
                paramLabel = "PATH",
                description = "LLaVA's kinds of adapters, linear and mlp2x_gelu: files or folders")
        private List<Path> projectors;

        List<Adapter> all() {
            return langBridge != null
                    ? langBridge.stream().map(Adapter::langBridge).collect(Collectors.toList())
                    : projectors.stream().map(Adapter::projector).collect(Collectors.toList());
        }
    }

    @Option(
            names = "--image",
            required = true,
            arity = "1..*",
            paramLabel = "FILE",
            description = "the pictures whose patches are measured")
    private List<Path> images;

    @Option(names = "--neighbours", paramLabel = "K", description = "nearest words; default: ${DEFAULT-VALUE}")
    private int neighbours = 8;

    @Option(names = "--csv", paramLabel = "FILE", description = "write the numbers there; default: the console")
    private Path csv;

    @Option(names = "--plot", paramLabel = "FILE", description = "draw them there, as PNG")
    private Path plot;

    @Option(names = "--show", description = "print the nearest words of the first visual tokens")
    private boolean show;

    @Override
    public Integer call() throws IOException {
        PrintWriter console = spec.commandLine().getOut();
        List<Alignment> results = new ArrayList<>();
        List<String> lines = new ArrayList<>(List.of(HEADER));
        List<Image> pictures = images.stream().map(Image::of).collect(Collectors.toList());
        try (AlignmentAnalysis analysis =
                AlignmentAnalysis.open(Encoder.of(encoder), Llm.of(llm), pictures, null, null)) {
            for (Adapter adapter : adapters.all()) {
                Alignment alignment = measure(analysis, adapter);
                results.add(alignment);
                lines.add(line(adapter.path(), alignment));
                if (show) {
                    showNearest(console, analysis, adapter.path(), alignment);
                }
            }
        }
        if (csv == null) {
            lines.forEach(console::println);
        } else {
            Files.write(csv, lines, StandardCharsets.UTF_8);
        }
        if (plot != null) {
            draw(results);
        }
        console.flush();
        return 0;
    }

    private Alignment measure(AlignmentAnalysis analysis, Adapter adapter) {
        try {
            return analysis.of(adapter, neighbours);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--neighbours: " + e.getMessage(), e);
        }
    }

    private static String line(Path checkpoint, Alignment alignment) {
        String name = '"' + checkpoint.toString().replace("\"", "\"\"") + '"';
        return String.format(
                Locale.ROOT,
                "%s,%d,%d,%.6f,%.6f,%.6f,%.6f",
                name,
                alignment.tokens(),
                alignment.neighbours(),
                alignment.meanSpanRatio(),
                alignment.medianSpanRatio(),
                alignment.meanCosine(),
                alignment.meanNearestCosine());
    }

    private static void showNearest(
            PrintWriter console, AlignmentAnalysis analysis, Path checkpoint, Alignment alignment) {
        console.println(checkpoint);
        for (int token = 0; token < Math.min(SHOWN_TOKENS, alignment.tokens()); token++) {
            int[] ids = alignment.nearest(token);
            float[] cosines = alignment.cosines(token);
            console.printf(Locale.ROOT, "  token %d, span ratio %.3f:", token, alignment.spanRatio(token));
            for (int rank = 0; rank < ids.length; rank++) {
                console.printf(Locale.ROOT, " %s %.3f", analysis.text(ids[rank]), cosines[rank]);
            }
            console.println();
        }
    }

    private void draw(List<Alignment> results) throws IOException {
        XYChart chart = new XYChartBuilder()
                .width(1000)
                .height(600)
                .title("Visual tokens among the words of the language model")
                .xAxisTitle("checkpoint")
                .yAxisTitle("share, cosine")
                .build();
        chart.getStyler()
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Horizontal)
                .setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0).setXAxisDecimalPattern("0");
        List<Integer> x = IntStream.rangeClosed(1, results.size()).boxed().collect(Collectors.toList());
        chart.addSeries(
                "in the span of the " + neighbours + " nearest words (mean)",
                x,
                results.stream().map(Alignment::meanSpanRatio).collect(Collectors.toList()));
        chart.addSeries(
                "cosine with the nearest word (mean)",
                x,
                results.stream().map(Alignment::meanNearestCosine).collect(Collectors.toList()));
        chart.addSeries(
                "cosine with the " + neighbours + " nearest words (mean)",
                x,
                results.stream().map(Alignment::meanCosine).collect(Collectors.toList()));
        try (var file = Files.newOutputStream(plot)) {
            BitmapEncoder.saveBitmap(chart, file, BitmapEncoder.BitmapFormat.PNG);
        }
    }
}

package io.langbridge.runtime.training;

import io.langbridge.runtime.core.checkpoint.AtomicWrite;
import java.awt.Color;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Numbers of every update, written as CSV and drawn as PNG. Not thread-safe. */
final class Curves {
    static final String CSV = "curves.csv";
    private static final String PNG = "curves.png";

    private final List<Point> points = new ArrayList<>();

    /**
     * One update.
     *
     * @param step from 1
     * @param evaluation null where it was not evaluated
     */
    record Point(
            int step,
            double epoch,
            double loss,
            @Nullable Double evaluation,
            double learningRate,
            double gradientNorm) {}

    void add(Point point) {
        points.add(point);
    }

    List<Point> points() {
        return points;
    }

    /** Mean loss of the last updates, a twentieth of all, at least one. */
    double lastLoss() {
        int count = Math.max(1, points.size() / 20);
        return points.subList(Math.max(0, points.size() - count), points.size()).stream()
                .mapToDouble(Point::loss)
                .average()
                .orElse(Double.NaN);
    }

    /** Writes both files into a folder, replacing older ones at once. */
    void write(Path folder) {
        StringBuilder csv = new StringBuilder("step,epoch,loss,evaluation_loss,learning_rate,gradient_norm\n");
        for (Point point : points) {
            csv.append(point.step())
                    .append(',')
                    .append(String.format(Locale.ROOT, "%.4f", point.epoch()))
                    .append(',')
                    .append(point.loss())
                    .append(',')
                    .append(point.evaluation() == null ? "" : point.evaluation())
                    .append(',')
                    .append(point.learningRate())
                    .append(',')
                    .append(point.gradientNorm())
                    .append('\n');
        }
        AtomicWrite.to(folder.resolve(CSV), csv.toString());
        if (!points.isEmpty()) {
            AtomicWrite.to(
                    folder.resolve(PNG),
                    part -> Files.write(part, BitmapEncoder.getBitmapBytes(chart(), BitmapEncoder.BitmapFormat.PNG)));
        }
    }

    private XYChart chart() {
        XYChart chart = new XYChartBuilder()
                .width(1000)
                .height(600)
                .title("Loss")
                .xAxisTitle("update")
                .yAxisTitle("loss per token")
                .build();
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        line(chart, "training", points, false);
        List<Point> evaluated =
                points.stream().filter(point -> point.evaluation() != null).toList();
        if (!evaluated.isEmpty()) {
            line(chart, "evaluation", evaluated, true);
        }
        return chart;
    }

    private static void line(XYChart chart, String name, List<Point> points, boolean evaluation) {
        double[] steps = points.stream().mapToDouble(Point::step).toArray();
        double[] losses = new double[steps.length];
        for (int i = 0; i < losses.length; i++) {
            Double value = evaluation
                    ? points.get(i).evaluation()
                    : Double.valueOf(points.get(i).loss());
            losses[i] = value == null ? Double.NaN : value;
        }
        XYSeries series = chart.addSeries(name, steps, losses);
        series.setMarker(evaluation ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    }
}

package io.langbridge.demoworld;

import com.google.gson.Gson;
import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.training.NewAdapter;
import io.langbridge.runtime.training.Training;
import io.langbridge.runtime.training.TrainingResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The paper's table at this scale: what an adapter is worth that was trained in front of another language model.
 * Encoder and untuned language models are those of {@code train}.
 */
@Command(
        name = "table",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Compares adapters on the second language model, after a quarter, a half and all of the steps of"
                + " stage 2. Stopped and started again, it goes on with what is missing. Takes hours.")
final class Table implements Callable<Integer> {
    private static final double[] PARTS = {0.25, 0.5, 1};

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, description = "The folder of train; it is trained first if it was not.")
    private Path out;

    @Option(names = "--seeds", defaultValue = "3", description = "How many times, with other data and other adapters.")
    private int seeds;

    @Option(names = "--scenes", defaultValue = "500", description = "Pictures to measure on, six questions each.")
    private int scenes;

    @Option(names = "--length", defaultValue = "1", description = "Of every step, as for train.")
    private double length;

    @Option(
            names = "--steps",
            defaultValue = "640",
            description = "Of stage 2 in full, eight records each; stage 1 is that of train.")
    private int steps;

    /** Ways to come to a model. */
    private enum Arm {
        MLP_BOTH_STAGES_ON_B,
        LANGBRIDGE_BOTH_STAGES_ON_B,
        LANGBRIDGE_STAGE_1_ON_A,
        MLP_WITHOUT_STAGE_1,
        LANGBRIDGE_TUNED_ON_A_NO_TRAINING_ON_B
    }

    /** One line of the results file. */
    private record Result(String arm, long seed, int steps, double accuracy, double seconds) {}

    /** What all arms start from. */
    private record Start(Encoder encoder, Llm a, Llm b, Path vocabulary) {}

    @Override
    public Integer call() throws IOException {
        Path file = out.resolve("table.jsonl");
        List<Result> results = new ArrayList<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                results.add(new Gson().fromJson(line, Result.class));
            }
        }
        Recipe demo = new Recipe(out, 1, length, Train::progress);
        Llm a = demo.text(LlmFolder.A);
        Llm b = demo.text(LlmFolder.B);
        Start start = new Start(demo.encoder(), a, b, demo.vocabulary(a, b));
        for (long seed = 1; seed <= seeds; seed++) {
            Recipe recipe = new Recipe(out.resolve("table-" + seed), 100 * seed, length, Train::progress);
            for (Arm arm : Arm.values()) {
                for (double part : PARTS) {
                    int stepsOfPart = (int) (part * steps);
                    String name = arm.name().toLowerCase(Locale.ROOT);
                    long number = seed;
                    if (results.stream()
                            .noneMatch(r -> r.arm().equals(name) && r.seed() == number && r.steps() == stepsOfPart)) {
                        Result result = run(recipe, start, arm, seed, stepsOfPart);
                        Files.writeString(
                                file,
                                new Gson().toJson(result) + "\n",
                                StandardOpenOption.CREATE,
                                StandardOpenOption.APPEND);
                        results.add(result);
                    }
                }
            }
        }
        print(results);
        return 0;
    }

    private Result run(Recipe recipe, Start start, Arm arm, long seed, int steps) throws IOException {
        Training.Builder tuning = recipe.tuning(arm + "-" + steps, start.encoder(), start.b(), steps);
        NewAdapter langBridge = Recipe.langBridge(start.vocabulary());
        switch (arm) {
            case MLP_BOTH_STAGES_ON_B ->
                tuning.adapter(recipe.align("mlp-on-B", start.encoder(), Recipe.mlp(), start.b()));
            case LANGBRIDGE_BOTH_STAGES_ON_B ->
                tuning.adapter(recipe.align("langbridge-on-B", start.encoder(), langBridge, start.b()));
            case LANGBRIDGE_STAGE_1_ON_A -> tuning.adapter(onA(recipe, start));
            case MLP_WITHOUT_STAGE_1 -> tuning.newAdapter(Recipe.mlp());
            default ->
                tuning = recipe.tuning(arm + "-" + steps, start.encoder(), start.a(), steps)
                        .adapter(onA(recipe, start));
        }
        long began = System.nanoTime();
        TrainingResult result = tuning.build().run();
        double seconds = (System.nanoTime() - began) / 1e9;
        Llm llm = arm == Arm.LANGBRIDGE_TUNED_ON_A_NO_TRAINING_ON_B ? start.b() : result.llm();
        try (VisionLanguageModel model = VisionLanguageModel.builder()
                .encoder(result.encoder())
                .adapter(result.adapter())
                .llm(llm)
                .withoutCache()
                .build()) {
            double accuracy = Evaluation.of(model, 1_000_003, scenes, done -> {})
                    .overall()
                    .share();
            return new Result(arm.name().toLowerCase(Locale.ROOT), seed, steps, accuracy, seconds);
        }
    }

    private static Adapter onA(Recipe recipe, Start start) {
        return recipe.align("langbridge-on-A", start.encoder(), Recipe.langBridge(start.vocabulary()), start.a());
    }

    /** Mean, lowest and highest of all seeds. */
    private void print(List<Result> results) {
        PrintWriter console = spec.commandLine().getOut();
        console.println("| arm | steps | accuracy | lowest | highest | seconds |");
        console.println("|---|---|---|---|---|---|");
        Map<String, List<Result>> cells = results.stream()
                .collect(Collectors.groupingBy(
                        r -> String.format(Locale.ROOT, "%s | %6d", r.arm(), r.steps()),
                        TreeMap::new,
                        Collectors.toList()));
        cells.forEach((cell, all) -> {
            DoubleSummaryStatistics accuracy =
                    all.stream().mapToDouble(r -> 100 * r.accuracy()).summaryStatistics();
            double seconds = all.stream().mapToDouble(Result::seconds).average().orElse(0);
            console.printf(
                    Locale.ROOT,
                    "| %s | %.2f %% | %.2f | %.2f | %.0f |%n",
                    cell,
                    accuracy.getAverage(),
                    accuracy.getMin(),
                    accuracy.getMax(),
                    seconds);
        });
        console.flush();
    }
}

package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Phase {@code kernel}: {@link Kernels}, in microseconds. */
final class KernelSet {
    private KernelSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Picture.in(setup.models());
        Path tokenizer = setup.models().resolve("tokenizer");
        RandomModels.tokenizer("qwen2-0.5b", tokenizer);
        Host.awaitQuiet(setup.patience);
        try {
            for (RunResult result : new Runner(new OptionsBuilder()
                            .include(Kernels.class.getName() + "\\..*")
                            .measurementIterations(setup.reps)
                            .jvmArgsAppend("-D" + Kernels.MODELS + "=" + setup.models())
                            .verbosity(VerboseMode.SILENT)
                            .build())
                    .run()) {
                double[] values = result.getAggregatedResult().getIterationResults().stream()
                        .mapToDouble(iteration -> iteration.getPrimaryResult().getScore())
                        .toArray();
                out.accept(new Line("kernel")
                        .put("what", result.getPrimaryResult().getLabel())
                        .put("us", values)
                        .json());
            }
        } catch (RunnerException e) {
            throw new IllegalStateException("JMH failed", e);
        }
    }
}

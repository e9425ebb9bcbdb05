package io.langbridge.examples.langbridge;

import io.langbridge.FitReport;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says whether the parts of a model fit, without loading it. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description =
                "Says whether encoder, adapter and language model fit, from their files alone; exits with 1 if they"
                        + " do not.")
final class Check implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Parts parts;

    @Override
    public Integer call() {
        FitReport report = parts.builder().check();
        spec.commandLine().getOut().println(report);
        return report.fits() ? 0 : 1;
    }
}

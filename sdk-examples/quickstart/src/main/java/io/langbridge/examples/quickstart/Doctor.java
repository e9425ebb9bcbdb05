package io.langbridge.examples.quickstart;

import io.langbridge.FitReport.Finding;
import io.langbridge.FitReport.Verdict;
import io.langbridge.hub.CachedModel;
import io.langbridge.hub.Hub;
import io.langbridge.hub.HubException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Says what this machine has, and for each trouble the next step. */
@Command(name = "doctor", mixinStandardHelpOptions = true, description = "Says what this machine has for models.")
final class Doctor implements Callable<Integer> {
    @Override
    public Integer call() {
        List<Finding> findings = io.langbridge.tools.Doctor.examine();
        for (Finding finding : findings) {
            print(finding.verdict(), finding.subject(), Messages.inFlags(finding.text()));
        }
        boolean cache = cache();
        return cache && findings.stream().noneMatch(finding -> finding.verdict() == Verdict.PROBLEM) ? 0 : 1;
    }

    private static boolean cache() {
        try {
            Hub hub = Hub.builder().build();
            List<CachedModel> models = hub.list();
            long bytes = models.stream().mapToLong(CachedModel::bytes).sum();
            print(Verdict.FITS, "hub cache", hub.cache() + ", " + models.size() + " models, " + Download.bytes(bytes));
            for (CachedModel model : models) {
                print(Verdict.FITS, "  " + model.repository(), Download.bytes(model.bytes()));
            }
            return true;
        } catch (HubException e) {
            print(Verdict.PROBLEM, "hub cache", Messages.inFlags(e.getMessage()));
            return false;
        }
    }

    private static void print(Verdict verdict, String subject, String text) {
        System.out.printf("%-8s %-18s %s%n", verdict == Verdict.FITS ? "ok" : verdict.name(), subject, text);
    }
}

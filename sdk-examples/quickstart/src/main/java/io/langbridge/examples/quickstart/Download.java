package io.langbridge.examples.quickstart;

import io.langbridge.FitReport;
import io.langbridge.FitReport.Finding;
import io.langbridge.Precision;
import io.langbridge.UnsupportedModelException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.DownloadListener;
import io.langbridge.hub.DownloadPlan;
import io.langbridge.hub.DownloadProgress;
import io.langbridge.hub.Hub;
import io.langbridge.hub.HubException;
import io.langbridge.hub.HubModel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Fetches a model from the hub, after it was said how large it is and whether it will run. */
final class Download {
    private static final int LINES = 10;

    private Download() {}

    /**
     * Gives the folder of a model of the hub.
     *
     * @param builder how it will be loaded
     * @param precision the one that it will be loaded in
     * @throws IllegalArgumentException if that is no name of a model
     * @throws io.langbridge.LangBridgeException if it cannot be had, or would not run once it was here
     */
    static Path get(
            String name, String revision, boolean offline, VisionLanguageModel.Builder builder, Precision precision) {
        if (!name.matches("[\\w.-]+/[\\w.-]+") || name.startsWith(".")) {
            throw new IllegalArgumentException(
                    "there is no folder " + name + ", nor is that a name of the hub, ORG/NAME");
        }
        Hub.Builder settings = Hub.builder();
        if (offline) {
            settings.offline(true);
        }
        Hub hub = settings.build();
        HubModel model = revision == null ? hub.model(name) : hub.model(name).revision(revision);
        DownloadPlan plan;
        try {
            plan = model.plan();
        } catch (HubException e) {
            if (e.reason() == HubException.Reason.REPOSITORY_NOT_FOUND) {
                throw new HubException(e.reason(), "There is no folder " + name + " here. " + e.getMessage(), e);
            }
            throw e;
        }
        if (plan.missingBytes() == 0) {
            Path folder = model.get();
            System.err.println(name + " is here: " + folder + ".");
            return folder;
        }
        FitReport report = model.check(builder);
        System.err.println(size(name, plan, report, precision));
        if (!report.fits()) {
            throw new UnsupportedModelException(name + " is not downloaded. "
                    + report.problems().stream().map(Finding::text).collect(Collectors.joining(" ")));
        }
        System.err.println("Downloading into " + hub.cache() + ".");
        return System.console() == null ? lines(model) : bar(model);
    }

    private static String size(String name, DownloadPlan plan, FitReport report, Precision precision) {
        String size = name + ": " + bytes(plan.missingBytes()) + " to download";
        if (report.memoryNeeded() > 0) {
            size += ", " + bytes(report.memoryNeeded()) + " of memory in " + precision;
        }
        if (report.memoryAvailable() != null) {
            size += "; " + bytes(report.memoryAvailable()) + " are free";
        }
        // What could not be checked yet.
        return size
                + report.findings().stream()
                        .filter(finding -> finding.subject().equals("weights")
                                || finding.text().startsWith("not checked"))
                        .map(finding -> ". The " + finding.subject() + ": " + finding.text())
                        .collect(Collectors.joining("", "", "."));
    }

    private static Path bar(HubModel model) {
        try (ProgressBar bar = new ProgressBarBuilder()
                .setStyle(ProgressBarStyle.ASCII)
                .setUnit(" MB", 1_000_000)
                .setInitialMax(1)
                .showSpeed()
                .build()) {
            return model.listener(progress -> {
                        bar.maxHint(progress.totalBytes());
                        bar.stepTo(progress.bytes());
                        bar.setExtraMessage(" " + progress.file());
                    })
                    .get();
        }
    }

    /** A line for every tenth, where there is no terminal that a bar could move on. */
    private static Path lines(HubModel model) {
        return model.listener(new DownloadListener() {
                    private long next;

                    @Override
                    public void progress(DownloadProgress p) {
                        if (p.bytes() >= next || p.bytes() == p.totalBytes()) {
                            next = Math.min(
                                    p.totalBytes(), (p.bytes() * LINES / p.totalBytes() + 1) * p.totalBytes() / LINES);
                            System.err.printf(
                                    Locale.ROOT,
                                    "%3d %% of %s, %s/s, %s left: %s%n",
                                    p.bytes() * 100 / p.totalBytes(),
                                    bytes(p.totalBytes()),
                                    bytes((long) p.bytesPerSecond()),
                                    p.timeLeft() == null ? "?" : p.timeLeft().toSeconds() + " s",
                                    p.file());
                        }
                    }
                })
                .get();
    }

    static String bytes(long bytes) {
        return bytes < 100_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}

package io.langbridge.examples.quickstart;

import io.langbridge.tools.WeightCache;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists the converted weights that models left on this machine, and deletes what is not wanted any more. */
@Command(name = "cache", mixinStandardHelpOptions = true, description = "Lists or deletes converted weights.")
final class Cache implements Callable<Integer> {
    private static final double GIGABYTE = 1e9;

    @Option(names = "--folder", paramLabel = "FOLDER", description = "the cache; default is this user's")
    private Path folder;

    @ArgGroup
    private Deleting deleting;

    /** What to delete. */
    private static final class Deleting {
        @Option(names = "--clear", required = true, description = "deletes all")
        private boolean clear;

        @Option(
                names = "--limit",
                required = true,
                paramLabel = "GB",
                description = "deletes what was not used for longest, until so much stays")
        private double limit;
    }

    @Override
    public Integer call() {
        WeightCache cache = folder == null ? WeightCache.ofUser() : WeightCache.at(folder);
        if (deleting != null) {
            print("deleted ", deleting.clear ? cache.clear() : cache.limit((long) (deleting.limit * GIGABYTE)));
        }
        List<WeightCache.Entry> entries = cache.entries();
        print("", entries);
        long bytes = entries.stream().mapToLong(WeightCache.Entry::bytes).sum();
        System.out.println(cache.folder() + ": " + entries.size() + " files, " + Download.bytes(bytes));
        return 0;
    }

    private static void print(String before, List<WeightCache.Entry> entries) {
        for (WeightCache.Entry entry : entries) {
            System.out.println(before + Download.bytes(entry.bytes()) + ", used " + entry.used() + ", " + entry.what()
                    + ", " + entry.file().getFileName());
        }
    }
}

package io.langbridge.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * What Linux tells about memory and about the work of others; elsewhere figures are absent and nothing is waited for.
 */
final class Host {
    /** A sample counts as clean while others used at most this share of all processors. */
    static final double CLEAN = 0.06;

    private static final double TICKS_PER_SECOND = 100;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double KIB_PER_MIB = 1024;

    private Host() {}

    /** Peak resident memory in MiB since the start or {@link #resetPeak}. */
    static @Nullable Double peakMb() {
        return status("VmHWM:");
    }

    /** Resident memory in MiB now, after garbage was collected. */
    static @Nullable Double residentMb() {
        System.gc();
        return status("VmRSS:");
    }

    /** Files and connections that this process has open. */
    static @Nullable Integer openFiles() {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return (int) files.count();
        } catch (IOException e) {
            return null;
        }
    }

    /** Threads of this process, those of engines too. */
    static @Nullable Integer threads() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("Threads:")) {
                    return Integer.valueOf(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException e) {
            return null;
        }
        return null;
    }

    /** Has the C library give back what it keeps of memory that was freed; false if this Java cannot ask it. */
    static boolean trim() {
        try {
            ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "systemTrimNativeHeap",
                            new Object[] {new String[0]},
                            new String[] {String[].class.getName()});
            return true;
        } catch (JMException e) {
            return false;
        }
    }

    /** Lets {@link #peakMb} begin anew. */
    static void resetPeak() {
        try {
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
        } catch (IOException e) {
            // Not Linux, or not allowed: the peak goes on from the start.
        }
    }

    private static @Nullable Double status(String key) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith(key)) {
                    return Long.parseLong(line.replaceAll("\\D", "")) / KIB_PER_MIB;
                }
            }
        } catch (IOException e) {
            return null;
        }
        return null;
    }

    /** Waits for half a second without other work, at most {@code patience} seconds. */
    static void awaitQuiet(double patience) {
        long end = System.nanoTime() + (long) (patience * NANOS_PER_SECOND);
        while (System.nanoTime() < end) {
            Noise noise = new Noise();
            try {
                TimeUnit.MILLISECONDS.sleep(500);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            if (noise.share() <= CLEAN) {
                return;
            }
        }
    }

    /** The share of all processors' time that other processes take, from its creation on. */
    static final class Noise {
        private final double[] start = times();
        private final double own = ownSeconds();

        /** 0 where the system does not tell. */
        double share() {
            double[] end = times();
            double total = end[0] - start[0];
            double idle = end[1] - start[1];
            return total <= 0 ? 0 : Math.max(0, total - idle - (ownSeconds() - own)) / total;
        }

        private static double ownSeconds() {
            return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean bean
                    ? bean.getProcessCpuTime() / NANOS_PER_SECOND
                    : 0;
        }

        /** Seconds of all processors: all, and those without work. */
        private static double[] times() {
            try {
                String[] fields =
                        Files.readAllLines(Path.of("/proc/stat")).get(0).trim().split(" +", -1);
                double total = 0;
                for (int i = 1; i <= 8; i++) {
                    total += Double.parseDouble(fields[i]);
                }
                double idle = Double.parseDouble(fields[4]) + Double.parseDouble(fields[5]);
                return new double[] {total / TICKS_PER_SECOND, idle / TICKS_PER_SECOND};
            } catch (IOException e) {
                return new double[2];
            }
        }
    }
}

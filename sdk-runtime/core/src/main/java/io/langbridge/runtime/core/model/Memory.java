package io.langbridge.runtime.core.model;

import io.langbridge.FitReport;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a model will need, added up before anything is loaded. Not thread-safe. */
final class Memory {
    private static final int NAMED_ITEMS = 3;
    private static final Path MEMINFO = Paths.get("/proc/meminfo");

    private final List<FitReport.Memory> items = new ArrayList<>();

    /** Bytes of quantised weights with their scales, one for a block of 128. */
    static long weights(long elements, Precision precision) {
        return switch (precision) {
            case FULL -> elements * Float.BYTES;
            case INT8 -> elements + elements / 32;
            case INT4 -> elements / 2 + elements / 32;
        };
    }

    /** Adds an item. */
    void add(String name, long bytes) {
        items.add(new FitReport.Memory(name, bytes));
    }

    /** All that was added. */
    List<FitReport.Memory> items() {
        return items;
    }

    /** Everything added up. */
    long total() {
        long sum = 0;
        for (FitReport.Memory item : items) {
            sum += item.bytes();
        }
        return sum;
    }

    /**
     * Compares with what there is.
     *
     * @param limit bytes allowed, or null for what the machine has available, where it tells
     * @throws InsufficientMemoryException if more is needed; the message lists the biggest items
     */
    void check(@Nullable Long limit) {
        Long available = limit != null ? limit : available();
        if (available == null || total() <= available) {
            return;
        }
        List<FitReport.Memory> biggest = new ArrayList<>(items);
        biggest.sort((a, b) -> Long.compare(b.bytes(), a.bytes()));
        StringBuilder list = new StringBuilder();
        for (FitReport.Memory item : biggest.subList(0, Math.min(NAMED_ITEMS, biggest.size()))) {
            list.append(list.length() == 0 ? "" : ", ")
                    .append(item.name())
                    .append(' ')
                    .append(megabytes(item.bytes()));
        }
        throw new InsufficientMemoryException("The model needs about " + megabytes(total()) + ", but "
                + megabytes(available) + (limit != null ? " are allowed (memoryLimit)" : " are available")
                + ". Biggest items: " + list + ". Use a smaller model, a shorter contextLength(..), or free memory");
    }

    /** Memory that can be had without swapping, on Linux and Android; null elsewhere. */
    private static @Nullable Long available() {
        try (BufferedReader reader = Files.newBufferedReader(MEMINFO, StandardCharsets.US_ASCII)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("MemAvailable:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException | SecurityException e) {
            return null; // not Linux, or hidden: nothing to compare with
        }
        return null;
    }

    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MB", Math.max(1, Math.round(bytes / 1e6)));
    }
}

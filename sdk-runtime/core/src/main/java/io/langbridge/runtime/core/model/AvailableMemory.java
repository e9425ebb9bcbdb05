package io.langbridge.runtime.core.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Memory that can be had without swapping and without being ended by a container's limit: on Linux and Android what
 * {@code /proc/meminfo} says, or less where a control group (version 1 or 2) allows less.
 */
public final class AvailableMemory {
    /** A limit beyond this stands for none. */
    private static final long UNLIMITED = Long.MAX_VALUE >> 4;

    private final Path proc;
    private final Path groups;

    /** Of this machine. */
    public AvailableMemory() {
        this(Paths.get("/proc"), Paths.get("/sys/fs/cgroup"));
    }

    /** Reads below other folders than {@code /proc} and {@code /sys/fs/cgroup}. */
    AvailableMemory(Path proc, Path groups) {
        this.proc = proc;
        this.groups = groups;
    }

    /** Bytes; null where nothing says it. */
    public @Nullable Long bytes() {
        Long machine = field(proc.resolve("meminfo"), "MemAvailable:");
        Long container = container();
        if (machine == null || container == null) {
            return machine == null ? container : Long.valueOf(machine << 10);
        }
        return Math.min(machine << 10, container);
    }

    /** The least that any group above the process leaves. */
    private @Nullable Long container() {
        Long least = null;
        for (String line : lines(proc.resolve("self").resolve("cgroup"))) {
            String[] parts = line.split(":", 3);
            if (parts.length < 3) {
                continue;
            }
            boolean second = parts[1].isEmpty();
            if (second || ("," + parts[1] + ",").contains(",memory,")) {
                Path root = second ? groups : groups.resolve("memory");
                Path group = root.resolve(parts[2].replaceFirst("^/+", "")).normalize();
                // In a container the path may be the host's; then the container's own group is the root.
                for (Path at = group.startsWith(root) && Files.isDirectory(group) ? group : root;
                        at != null && at.startsWith(root);
                        at = at.getParent()) {
                    Long left = second
                            ? left(at, "memory.max", "memory.current", "inactive_file")
                            : left(at, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
                    least = left == null || least != null && least <= left ? least : left;
                }
            }
        }
        return least;
    }

    /** What a group may still take; pages of files that nobody uses are given back when they are needed. */
    private static @Nullable Long left(Path group, String max, String current, String inactive) {
        Long limit = number(group.resolve(max));
        Long used = number(group.resolve(current));
        if (limit == null || used == null || limit > UNLIMITED) {
            return null;
        }
        Long unused = field(group.resolve("memory.stat"), inactive + " ");
        return Math.max(0, limit - used + (unused == null ? 0 : unused));
    }

    private static @Nullable Long number(Path file) {
        List<String> lines = lines(file);
        return lines.size() == 1 && lines.get(0).trim().matches("\\d{1,18}")
                ? Long.valueOf(lines.get(0).trim())
                : null;
    }

    private static @Nullable Long field(Path file, String name) {
        for (String line : lines(file)) {
            String digits = line.startsWith(name) ? line.replaceAll("\\D", "") : "";
            if (!digits.isEmpty() && digits.length() <= 18) {
                return Long.valueOf(digits);
            }
        }
        return null;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException | SecurityException e) {
            return Collections.emptyList(); // another system, or hidden
        }
    }
}

package io.langbridge;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where to compute.
 *
 * @param kind the kind of processor
 * @param index which of several, from 0; 0 unless the kind is {@link Kind#CUDA}
 * @since 0.1
 */
public record Device(Kind kind, int index) {
    /** Kinds of processors. */
    public enum Kind {
        /** The first CUDA device if an engine can use one, the CPU otherwise. */
        AUTO,
        /** The CPU. */
        CPU,
        /** A graphics processor that CUDA runs on. */
        CUDA
    }

    /** The best device there is. */
    public static final Device AUTO = new Device(Kind.AUTO, 0);

    /** The CPU. */
    public static final Device CPU = new Device(Kind.CPU, 0);

    private static final Pattern CUDA_NAME = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /**
     * Checks the number.
     *
     * @param kind see the record
     * @param index see the record
     * @throws IllegalArgumentException if it is negative, or the kind has one device only
     */
    public Device {
        Objects.requireNonNull(kind, "kind");
        if (index < 0 || (kind != Kind.CUDA && index != 0)) {
            throw new IllegalArgumentException("There is no device " + kind + " " + index);
        }
    }

    /**
     * A CUDA device.
     *
     * @param index counted from 0
     * @return the device
     */
    public static Device cuda(int index) {
        return new Device(Kind.CUDA, index);
    }

    /**
     * Reads what {@link #toString} writes, in any case, for a command line or a file of settings.
     *
     * @param name {@code auto}, {@code cpu}, {@code cuda} (the first) or {@code cuda:1}
     * @return the device
     * @throws IllegalArgumentException if it is none of these
     */
    public static Device parse(String name) {
        String lower = Objects.requireNonNull(name, "name").toLowerCase(Locale.ROOT);
        if (lower.equals("auto")) {
            return AUTO;
        }
        if (lower.equals("cpu")) {
            return CPU;
        }
        Matcher cuda = CUDA_NAME.matcher(lower);
        if (cuda.matches()) {
            return cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
        }
        throw new IllegalArgumentException("A device is auto, cpu, cuda or cuda:N, not '" + name + "'");
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        String name = kind.name().toLowerCase(Locale.ROOT);
        return kind == Kind.CUDA ? name + ":" + index : name;
    }
}

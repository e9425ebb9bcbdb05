package io.langbridge.runtime.core;

import com.sun.management.ThreadMXBean;
import io.langbridge.LangBridgeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * What fuzz tests of all readers ask: whatever comes in, nothing but our own exceptions comes out, with a message that
 * can be shown, and memory stays in proportion to the input.
 *
 * <p>In a build, the tests run on their seeds and on the files beside them in {@code src/test/resources}, which earlier
 * findings are. One target at a time, this looks for new ones, two minutes long:
 *
 * <pre>{@code
 * JAZZER_FUZZ=1 JAZZER_MAX_DURATION=2m ./mvnw -q -pl sdk-runtime/core -am test \
 *     -Dtest=CheckpointFuzzTest#safetensors -Dsurefire.failIfNoSpecifiedTests=false
 * }</pre>
 *
 * A finding fails the test and is left in {@code src/test/resources}, where the build finds it from then on; what was
 * learnt on the way lies in {@code .cifuzz-corpus}. Pictures are fuzzed alike in {@code sdk-runtime/images-desktop},
 * and data URIs in {@code sdk-api}.
 */
public final class Fuzzing {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final Path RESOURCES = Paths.get("src/test/resources");
    private static final int LONGEST_MESSAGE = 4_000;

    private static final long LEAST_MEMORY = 8 << 20;
    private static final long MEMORY_PER_BYTE = 2_000;

    private Fuzzing() {}

    /**
     * Runs a reader; once more if it took much memory, which may be that of classes and tables that are loaded once.
     */
    public static void run(byte[] input, Runnable reader) {
        run(input, LEAST_MEMORY, reader);
    }

    /** Runs what may take {@code memory} bytes whatever the input. */
    public static void run(byte[] input, long memory, Runnable reader) {
        long most = memory + MEMORY_PER_BYTE * input.length;
        if (memory(reader) > most) {
            long taken = memory(reader);
            if (taken > most) {
                throw new AssertionError(input.length + " bytes of input took " + taken + " bytes of memory");
            }
        }
    }

    private static long memory(Runnable reader) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            reader.run();
        } catch (LangBridgeException e) {
            check(e);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void check(LangBridgeException e) {
        String message = String.valueOf(e.getMessage());
        if (message.length() > LONGEST_MESSAGE || message.chars().anyMatch(Character::isISOControl)) {
            throw new AssertionError("a message that cannot be shown: " + message, e);
        }
    }

    /** Files of the test resources as seeds. */
    public static Stream<byte[]> resources(String... names) {
        return Arrays.stream(names).map(name -> bytes(RESOURCES.resolve(name)));
    }

    /** Texts as seeds. */
    public static Stream<byte[]> texts(String... texts) {
        return Arrays.stream(texts).map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    public static String text(byte[] input) {
        return new String(input, StandardCharsets.UTF_8);
    }

    /** Puts the input where a reader looks for it. */
    public static Path file(Path folder, String name, byte[] input) {
        try {
            return Files.write(folder.resolve(name), input);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

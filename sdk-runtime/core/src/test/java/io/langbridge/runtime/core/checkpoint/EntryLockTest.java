package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class EntryLockTest {
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");

    @TempDir
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path entry;

    @SuppressWarnings("NullAway.Init")
    private Path another;

    @BeforeEach
    void name() {
        entry = folder.resolve("weights-00112233445566778899aabbccddeeff.bin");
        another = folder.resolve("weights-ffeeddccbbaa99887766554433221100.bin");
    }

    /** Three processes hold and let go, and nothing of a lock is ever deleted beneath who waits for it. */
    @Test
    void neverAreThereTwoWhoHoldAnEntry() throws Exception {
        List<Process> others = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                others.add(Other.process("hold", folder, entry));
            }
            for (Process other : others) {
                assertThat(other.waitFor()).isZero();
            }
        } finally {
            others.forEach(Process::destroyForcibly);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // nothing that is open is deleted
    void afterItsFileWasDeletedTheNewOneCounts() throws Exception {
        EntryLock before = EntryLock.use(another);
        Files.delete(folder.resolve(EntryLock.FILE));
        Process other = Other.process("use", folder, entry);
        try {
            assertThat(other.getInputStream().read()).isEqualTo('u');
            assertThat(EntryLock.unused(entry)).isNull();
        } finally {
            other.destroyForcibly().waitFor();
        }
        before.close();
        assertThat(isUsed(entry)).isFalse();
        EntryLock use = EntryLock.use(entry);
        assertThat(isUsed(entry)).isTrue();
        use.close();
    }

    /** The system drops all locks of a process on a file when it closes that file anywhere. */
    @Test
    void anotherClassLoaderDropsNothing() throws Exception {
        EntryLock use = EntryLock.use(entry);
        List<URL> path = new ArrayList<>();
        for (String element : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            path.add(Path.of(element).toUri().toURL());
        }
        try (URLClassLoader again =
                new URLClassLoader(path.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
            Class<?> other = Class.forName(Other.class.getName(), true, again);
            assertThat(other).isNotSameAs(Other.class);
            Method main = other.getDeclaredMethod("main", String[].class);
            main.setAccessible(true);
            main.invoke(null, (Object) new String[] {"try", folder.toString(), another.toString()});
        }
        assertThat(isUsed(entry)).isTrue();
        use.close();
        assertThat(isUsed(entry)).isFalse();
    }

    private boolean isUsed(Path entry) throws IOException, InterruptedException {
        Process other = Other.process("try", folder, entry);
        int said = other.getInputStream().read();
        assertThat(other.waitFor()).isZero();
        assertThat(said).isIn((int) 'f', (int) 'h');
        return said == 'h';
    }

    @Test
    void whatIsDeletedIsNotKeptOpen() throws IOException {
        assumeTrue(Files.isDirectory(OPEN_FILES), "only Linux tells");
        for (int i = 0; i < 20; i++) {
            Path temporary = Files.createDirectory(folder.resolve("temporary"));
            EntryLock.use(temporary.resolve("weights-" + i + ".bin")).close();
            Files.delete(temporary.resolve(EntryLock.FILE));
            Files.delete(temporary);
        }
        try (Stream<Path> open = Files.list(OPEN_FILES)) {
            assertThat(open.filter(file -> isLinkTo(file, folder + "/temporary/")))
                    .hasSizeLessThan(2);
        }
    }

    private static boolean isLinkTo(Path file, String start) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith(start);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whoWaitsCanBeInterrupted() throws IOException {
        EntryLock unused = EntryLock.unused(entry);
        assertThat(unused).isNotNull();
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedIOException.class).isThrownBy(() -> EntryLock.use(entry));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void whatRootMakesBelongsToWhoOwnsTheFolder() throws IOException {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("unix"), "files have no owner here");
        assumeTrue(Files.getAttribute(folder, "unix:uid").equals(0), "only root makes files for others");
        Files.setAttribute(folder, "unix:uid", 12345);
        EntryLock.use(entry).close();
        assertThat(Files.getAttribute(folder.resolve(EntryLock.FILE), "unix:uid"))
                .isEqualTo(12345);
    }

    /** Another process. */
    static final class Other {
        private static final int TIMES = 2000;

        private Other() {}

        static Process process(String what, Path folder, Path entry) throws IOException {
            return new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xshare:auto",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Other.class.getName(),
                            what,
                            folder.toString(),
                            entry.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        }

        /**
         * Uses an entry until it is killed, holds it and lets go many times, or says whether somebody uses it.
         *
         * @param args what to do, the cache, the entry
         */
        public static void main(String[] args) throws IOException {
            Path entry = Path.of(args[2]);
            if (args[0].equals("use")) {
                EntryLock use = EntryLock.use(entry);
                say('u');
                while (System.in.read() >= 0) {
                    // Until the other end goes.
                }
                use.close();
                return;
            }
            if (args[0].equals("try")) {
                EntryLock unused = EntryLock.unused(entry);
                say(unused == null ? 'h' : 'f');
                if (unused != null) {
                    unused.close();
                }
                return;
            }
            Path alone = Path.of(args[1]).resolve("alone");
            for (int i = 0; i < TIMES; i++) {
                EntryLock lock = EntryLock.hold(entry);
                try {
                    Files.createFile(alone); // fails if there is one
                    Files.delete(alone);
                } finally {
                    lock.close();
                }
            }
        }

        private static void say(char what) {
            System.out.print(what);
            System.out.flush();
        }
    }
}

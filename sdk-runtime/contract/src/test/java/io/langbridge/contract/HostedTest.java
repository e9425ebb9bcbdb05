package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.model.Loader;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library where others decide about threads and class loaders. */
class HostedTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @Test
    void anEmptyVirtualThreadRunsOnTheOneCarrierWhile200Ask() throws Exception {
        assumeTrue(
                Arrays.stream(Thread.class.getMethods())
                                .anyMatch(m -> m.getName().equals("startVirtualThread"))
                        && Runtime.version().feature() >= 21,
                "This JVM has no virtual threads");
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path", ""));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djdk.virtualThreadScheduler.parallelism=1",
                        "-Djdk.virtualThreadScheduler.maxPoolSize=1",
                        "-cp",
                        classPath,
                        ManyVirtualThreads.class.getName(),
                        scratch.toString())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void fourClassLoadersUseItOneAfterTheOtherAndNothingHoldsThemThen() throws Exception {
        new LoadedElsewhere(scratch).call(); // threads of shared libraries begin here, and not in one of the four
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            FutureTask<WeakReference<ClassLoader>> use = new FutureTask<>(this::useInALoaderOfItsOwn);
            Thread user = new Thread(use);
            user.start();
            loaders.add(use.get());
            user.join();
        }
        // Whatever a JVM or a shared library remembers of the last caller only is displaced.
        useInALoaderOfItsOwn();
        for (WeakReference<ClassLoader> loader : loaders) {
            long start = System.nanoTime();
            while (loader.get() != null && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2)) {
                System.gc();
            }
            assertThat(loader.get()).isNull();
        }
    }

    private WeakReference<ClassLoader> useInALoaderOfItsOwn() throws Exception {
        List<URL> places = new ArrayList<>();
        for (Class<?> type : List.of(VisionLanguageModel.class, Loader.class, Fixtures.class, LoadedElsewhere.class)) {
            places.add(type.getProtectionDomain().getCodeSource().getLocation());
        }
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader own = new URLClassLoader(places.toArray(new URL[0]), new Libraries())) {
            thread.setContextClassLoader(null);
            Callable<?> user = (Callable<?>) own.loadClass(LoadedElsewhere.class.getName())
                    .getConstructor(Path.class)
                    .newInstance(scratch);
            assertThat(user.getClass()).isNotSameAs(LoadedElsewhere.class);
            assertThat(user.call()).isInstanceOf(Integer.class);
            return new WeakReference<>(own);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** What all applications of a server share; nothing of this library. */
    private static final class Libraries extends ClassLoader {
        Libraries() {
            super(null);
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (name.startsWith("io.langbridge.")) {
                throw new ClassNotFoundException(name);
            }
            return HostedTest.class.getClassLoader().loadClass(name);
        }
    }
}

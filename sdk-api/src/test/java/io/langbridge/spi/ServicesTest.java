package io.langbridge.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Image;
import io.langbridge.OnlyPngDecoder;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ServicesTest {
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private static <T> T withContext(@Nullable ClassLoader context, Callable<T> action) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(context);
        try {
            return action.call();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URL place(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    /** A copy of this library alone, as in a web application. */
    private static URLClassLoader alone() {
        return new URLClassLoader(new URL[] {place(Image.class)}, ClassLoader.getPlatformClassLoader());
    }

    @Test
    void whatLiesBesideTheLibraryIsFoundWhateverTheContextLoaderIs() throws Exception {
        for (ClassLoader context : new ClassLoader[] {null, ClassLoader.getPlatformClassLoader(), alone()}) {
            RgbPixels pixels = withContext(context, () -> Image.of(PNG).pixels());
            assertThat(pixels.width()).isPositive();
        }
    }

    @Test
    void whatOnlyTheContextLoaderSeesIsFoundToo() throws Exception {
        URL[] tests = {place(OnlyPngDecoder.class)};
        try (URLClassLoader shared = alone();
                URLClassLoader application = new URLClassLoader(tests, shared)) {
            Object picture = shared.loadClass(Image.class.getName())
                    .getMethod("of", byte[].class)
                    .invoke(null, (Object) PNG);
            Object pixels = withContext(
                    application, () -> picture.getClass().getMethod("pixels").invoke(picture));
            assertThat(pixels.getClass().getClassLoader()).isSameAs(shared);
        }
    }

    @Test
    void anotherCopyOfTheLibraryInTheContextLoaderIsPassedOver() throws Exception {
        try (URLClassLoader alone = alone()) {
            Class<?> service = alone.loadClass(ImageDecoder.class.getName());
            Throwable thrown = failure(alone, ServicesTest.class.getClassLoader(), Image.class.getName());
            assertThat(service).isNotSameAs(ImageDecoder.class);
            assertThat(thrown.getClass().getName()).isEqualTo("io.langbridge.RuntimeUnavailableException");
            assertThat(thrown)
                    .hasMessageContaining("io.langbridge:langbridge-images-desktop")
                    .hasMessageContaining("Image.ofArgb");
        }
    }

    /** What decoding fails with. */
    private static Throwable failure(ClassLoader loader, ClassLoader context, String image) throws Exception {
        Object picture = loader.loadClass(image).getMethod("of", byte[].class).invoke(null, (Object) PNG);
        return withContext(context, () -> {
            try {
                return new AssertionError(picture.getClass().getMethod("pixels").invoke(picture));
            } catch (InvocationTargetException e) {
                return e.getCause();
            }
        });
    }

    @Test
    void eachImplementationIsFoundOnce() {
        assertThat(Services.all(ImageDecoder.class, loader -> ServiceLoader.load(ImageDecoder.class, loader)))
                .extracting(decoder -> decoder.getClass().getName())
                .containsExactly(OnlyPngDecoder.class.getName());
    }

    @Test
    void anImplementationThatNoServiceFileNamesIsToldFromOneThatIsNotThere() throws IOException {
        assertThat(Services.unmerged(ImageDecoder.class, "io.langbridge.Nothing"))
                .isEmpty();
        assertThat(Services.unmerged(
                        VisionLanguageModel.class, "io.langbridge.Nothing", OnlyPngDecoder.class.getName()))
                .contains(OnlyPngDecoder.class.getName())
                .contains("META-INF/services/io.langbridge.VisionLanguageModel")
                .contains("ServicesResourceTransformer");
    }
}

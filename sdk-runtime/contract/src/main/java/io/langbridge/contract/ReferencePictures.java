package io.langbridge.contract;

import io.langbridge.Image;
import io.langbridge.spi.RgbPixels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The source pictures beside the cases. Some may be missing, because they are not ours to hand on. */
final class ReferencePictures {
    private final Path folder;

    ReferencePictures(Fixtures fixtures) {
        this.folder = fixtures.images();
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    boolean has(String name) {
        return Files.exists(file(name));
    }

    /** JPEG decoders round differently, so what comes from one is compared loosely. */
    static boolean isJpeg(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".jpg") || lower.endsWith(".jpeg");
    }

    /** The picture as this project's decoder reads it. */
    RgbPixels decoded(String name) {
        return Image.of(file(name)).pixels();
    }

    /** The file that holds the reference's own pixels: the picture itself, or the decoded copy of a JPEG. */
    Optional<Path> exact(String name) {
        if (!isJpeg(name)) {
            return Optional.of(file(name)).filter(Files::exists);
        }
        String stem = name.substring(0, name.lastIndexOf('.'));
        return Optional.of(folder.resolve("decoded").resolve(stem + ".png")).filter(Files::exists);
    }

    Optional<RgbPixels> exactPixels(String name) {
        return exact(name).map(file -> Image.of(file).pixels());
    }

    /** Mean and maximum of the absolute differences. */
    static double[] differences(float[] actual, float[] expected) {
        double sum = 0;
        double max = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) actual[i] - expected[i]);
            sum += difference;
            max = Math.max(max, difference);
        }
        return new double[] {sum / expected.length, max};
    }

    /** Bytes 0 to 255 as floats, height x width x 3. */
    static float[] values(RgbPixels picture) {
        byte[] bytes = picture.toByteArray();
        float[] values = new float[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i] & 0xff;
        }
        return values;
    }
}

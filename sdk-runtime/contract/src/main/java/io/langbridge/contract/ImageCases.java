package io.langbridge.contract;

import io.langbridge.Image;
import io.langbridge.spi.RgbPixels;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Picture files and the RGB picture each of them stands for. */
final class ImageCases {
    private static final Pattern LIMIT = Pattern.compile("<= (\\d+(\\.\\d+)?)");

    private ImageCases() {}

    static void check(Check check) {
        Entry tolerance = check.json().object("tolerance");
        check.same("tolerance of png", tolerance.text("png"), "exact");
        Matcher limits = LIMIT.matcher(tolerance.text("jpg"));
        double meanLimit = limit(limits);
        double maxLimit = limit(limits);
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        for (Entry image : check.json().objects("images")) {
            String name = image.text("file");
            image.describe(
                    "what",
                    "file_size_wh",
                    "mode",
                    "reference_quirk",
                    "rgb_mean",
                    "first_pixels",
                    "last_pixel",
                    "rgb_sha256",
                    "rgb_size_wh",
                    "decoded");
            if (!pictures.has(name)) {
                check.leaveOut(name + " is not there");
                continue;
            }
            RgbPixels picture = pictures.decoded(name);
            int[] size = {picture.width(), picture.height()};
            check.same("size of " + name, size, image.integers("rgb_size_wh"));
            if (!ReferencePictures.isJpeg(name)) {
                checkExactly(check, name, picture, image);
            } else if (image.has("decoded")) {
                RgbPixels reference =
                        Image.of(pictures.file(image.text("decoded"))).pixels();
                checkExactly(check, image.text("decoded"), reference, image);
                double[] differences = ReferencePictures.differences(
                        ReferencePictures.values(picture), ReferencePictures.values(reference));
                check.holds(
                        name + " differs by " + Arrays.toString(differences) + " (mean, maximum)",
                        differences[0] <= meanLimit && differences[1] <= maxLimit);
            } else {
                checkSamples(check, name, picture, image, meanLimit, maxLimit);
            }
        }
    }

    private static double limit(Matcher matcher) {
        if (!matcher.find()) {
            throw new AssertionError("The tolerance of jpg should name two limits");
        }
        return Double.parseDouble(matcher.group(1));
    }

    private static void checkExactly(Check check, String name, RgbPixels picture, Entry image) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(picture.toByteArray());
            check.same("hash of " + name, HexFormat.of().formatHex(hash), image.text("rgb_sha256"));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
        checkSamples(check, name, picture, image, 1e-5, 0);
    }

    /** Mean colour, and the first pixels and the last one. */
    private static void checkSamples(
            Check check, String name, RgbPixels picture, Entry image, double meanLimit, double maxLimit) {
        float[] values = ReferencePictures.values(picture);
        double[] mean = new double[3];
        for (int i = 0; i < values.length; i++) {
            mean[i % 3] += values[i] * 3.0 / values.length;
        }
        float[] expectedMean = image.floats("rgb_mean");
        List<int[]> first = image.integerLists("first_pixels");
        int[] last = image.integers("last_pixel");
        for (int channel = 0; channel < 3; channel++) {
            check.holds(
                    name + ": mean " + Arrays.toString(mean),
                    Math.abs(mean[channel] - expectedMean[channel]) <= meanLimit);
            for (int i = 0; i < first.size(); i++) {
                check.holds(
                        name + ": pixel " + i, Math.abs(values[3 * i + channel] - first.get(i)[channel]) <= maxLimit);
            }
            check.holds(
                    name + ": last pixel", Math.abs(values[values.length - 3 + channel] - last[channel]) <= maxLimit);
        }
    }
}

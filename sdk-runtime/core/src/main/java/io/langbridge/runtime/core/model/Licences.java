package io.langbridge.runtime.core.model;

import io.langbridge.FitReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds the licences that a Hugging Face folder names. */
final class Licences {
    /** Front matter stands at the top of a model card, which can be long. */
    private static final int FRONT_MATTER_LINES = 200;

    private static final Pattern KEY = Pattern.compile("(license|license_name):\\s*[\"']?([^\"'#]*[^\"'#\\s])[\"']?.*");

    private Licences() {}

    /**
     * What {@code README.md} says in its front matter, and the files that are called like a licence.
     *
     * @param part for the report
     * @param fileOrFolder a part's folder, or a file in it
     */
    static List<FitReport.Licence> of(String part, Path fileOrFolder) {
        Path folder = Files.isDirectory(fileOrFolder)
                ? fileOrFolder
                : fileOrFolder.toAbsolutePath().getParent();
        List<FitReport.Licence> found = new ArrayList<>();
        if (folder == null || !Files.isDirectory(folder)) {
            return found;
        }
        Path card = folder.resolve("README.md");
        String name = Files.isRegularFile(card) ? frontMatter(card) : null;
        if (name != null) {
            found.add(new FitReport.Licence(part, card, name));
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, Licences::isLicence)) {
            List<Path> sorted = new ArrayList<>();
            files.forEach(sorted::add);
            sorted.sort(null);
            sorted.forEach(file -> found.add(new FitReport.Licence(part, file, null)));
        } catch (IOException e) {
            return found; // a folder that cannot be listed names nothing; opening its files says what is wrong
        }
        return found;
    }

    private static boolean isLicence(Path file) {
        String name = String.valueOf(file.getFileName()).toUpperCase(Locale.ROOT);
        return Files.isRegularFile(file)
                && (name.startsWith("LICENSE") || name.startsWith("LICENCE") || name.startsWith("COPYING"));
    }

    /** {@code license_name} where {@code license} is only {@code other}. */
    private static @Nullable String frontMatter(Path card) {
        String license = null;
        String named = null;
        try (java.io.BufferedReader in = Files.newBufferedReader(card, StandardCharsets.UTF_8)) {
            String line = in.readLine();
            if (line == null || !line.trim().equals("---")) {
                return null;
            }
            for (int i = 0; i < FRONT_MATTER_LINES; i++) {
                line = in.readLine();
                if (line == null || line.trim().equals("---")) {
                    break;
                }
                Matcher key = KEY.matcher(line);
                if (key.matches()) {
                    if (key.group(1).equals("license")) {
                        license = key.group(2);
                    } else {
                        named = key.group(2);
                    }
                }
            }
        } catch (IOException e) {
            return null; // not a text in UTF-8, so not a model card
        }
        return named != null && (license == null || license.equals("other")) ? named : license;
    }
}

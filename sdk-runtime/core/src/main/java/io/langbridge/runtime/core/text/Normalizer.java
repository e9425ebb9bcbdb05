package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/** What is done to a text before it is split: the {@code normalizer} of {@code tokenizer.json}. Immutable. */
final class Normalizer {
    private static final String SUPPORTED =
            "NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Nmt, Replace, Prepend,"
                    + " Precompiled, ByteLevel, BertNormalizer and Sequence";
    private static final Set<String> KEEPING =
            new HashSet<>(Arrays.asList("NFC", "NFD", "Prepend", "Replace", "ByteLevel", "Sequence"));
    private static final int MOST_STEPS = 64;
    /** No character of Unicode grows as much; a chain of replacements that does would fill the memory. */
    private static final int MOST_GROWTH = 32;

    private static final int FREE_GROWTH = 1 << 16;

    /** Categories, see {@link Unicode#is}: Mn; and Cc, Cf and Co. */
    private static final int NONSPACING = 1 << 5;

    private static final int OTHER = 1 << 25 | 1 << 26 | 1 << 28 | 1 << 30;

    private interface Step {
        /** @param start whether the text begins a piece of its own */
        String apply(String text, boolean start, long mostLength);
    }

    private final List<Step> steps = new ArrayList<>();
    private boolean keepsAllText = true;

    private Normalizer() {}

    static Normalizer of(Part part) {
        Normalizer normalizer = new Normalizer();
        normalizer.add(part);
        return normalizer;
    }

    /** @param start false leaves out what is put in front of a text */
    String apply(String text, boolean start) {
        String normalized = text;
        long most = FREE_GROWTH + (long) MOST_GROWTH * text.length();
        for (Step step : steps) {
            normalized = step.apply(normalized, start, most);
        }
        return normalized;
    }

    /** Whether a text never gets much shorter, by a normal form at most. */
    boolean keepsAllText() {
        return keepsAllText;
    }

    private void add(Part part) {
        if (part.isNull()) {
            return;
        }
        String type = part.part("type").text();
        keepsAllText &= KEEPING.contains(type);
        switch (type) {
            case "Sequence" -> part.part("normalizers").parts().forEach(this::add);
            case "NFC" -> step(Unicode::nfc);
            case "NFD" -> step(Unicode::nfd);
            case "NFKC" -> step(Unicode::nfkc);
            case "NFKD" -> step(Unicode::nfkd);
            case "Lowercase" -> step(Unicode::lower);
            case "StripAccents" -> step(text -> without(text, Unicode::isAccent));
            case "Strip" -> {
                boolean left = part.part("strip_left").flag();
                boolean right = part.part("strip_right").flag();
                step(text -> strip(text, left, right));
            }
            case "Nmt" -> step(Normalizer::nmt);
            case "ByteLevel" -> step(text -> ByteLevel.write(text, 0, text.length()));
            case "Prepend" -> {
                String prefix = part.part("prepend").text();
                steps.add((text, start, most) -> start && !text.isEmpty() ? prefix + text : text);
            }
            case "Replace" -> replace(part);
            case "Precompiled" -> step(Charsmap.of(part.part("precompiled_charsmap"))::apply);
            case "BertNormalizer" -> bert(part);
            default -> throw part.unsupported(Shown.text(type), SUPPORTED);
        }
        if (steps.size() > MOST_STEPS) {
            throw part.unsupported("one of more than " + MOST_STEPS, "chains of at most " + MOST_STEPS);
        }
    }

    private interface Simple {
        String apply(String text);
    }

    private void step(Simple step) {
        steps.add((text, start, most) -> step.apply(text));
    }

    private void replace(Part part) {
        SplitPattern pattern = Patterns.of(part.part("pattern"));
        String content = part.part("content").text();
        String literal = part.part("pattern").part("String").textOr("");
        keepsAllText &= !literal.isEmpty() && bytes(content) >= bytes(literal);
        steps.add((text, start, most) -> {
            StringBuilder out = new StringBuilder();
            int[] done = new int[1];
            pattern.matches(text, (from, to) -> {
                out.append(text, done[0], from).append(content);
                done[0] = to;
                if (out.length() > most) {
                    throw new CheckpointException(part.file() + ": the normalizers make a text of more than " + most
                            + " characters of a shorter one. Is it the file that the model was published with?");
                }
            });
            return done[0] == 0
                    ? text
                    : out.append(text, done[0], text.length()).toString();
        });
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static String strip(String text, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && Unicode.isWhiteSpace(text.charAt(start))) {
            start++;
        }
        while (right && end > start && Unicode.isWhiteSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static String without(String text, IntPredicate unwanted) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().filter(unwanted.negate()).forEach(out::appendCodePoint);
        return out.toString();
    }

    /** The rules of SentencePiece's predecessor: controls go, characters that separate become a space. */
    private static String nmt(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean removed = c >= 0x01 && c <= 0x08
                    || c == 0x0B
                    || c >= 0x0E && c <= 0x1F
                    || c == 0x7F
                    || c == 0x8F
                    || c == 0x9F;
            boolean space = c == '\t'
                    || c == '\n'
                    || c == '\f'
                    || c == '\r'
                    || c == 0x1680
                    || c >= 0x200B && c <= 0x200F
                    || c == 0x2028
                    || c == 0x2029
                    || c == 0x2581
                    || c == 0xFEFF
                    || c == 0xFFFD;
            if (!removed) {
                out.append(space ? ' ' : c);
            }
        }
        return out.toString();
    }

    private void bert(Part part) {
        boolean clean = part.part("clean_text").flag();
        boolean chinese = part.part("handle_chinese_chars").flag();
        boolean lowercase = part.part("lowercase").flag();
        boolean accents = part.part("strip_accents").flagOr(lowercase);
        step(text -> {
            String normalized = clean ? clean(text) : text;
            normalized = chinese ? spaced(normalized) : normalized;
            normalized = accents ? without(Unicode.nfd(normalized), c -> Unicode.is(NONSPACING, c)) : normalized;
            return lowercase ? Unicode.lower(normalized) : normalized;
        });
    }

    private static String clean(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean space = Unicode.isWhiteSpace(c);
            boolean control = c != '\t' && c != '\n' && c != '\r' && Unicode.is(OTHER, c);
            if (c != 0 && c != 0xFFFD && !control) {
                out.appendCodePoint(space ? ' ' : c);
            }
        });
        return out.toString();
    }

    private static String spaced(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (isChinese(c)) {
                out.append(' ').appendCodePoint(c).append(' ');
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static boolean isChinese(int c) {
        return c >= 0x4E00 && c <= 0x9FFF
                || c >= 0x3400 && c <= 0x4DBF
                || c >= 0x20000 && c <= 0x2A6DF
                || c >= 0x2A700 && c <= 0x2B73F
                || c >= 0x2B740 && c <= 0x2B81F
                || c >= 0x2B920 && c <= 0x2CEAF
                || c >= 0xF900 && c <= 0xFAFF
                || c >= 0x2F800 && c <= 0x2FA1F;
    }
}

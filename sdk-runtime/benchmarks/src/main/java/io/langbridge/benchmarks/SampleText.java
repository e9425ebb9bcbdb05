package io.langbridge.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * Texts to tokenize, the same in every run. Words are made up; how long and how frequent they are is as in English, so
 * that neither a memory of words nor its misses decide alone.
 */
final class SampleText {
    private static final int WORDS = 20_000;
    private static final int LONG = 1_000_000;
    private static final String CONSONANTS = "tnsrhldcmfpgwybvk";
    private static final String VOWELS = "eaoiu";

    private final Random random = new Random(7);
    private final String[] words = new String[WORDS];

    SampleText() {
        for (int i = 0; i < WORDS; i++) {
            StringBuilder word = new StringBuilder();
            // frequent words are the short ones
            int syllables = 1 + (int) (Math.log(i + 1) / 4 + random.nextDouble());
            for (int s = 0; s < syllables; s++) {
                word.append(CONSONANTS.charAt((int) (CONSONANTS.length() * Math.pow(random.nextDouble(), 2))))
                        .append(VOWELS.charAt((int) (VOWELS.length() * Math.pow(random.nextDouble(), 1.5))));
                if (random.nextBoolean()) {
                    word.append(CONSONANTS.charAt(random.nextInt(CONSONANTS.length())));
                }
            }
            words[i] = word.toString();
        }
    }

    /** By Zipf's law: the n-th word comes with a frequency of 1/n. */
    private String word() {
        return words[(int) Math.pow(WORDS, random.nextDouble()) - 1];
    }

    private String name() {
        String word = word();
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }

    /** Sentences and paragraphs of so many characters or a few more. */
    String prose(int length) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            text.append(name());
            for (int n = 4 + random.nextInt(16); n > 0; n--) {
                text.append(random.nextInt(12) == 0 ? ", " : " ");
                switch (random.nextInt(40)) {
                    case 0 -> text.append(1 + random.nextInt(2026));
                    case 1 -> text.append(name());
                    case 2 -> text.append(word()).append("'s");
                    case 3 -> text.append('\u201c').append(word()).append('\u201d');
                    default -> text.append(word());
                }
            }
            text.append(random.nextInt(6) == 0 ? ".\n\n" : ". ");
        }
        return text.toString();
    }

    /** Indented lines with names, signs and numbers. */
    String code(int length) {
        StringBuilder text = new StringBuilder();
        int depth = 0;
        while (text.length() < length) {
            text.append("    ".repeat(depth));
            switch (random.nextInt(6)) {
                case 0 -> {
                    text.append("if (")
                            .append(word())
                            .append(" <= ")
                            .append(random.nextInt(1000))
                            .append(") {");
                    depth = Math.min(depth + 1, 5);
                }
                case 1, 2 -> {
                    if (depth > 0) {
                        depth--;
                        text.setLength(text.length() - 4);
                        text.append('}');
                    }
                }
                case 3 ->
                    text.append("// ")
                            .append(word())
                            .append(' ')
                            .append(word())
                            .append(' ')
                            .append(word());
                default ->
                    text.append(word())
                            .append(name())
                            .append(" = ")
                            .append(word())
                            .append('.')
                            .append(word())
                            .append('(')
                            .append(word())
                            .append(name())
                            .append(", 0x")
                            .append(Integer.toHexString(random.nextInt()))
                            .append(");");
            }
            text.append('\n');
        }
        return text.toString();
    }

    /** A million characters each of what takes the longest for tokenizers that are not prepared for it. */
    static Map<String, String> hostile() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("letters", "a".repeat(LONG));
        texts.put("blanks", " ".repeat(LONG));
        texts.put("newlines", "\n".repeat(LONG));
        texts.put("emoji", "\ud83d\ude00".repeat(LONG / 2));
        texts.put("almost_special", "<|im_".repeat(LONG / 5));
        return texts;
    }
}

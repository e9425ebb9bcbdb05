package io.langbridge.runtime.core.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What characters are, as the reference has it (the Python package tokenizers 0.23), whatever the JDK or Android knows
 * of Unicode. The reference is made of parts that follow different versions, and so is this:
 *
 * <ul>
 *   <li>classes in patterns, as {@link #isLetter}: Unicode 16 (its Oniguruma)
 *   <li>{@link #lower} and {@link #isNumeric}: Unicode 17 (its standard library)
 *   <li>{@link #nfc} and its kin: between Unicode 11 and 12 (its crate of normal forms)
 *   <li>{@link #isPunctuationToSplit} and {@link #isAccent}: older still
 * </ul>
 *
 * <p>The tables were measured, not copied: every code point but the surrogates went through the reference's normalizers
 * and through a {@code Split} with each class, and a script wrote what came out. {@code unicode.bin}: kinds of all code
 * points as runs (length, index in {@link #CATEGORIES}), the sets in the order of {@link #SETS} as gaps and lengths,
 * pairs of gap and signed distance for lower case. {@code normal-forms.bin}: see {@link NormalForm}. The tests hold
 * hashes of the measured results.
 */
final class Unicode {
    private static final String[] CATEGORIES = {
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"
    };

    /** Controls that are white space have a kind of their own, so that {@link #WHITE_SPACE} is a mask like others. */
    private static final int CONTROL_SPACE = 30;

    private static final String[] SETS = {
        "alphabetic", "lower", "upper", "han", "hiragana", "katakana", "hangul", "bopomofo", "latin", "greek",
        "cyrillic", "arabic", "hebrew", "devanagari", "thai", "lao", "khmer", "myanmar", "numeric", "punctuation",
        "accent"
    };

    static final int LOWER = 1 << 1;
    static final int LETTER = 0x1F;
    static final int MARK = 0x7 << 5;
    static final int NUMBER = 0x7 << 8;
    static final int PUNCTUATION = 0x7F << 11;
    static final int SYMBOL = 0xF << 18;
    static final int WHITE_SPACE = 0x7 << 22 | 1 << CONTROL_SPACE;
    private static final int CONTROL = 1 << 25 | 1 << CONTROL_SPACE;

    /** Upper, title, modifier and other letters, and marks: what a word of o200k may begin with. */
    static final int BEFORE_LOWER = LETTER & ~LOWER | MARK;

    /** Lower, modifier and other letters, and marks: what a word of o200k may go on with. */
    static final int LOWER_OR_CASELESS = LOWER | 1 << 3 | 1 << 4 | MARK;

    /** Blocks of 256; those of one kind throughout are shared. */
    private static final byte[][] KINDS = new byte[CodePoints.LIMIT >> 8][];

    private static final int[] RUN_ENDS;
    private static final byte[] RUN_KINDS;
    private static final Map<String, CodePoints> NAMED = new HashMap<>();

    private static final Map<Integer, CodePoints> OF_KINDS = new ConcurrentHashMap<>();
    private static final int[] LOWERED;
    private static final int[] LOWERED_TO;
    private static final CodePoints NUMERIC;
    private static final CodePoints PUNCTUATION_TO_SPLIT;
    private static final CodePoints ACCENTS;

    /** The only one whose lower case is two characters. */
    private static final int CAPITAL_I_WITH_DOT = 0x130;

    static {
        TableReader in = TableReader.open("unicode.bin");
        byte[] all = new byte[CodePoints.LIMIT];
        int at = 0;
        RUN_ENDS = new int[in.number()];
        RUN_KINDS = new byte[RUN_ENDS.length];
        for (int run = 0; run < RUN_ENDS.length; run++) {
            RUN_ENDS[run] = at + in.number();
            RUN_KINDS[run] = (byte) in.next();
            Arrays.fill(all, at, RUN_ENDS[run], RUN_KINDS[run]);
            at = RUN_ENDS[run];
        }
        byte[][] uniform = new byte[CONTROL_SPACE + 1][];
        for (int block = 0; block < KINDS.length; block++) {
            byte[] kinds = Arrays.copyOfRange(all, block << 8, (block + 1) << 8);
            byte[] filled = new byte[256];
            Arrays.fill(filled, kinds[0]);
            if (Arrays.equals(kinds, filled)) {
                if (uniform[kinds[0]] == null) {
                    uniform[kinds[0]] = kinds;
                }
                kinds = uniform[kinds[0]];
            }
            KINDS[block] = kinds;
        }
        for (String name : SETS) {
            NAMED.put(name, in.set());
        }
        NUMERIC = take("numeric");
        PUNCTUATION_TO_SPLIT = take("punctuation");
        ACCENTS = take("accent");
        LOWERED = new int[in.number()];
        LOWERED_TO = new int[LOWERED.length];
        int codePoint = 0;
        for (int i = 0; i < LOWERED.length; i++) {
            codePoint += in.number();
            LOWERED[i] = codePoint;
            LOWERED_TO[i] = codePoint + in.signed();
        }
    }

    private Unicode() {}

    private static CodePoints take(String name) {
        CodePoints set = NAMED.remove(name);
        if (set == null) {
            throw new IllegalStateException(name);
        }
        return set;
    }

    /** {@return whether the character's category is among those of a mask, such as {@link #LETTER}} */
    static boolean is(int mask, int codePoint) {
        return (mask >>> KINDS[codePoint >> 8][codePoint & 0xFF] & 1) != 0;
    }

    /** {@return the categories of the character as a mask of one bit, to be tested against several masks} */
    static int bit(int codePoint) {
        return 1 << KINDS[codePoint >> 8][codePoint & 0xFF];
    }

    /** As {@code \p{L}} has it. */
    static boolean isLetter(int codePoint) {
        return is(LETTER, codePoint);
    }

    /** As {@code \p{N}} has it. */
    static boolean isNumber(int codePoint) {
        return is(NUMBER, codePoint);
    }

    /** As {@code \p{M}} has it. */
    static boolean isMark(int codePoint) {
        return is(MARK, codePoint);
    }

    /** As {@code \p{P}} has it. */
    static boolean isPunctuation(int codePoint) {
        return is(PUNCTUATION, codePoint);
    }

    /** As {@code \p{S}} has it. */
    static boolean isSymbol(int codePoint) {
        return is(SYMBOL, codePoint);
    }

    /** As {@code \s} has it, and the parts of the reference that trim or split at white space. */
    static boolean isWhiteSpace(int codePoint) {
        return is(WHITE_SPACE, codePoint);
    }

    /** What the pre-tokenizer Digits splits off. */
    static boolean isNumeric(int codePoint) {
        return NUMERIC.contains(codePoint);
    }

    /** What the pre-tokenizer Punctuation splits off. */
    static boolean isPunctuationToSplit(int codePoint) {
        return PUNCTUATION_TO_SPLIT.contains(codePoint);
    }

    /** What the normalizer StripAccents removes. */
    static boolean isAccent(int codePoint) {
        return ACCENTS.contains(codePoint);
    }

    /** As {@code \w} in the pre-tokenizer Whitespace, which has an engine of its own: joiners are in it. */
    static boolean isWord(int codePoint) {
        return is(MARK | 1 << 8 | 1 << 11, codePoint)
                || codePoint == 0x200C
                || codePoint == 0x200D
                || Words.ALPHABETIC.contains(codePoint);
    }

    /** Looked up once; a class of its own because the map is filled first. */
    private static final class Words {
        static final CodePoints ALPHABETIC = named("alphabetic");
    }

    /**
     * The set that {@code \p{..}} means.
     *
     * @param name without regard to case, blanks, {@code _} and {@code -}
     * @return null if it is not one of those we have
     */
    static @Nullable CodePoints property(String name) {
        String key = plain(name);
        switch (key) {
            case "any":
                return CodePoints.range(0, CodePoints.LIMIT - 1);
            case "alpha":
                return named("alphabetic");
            case "alnum":
                return named("alphabetic").or(category("nd"));
            case "space":
            case "whitespace":
                return ofKinds(WHITE_SPACE);
            case "digit":
                return category("nd");
            case "punct":
                return ofKinds(PUNCTUATION);
            case "lowercase":
                return named("lower");
            case "uppercase":
                return named("upper");
            default:
                CodePoints set = NAMED.get(key);
                return set != null ? set : categoryOrNull(key);
        }
    }

    private static String plain(String name) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c != '_' && c != '-' && c != ' ') {
                plain.append(c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c);
            }
        }
        return plain.toString();
    }

    private static CodePoints named(String key) {
        CodePoints set = NAMED.get(key);
        if (set == null) {
            throw new IllegalArgumentException(key);
        }
        return set;
    }

    static CodePoints category(String key) {
        CodePoints set = categoryOrNull(key);
        if (set == null) {
            throw new IllegalArgumentException(key);
        }
        return set;
    }

    private static @Nullable CodePoints categoryOrNull(String key) {
        int mask = 0;
        for (int i = 0; i < CATEGORIES.length; i++) {
            String category = plain(CATEGORIES[i]);
            if (category.equals(key) || key.length() == 1 && category.startsWith(key)) {
                mask |= 1 << i;
            }
        }
        if ((mask & CONTROL) != 0) {
            mask |= CONTROL;
        }
        return mask == 0 ? null : ofKinds(mask);
    }

    /** {@return all characters whose category is among those of the mask}; a pattern may ask for them at every turn. */
    static CodePoints ofKinds(int mask) {
        return OF_KINDS.computeIfAbsent(mask, Unicode::collect);
    }

    private static CodePoints collect(int mask) {
        int[] bounds = new int[2 * RUN_KINDS.length];
        int n = 0;
        int start = 0;
        for (int run = 0; run < RUN_KINDS.length; run++) {
            boolean inside = (mask >>> RUN_KINDS[run] & 1) != 0;
            if (inside != ((n & 1) != 0)) {
                bounds[n++] = start;
            }
            start = RUN_ENDS[run];
        }
        if ((n & 1) != 0) {
            bounds[n++] = CodePoints.LIMIT;
        }
        return CodePoints.ofBounds(Arrays.copyOf(bounds, n));
    }

    /** {@return the text with every character in lower case, each for itself: a final sigma is one like others} */
    static String lower(String text) {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (lowerOf(c) != c) {
                return lowerFrom(text, i);
            }
            i += Character.charCount(c);
        }
        return text;
    }

    private static String lowerFrom(String text, int first) {
        StringBuilder out = new StringBuilder(text.length() + 16).append(text, 0, first);
        for (int i = first; i < text.length(); ) {
            int c = text.codePointAt(i);
            out.appendCodePoint(lowerOf(c));
            if (c == CAPITAL_I_WITH_DOT) {
                out.append('\u0307');
            }
            i += Character.charCount(c);
        }
        return out.toString();
    }

    static int lowerOf(int codePoint) {
        if (codePoint < 128) {
            return codePoint >= 'A' && codePoint <= 'Z' ? codePoint + 'a' - 'A' : codePoint;
        }
        if (codePoint == CAPITAL_I_WITH_DOT) {
            return 'i';
        }
        int found = Arrays.binarySearch(LOWERED, codePoint);
        return found < 0 ? codePoint : LOWERED_TO[found];
    }

    static String nfc(String text) {
        return NormalForm.NFC.of(text);
    }

    static String nfd(String text) {
        return NormalForm.NFD.of(text);
    }

    static String nfkc(String text) {
        return NormalForm.NFKC.of(text);
    }

    static String nfkd(String text) {
        return NormalForm.NFKD.of(text);
    }
}

package io.langbridge.runtime.core.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How tokens become text: the {@code decoder} of {@code tokenizer.json}. A chain of stages, each of which hands on what
 * is certain, so that an answer can be shown while it is made; all at once and token by token give the same. Immutable;
 * what {@link #start} returns is not.
 */
final class Decoder {
    private static final String SUPPORTED =
            "ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace, WordPiece, BPEDecoder and Sequence";
    private static final int MOST_STAGES = 64;

    /** Takes text that belongs to one token, and where tokens end. */
    private abstract static class Stage {
        final @Nullable Stage next;

        Stage(@Nullable Stage next) {
            this.next = next;
        }

        abstract void text(String text);

        void endToken() {
            endNext();
        }

        /** No token follows. */
        void end() {
            if (next != null) {
                next.end();
            }
        }

        final void pass(String text) {
            if (next != null && !text.isEmpty()) {
                next.text(text);
            }
        }

        final void endNext() {
            if (next != null) {
                next.endToken();
            }
        }
    }

    private final List<Function<Stage, Stage>> stages = new ArrayList<>();

    private Decoder() {}

    static Decoder of(Part part) {
        Decoder decoder = new Decoder();
        if (part.isNull()) {
            decoder.stages.add(Spaced::new);
        } else {
            decoder.add(part);
        }
        return decoder;
    }

    private void add(Part part) {
        String type = part.part("type").text();
        switch (type) {
            case "Sequence" -> part.part("decoders").parts().forEach(this::add);
            case "ByteLevel" -> stages.add(Bytes::new);
            case "ByteFallback" -> stages.add(Fallback::new);
            case "Fuse" -> stages.add(Fuse::new);
            case "Replace" -> replace(part);
            case "Strip" -> {
                int content = part.part("content").character();
                int start = part.part("start").integer(Integer.MAX_VALUE);
                int stop = part.part("stop").integer(Integer.MAX_VALUE);
                stages.add(next -> new Strip(next, content, start, stop));
            }
            case "Metaspace" -> {
                int replacement = part.part("replacement").character();
                boolean drop = PreTokenizer.Scheme.of(part) != PreTokenizer.Scheme.NEVER;
                stages.add(next -> new Metaspace(next, replacement, drop));
            }
            case "WordPiece" -> {
                String prefix = part.part("prefix").text();
                boolean clean = part.part("cleanup").flag();
                stages.add(next -> new WordPiece(next, prefix, clean));
            }
            case "BPEDecoder" -> {
                Part suffix = part.part("suffix");
                if (suffix.text().isEmpty()) {
                    throw suffix.damaged("is empty");
                }
                stages.add(next -> new Suffix(next, suffix.text()));
            }
            default -> throw part.unsupported("the decoder " + Shown.text(type), SUPPORTED);
        }
        if (stages.size() > MOST_STAGES) {
            throw part.unsupported("one of more than " + MOST_STAGES, "chains of at most " + MOST_STAGES);
        }
    }

    private void replace(Part part) {
        String content = part.part("content").text();
        Part literal = part.part("pattern").part("String");
        SplitPattern pattern = Patterns.of(part.part("pattern"));
        if (literal.isNull()) {
            stages.add(next -> new ReplacePattern(next, pattern, content));
        } else {
            stages.add(next -> new Replace(next, literal.text(), content));
        }
    }

    /** One text. Not thread-safe. */
    final class Run {
        private final Stage first;
        private final Collector collector = new Collector();

        private Run() {
            Stage stage = collector;
            for (int i = stages.size() - 1; i >= 0; i--) {
                stage = stages.get(i).apply(stage);
            }
            first = stage;
        }

        /** Takes a token as the vocabulary writes it; gives the text that is certain now and was not before. */
        String next(String token) {
            first.text(token);
            first.endToken();
            return collector.take();
        }

        String flush() {
            first.end();
            return collector.take();
        }
    }

    Run start() {
        return new Run();
    }

    private static final class Collector extends Stage {
        private final StringBuilder out = new StringBuilder();

        Collector() {
            super(null);
        }

        @Override
        void text(String text) {
            out.append(text);
        }

        String take() {
            String taken = out.toString();
            out.setLength(0);
            return taken;
        }
    }

    /** What the reference does for want of a decoder. */
    private static final class Spaced extends Stage {
        private boolean later;

        Spaced(Stage next) {
            super(next);
        }

        @Override
        void text(String text) {
            pass(later ? " " + text : text);
            later = true;
        }
    }

    /** A token is bytes, unless it has characters that stand for none. All tokens become one. */
    private static final class Bytes extends Stage {
        private final Utf8Decoder utf8 = new Utf8Decoder();
        private final StringBuilder token = new StringBuilder();

        Bytes(Stage next) {
            super(next);
        }

        @Override
        void text(String text) {
            token.append(text);
        }

        @Override
        void endToken() {
            StringBuilder out = new StringBuilder();
            for (byte b : TokenBytes.byteLevel(token.toString())) {
                utf8.accept(b & 0xFF, out);
            }
            token.setLength(0);
            pass(out.toString());
        }

        @Override
        void end() {
            StringBuilder out = new StringBuilder();
            if (token.length() > 0) {
                endToken();
            }
            utf8.flush(out);
            pass(out.toString());
            endNext();
            super.end();
        }
    }

    /**
     * {@code <0x0A>} is a byte. A run of them that is not UTF-8 becomes U+FFFD for each, so that none of it is certain
     * before its end.
     */
    private static final class Fallback extends Stage {
        private final StringBuilder token = new StringBuilder();
        private byte[] run = new byte[16];
        private int length;

        Fallback(Stage next) {
            super(next);
        }

        @Override
        void text(String text) {
            token.append(text);
        }

        @Override
        void endToken() {
            String whole = token.toString();
            token.setLength(0);
            Byte single = TokenBytes.fallbackByte(whole);
            if (single == null) {
                endRun();
                pass(whole);
                endNext();
                return;
            }
            if (length == run.length) {
                run = Arrays.copyOf(run, 2 * length);
            }
            run[length++] = single;
        }

        private void endRun() {
            if (length == 0) {
                return;
            }
            if (Utf8.isWellFormed(run, length)) {
                pass(new String(run, 0, length, StandardCharsets.UTF_8));
                endNext();
            } else {
                for (int i = 0; i < length; i++) {
                    pass("\uFFFD");
                    endNext();
                }
            }
            length = 0;
        }

        @Override
        void end() {
            if (token.length() > 0) {
                endToken();
            }
            endRun();
            super.end();
        }
    }

    /** All tokens become one. */
    private static final class Fuse extends Stage {
        Fuse(Stage next) {
            super(next);
        }

        @Override
        void text(String text) {
            pass(text);
        }

        @Override
        void endToken() {}

        @Override
        void end() {
            endNext();
            super.end();
        }
    }

    private static final class Replace extends Stage {
        private final String wanted;
        private final String content;
        private String held = "";

        Replace(Stage next, String wanted, String content) {
            super(next);
            this.wanted = wanted;
            this.content = content;
        }

        @Override
        void text(String text) {
            String all = held + text;
            StringBuilder out = new StringBuilder();
            int done = 0;
            for (int at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, done)) {
                out.append(all, done, at).append(content);
                done = at + wanted.length();
            }
            int keep = Math.max(done, all.length() - wanted.length() + 1);
            while (keep < all.length() && !wanted.startsWith(all.substring(keep))) {
                keep++;
            }
            held = all.substring(keep);
            pass(out.append(all, done, keep).toString());
        }

        @Override
        void endToken() {
            String rest = held;
            held = "";
            pass(rest);
            endNext();
        }
    }

    /** Nothing is certain before the end of a token: a pattern may look ahead. */
    private abstract static class Whole extends Stage {
        private final StringBuilder token = new StringBuilder();

        Whole(Stage next) {
            super(next);
        }

        abstract String of(String token);

        @Override
        void text(String text) {
            token.append(text);
        }

        @Override
        void endToken() {
            String whole = of(token.toString());
            token.setLength(0);
            pass(whole);
            endNext();
        }
    }

    private static final class ReplacePattern extends Whole {
        private final SplitPattern pattern;
        private final String content;

        ReplacePattern(Stage next, SplitPattern pattern, String content) {
            super(next);
            this.pattern = pattern;
            this.content = content;
        }

        @Override
        String of(String token) {
            StringBuilder out = new StringBuilder();
            int[] done = new int[1];
            pattern.matches(token, (start, end) -> {
                out.append(token, done[0], start).append(content);
                done[0] = end;
            });
            return out.append(token, done[0], token.length()).toString();
        }
    }

    /** Takes a character off both ends of every token, as often as it is there, up to a limit. */
    private static final class Strip extends Stage {
        private final int content;
        private final int start;
        private final int stop;
        private int cut;
        /** Whether the token may still begin with what is to be cut. */
        private boolean beginning = true;
        /** Characters that would be cut if the token ended here. */
        private int held;

        Strip(Stage next, int content, int start, int stop) {
            super(next);
            this.content = content;
            this.start = start;
            this.stop = stop;
        }

        @Override
        void text(String text) {
            StringBuilder out = new StringBuilder();
            text.codePoints().forEach(c -> {
                if (c == content && beginning && cut < start) {
                    cut++;
                    return;
                }
                beginning = false;
                if (c != content) {
                    release(out, held);
                    out.appendCodePoint(c);
                } else if (held < stop) {
                    held++;
                } else {
                    out.appendCodePoint(c);
                }
            });
            pass(out.toString());
        }

        private void release(StringBuilder out, int count) {
            for (int i = 0; i < count; i++) {
                out.appendCodePoint(content);
            }
            held = 0;
        }

        @Override
        void endToken() {
            cut = 0;
            beginning = true;
            held = 0;
            endNext();
        }
    }

    /** U+2581 is a space; in the first token it was put there by the tokenizer. */
    private static final class Metaspace extends Stage {
        private final String replacement;
        private final boolean drop;
        private boolean later;

        Metaspace(Stage next, int replacement, boolean drop) {
            super(next);
            this.replacement = new String(Character.toChars(replacement));
            this.drop = drop;
        }

        @Override
        void text(String text) {
            pass(text.replace(replacement, later || !drop ? " " : ""));
        }

        @Override
        void endToken() {
            later = true;
            endNext();
        }
    }

    private static final class WordPiece extends Whole {
        private final String prefix;
        private final boolean clean;
        private boolean later;

        WordPiece(Stage next, String prefix, boolean clean) {
            super(next);
            this.prefix = prefix;
            this.clean = clean;
        }

        @Override
        String of(String token) {
            String text = token;
            if (later) {
                text = token.startsWith(prefix) ? token.substring(prefix.length()) : " " + token;
            }
            later = true;
            return clean ? clean(text) : text;
        }

        private static String clean(String text) {
            return text.replace(" .", ".")
                    .replace(" ?", "?")
                    .replace(" !", "!")
                    .replace(" ,", ",")
                    .replace(" ' ", "'")
                    .replace(" n't", "n't")
                    .replace(" 'm", "'m")
                    .replace(" do not", " don't")
                    .replace(" 's", "'s")
                    .replace(" 've", "'ve")
                    .replace(" 're", "'re");
        }
    }

    /** The end of a word becomes a space, but at the end of the text. */
    private static final class Suffix extends Whole {
        private final String suffix;
        private @Nullable String held;

        Suffix(Stage next, String suffix) {
            super(next);
            this.suffix = suffix;
        }

        @Override
        String of(String token) {
            String before = held == null ? "" : held.replace(suffix, " ");
            held = token;
            return before;
        }

        @Override
        void end() {
            if (held != null) {
                pass(held.replace(suffix, ""));
                endNext();
            }
            super.end();
        }
    }
}

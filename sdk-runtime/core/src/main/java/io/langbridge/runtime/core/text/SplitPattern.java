package io.langbridge.runtime.core.text;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

interface SplitPattern {
    interface Spans {
        void span(int start, int end);
    }

    void matches(String text, Spans spans);

    static SplitPattern regex(String pattern, Path file) {
        Pattern p;
        try {
            p = Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS);
        } catch (IllegalArgumentException | StackOverflowError e) {
            throw new io.langbridge.UnsupportedModelException(file + " has a pattern " + e);
        }
        return (text, spans) -> {
            Matcher m = p.matcher(text);
            while (m.find()) {
                if (m.end() > m.start()) {
                    spans.span(m.start(), m.end());
                }
            }
        };
    }

    static SplitPattern literal(String literal) {
        return (text, spans) -> {
            for (int at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length())) {
                spans.span(at, at + literal.length());
            }
        };
    }
}

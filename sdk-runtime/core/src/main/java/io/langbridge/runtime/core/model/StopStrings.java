package io.langbridge.runtime.core.model;

import java.util.List;

/** Ends a text where one of several stop strings begins, though it may arrive in pieces. Not thread-safe. */
final class StopStrings {
    private final List<String> stops;
    private String held = "";
    private boolean found;

    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /** Whether a stop string has appeared. */
    boolean found() {
        return found;
    }

    /** Takes the next piece and returns what certainly does not belong to a stop string. */
    String next(String piece) {
        String text = held + piece;
        int end = text.length();
        for (String stop : stops) {
            int at = text.indexOf(stop);
            if (at >= 0 && at <= end) {
                end = at;
                found = true;
            }
        }
        if (found) {
            held = "";
            return text.substring(0, end);
        }
        int hold = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, text.length()); n > hold; n--) {
                if (stop.startsWith(text.substring(text.length() - n))) {
                    hold = n;
                }
            }
        }
        held = text.substring(text.length() - hold);
        return text.substring(0, text.length() - hold);
    }

    /** What was held back, at the end of the text. */
    String flush() {
        String rest = held;
        held = "";
        return rest;
    }
}

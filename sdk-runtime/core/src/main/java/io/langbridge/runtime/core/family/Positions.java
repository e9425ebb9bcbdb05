package io.langbridge.runtime.core.family;

import java.util.List;

/**
 * Where the tokens of a prompt stand for a decoder whose positions have several axes. Safe for use by several threads.
 */
public interface Positions {
    /**
     * A stretch of a prompt.
     *
     * @param tokens how many positions of the cache it takes
     * @param columns of the grid that they are, row by row; 0 if they are words, one behind the other
     */
    record Segment(int tokens, int columns) {}

    /**
     * Where each token stands.
     *
     * @param prompt from its beginning, at least one token
     * @return {@code [axes][tokens]}; what comes behind goes on behind the largest of the last token's numbers
     */
    int[][] of(List<Segment> prompt);

    /**
     * A time, a row and a column ({@code mrope}): words have the same number in all of them. A picture begins where
     * words would go on, all of it at one time, and what follows it stands behind its longer side.
     */
    static int[][] onGrids(List<Segment> prompt) {
        int tokens = prompt.stream().mapToInt(Segment::tokens).sum();
        int[][] positions = new int[3][tokens];
        int at = 0;
        int next = 0;
        for (Segment segment : prompt) {
            int columns = segment.columns();
            for (int i = 0; i < segment.tokens(); i++) {
                positions[0][at] = columns == 0 ? next + i : next;
                positions[1][at] = columns == 0 ? next + i : next + i / columns;
                positions[2][at] = columns == 0 ? next + i : next + i % columns;
                at++;
            }
            next += columns == 0 ? segment.tokens() : Math.max(columns, segment.tokens() / columns);
        }
        return positions;
    }
}

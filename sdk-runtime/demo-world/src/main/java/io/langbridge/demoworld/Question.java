package io.langbridge.demoworld;

/**
 * A question about a scene.
 *
 * @param kind what is asked
 * @param text the question
 * @param answer the one answer, short and in lower case but for letters
 */
record Question(Kind kind, String text, String answer) {
    /** What can be asked. */
    enum Kind {
        /** What a picture's only item is: "a red circle". */
        WHAT,
        /** An item's colour: "red". */
        COLOUR,
        /** An item's figure: "circle", "letter A". */
        FIGURE,
        /** What is at a place: "a red circle", "nothing". */
        AT,
        /** How many of a figure: "2". */
        COUNT_FIGURE,
        /** How many of a colour: "2". */
        COUNT_COLOUR,
        /** How many in all: "3". */
        COUNT_ALL,
        /** An item's place, one of nine: "top left", "middle". */
        WHERE,
        /** Where one item is seen from another: "left", "right", "above", "below"; or what is there: "a red circle". */
        RELATION,
        /** Whether one item is on that side of another: "yes", "no". */
        RELATION_CHECK,
        /** Whether there is such a thing, or a thing is such: "yes", "no". */
        EXISTS,
        /** Which of them is larger or smaller: "the red circle"; or whether one is: "yes", "no". */
        SIZE,
        /** Which letter or digit: "A", "7". */
        CHARACTER,
        /** The whole picture in one sentence, see {@link Wording#describe}. */
        DESCRIBE
    }
}

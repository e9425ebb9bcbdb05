package io.langbridge.runtime.core.text;

/**
 * A token that is looked for in the text before the model sees it.
 *
 * @param content never empty
 * @param singleWord only where no word goes on before or after it
 * @param lstrip takes the white space before it
 * @param rstrip takes the white space after it
 * @param normalized looked for in the normalized text
 * @param special decoding leaves it out on request
 */
record AddedToken(
        String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized, boolean special) {

    /** As the files write it; flags that are not there are false, except {@code normalized}. */
    static AddedToken of(Part part) {
        boolean special = part.part("special").flagOr(false);
        return new AddedToken(
                part.part("content").text(),
                part.part("single_word").flagOr(false),
                part.part("lstrip").flagOr(false),
                part.part("rstrip").flagOr(false),
                part.part("normalized").flagOr(!special),
                special);
    }

    AddedToken asSpecial() {
        return new AddedToken(content, singleWord, lstrip, rstrip, normalized, true);
    }
}

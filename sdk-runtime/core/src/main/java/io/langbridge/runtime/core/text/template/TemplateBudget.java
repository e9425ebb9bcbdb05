package io.langbridge.runtime.core.text.template;

/**
 * What one rendering may use. Every evaluated node counts one, every text or list that is made counts its length, so
 * the one number bounds both time and memory; a hostile template ends with an error.
 */
final class TemplateBudget {
    /** A conversation of a million characters takes about a tenth of it. */
    static final long WORK = 50_000_000;

    /** Nested nodes, macro calls included; at about a kilobyte of stack each this fits the small stacks of Android. */
    private static final int DEEPEST = 250;

    private long left = WORK;
    private int depth;

    void charge(long amount) {
        left -= amount;
        if (amount < 0 || left < 0) {
            throw new TemplateFailure("it takes more than " + WORK + " steps and characters");
        }
    }

    void enter() {
        charge(1);
        if (++depth > DEEPEST) {
            throw new TemplateFailure("it nests more than " + DEEPEST + " levels deep");
        }
    }

    void leave() {
        depth--;
    }
}

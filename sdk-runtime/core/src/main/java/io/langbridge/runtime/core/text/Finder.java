package io.langbridge.runtime.core.text;

import java.util.Arrays;
import java.util.List;

/**
 * Finds, at every place of a text, the longest of many words that begins there. An automaton of Aho and Corasick over
 * the words written backwards reads the text from its end: its state then knows all words that begin at a place, and a
 * text costs two steps per character at most, whatever the words and the text.
 */
final class Finder {
    /** The longest words that begin somewhere in a text. Forward only. */
    final class Matches {
        private int[] found = new int[16];
        private int n;

        private void push(int start, int word) {
            if (n == found.length) {
                found = Arrays.copyOf(found, 2 * n);
            }
            found[n++] = start;
            found[n++] = word;
        }

        /** Passes over the words that begin before a place. */
        void skipTo(int place) {
            while (n > 0 && found[n - 2] < place) {
                n -= 2;
            }
        }

        boolean isEmpty() {
            return n == 0;
        }

        int start() {
            return found[n - 2];
        }

        int end() {
            return found[n - 2] + lengths[found[n - 1]];
        }

        /** The number of the word in the list. */
        int word() {
            return found[n - 1];
        }
    }

    private static final int ROOT = 0;

    private final int[] lengths;
    /** A character and a state, by hash; the state it leads to beside it. */
    private long[] keys = new long[64];

    private int[] targets = new int[64];
    private int edges;
    private int states = 1;
    private int[] fallbacks = new int[64];
    /** The longest word that ends with this state, plus one. */
    private int[] words = new int[64];

    /** @param list without empty texts; of two equal ones the first is found */
    Finder(List<String> list) {
        lengths = new int[list.size()];
        for (int i = 0; i < lengths.length; i++) {
            String word = list.get(i);
            lengths[i] = word.length();
            int state = ROOT;
            for (int at = word.length() - 1; at >= 0; at--) {
                state = follow(state, word.charAt(at), true);
            }
            if (words[state] == 0) {
                words[state] = i + 1;
            }
        }
        link(list);
    }

    /** Level by level: where to go on when no longer word is possible. */
    private void link(List<String> list) {
        int[] level = new int[list.size()];
        int deepest = 0;
        for (int length : lengths) {
            deepest = Math.max(deepest, length);
        }
        boolean[] linked = new boolean[states];
        Integer[] order = new Integer[list.size()];
        Arrays.setAll(order, i -> i);
        // Longest first, so that a level looks only at words that reach it.
        Arrays.sort(order, (a, b) -> lengths[b] - lengths[a]);
        for (int depth = 0; depth < deepest; depth++) {
            for (int i = 0; i < order.length && lengths[order[i]] > depth; i++) {
                String word = list.get(order[i]);
                char c = word.charAt(word.length() - 1 - depth);
                int parent = level[order[i]];
                int state = follow(parent, c, false);
                level[order[i]] = state;
                if (!linked[state]) {
                    linked[state] = true;
                    fallbacks[state] = depth == 0 ? ROOT : step(fallbacks[parent], c);
                    if (words[state] == 0) {
                        words[state] = words[fallbacks[state]];
                    }
                }
            }
        }
    }

    private int step(int from, char c) {
        int state = from;
        while (true) {
            int next = follow(state, c, false);
            if (next != ROOT || state == ROOT) {
                return next;
            }
            state = fallbacks[state];
        }
    }

    /** The state that a character leads to, {@link #ROOT} if there is none and none is to be made. */
    private int follow(int state, char c, boolean make) {
        long key = (long) state << 16 | c;
        int mask = keys.length - 1;
        int slot = slot(key, mask);
        while (targets[slot] != 0 && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        if (targets[slot] != 0 || !make) {
            return targets[slot];
        }
        if (states == words.length) {
            words = Arrays.copyOf(words, 2 * states);
            fallbacks = Arrays.copyOf(fallbacks, 2 * states);
        }
        keys[slot] = key;
        targets[slot] = states;
        if (2 * ++edges > keys.length) {
            grow();
        }
        return states++;
    }

    private static int slot(long key, int mask) {
        return (int) (key * 0x9E3779B97F4A7C15L >>> 40) & mask;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldTargets = targets;
        keys = new long[2 * oldKeys.length];
        targets = new int[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldTargets[i] != 0) {
                int slot = slot(oldKeys[i], keys.length - 1);
                while (targets[slot] != 0) {
                    slot = slot + 1 & keys.length - 1;
                }
                keys[slot] = oldKeys[i];
                targets[slot] = oldTargets[i];
            }
        }
    }

    Matches find(String text, Ids steps) {
        Matches matches = new Matches();
        if (lengths.length == 0) {
            return matches;
        }
        int state = ROOT;
        long looks = 0;
        for (int at = text.length() - 1; at >= 0; at--) {
            char c = text.charAt(at);
            int next = follow(state, c, false);
            looks++;
            while (next == ROOT && state != ROOT) {
                state = fallbacks[state];
                next = follow(state, c, false);
                looks++;
            }
            state = next;
            if (words[state] != 0) {
                matches.push(at, words[state] - 1);
            }
        }
        steps.steps(looks);
        return matches;
    }
}

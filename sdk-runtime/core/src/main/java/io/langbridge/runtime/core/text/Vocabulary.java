package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tokens and their ids, in both directions. The texts of all tokens lie in one array as UTF-8, with a hash table of
 * their numbers over it: a few bytes more than the file has for them. Tokens are added while a tokenizer is opened, by
 * one thread; after that it is safe for several.
 */
final class Vocabulary {
    static final int NONE = -1;
    private static final int MOST_BYTES = 1 << 29;

    private final Path file;
    private byte[] pool = new byte[1024];
    /** Token i reaches from ends[i] to ends[i + 1]. */
    private int[] ends = new int[65];

    private int[] ids = new int[64];
    private int size;
    /** How many of them are the model's own; the others are added tokens. */
    private int modelSize = Integer.MAX_VALUE;

    /** By hash of its bytes: the hash, and the number of the token plus one in the lower half; 0 for a free place. */
    private long[] slots = new long[256];

    /** Number of the token plus one, by id. */
    private int[] numbers = new int[0];

    private int longest;
    private volatile @Nullable Map<String, Integer> map;

    Vocabulary(Path file) {
        this.file = file;
    }

    /** Adds a token, unless its text is there already. */
    boolean add(byte[] bytes, int length, int id) {
        int hash = hash(bytes, 0, length);
        int slot = slot(hash, bytes, 0, length);
        if (slots[slot] != 0) {
            return false;
        }
        int end = ends[size] + length;
        if (end < 0 || end > MOST_BYTES) {
            throw new CheckpointException(file + " has a vocabulary of more than " + MOST_BYTES + " bytes.");
        }
        if (end > pool.length) {
            pool = Arrays.copyOf(pool, Math.max(end, 2 * pool.length));
        }
        System.arraycopy(bytes, 0, pool, end - length, length);
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, 2 * size);
            ends = Arrays.copyOf(ends, 2 * size + 1);
        }
        ids[size] = id;
        ends[++size] = end;
        slots[slot] = (long) hash << 32 | size;
        longest = Math.max(longest, length);
        if (2 * size > slots.length) {
            grow();
        }
        return true;
    }

    void add(String token, int id) {
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        add(bytes, bytes.length, id);
    }

    /** Makes the way from ids to tokens. Ids need not be without gaps, but must be in proportion to the tokens. */
    void index() {
        int most = 65_536 + 16 * size;
        int largest = -1;
        for (int i = 0; i < size; i++) {
            if (ids[i] < 0 || ids[i] > most) {
                throw new CheckpointException(file + " gives the token " + Shown.text(text(i)) + " the id " + ids[i]
                        + ", but has only " + size + " tokens. Download the file again.");
            }
            largest = Math.max(largest, ids[i]);
        }
        numbers = new int[largest + 1];
        for (int i = 0; i < size; i++) {
            numbers[ids[i]] = i + 1;
        }
        map = null;
    }

    private static int hash(byte[] bytes, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = (Integer.rotateLeft(hash, 5) ^ bytes[i]) * 0x9E3779B1;
        }
        return hash ^ hash >>> 15;
    }

    /** The place of a text, or the free one where it belongs. */
    private int slot(int hash, byte[] bytes, int from, int to) {
        int mask = slots.length - 1;
        int slot = hash & mask;
        while (slots[slot] != 0
                && ((int) (slots[slot] >>> 32) != hash || !is((int) slots[slot] - 1, bytes, from, to))) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = slots;
        slots = new long[4 * old.length];
        for (long entry : old) {
            int slot = (int) (entry >>> 32) & slots.length - 1;
            while (entry != 0 && slots[slot] != 0) {
                slot = slot + 1 & slots.length - 1;
            }
            if (entry != 0) {
                slots[slot] = entry;
            }
        }
    }

    /** The number of the token plus one, or 0. */
    private int number(byte[] bytes, int from, int to) {
        return (int) slots[slot(hash(bytes, from, to), bytes, from, to)];
    }

    private boolean is(int token, byte[] bytes, int from, int to) {
        int at = ends[token];
        if (ends[token + 1] - at != to - from) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (pool[at++] != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    int id(byte[] bytes, int from, int to) {
        int number = number(bytes, from, to);
        return number == 0 ? NONE : ids[number - 1];
    }

    /** As {@link #id(byte[], int, int)}, but only what the model itself can make. */
    int modelId(byte[] bytes, int from, int to) {
        int number = number(bytes, from, to);
        return number == 0 || number > modelSize ? NONE : ids[number - 1];
    }

    int modelId(String token) {
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        return modelId(bytes, 0, bytes.length);
    }

    /** Ends the model's own tokens. */
    void endOfModel() {
        modelSize = size;
    }

    int id(String token) {
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        return id(bytes, 0, bytes.length);
    }

    @Nullable
    String token(int id) {
        return id < 0 || id >= numbers.length || numbers[id] == 0 ? null : text(numbers[id] - 1);
    }

    boolean has(int id) {
        return id >= 0 && id < numbers.length && numbers[id] != 0;
    }

    private String text(int token) {
        return new String(pool, ends[token], ends[token + 1] - ends[token], StandardCharsets.UTF_8);
    }

    /** The largest id plus one. */
    int limit() {
        return numbers.length;
    }

    /** The number of tokens. */
    int size() {
        return size;
    }

    /** The length of the longest token, in bytes. */
    int longest() {
        return longest;
    }

    /** Copies the bytes of a token and returns how many they are. */
    int copy(int id, byte[] to, int at) {
        int token = numbers[id] - 1;
        int length = ends[token + 1] - ends[token];
        System.arraycopy(pool, ends[token], to, at, length);
        return length;
    }

    Map<String, Integer> asMap() {
        Map<String, Integer> known = map;
        if (known == null) {
            Map<String, Integer> all = new LinkedHashMap<>();
            for (int i = 0; i < size; i++) {
                all.put(text(i), ids[i]);
            }
            known = Collections.unmodifiableMap(all);
            map = known;
        }
        return known;
    }
}

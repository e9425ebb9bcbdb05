package io.langbridge.runtime.onnx;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Arrays that are used again and again: quantising works through many times as many values as memory should hold, and a
 * heap that grows for garbage does not shrink soon. The layers of a network ask for few lengths. Safe for use by
 * several threads.
 */
final class Scratch {
    private final Pool<float[]> floats = new Pool<>(float[]::new);
    private final Pool<byte[]> bytes = new Pool<>(byte[]::new);
    /** Lines by how many values each has. */
    private final Map<Integer, Pool<float[][]>> lines = new ConcurrentHashMap<>();

    private final Map<String, float[]> kept = new ConcurrentHashMap<>();

    /** Arrays that nobody uses, by length. */
    private static final class Pool<T> {
        private final Map<Integer, Deque<T>> idle = new HashMap<>();
        private final IntFunction<T> maker;

        Pool(IntFunction<T> maker) {
            this.maker = maker;
        }

        synchronized T take(int length) {
            Deque<T> arrays = idle.get(length);
            T array = arrays == null ? null : arrays.poll();
            return array == null ? maker.apply(length) : array;
        }

        synchronized void giveBack(T array, int length) {
            idle.computeIfAbsent(length, unused -> new ArrayDeque<>()).push(array);
        }
    }

    /** An array of exactly this length with any values, the caller's until it is given back. */
    float[] floats(int length) {
        return floats.take(length);
    }

    /** An array of exactly this length with any values, the caller's until it is given back. */
    byte[] bytes(int length) {
        return bytes.take(length);
    }

    /**
     * Values that several graphs need and that take reading whole weights: made by whoever asks first.
     *
     * @param recipe all that they depend on
     * @return values that nobody changes
     */
    float[] kept(String recipe, Supplier<float[]> maker) {
        return kept.computeIfAbsent(recipe, unused -> maker.get());
    }

    /** Lines of so many values each, any values, the caller's until they are given back. */
    float[][] lines(int count, int width) {
        return linesOf(width).take(count);
    }

    private Pool<float[][]> linesOf(int width) {
        return lines.computeIfAbsent(width, unused -> new Pool<>(count -> new float[count][width]));
    }

    void giveBack(float[][] array) {
        linesOf(array[0].length).giveBack(array, array.length);
    }

    void giveBack(float[] array) {
        floats.giveBack(array, array.length);
    }

    void giveBack(byte[] array) {
        bytes.giveBack(array, array.length);
    }
}

package io.langbridge.runtime.onnx;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Arrays that are used again and again: quantising works through many times as many values as memory should hold, and a
 * heap that grows for garbage does not shrink soon. The layers of a network ask for few lengths. Safe for use by
 * several threads.
 */
final class Scratch {
    private final Pool<float[]> floats = new Pool<>(float[]::new);
    private final Pool<byte[]> bytes = new Pool<>(byte[]::new);

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

    void giveBack(float[] array) {
        floats.giveBack(array, array.length);
    }

    void giveBack(byte[] array) {
        bytes.giveBack(array, array.length);
    }
}

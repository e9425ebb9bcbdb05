package io.langbridge.runtime.pytorch;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owns the native values of one call or one network: PyTorch's values belong to nobody and would never be freed. Not
 * thread-safe.
 */
final class Scope implements AutoCloseable {
    private final Deque<IValue> values = new ArrayDeque<>();
    private @Nullable PtNDManager tensors;

    /** Takes over {@code value}. */
    IValue own(IValue value) {
        values.push(value);
        return value;
    }

    IValue of(long value) {
        return own(IValue.from(value));
    }

    IValue of(double value) {
        return own(IValue.from(value));
    }

    IValue of(boolean value) {
        return own(IValue.from(value));
    }

    IValue of(String value) {
        return own(IValue.from(value));
    }

    IValue of(long... values) {
        return own(IValue.listFrom(values));
    }

    IValue of(PtNDArray tensor) {
        return own(IValue.from(tensor));
    }

    IValue of(PtNDArray... list) {
        return own(IValue.listFrom(list));
    }

    IValue of(List<String> list) {
        return own(IValue.listFrom(list.stream().map(this::of).toArray(IValue[]::new)));
    }

    IValue tuple(IValue... parts) {
        return own(IValue.tupleFrom(parts));
    }

    /** A copy of {@code values} as a tensor on the CPU. */
    PtNDArray tensor(FloatTensor values) {
        Output copy = new Output(values.shape());
        copy.floats.data().put(values.data());
        return copy.tensor;
    }

    /** The same values as a tensor on the CPU; they must be there as long as it is used. */
    PtNDArray view(FloatTensor values) {
        long[] sizes = Arrays.stream(values.shape()).asLongStream().toArray();
        return manager().create(values.bytes(), new Shape(sizes), DataType.FLOAT32);
    }

    /** A copy of {@code ids} as a tensor on the CPU, int64. */
    PtNDArray tensor(int[] ids) {
        ByteBuffer buffer = direct(Math.multiplyExact(ids.length, Long.BYTES));
        for (int id : ids) {
            buffer.putLong(id);
        }
        buffer.rewind();
        return manager().create(buffer, new Shape(ids.length), DataType.INT64);
    }

    /** The tensor in {@code value}. It may be bfloat16: pass it on, and do nothing else with it. */
    PtNDArray tensor(IValue value) {
        return value.toTensor(manager());
    }

    /** A copy of the tensor in {@code value}: float32 on the CPU, in row order. */
    FloatTensor floats(IValue value) {
        return floats(tensor(value));
    }

    /** Copies of the tensors in the list {@code value}, which are such as well. */
    List<FloatTensor> allFloats(IValue value) {
        return Arrays.stream(value.toTensorArray(manager())).map(Scope::floats).toList();
    }

    private static FloatTensor floats(PtNDArray tensor) {
        int[] shape = Arrays.stream(tensor.getShape().getShape())
                .mapToInt(Math::toIntExact)
                .toArray();
        FloatTensor copy = FloatTensor.allocate(shape);
        copy.data().put(tensor.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer());
        return copy;
    }

    /** Memory that a network writes its results into and that Java reads without another copy. */
    Output output(int... shape) {
        return new Output(shape);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private PtNDManager manager() {
        PtNDManager manager = tensors;
        if (manager == null) {
            manager = (PtNDManager) TorchRuntime.get().manager().newSubManager();
            tensors = manager;
        }
        return manager;
    }

    @Override
    public void close() {
        while (!values.isEmpty()) {
            values.pop().close();
        }
        if (tensors != null) {
            tensors.close();
            tensors = null;
        }
    }

    /** The same float32 values for Java and for PyTorch. The values outlive the scope, the tensor does not. */
    final class Output {
        final FloatTensor floats;
        final PtNDArray tensor;

        private Output(int... shape) {
            int count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
            ByteBuffer buffer = direct(Math.multiplyExact(count, Float.BYTES));
            floats = FloatTensor.view(buffer, shape);
            tensor = view(floats);
        }

        IValue value() {
            return of(tensor);
        }
    }
}

package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a Python pickle that holds tensors in dictionaries, lists and tuples, and plain values. It can make nothing
 * else: a pickle is a program, and any global outside a fixed list is refused by name. Nothing is ever run.
 */
final class Pickle {
    /** A run of elements that tensors share. */
    record Storage(DType dtype, String key, long elements) {}

    /** A tensor as a view of a storage; offset and strides in elements, {@code negative} for the other sign. */
    @SuppressWarnings("ArrayRecordComponent")
    record View(Storage storage, long offset, long[] shape, long[] strides, boolean negative) {}

    private record Global(String name) {}

    private static final Object MARK = new Object();

    private static final Map<String, DType> STORAGES = storages();
    /** Elements that a view may have although its storage has fewer. */
    private static final int MAX_REPEATED = 1 << 16;

    private static final String ORDERED_DICT = "collections.OrderedDict";
    private static final String REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
    private static final String REBUILD_PARAMETER = "torch._utils._rebuild_parameter";

    /** The largest single files of weights describe some hundred thousand. */
    private static final int MAX_OBJECTS = 2_000_000;

    /** Bytes of all texts together: names of tensors, and what else was saved with them. */
    private static final int MAX_TEXTS = 32 << 20;

    private final Path file;
    private final ByteSource source;
    private int made;
    private long texts;
    private final List<@Nullable Object> stack = new ArrayList<>();
    private final Map<Long, @Nullable Object> memo = new HashMap<>();

    private Pickle(Path file, ByteSource source) {
        this.file = file;
        this.source = source;
    }

    private static Map<String, DType> storages() {
        Map<String, DType> types = new HashMap<>();
        types.put("torch.DoubleStorage", DType.F64);
        types.put("torch.FloatStorage", DType.F32);
        types.put("torch.HalfStorage", DType.F16);
        types.put("torch.BFloat16Storage", DType.BF16);
        types.put("torch.LongStorage", DType.I64);
        types.put("torch.IntStorage", DType.I32);
        types.put("torch.ShortStorage", DType.I16);
        types.put("torch.CharStorage", DType.I8);
        types.put("torch.ByteStorage", DType.U8);
        types.put("torch.BoolStorage", DType.BOOL);
        return Collections.unmodifiableMap(types);
    }

    /**
     * Reads one pickle and leaves {@code source} behind its end.
     *
     * @return a {@link View}, {@code Map}, {@code List} (tuples too), {@code String}, {@code Long}, {@code BigInteger},
     *     {@code Double}, {@code Boolean}, {@code byte[]} or null
     */
    static @Nullable Object read(Path file, ByteSource source) {
        return new Pickle(file, source).run();
    }

    private @Nullable Object run() {
        while (true) {
            int opcode = source.u8();
            switch (opcode) {
                case 0x80 -> protocol(source.u8());
                case 0x95 -> source.skip(8); // FRAME
                case '.' -> {
                    return pop();
                }
                case '(' -> push(MARK);
                case '0' -> pop();
                case '1' -> popToMark();
                case '2' -> push(peek());
                case 'N' -> push(null);
                case 0x88 -> push(true);
                case 0x89 -> push(false);
                case 'J' -> push((long) source.i32());
                case 'K' -> push((long) source.u8());
                case 'M' -> push((long) source.u16());
                case 0x8a -> push(integer(bytes(source.u8())));
                case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(source.i64())));
                case 'X' -> push(text(source.u32()));
                case 0x8c -> push(text(source.u8()));
                case 0x8d -> push(text(source.i64()));
                case 'U' -> push(text(source.u8())); // str of Python 2
                case 'T' -> push(text(source.u32()));
                case 'C' -> push(bytes(source.u8()));
                case 'B' -> push(bytes(source.u32()));
                case ')', ']' -> push(new ArrayList<@Nullable Object>());
                case 't' -> push(popToMark());
                case 0x85 -> push(popLast(1));
                case 0x86 -> push(popLast(2));
                case 0x87 -> push(popLast(3));
                case 'a' -> append(popLast(1));
                case 'e' -> append(popToMark());
                case '}' -> push(new LinkedHashMap<@Nullable Object, @Nullable Object>());
                case 's' -> putAll(popLast(2));
                case 'u' -> putAll(popToMark());
                case 'c' -> push(global(line(), line()));
                case 0x93 -> {
                    List<@Nullable Object> names = popLast(2);
                    push(global(string(names.get(0)), string(names.get(1))));
                }
                case 'R' -> reduce();
                case 'b' -> build();
                case 'Q' -> push(storage(list(pop())));
                case 'h' -> push(recall(source.u8()));
                case 'j' -> push(recall(source.u32()));
                case 'q' -> remember(source.u8());
                case 'r' -> remember(source.u32());
                case 0x94 -> remember(memo.size());
                default -> throw damaged("opcode " + opcode + " has no place in a file of tensors");
            }
        }
    }

    private void push(@Nullable Object value) {
        count();
        stack.add(value);
    }

    private void remember(long key) {
        count();
        memo.put(key, peek());
    }

    /** A byte of a pickle can cost a hundred of memory, so what it makes is bounded beside its length. */
    private void count() {
        if (++made > MAX_OBJECTS) {
            throw new CheckpointException(file + " is refused: it describes more than " + MAX_OBJECTS
                    + " values before its tensors begin, more than any file of weights.");
        }
    }

    private byte[] bytes(long length) {
        texts += length;
        if (texts > MAX_TEXTS) {
            throw new CheckpointException(file + " is refused: byte " + source.position() + " begins a text of "
                    + length + " bytes, and all texts together may have " + MAX_TEXTS + ".");
        }
        return source.bytes(length, MAX_TEXTS);
    }

    private void protocol(int version) {
        if (version < 2 || version > 5) {
            throw damaged("pickle protocol " + version + " is not known (2 to 5 are)");
        }
    }

    private Object global(String module, String name) {
        String global = module + "." + name;
        if (!STORAGES.containsKey(global)
                && !global.equals(ORDERED_DICT)
                && !global.equals(REBUILD_TENSOR)
                && !global.equals(REBUILD_PARAMETER)) {
            throw new CheckpointException(file + " is refused: it asks for the Python object " + global + ", and only"
                    + " tensors, parameters, containers and plain values are read. If you trust the file, load it in"
                    + " Python and save its tensors as safetensors.");
        }
        return new Global(global);
    }

    private void reduce() {
        List<@Nullable Object> call = popLast(2);
        if (!(call.get(0) instanceof Global global)) {
            throw damaged("something that is not a function is called");
        }
        List<@Nullable Object> arguments = list(call.get(1));
        switch (global.name()) {
            case ORDERED_DICT -> {
                if (!arguments.isEmpty()) {
                    throw damaged("an OrderedDict with arguments");
                }
                push(new LinkedHashMap<@Nullable Object, @Nullable Object>());
            }
            case REBUILD_TENSOR -> push(view(arguments));
            case REBUILD_PARAMETER -> {
                if (arguments.isEmpty() || !(arguments.get(0) instanceof View)) {
                    throw damaged("a parameter without a tensor");
                }
                if (arguments.size() > 3) {
                    throw unsupported("a parameter with " + arguments.size() + " arguments");
                }
                requireNoHooks(arguments, 2);
                push(arguments.get(0));
            }
            default -> throw damaged(global.name() + " is called");
        }
    }

    /** {@code state_dict()} hangs version numbers of its modules on the OrderedDict; they mean nothing here. */
    private void build() {
        List<@Nullable Object> targetAndState = popLast(2);
        if (!(targetAndState.get(0) instanceof Map)) {
            throw damaged("an attribute is set on something that is not an OrderedDict");
        }
        push(targetAndState.get(0));
    }

    /**
     * Arguments: storage, offset, shape, strides, whether it needs a gradient, which does not matter here, hooks, which
     * are code and cannot be there, and since torch 2.0 a dictionary of what changes how the elements are read.
     */
    private View view(List<@Nullable Object> arguments) {
        if (arguments.size() < 4 || !(arguments.get(0) instanceof Storage storage)) {
            throw damaged("a tensor without a storage");
        }
        if (arguments.size() > 7) {
            throw unsupported("a tensor with " + arguments.size() + " arguments");
        }
        requireNoHooks(arguments, 5);
        long offset = number(arguments.get(1));
        long[] shape = numbers(arguments.get(2));
        long[] strides = numbers(arguments.get(3));
        try {
            if (shape.length != strides.length
                    || offset < 0
                    || Math.addExact(offset, Shapes.span(shape, strides)) > storage.elements()) {
                throw damaged("a tensor reaches beyond its storage of " + storage.elements() + " elements");
            }
        } catch (ArithmeticException e) {
            throw damaged("a tensor with an impossible shape, " + Shapes.text(shape) + " with strides "
                    + Shapes.text(strides));
        }
        long elements = Shapes.elements(shape);
        if (elements > storage.elements() && elements > MAX_REPEATED) {
            throw new CheckpointException(file + " is refused: a tensor of shape " + Shapes.text(shape)
                    + " repeats the " + storage.elements() + " elements of its storage (before byte "
                    + source.position() + "). Save it with .contiguous().");
        }
        return new View(storage, offset, shape, strides, isNegative(arguments, storage));
    }

    private void requireNoHooks(List<@Nullable Object> arguments, int index) {
        Object hooks = arguments.size() > index ? arguments.get(index) : null;
        if (hooks != null && !(hooks instanceof Map<?, ?> map && map.isEmpty())) {
            throw unsupported("a tensor with hooks");
        }
    }

    /** torch marks a tensor as negated instead of negating it, and as conjugated likewise. */
    private boolean isNegative(List<@Nullable Object> arguments, Storage storage) {
        Object metadata = arguments.size() > 6 ? arguments.get(6) : null;
        if (metadata == null) {
            return false;
        }
        if (!(metadata instanceof Map<?, ?> map)) {
            throw unsupported("a tensor with metadata of an unknown kind");
        }
        boolean negative = false;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            boolean set = !Boolean.FALSE.equals(entry.getValue());
            if ("neg".equals(entry.getKey()) && entry.getValue() instanceof Boolean) {
                negative = set;
            } else if ("conj".equals(entry.getKey()) && entry.getValue() instanceof Boolean) {
                if (set) {
                    throw unsupported("a tensor with the conjugate bit; save it with .resolve_conj()");
                }
            } else {
                throw unsupported("a tensor with the metadata '" + name(entry.getKey()) + "'");
            }
        }
        if (negative && !storage.dtype().isFloatingPoint()) {
            throw unsupported("a tensor of " + storage.dtype() + " with the negative bit; save it with .resolve_neg()");
        }
        return negative;
    }

    private static String name(@Nullable Object key) {
        return key instanceof String || key instanceof Number ? key.toString() : "of another kind";
    }

    /** {@code ('storage', type, key, device, elements)}; the older format adds a view, which is None. */
    private Storage storage(List<@Nullable Object> id) {
        if (id.size() < 5
                || !"storage".equals(id.get(0))
                || !(id.get(1) instanceof Global type)
                || (id.size() > 5 && id.get(5) != null)) {
            throw damaged("a storage of an unknown kind");
        }
        DType dtype = STORAGES.get(type.name());
        long elements = number(id.get(4));
        if (dtype == null || elements < 0 || elements > Long.MAX_VALUE / dtype.bytes()) {
            throw damaged("a storage of " + elements + " " + type.name());
        }
        return new Storage(dtype, string(id.get(2)), elements);
    }

    private void append(List<@Nullable Object> items) {
        list(peek()).addAll(items);
    }

    private void putAll(List<@Nullable Object> keysAndValues) {
        if (!(peek() instanceof Map)) {
            throw damaged("an entry is put into something that is not a dictionary");
        }
        @SuppressWarnings("unchecked") // every map on the stack was made above
        Map<@Nullable Object, @Nullable Object> map = (Map<@Nullable Object, @Nullable Object>) peek();
        if (map == null || keysAndValues.size() % 2 != 0) {
            throw damaged("a key without a value");
        }
        for (int i = 0; i < keysAndValues.size(); i += 2) {
            Object key = keysAndValues.get(i);
            // A list as key could contain itself; Python forbids it as well.
            if (key instanceof List || key instanceof Map) {
                throw damaged("a container is used as a key");
            }
            map.put(key, keysAndValues.get(i + 1));
        }
    }

    private List<@Nullable Object> popToMark() {
        int mark = stack.lastIndexOf(MARK);
        if (mark < 0) {
            throw damaged("a mark is missing");
        }
        List<@Nullable Object> items = popLast(stack.size() - mark - 1);
        stack.remove(stack.size() - 1);
        return items;
    }

    private List<@Nullable Object> popLast(int count) {
        if (stack.size() < count) {
            throw damaged("its stack is empty");
        }
        List<@Nullable Object> tail = stack.subList(stack.size() - count, stack.size());
        List<@Nullable Object> items = new ArrayList<>(tail);
        tail.clear();
        return items;
    }

    private @Nullable Object pop() {
        return popLast(1).get(0);
    }

    private @Nullable Object peek() {
        if (stack.isEmpty()) {
            throw damaged("its stack is empty");
        }
        return stack.get(stack.size() - 1);
    }

    private @Nullable Object recall(long key) {
        if (!memo.containsKey(key)) {
            throw damaged("it remembers something it has not seen");
        }
        return memo.get(key);
    }

    private static Object integer(byte[] littleEndian) {
        if (littleEndian.length == 0) {
            return 0L;
        }
        byte[] bigEndian = new byte[littleEndian.length];
        for (int i = 0; i < bigEndian.length; i++) {
            bigEndian[i] = littleEndian[bigEndian.length - 1 - i];
        }
        BigInteger value = new BigInteger(bigEndian);
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private String text(long length) {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    private String line() {
        StringBuilder line = new StringBuilder();
        for (int c = source.u8(); c != '\n'; c = source.u8()) {
            line.append((char) c);
            if (line.length() > 1000) {
                throw damaged("a name of more than 1000 characters");
            }
        }
        return line.toString();
    }

    @SuppressWarnings("unchecked") // every list on the stack was made above
    private List<@Nullable Object> list(@Nullable Object value) {
        if (!(value instanceof List)) {
            throw damaged("a list or tuple is missing");
        }
        return (List<@Nullable Object>) value;
    }

    private String string(@Nullable Object value) {
        if (!(value instanceof String text)) {
            throw damaged("a name is missing");
        }
        return text;
    }

    private long number(@Nullable Object value) {
        if (!(value instanceof Long number)) {
            throw damaged("a number is missing");
        }
        return number;
    }

    private long[] numbers(@Nullable Object value) {
        List<@Nullable Object> items = list(value);
        if (items.size() > 100) {
            throw damaged("a tensor of " + items.size() + " dimensions");
        }
        long[] numbers = new long[items.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = number(items.get(i));
        }
        return numbers;
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(file + " holds " + what + " (before byte " + source.position()
                + "), which is not read. Load it in Python and save its tensors as safetensors.");
    }

    private CheckpointException damaged(String what) {
        return new CheckpointException(
                file + " is not a file of tensors, or damaged: " + what + " (before byte " + source.position() + ").");
    }
}

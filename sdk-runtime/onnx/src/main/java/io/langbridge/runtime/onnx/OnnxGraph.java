package io.langbridge.runtime.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes an ONNX model: the few protobuf messages an inference graph needs. Field numbers are those of
 * {@code onnx.proto3}. Nodes must be added in the order they run; what no output depends on is left out.
 */
final class OnnxGraph {
    /** Operators outside the standard that ONNX Runtime brings along. */
    private static final String MICROSOFT = "com.microsoft";

    /**
     * Operators that keep their second input in an order of their own. What another operator reads is read into native
     * memory when the graph is loaded, so large weights belong to these.
     */
    private static final Set<String> PACKING = Set.of("Gemm", "MatMulNBits", "MatMulIntegerToFloat");

    private static final int IR_VERSION = 10;
    private static final int OPSET = 21;

    /** Element types, with the numbers of {@code TensorProto.DataType}. */
    enum Type {
        FLOAT(1),
        UINT8(2),
        INT8(3),
        INT32(6),
        INT64(7),
        BOOL(9),
        FLOAT16(10),
        DOUBLE(11);

        final int number;

        Type(int number) {
            this.number = number;
        }
    }

    final String name;
    private final Map<String, Message> inputs = new LinkedHashMap<>();
    private final Map<String, Message> outputs = new LinkedHashMap<>();
    private final Map<String, Message> initializers = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();

    OnnxGraph(String name) {
        this.name = name;
    }

    /**
     * Declares an input, once or several times. One that nothing reads stays: callers bind it all the same.
     *
     * @param dims a {@link Number} is a fixed size, a {@link String} names a size that is known when the graph runs
     */
    OnnxGraph input(String name, Type type, Object... dims) {
        inputs.put(name, valueInfo(name, type, dims));
        return this;
    }

    /** Declares which tensor is an output; {@code dims} as for {@link #input}. */
    OnnxGraph output(String name, Type type, Object... dims) {
        outputs.put(name, valueInfo(name, type, dims));
        return this;
    }

    /** A small one-dimensional constant in the model itself, as shapes and indices are given; its values name it. */
    String constant(long... values) {
        String constant = Arrays.toString(values);
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        initializers.put(
                constant, initializer(constant, Type.INT64, values.length).bytes(9, bytes.array()));
        return constant;
    }

    /** A small constant in the model itself; making it again changes nothing. */
    String constant(String name, float[] values, long... dims) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        initializers.put(name, initializer(name, Type.FLOAT, dims).bytes(9, bytes.array()));
        return name;
    }

    /** One unsigned byte as a constant in the model itself. */
    String constant(String name, byte value) {
        initializers.put(name, initializer(name, Type.UINT8).bytes(9, new byte[] {value}));
        return name;
    }

    /** A constant in the model itself, little-endian values in row order. */
    String constant(String name, Type type, byte[] values, long... dims) {
        initializers.put(name, initializer(name, type, dims).bytes(9, values));
        return name;
    }

    /** Whether all that reads a constant multiplies by it, and so copies it into another order when it is loaded. */
    boolean isPacked(String constant) {
        boolean packed = false;
        for (Node node : nodes) {
            int at = node.inputs.lastIndexOf(constant);
            boolean multiplied = at == 1 && node.inputs.indexOf(constant) == 1 && PACKING.contains(node.operator);
            if (at >= 0 && !multiplied || node.read.contains(constant)) {
                return false;
            }
            packed = packed || multiplied;
        }
        return packed;
    }

    /** A constant whose values are mapped from a file, as one run of little-endian values in row order. */
    String external(String name, Type type, long[] dims, String location, long offset, long length) {
        Message tensor = initializer(name, type, dims);
        tensor.message(13, new Message().text(1, "location").text(2, location));
        tensor.message(13, new Message().text(1, "offset").text(2, Long.toString(offset)));
        tensor.message(13, new Message().text(1, "length").text(2, Long.toString(length)));
        initializers.put(name, tensor.number(14, 1)); // data_location = EXTERNAL
        return name;
    }

    /** A node of the standard operator set; an empty input name leaves an optional input out. */
    Node node(String operator, String... inputs) {
        return new Node("", operator, inputs);
    }

    /** A node of the {@code com.microsoft} operator set. */
    Node microsoft(String operator, String... inputs) {
        return new Node(MICROSOFT, operator, inputs);
    }

    /** Names of all that the outputs depend on. */
    Set<String> needed() {
        Set<String> needed = new HashSet<>(outputs.keySet());
        for (int i = nodes.size() - 1; i >= 0; i--) {
            if (nodes.get(i).gives(needed)) {
                needed.addAll(nodes.get(i).inputs);
                needed.addAll(nodes.get(i).read);
            }
        }
        needed.remove(""); // stands for what is left out
        return needed;
    }

    /** The complete model. */
    byte[] toBytes() {
        return new Message()
                .number(1, IR_VERSION)
                .text(2, "langbridge")
                .message(7, message())
                .message(8, new Message().number(2, OPSET))
                .message(8, new Message().text(1, MICROSOFT).number(2, 1))
                .toBytes();
    }

    private Message message() {
        Set<String> needed = needed();
        Message graph = new Message().text(2, name);
        nodes.stream().filter(node -> node.gives(needed)).forEach(node -> graph.message(1, node.message()));
        initializers.forEach((constant, message) -> {
            if (needed.contains(constant)) {
                graph.message(5, message);
            }
        });
        inputs.values().forEach(input -> graph.message(11, input));
        outputs.values().forEach(output -> graph.message(12, output));
        return graph;
    }

    /** A node under construction; {@link #to} adds it to the graph. */
    final class Node {
        private final Message attributes = new Message();
        private final String domain;
        private final String operator;
        private final List<String> inputs;
        /** What bodies read. */
        private final List<String> read = new ArrayList<>();

        private List<String> outputs = List.of();

        private Node(String domain, String operator, String... inputs) {
            this.domain = domain;
            this.operator = operator;
            this.inputs = List.of(inputs);
        }

        Node with(String attribute, long value) {
            attributes.message(
                    5, new Message().text(1, attribute).number(3, value).number(20, 2));
            return this;
        }

        Node with(String attribute, String value) {
            attributes.message(
                    5, new Message().text(1, attribute).text(4, value).number(20, 3));
            return this;
        }

        Node with(String attribute, float value) {
            attributes.message(
                    5, new Message().text(1, attribute).real(2, value).number(20, 1));
            return this;
        }

        Node with(String attribute, long... values) {
            Message message = new Message().text(1, attribute);
            for (long value : values) {
                message.number(8, value);
            }
            attributes.message(5, message.number(20, 7));
            return this;
        }

        /** A graph that this node may run, which reads tensors of this one too. */
        Node with(String attribute, OnnxGraph body) {
            attributes.message(
                    5,
                    new Message().text(1, attribute).message(6, body.message()).number(20, 5));
            body.nodes.forEach(node -> read.addAll(node.inputs));
            return this;
        }

        /** Names the outputs, an empty name leaves one out, and adds the node. Returns the first name. */
        String to(String... names) {
            outputs = List.of(names);
            nodes.add(this);
            return names[0];
        }

        private boolean gives(Set<String> needed) {
            return outputs.stream().anyMatch(needed::contains);
        }

        private Message message() {
            Message message = new Message();
            inputs.forEach(input -> message.text(1, input));
            outputs.forEach(output -> message.text(2, output));
            message.text(3, outputs.get(0)).text(4, operator).append(attributes);
            return domain.isEmpty() ? message : message.text(7, domain);
        }
    }

    private static Message initializer(String name, Type type, long... dims) {
        Message tensor = new Message();
        for (long dim : dims) {
            tensor.number(1, dim);
        }
        return tensor.number(2, type.number).text(8, name);
    }

    private static Message valueInfo(String name, Type type, Object... dims) {
        Message shape = new Message();
        for (Object dim : dims) {
            shape.message(
                    1,
                    dim instanceof Number size
                            ? new Message().number(1, size.longValue())
                            : new Message().text(2, (String) dim));
        }
        Message tensor = new Message().number(1, type.number).message(2, shape);
        return new Message().text(1, name).message(2, new Message().message(1, tensor));
    }

    /** A protobuf message: fields one after the other, each with its number and wire type. */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int LENGTH_DELIMITED = 2;
        private static final int FIXED_32 = 5;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            tag(field, VARINT);
            varint(value);
            return this;
        }

        Message real(int field, float value) {
            tag(field, FIXED_32);
            int bits = Float.floatToRawIntBits(value);
            for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                out.write(bits >>> shift);
            }
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.toBytes());
        }

        Message bytes(int field, byte[] value) {
            tag(field, LENGTH_DELIMITED);
            varint(value.length);
            out.write(value, 0, value.length);
            return this;
        }

        /** Adds the fields of {@code other}. */
        Message append(Message other) {
            byte[] fields = other.toBytes();
            out.write(fields, 0, fields.length);
            return this;
        }

        byte[] toBytes() {
            return out.toByteArray();
        }

        private void tag(int field, int wireType) {
            varint((long) field << 3 | wireType);
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }
    }
}

package io.langbridge.runtime.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Writes an ONNX model: the few protobuf messages an inference graph needs. Field numbers are those of
 * {@code onnx.proto3}. Nodes must be added in the order they run.
 */
final class OnnxGraph {
    /** Operators outside the standard that ONNX Runtime brings along. */
    private static final String MICROSOFT = "com.microsoft";

    private static final int IR_VERSION = 10;
    private static final int OPSET = 21;

    /** Element types, with the numbers of {@code TensorProto.DataType}. */
    enum Type {
        FLOAT(1),
        UINT8(2),
        INT8(3),
        INT32(6),
        INT64(7),
        FLOAT16(10);

        final int number;

        Type(int number) {
            this.number = number;
        }
    }

    private final Message graph = new Message();

    OnnxGraph(String name) {
        graph.text(2, name);
    }

    /**
     * Declares an input.
     *
     * @param dims a {@link Number} is a fixed size, a {@link String} names a size that is known when the graph runs
     */
    OnnxGraph input(String name, Type type, Object... dims) {
        graph.message(11, valueInfo(name, type, dims));
        return this;
    }

    /** Declares which tensor is an output; {@code dims} as for {@link #input}. */
    OnnxGraph output(String name, Type type, Object... dims) {
        graph.message(12, valueInfo(name, type, dims));
        return this;
    }

    /** A small one-dimensional constant in the model itself, as shapes and indices are given. */
    String constant(String name, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        graph.message(5, initializer(name, Type.INT64, values.length).bytes(9, bytes.array()));
        return name;
    }

    /** A small constant in the model itself. */
    String constant(String name, float[] values, long... dims) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        graph.message(5, initializer(name, Type.FLOAT, dims).bytes(9, bytes.array()));
        return name;
    }

    /** One unsigned byte as a constant in the model itself. */
    String constant(String name, byte value) {
        graph.message(5, initializer(name, Type.UINT8).bytes(9, new byte[] {value}));
        return name;
    }

    /** A constant whose values are mapped from a file, as one run of little-endian values in row order. */
    String external(String name, Type type, long[] dims, String location, long offset, long length) {
        Message tensor = initializer(name, type, dims);
        tensor.message(13, new Message().text(1, "location").text(2, location));
        tensor.message(13, new Message().text(1, "offset").text(2, Long.toString(offset)));
        tensor.message(13, new Message().text(1, "length").text(2, Long.toString(length)));
        graph.message(5, tensor.number(14, 1)); // data_location = EXTERNAL
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

    /** The complete model. */
    byte[] toBytes() {
        return new Message()
                .number(1, IR_VERSION)
                .text(2, "langbridge")
                .message(7, graph)
                .message(8, new Message().number(2, OPSET))
                .message(8, new Message().text(1, MICROSOFT).number(2, 1))
                .toBytes();
    }

    /** A node under construction; {@link #to} adds it to the graph. */
    final class Node {
        private final Message node = new Message();
        private final Message attributes = new Message();
        private final String domain;
        private final String operator;

        private Node(String domain, String operator, String... inputs) {
            this.domain = domain;
            this.operator = operator;
            for (String input : inputs) {
                node.text(1, input);
            }
        }

        Node with(String attribute, long value) {
            attributes.message(
                    5, new Message().text(1, attribute).number(3, value).number(20, 2));
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

        /** Names the outputs, an empty name leaves one out, and adds the node. Returns the first name. */
        String to(String... outputs) {
            for (String output : outputs) {
                node.text(2, output);
            }
            node.text(3, outputs[0]).text(4, operator).append(attributes);
            if (!domain.isEmpty()) {
                node.text(7, domain);
            }
            graph.message(1, node);
            return outputs[0];
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

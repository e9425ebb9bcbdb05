package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reader of one safetensors file: 8 bytes little-endian header length, JSON header, data. As strict as the reference:
 * the tensors must cover the data without overlap, gap or rest.
 */
final class Safetensors {
    private static final int LENGTH_BYTES = 8;

    /** Several times as many as the largest model has in all its files. */
    private static final int MAX_TENSORS = 300_000;

    private Safetensors() {}

    static Weights open(Path path) {
        OpenFile file = OpenFile.open(path);
        try {
            return new NamedTensors(path.toString(), tensors(file), Collections.singletonList(file));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private record Range(String name, long begin, long end) {}

    private static Map<String, StoredTensor> tensors(OpenFile file) {
        file.refusePlaceholder();
        int headerLength = headerLength(file);
        String source = "The safetensors header of " + file.path();
        long dataStart = LENGTH_BYTES + (long) headerLength;
        long dataLength = file.size() - dataStart;

        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        List<Range> ranges = new ArrayList<>();
        // One by one: a tree of all entries would take many times the memory of the header.
        Json.members(file.read(LENGTH_BYTES, headerLength), source, (name, header) -> {
            if (name.equals("__metadata__")) {
                return;
            }
            if (tensors.size() == MAX_TENSORS) {
                throw new CheckpointException(
                        file.path() + " is refused: it holds more than " + MAX_TENSORS + " tensors.");
            }
            Json entry = header.object(name);
            if (entry == null) {
                throw new CheckpointException(header.at(name) + " is null; download the file again.");
            }
            DType dtype = dtype(file, name, entry.requiredString("dtype"));
            long[] shape =
                    entry.longs("shape").stream().mapToLong(Long::longValue).toArray();
            List<Long> offsets = entry.longs("data_offsets");
            if (offsets.size() != 2) {
                throw new CheckpointException(entry.at("data_offsets") + " must be two numbers, not " + offsets + ".");
            }
            Range range = new Range(name, offsets.get(0), offsets.get(1));
            check(file, range, dtype, shape, dataLength);
            ranges.add(range);
            FileTensor tensor = new FileTensor(name, file, dtype, shape, dataStart + range.begin());
            if (tensors.put(name, tensor) != null) {
                throw new CheckpointException(source + " has the key '" + name + "' twice; the file is damaged.");
            }
        });
        checkCover(file, ranges, dataLength);
        return tensors;
    }

    private static int headerLength(OpenFile file) {
        if (file.size() < LENGTH_BYTES) {
            throw new CheckpointException(file.path() + " has " + file.size()
                    + " bytes, too few for a safetensors file;"
                    + " download it again.");
        }
        long length = ByteBuffer.wrap(file.read(0, LENGTH_BYTES))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        if (length < 2 || length > Json.MAX_BYTES) {
            throw new CheckpointException(file.path() + " is not a safetensors file: its first 8 bytes would mean a"
                    + " header of " + Long.toUnsignedString(length) + " bytes, and at most " + Json.MAX_BYTES
                    + " are allowed.");
        }
        if (length > file.size() - LENGTH_BYTES) {
            throw new CheckpointException(file.path() + " is truncated: its header should have " + length
                    + " bytes, but the whole file has " + file.size() + ". Download it again.");
        }
        return (int) length;
    }

    private static DType dtype(OpenFile file, String name, String dtype) {
        for (DType known : DType.values()) {
            if (known.name().equals(dtype)) {
                return known;
            }
        }
        throw new UnsupportedModelException("Tensor " + name + " in " + file.path() + " has the element type " + dtype
                + "; supported are " + Arrays.toString(DType.values()) + ".");
    }

    private static void check(OpenFile file, Range range, DType dtype, long[] shape, long dataLength) {
        String tensor = "Tensor " + range.name() + " in " + file.path();
        long bytes;
        try {
            bytes = Math.multiplyExact(Shapes.elements(shape), dtype.bytes());
        } catch (ArithmeticException e) {
            throw new CheckpointException(tensor + " has an impossible shape, " + Shapes.text(shape) + ".", e);
        }
        if (range.begin() < 0 || range.end() < range.begin()) {
            throw new CheckpointException(tensor + " has impossible data offsets " + range.begin() + " to "
                    + range.end()
                    + "; the file is damaged, download it again.");
        }
        if (range.end() > dataLength) {
            throw new CheckpointException(tensor + " should end at data byte " + range.end() + ", but the file holds "
                    + dataLength + " bytes of data; it is truncated or damaged, download it again.");
        }
        if (range.end() - range.begin() != bytes) {
            throw new CheckpointException(tensor + " has " + (range.end() - range.begin())
                    + " bytes of data, but shape "
                    + Arrays.toString(shape) + " of " + dtype + " needs " + bytes + ".");
        }
    }

    private static void checkCover(OpenFile file, List<Range> ranges, long dataLength) {
        ranges.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
        long end = 0;
        String previous = "the header";
        for (Range range : ranges) {
            if (range.begin() != end) {
                throw new CheckpointException("Tensor " + range.name() + " in " + file.path() + " starts at data byte "
                        + range.begin() + ", but " + previous + " ends at " + end + ": "
                        + (range.begin() < end ? "they overlap" : "there is a gap")
                        + ". The file is damaged, download it again.");
            }
            end = range.end();
            previous = "tensor " + range.name();
        }
        if (end != dataLength) {
            throw new CheckpointException(file.path() + " holds " + dataLength
                    + " bytes of data, but its header describes"
                    + " only " + end + "; the file is damaged, download it again.");
        }
    }
}

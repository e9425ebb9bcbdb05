package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a {@code tokenizer.model} of SentencePiece says, as far as a tokenizer needs it. Immutable. Memory grows with
 * the file, whatever lengths it claims.
 */
final class SentencePieceModel {
    /** The largest published ones have 5 MB. */
    private static final int MOST_BYTES = 64_000_000;

    /** SentencePiece's trainer makes none that are longer. */
    private static final int LONGEST_PIECE = 512;

    private static final int MOST_PIECES = 1 << 22;

    /** How a text is cut into pieces. */
    enum Kind {
        UNIGRAM,
        BPE
    }

    /** What a piece is for. */
    enum Type {
        NORMAL,
        UNKNOWN,
        /** Stands for something that is not text, like the end; never found in a text. */
        CONTROL,
        /** Found in a text before anything else. */
        USER_DEFINED,
        UNUSED,
        /** {@code <0x00>} to {@code <0xFF>}. */
        BYTE
    }

    private final Path file;
    private final List<String> pieces = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Type> types = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private Kind kind = Kind.UNIGRAM;
    private boolean byteFallback;
    private boolean whiteSpaceBehind;
    private int unknown;
    private int beginning = 1;
    private int end = 2;
    private int padding = -1;
    private String normalization = "";
    private byte[] charsmap = new byte[0];
    private boolean spaceInFront = true;
    private boolean singleSpaces = true;
    private boolean escapedSpaces = true;

    private SentencePieceModel(Path file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @throws CheckpointException if it is missing or damaged
     * @throws UnsupportedModelException if its pieces are words or characters
     */
    static SentencePieceModel read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException("There is no file " + file + "; check that the download is complete.");
        }
        try {
            long size = Files.size(file);
            if (size > MOST_BYTES) {
                throw new CheckpointException(file + " has " + size + " bytes; a SentencePiece model has at most "
                        + MOST_BYTES + ". Is it another file?");
            }
            return parse(Files.readAllBytes(file), file);
        } catch (IOException e) {
            throw new CheckpointException("Cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** As {@link #read}, from bytes. */
    static SentencePieceModel parse(byte[] bytes, Path file) {
        SentencePieceModel model = new SentencePieceModel(file);
        if (new String(bytes, 0, Math.min(bytes.length, 40), StandardCharsets.ISO_8859_1)
                .startsWith("version https://git-lfs")) {
            throw new CheckpointException(
                    file + " is a Git LFS pointer, not the model; run 'git lfs pull' in its folder.");
        }
        Message root = new Message(bytes, 0, bytes.length, file, "the model");
        while (root.next()) {
            switch (root.field) {
                case 1 -> model.piece(root.message("piece " + model.pieces.size()));
                case 2 -> model.trainer(root.message("trainer_spec"));
                case 3 -> model.normalizer(root.message("normalizer_spec"));
                default -> root.skip();
            }
        }
        model.check();
        return model;
    }

    private void piece(Message in) {
        String piece = "";
        float score = 0;
        int type = 1;
        while (in.next()) {
            switch (in.field) {
                case 1 -> piece = in.text();
                case 2 -> score = in.number32();
                case 3 -> type = in.integer();
                default -> in.skip();
            }
        }
        if (piece.isEmpty() || piece.length() > LONGEST_PIECE) {
            throw in.damaged("has " + piece.length() + " characters; 1 to " + LONGEST_PIECE + " are possible");
        }
        if (Float.isNaN(score) || Float.isInfinite(score)) {
            throw in.damaged("has the score " + score);
        }
        if (type < 1 || type > Type.values().length) {
            throw in.damaged("has the type " + type + "; 1 to " + Type.values().length + " are possible");
        }
        if (pieces.size() == MOST_PIECES) {
            throw in.damaged("is one too many; " + MOST_PIECES + " are possible");
        }
        if (ids.put(piece, pieces.size()) != null) {
            throw in.damaged("is the same as one before");
        }
        pieces.add(piece);
        scores.add(score);
        types.add(Type.values()[type - 1]);
    }

    private void trainer(Message in) {
        int type = 1;
        while (in.next()) {
            switch (in.field) {
                case 3 -> type = in.integer();
                case 24 -> whiteSpaceBehind = in.flag();
                case 35 -> byteFallback = in.flag();
                case 40 -> unknown = in.integer();
                case 41 -> beginning = in.integer();
                case 42 -> end = in.integer();
                case 43 -> padding = in.integer();
                default -> in.skip();
            }
        }
        if (type != 1 && type != 2) {
            throw new UnsupportedModelException(file + " is a SentencePiece model of type " + type
                    + " (3: words, 4: characters); supported are" + " Unigram (1) and BPE (2).");
        }
        kind = type == 1 ? Kind.UNIGRAM : Kind.BPE;
    }

    private void normalizer(Message in) {
        while (in.next()) {
            switch (in.field) {
                case 1 -> normalization = in.text();
                case 2 -> charsmap = in.bytes();
                case 3 -> spaceInFront = in.flag();
                case 4 -> singleSpaces = in.flag();
                case 5 -> escapedSpaces = in.flag();
                default -> in.skip();
            }
        }
    }

    private void check() {
        if (pieces.isEmpty()) {
            throw new CheckpointException(file + " has no pieces; it is no SentencePiece model. Download it again.");
        }
        if (unknown < 0 || unknown >= pieces.size() || types.get(unknown) != Type.UNKNOWN) {
            throw new CheckpointException(file + " names piece " + unknown + " as the unknown one, which "
                    + (unknown < 0 || unknown >= pieces.size() ? "is not there" : "is of another type") + " ("
                    + pieces.size() + " pieces). Download it again.");
        }
        for (int id : new int[] {beginning, end, padding}) {
            if (id >= pieces.size()) {
                throw new CheckpointException(file + " names piece " + id + " as a special one, but has "
                        + pieces.size() + " pieces. Download it again.");
            }
        }
    }

    Kind kind() {
        return kind;
    }

    int size() {
        return pieces.size();
    }

    /** {@return the text of a piece; a space is written as U+2581} */
    String piece(int id) {
        return pieces.get(id);
    }

    float score(int id) {
        return scores.get(id);
    }

    Type type(int id) {
        return types.get(id);
    }

    /** {@return the piece's id, or -1 if there is none} */
    int id(String piece) {
        return ids.getOrDefault(piece, -1);
    }

    /** Whether characters without a piece become bytes. */
    boolean byteFallback() {
        return byteFallback;
    }

    int unknownId() {
        return unknown;
    }

    /** {@return negative if there is none} */
    int beginningId() {
        return beginning;
    }

    /** {@return negative if there is none} */
    int endId() {
        return end;
    }

    /** {@return negative if there is none} */
    int paddingId() {
        return padding;
    }

    /** {@return name of the rules of normalization, like {@code nmt_nfkc} or {@code identity}} */
    String normalization() {
        return normalization;
    }

    /** {@return the rules, compiled, as a {@code Precompiled} normalizer has them; empty if there are none} */
    byte[] charsmap() {
        return charsmap.clone();
    }

    /** Whether a text begins with a space that is not written. */
    boolean spaceInFront() {
        return spaceInFront;
    }

    /** Whether runs of spaces become one, and those at both ends none. */
    boolean singleSpaces() {
        return singleSpaces;
    }

    /** Whether a space is written as U+2581. */
    boolean escapedSpaces() {
        return escapedSpaces;
    }

    /** Whether the space belongs to the word in front of it. */
    boolean whiteSpaceBehind() {
        return whiteSpaceBehind;
    }

    /**
     * The pairs that a BPE model merges, first those that go first. The file does not list them: every way to make a
     * piece of two others is one, ordered by the piece, then by the lengths of the two in code points, as the
     * reference's converter does it.
     *
     * @return pairs of ids, left and right, one after the other
     */
    int[] merges() {
        int[] merges = new int[2 * pieces.size()];
        int n = 0;
        for (String piece : pieces) {
            int codePoints = piece.codePointCount(0, piece.length());
            // The left one grows, so that the order asked for is the one in which they are found.
            for (int i = 1, at = 0; i < codePoints; i++) {
                at = piece.offsetByCodePoints(at, 1);
                Integer left = ids.get(piece.substring(0, at));
                Integer right = left == null ? null : ids.get(piece.substring(at));
                if (left != null && right != null) {
                    merges = n == merges.length ? Arrays.copyOf(merges, 2 * n) : merges;
                    merges[n++] = left;
                    merges[n++] = right;
                }
            }
        }
        return Arrays.copyOf(merges, n);
    }

    /** Reads the fields of one message of Protocol Buffers, never past its end. */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int FIXED64 = 1;
        private static final int BYTES = 2;
        private static final int FIXED32 = 5;

        private final byte[] data;
        private final int end;
        private final Path file;
        private final String name;
        private int at;
        private int wire;
        int field;

        Message(byte[] data, int start, int end, Path file, String name) {
            this.data = data;
            this.at = start;
            this.end = end;
            this.file = file;
            this.name = name;
        }

        boolean next() {
            if (at == end) {
                return false;
            }
            long tag = varint();
            wire = (int) (tag & 7);
            if (tag >>> 3 == 0 || tag >>> 32 != 0) {
                throw damaged("has a field of number " + (tag >>> 3));
            }
            field = (int) (tag >>> 3);
            return true;
        }

        void skip() {
            switch (wire) {
                case VARINT -> varint();
                case FIXED64 -> take(8);
                case BYTES -> take(length());
                case FIXED32 -> take(4);
                default -> throw damaged("has field " + field + " of wire type " + wire);
            }
        }

        Message message(String name) {
            expect(BYTES);
            int length = length();
            int start = take(length);
            return new Message(data, start, start + length, file, name);
        }

        byte[] bytes() {
            expect(BYTES);
            int length = length();
            int start = take(length);
            return Arrays.copyOfRange(data, start, start + length);
        }

        String text() {
            expect(BYTES);
            int length = length();
            int start = take(length);
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(data, start, length))
                        .toString();
            } catch (CharacterCodingException e) {
                throw damaged("has field " + field + ", which is not UTF-8 text");
            }
        }

        int integer() {
            expect(VARINT);
            return (int) varint();
        }

        boolean flag() {
            expect(VARINT);
            return varint() != 0;
        }

        float number32() {
            expect(FIXED32);
            int start = take(4);
            return ByteBuffer.wrap(data, start, 4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getFloat();
        }

        private void expect(int expected) {
            if (wire != expected) {
                throw damaged("has field " + field + " of wire type " + wire + " instead of " + expected);
            }
        }

        private int length() {
            long length = varint();
            if (length < 0 || length > end - at) {
                throw damaged("claims " + Long.toUnsignedString(length) + " bytes for field " + field + ", but "
                        + (end - at) + " are left");
            }
            return (int) length;
        }

        private int take(int length) {
            if (length > end - at) {
                throw damaged("ends within field " + field);
            }
            int start = at;
            at += length;
            return start;
        }

        private long varint() {
            long value = 0;
            for (int shift = 0; shift < 70; shift += 7) {
                if (at == end) {
                    throw damaged("ends within a number");
                }
                byte part = data[at++];
                value |= (long) (part & 0x7F) << shift;
                if (part >= 0) {
                    return value;
                }
            }
            throw damaged("has a number of more than ten bytes");
        }

        CheckpointException damaged(String what) {
            return new CheckpointException(file + " is no sound SentencePiece model: " + name + " " + what + " (byte "
                    + at + "). Download it" + " again.");
        }
    }
}

package io.langbridge.runtime.training;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.CheckpointException;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.core.checkpoint.Json;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * Training data as LLaVA's authors publish it: a JSON list (or one object per line) of
 *
 * <pre>{@code
 * {"id": "000123", "image": "gcc/000123.jpg", "conversations": [
 *     {"from": "human", "value": "<image>\nWhat is on the left?"}, {"from": "gpt", "value": "A red bus."}]}
 * }</pre>
 *
 * {@code image} is a path below the image folder, a list of such paths, or absent. {@code <image>} in the human's words
 * says in which turn a picture is shown; it is taken out, and the pictures come before the words, as LLaVA does it.
 *
 * <p>Only the places of the records are kept in memory, a record is read when it is asked for. {@link #get} throws
 * {@link TrainingDataException} for a bad one and the others can still be read. The file must not change meanwhile.
 * Safe for use by several threads; nothing to close.
 *
 * @since 0.1
 */
public final class LlavaDataset extends AbstractList<TrainingExample> implements RandomAccess {
    private static final String IMAGE = "<image>";

    private final Path file;
    private final Path imageFolder;
    /** Start and end of every record, in bytes. */
    private final long[] places;

    private LlavaDataset(Path file, Path imageFolder, long[] places) {
        this.file = file;
        this.imageFolder = imageFolder;
        this.places = places;
    }

    /**
     * Finds the records in a file; one pass through it.
     *
     * @param json the file
     * @param imageFolder what the paths of the pictures start from
     * @return the records, in the order of the file
     * @throws TrainingDataException if the file is missing, cut off or holds no records
     */
    public static LlavaDataset of(Path json, Path imageFolder) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(json), 1 << 16)) {
            long[] places = places(json, in);
            if (places.length == 0) {
                throw new TrainingDataException(json + " holds no records; expected a JSON list of objects with"
                        + " 'image' and 'conversations', or one such object per line");
            }
            return new LlavaDataset(json, imageFolder, places);
        } catch (IOException e) {
            throw new TrainingDataException("The training data " + json + " cannot be read: " + e, e);
        }
    }

    /** Objects that lie in no other object; what is inside them is not looked at, but for strings and brackets. */
    private static long[] places(Path json, InputStream in) throws IOException {
        long[] places = new long[1024];
        int count = 0;
        int depth = 0;
        boolean inString = false;
        long start = 0;
        long at = 0;
        for (int c = in.read(); c >= 0; c = in.read(), at++) {
            if (inString) {
                if (c == '\\') {
                    in.read();
                    at++;
                } else if (c == '"') {
                    inString = false;
                }
            } else if (c == '"') {
                inString = true;
            } else if (c == '{') {
                if (depth++ == 0) {
                    start = at;
                }
            } else if (c == '}' && --depth == 0) {
                if (count == places.length) {
                    places = Arrays.copyOf(places, 2 * count);
                }
                places[count++] = start;
                places[count++] = at + 1;
            }
            if (depth < 0) {
                throw new TrainingDataException(json + " is not JSON: a closing bracket too many at byte " + at);
            }
        }
        if (depth > 0 || inString) {
            throw new TrainingDataException(json + " ends in the middle of the record that begins at byte " + start
                    + "; the file was cut off, download it again");
        }
        return Arrays.copyOf(places, count);
    }

    @Override
    public int size() {
        return places.length / 2;
    }

    /**
     * Reads a record.
     *
     * @param index from 0
     * @return the record; its picture is not read yet
     * @throws TrainingDataException if it cannot be used
     */
    @Override
    public TrainingExample get(int index) {
        String name = "number " + index + " of " + file;
        try {
            Json record = Json.parse(read(index), "record " + index + " of " + file);
            JsonElement id = record.element("id");
            if (id != null && id.isJsonPrimitive()) {
                name = id.getAsString() + " (" + name + ")";
            }
            return example(name, record);
        } catch (CheckpointException e) {
            throw new TrainingDataException("Record " + name + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new TrainingDataException("Record " + name + " cannot be read: " + e, e);
        }
    }

    private byte[] read(int index) throws IOException {
        long start = places[2 * index];
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(places[2 * index + 1] - start));
        try (FileChannel channel = FileChannel.open(file)) {
            while (bytes.hasRemaining() && channel.read(bytes, start + bytes.position()) >= 0) {
                // Until the record is complete or the file ends.
            }
        }
        return bytes.array();
    }

    private TrainingExample example(String name, Json record) {
        List<Image> images = images(name, record.element("image"));
        if (!(record.element("conversations") instanceof JsonArray turns)) {
            throw new TrainingDataException("Record " + name + " has no list 'conversations'");
        }
        List<String> texts = new ArrayList<>();
        List<Role> roles = new ArrayList<>();
        int placeholders = 0;
        for (JsonElement turn : turns) {
            JsonElement from = turn instanceof JsonObject object ? object.get("from") : null;
            JsonElement value = turn instanceof JsonObject object ? object.get("value") : null;
            Role role = role(from);
            if (role == null || value == null || !value.isJsonPrimitive()) {
                throw new TrainingDataException("Record " + name + ": turn " + (texts.size() + 1)
                        + " must be {\"from\": \"human\" or \"gpt\", \"value\": text}, not " + turn);
            }
            texts.add(value.getAsString());
            roles.add(role);
            placeholders += role == Role.USER ? count(value.getAsString()) : 0;
        }
        if (placeholders > images.size()) {
            throw new TrainingDataException("Record " + name + " says " + IMAGE + " " + placeholders
                    + " times, but has " + images.size() + " pictures under 'image'");
        }
        return new TrainingExample(name, messages(name, texts, roles, images, placeholders));
    }

    /** Pictures that no placeholder asks for come first. */
    private static List<Message> messages(
            String name, List<String> texts, List<Role> roles, List<Image> images, int placeholders) {
        List<Message> messages = new ArrayList<>();
        int next = 0;
        int beforehand = images.size() - placeholders;
        for (int i = 0; i < texts.size(); i++) {
            List<Message.Part> parts = new ArrayList<>();
            String text = texts.get(i);
            if (roles.get(i) == Role.USER) {
                int shown = beforehand + count(text);
                beforehand = 0;
                for (int picture = 0; picture < shown; picture++) {
                    parts.add(new Message.ImagePart(images.get(next++)));
                }
                text = text.replace(IMAGE, "").strip();
                if (text.isEmpty() && parts.isEmpty()) {
                    throw new TrainingDataException("Record " + name + " has a turn of the user, number " + (i + 1)
                            + ", that says nothing and shows no picture; take it out");
                }
            }
            if (!text.isEmpty() || parts.isEmpty()) {
                parts.add(new Message.Text(text));
            }
            messages.add(new Message(roles.get(i), parts));
        }
        return messages;
    }

    private List<Image> images(String name, @Nullable JsonElement image) {
        List<Image> images = new ArrayList<>();
        if (image == null || image.isJsonNull()) {
            return images;
        }
        for (JsonElement path : image.isJsonArray() ? image.getAsJsonArray() : List.of(image)) {
            try {
                Path picture =
                        imageFolder.toAbsolutePath().resolve(path.getAsString()).normalize();
                // Absolute, because "." has nothing that a path could start with.
                if (!picture.startsWith(imageFolder.toAbsolutePath().normalize())) {
                    throw new TrainingDataException(
                            "Record " + name + ": the picture " + path + " lies outside of " + imageFolder);
                }
                images.add(Image.of(picture));
            } catch (InvalidPathException | UnsupportedOperationException | IllegalStateException e) {
                throw new TrainingDataException("Record " + name + ": 'image' is no path: " + path, e);
            }
        }
        return images;
    }

    private static @Nullable Role role(@Nullable JsonElement from) {
        if (from == null || !from.isJsonPrimitive()) {
            return null;
        }
        return switch (from.getAsString()) {
            case "human", "user" -> Role.USER;
            case "gpt", "assistant" -> Role.ASSISTANT;
            case "system" -> Role.SYSTEM;
            default -> null;
        };
    }

    private static int count(String text) {
        int count = 0;
        for (int at = text.indexOf(IMAGE); at >= 0; at = text.indexOf(IMAGE, at + IMAGE.length())) {
            count++;
        }
        return count;
    }
}

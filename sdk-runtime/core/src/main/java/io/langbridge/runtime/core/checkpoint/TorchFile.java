package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reader of {@code torch.save} files: zip since torch 1.6, and the format before it. */
final class TorchFile {
    /** First thing in the older format. */
    private static final BigInteger LEGACY_MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);

    private static final String PICKLE = "data.pkl";

    /** Containers deeper than this hold themselves. */
    private static final int MAX_DEPTH = 100;

    /** Shared lists can unfold to more values than any memory holds. */
    private static final int MAX_VALUES = 300_000;

    private static final int MAX_NAME = 10_000;

    /** Characters of all names together. */
    private static final int MAX_NAMES = 32 << 20;

    private final OpenFile file;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private int values;
    private long nameLengths;

    private TorchFile(OpenFile file) {
        this.file = file;
    }

    static Weights open(Path path) {
        OpenFile file = OpenFile.open(path);
        try {
            file.refusePlaceholder();
            TorchFile reader = new TorchFile(file);
            if (file.startsWith('P', 'K', 3, 4)) {
                reader.readZip();
            } else if (file.startsWith(0x80, 2) || file.startsWith(0x80, 3) || file.startsWith(0x80, 4)) {
                reader.readLegacy();
            } else {
                throw new CheckpointException(path
                        + " is not a file of torch.save: it begins neither like a zip file nor"
                        + " like a pickle.");
            }
            return new NamedTensors(path.toString(), reader.tensors, Collections.singletonList(file));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private void readZip() {
        StoredZip zip = new StoredZip(file);
        String root = "";
        StoredZip.@Nullable Entry pickle = null;
        for (Map.Entry<String, StoredZip.Entry> entry : zip.entries().entrySet()) {
            String name = entry.getKey();
            if (name.equals(PICKLE) || name.endsWith("/" + PICKLE)) {
                root = name.substring(0, name.length() - PICKLE.length());
                pickle = entry.getValue();
            }
        }
        if (pickle == null) {
            throw new CheckpointException(
                    file.path() + " is a zip file, but not one of torch.save: it has no " + PICKLE + ".");
        }
        if (zip.entry(root + "constants.pkl") != null) {
            throw new CheckpointException(
                    file.path() + " is a TorchScript program, not weights; save the state_dict with" + " torch.save.");
        }
        StoredZip.Entry byteOrder = zip.entry(root + "byteorder");
        if (byteOrder != null && byteOrder.size() == 3) {
            requireLittleEndian(!new String(file.read(byteOrder.start(), 3), StandardCharsets.US_ASCII).equals("big"));
        }
        Object value = Pickle.read(file.path(), new ByteSource(file, pickle.start(), pickle.start() + pickle.size()));
        String data = root + "data/";
        collect(value, storage -> {
            StoredZip.Entry entry = zip.entry(data + storage.key());
            if (entry == null
                    || entry.size() < storage.elements() * storage.dtype().bytes()) {
                throw new CheckpointException(file.path() + " is damaged: the " + storage.elements()
                        + " elements of storage "
                        + storage.key() + " are missing. Download it again.");
            }
            return entry.start();
        });
    }

    private void readLegacy() {
        ByteSource source = new ByteSource(file, 0, file.size());
        if (!LEGACY_MAGIC.equals(Pickle.read(file.path(), source))) {
            throw new CheckpointException(file.path() + " is a pickle, but not one of torch.save.");
        }
        Object version = Pickle.read(file.path(), source);
        if (!Long.valueOf(1001).equals(version)) {
            throw new CheckpointException(
                    file.path() + " has version " + (version instanceof Long ? version : "of another kind")
                            + " of the older torch.save format; only"
                            + " 1001 is known.");
        }
        Object system = Pickle.read(file.path(), source);
        requireLittleEndian(!(system instanceof Map<?, ?> map && Boolean.FALSE.equals(map.get("little_endian"))));
        Object value = Pickle.read(file.path(), source);
        if (!(Pickle.read(file.path(), source) instanceof List<?> keys)) {
            throw new CheckpointException(file.path() + " is damaged: its list of storages is missing.");
        }
        Map<String, Pickle.Storage> used = new HashMap<>();
        collect(value, storage -> {
            Pickle.Storage other = used.put(storage.key(), storage);
            if (other != null && !other.equals(storage)) {
                throw new CheckpointException(file.path() + " is damaged: its tensors take storage " + storage.key()
                        + " for " + storage.elements() + " " + storage.dtype() + " and for " + other.elements() + " "
                        + other.dtype() + ".");
            }
            return 0;
        });
        Map<String, Long> starts = new HashMap<>();
        for (Object key : keys) {
            Pickle.Storage storage = key instanceof String ? used.get(key) : null;
            long elements = source.i64();
            if (storage == null || elements != storage.elements()) {
                throw new CheckpointException(file.path() + " is damaged: storage " + text(key) + " has " + elements
                        + " elements, but its tensors expect " + (storage == null ? "none" : storage.elements()) + ".");
            }
            starts.put(storage.key(), source.position());
            source.skip(elements * storage.dtype().bytes());
        }
        tensors.clear();
        values = 0;
        nameLengths = 0;
        collect(value, storage -> {
            Long start = starts.get(storage.key());
            if (start == null) {
                throw new CheckpointException(file.path() + " is damaged: storage " + storage.key() + " is missing.");
            }
            return start;
        });
    }

    private void requireLittleEndian(boolean littleEndian) {
        if (!littleEndian) {
            throw new CheckpointException(
                    file.path() + " was saved on a big-endian machine; save it again as safetensors.");
        }
    }

    /** Where the first element of a storage lies. */
    private interface StorageStart {
        long of(Pickle.Storage storage);
    }

    /** Keys on the way to a value; the name is made only where there is a tensor, because keys can be huge. */
    private record Place(@Nullable Place parent, String key) {
        int length() {
            return key.length() + (parent == null || parent.key.isEmpty() ? 0 : parent.length() + 1);
        }

        String name() {
            return parent == null || parent.key.isEmpty() ? key : parent.name() + "." + key;
        }
    }

    private void collect(@Nullable Object value, StorageStart start) {
        collect(new Place(null, ""), value, 0, start);
    }

    private void collect(Place place, @Nullable Object value, int depth, StorageStart start) {
        if (depth > MAX_DEPTH || ++values > MAX_VALUES) {
            throw new CheckpointException(file.path() + " is refused: it nests more than " + MAX_DEPTH
                    + " containers or"
                    + " holds more than " + MAX_VALUES + " values.");
        }
        if (value instanceof Pickle.View view) {
            int bytes = view.storage().dtype().bytes();
            long at = start.of(view.storage()) + view.offset() * bytes;
            String name = name(place);
            FileTensor tensor = new FileTensor(
                    name, file, view.storage().dtype(), view.shape(), at, view.strides(), view.negative());
            if (tensors.put(name, tensor) != null) {
                throw new CheckpointException(file.path() + " has two tensors named " + name + ".");
            }
        } else if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> collect(new Place(place, text(key)), item, depth + 1, start));
        } else if (value instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                collect(new Place(place, String.valueOf(i)), list.get(i), depth + 1, start);
            }
        }
    }

    private String name(Place place) {
        nameLengths += place.length();
        if (place.length() > MAX_NAME || nameLengths > MAX_NAMES) {
            throw new CheckpointException(file.path() + " is refused: the names of its tensors are too long, one has "
                    + place.length() + " characters.");
        }
        return place.name();
    }

    /** Only keys that name a tensor are ever shown. */
    private static String text(@Nullable Object key) {
        return key instanceof String || key instanceof Number || key instanceof Boolean || key == null
                ? String.valueOf(key)
                : "(" + key.getClass().getSimpleName().toLowerCase(Locale.ROOT) + ")";
    }
}

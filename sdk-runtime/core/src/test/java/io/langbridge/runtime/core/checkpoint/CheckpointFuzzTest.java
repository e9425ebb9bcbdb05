package io.langbridge.runtime.core.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.langbridge.runtime.core.Fuzzing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointFuzzTest {
    /** Six questions about each member, most of them answered by an exception, take more memory than reading it. */
    private static final int ASKING = 128 << 20;

    @TempDir
    static Path folder;

    static Stream<byte[]> jsons() {
        return Fuzzing.texts(
                "{\"a\":1,\"b\":[-0.5e3,true,null,\"\\u00e9\\n\\ud83d\\ude00\"],\"c\":{\"d\":NaN,\"e\":{}}}",
                "[{\"x\":[[1,2],[3]]},{\"x\":12345678901234567890}]");
    }

    /** What a reader asks for may be there in any type. */
    @MethodSource("jsons")
    @FuzzTest
    void json(byte[] input) {
        Fuzzing.run(input, () -> Json.parse(input, "config.json"));
        Fuzzing.run(input, ASKING, () -> ask(Json.parse(input, "config.json")));
        Fuzzing.run(input, ASKING, () -> Json.objects(input, "list.json", CheckpointFuzzTest::ask));
        Fuzzing.run(input, ASKING, () -> Json.members(input, "map.json", (key, member) -> ask(member, key)));
    }

    private static void ask(Json json) {
        for (String key : json.keys()) {
            ask(json, key);
        }
    }

    private static void ask(Json json, String key) {
        json.at(key);
        Fuzzing.run(new byte[0], () -> json.requiredInt(key));
        Fuzzing.run(new byte[0], () -> json.requiredString(key));
        Fuzzing.run(new byte[0], () -> json.doubleOr(key, 1));
        Fuzzing.run(new byte[0], () -> json.booleanOr(key, true));
        Fuzzing.run(new byte[0], () -> json.strings(key));
        Fuzzing.run(new byte[0], () -> {
            Json inner = json.object(key);
            if (inner != null) {
                ask(inner);
            }
        });
    }

    static Stream<byte[]> safetensorsFiles() {
        return Stream.concat(
                Fuzzing.resources("torch-files/expected.safetensors"),
                Stream.of("{\"__metadata__\":{\"format\":\"pt\"},"
                                + "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[0,4]}}")
                        .map(header -> {
                            byte[] file =
                                    (" \0\0\0\0\0\0\0" + header + "\1\2\3\4").getBytes(StandardCharsets.ISO_8859_1);
                            file[0] = (byte) header.length();
                            return file;
                        }));
    }

    @MethodSource("safetensorsFiles")
    @FuzzTest
    void safetensors(byte[] input) {
        open(input, "model.safetensors");
    }

    static Stream<byte[]> torchFiles() {
        return Fuzzing.resources(
                "torch-files/tensor.pt", "torch-files/nested.pt", "torch-files/negative.pt", "torch-files/mixed.pt");
    }

    @MethodSource("torchFiles")
    @FuzzTest
    void torch_zip(byte[] input) {
        open(input, "pytorch_model.bin");
    }

    static Stream<byte[]> legacyTorchFiles() {
        return Fuzzing.resources(
                "torch-files/negative.legacy.pt", "torch-files/expanded.legacy.pt", "torch-files/mixed.legacy.pt");
    }

    @MethodSource("legacyTorchFiles")
    @FuzzTest
    void torch_legacy(byte[] input) {
        open(input, "legacy.bin");
    }

    static Stream<byte[]> indexes() {
        return Fuzzing.texts(
                "{\"metadata\":{\"total_size\":48},\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.bin\"}}");
    }

    @MethodSource("indexes")
    @FuzzTest
    void index(byte[] input) {
        open(input, "model.safetensors.index.json");
    }

    private static void open(byte[] input, String name) {
        Path file = Fuzzing.file(folder, name, input);
        Fuzzing.run(input, () -> {
            try (Weights weights = Checkpoints.open(file)) {
                for (String tensor : weights.names()) {
                    StoredTensor stored = weights.get(tensor);
                    if (stored.elements() <= input.length) {
                        stored.toFloats();
                    }
                }
            }
        });
    }
}

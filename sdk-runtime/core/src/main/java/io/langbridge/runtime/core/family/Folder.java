package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Looks at what was given as a folder of a model, and says what it is instead where it is not one. */
final class Folder {
    private static final String CONFIG = "config.json";

    /** Owner and name of a repository, as it is written on Hugging Face. */
    private static final Pattern REPOSITORY =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}");

    private static final List<String> LORA = Collections.unmodifiableList(
            Arrays.asList("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"));

    /** In names of tensors: what PEFT and MLX put beside a matrix, and how the matrix is called then. */
    private static final List<String> LORA_TENSORS = Collections.unmodifiableList(
            Arrays.asList("lora_", ".base_layer.", ".modules_to_save.", ".original_module.", ".ia3_"));

    private static final String MERGE =
            "LoRA is not read. Merge it in Python (PeftModel.merge_and_unload() and save_pretrained)"
                    + " and give that folder";

    /** Files listed for a message; a folder can hold any number. */
    private static final int LISTED = 8;

    private Folder() {}

    /**
     * Reads {@code config.json} of a folder with weights.
     *
     * @throws CheckpointException if there is no such folder or file; the message says what is there and what to do
     * @throws UnsupportedModelException if it holds a kind of model that is not read
     */
    static Json config(Path folder) {
        requireThere(folder);
        refuseLora(folder);
        Path file = folder.resolve(CONFIG);
        if (!Files.exists(file)) {
            throw without(folder);
        }
        Json config = Json.read(file);
        Quantisation.refuse(config, folder);
        if (!Checkpoints.hasWeights(folder)) {
            refuseOtherWeights(folder);
        }
        return config;
    }

    /** The path must be a folder. */
    static void requireThere(Path folder) {
        if (Files.isDirectory(folder)) {
            return;
        }
        if (Files.exists(folder)) {
            if (isGguf(folder)) {
                throw gguf(folder, Collections.singletonList(folder));
            }
            Path parent = folder.toAbsolutePath().getParent();
            throw new CheckpointException(folder + " is a file; a model is the folder with config.json and the weights"
                    + (parent != null && Files.exists(parent.resolve(CONFIG)) ? ", here " + parent : "") + ".");
        }
        String id = folder.toString().replace('\\', '/');
        if (REPOSITORY.matcher(id).matches()
                && !Files.exists(folder.toAbsolutePath().getParent())) {
            String name = id.substring(id.indexOf('/') + 1);
            throw new CheckpointException("There is no folder " + id + " here. If it is a repository on Hugging Face:"
                    + " nothing is downloaded by itself; run 'hf download " + id + " --local-dir " + name
                    + "' and give the folder " + name + ".");
        }
        throw new CheckpointException("There is no folder " + folder + "; check the path, here it means "
                + folder.toAbsolutePath().normalize() + ".");
    }

    /** A LoRA changes the weights beside it, or others; without it the answers would be those of another model. */
    static void refuseLora(Path folder) {
        for (String name : LORA) {
            if (Files.exists(folder.resolve(name))) {
                boolean alone = !Checkpoints.hasWeights(folder);
                throw new UnsupportedModelException(
                        "The folder " + folder + " holds " + name + ", a LoRA adapter of PEFT"
                                + base(folder) + (alone ? ", without the weights it belongs to" : " beside the weights")
                                + "; " + MERGE
                                + (alone ? "." : ", or take the file away to run the weights without it."));
            }
        }
    }

    /** A model saved while an adapter was in it has the adapter among its weights. */
    static void refuseLora(Weights weights) {
        for (String name : weights.names()) {
            if (LORA_TENSORS.stream().anyMatch(name::contains)) {
                throw new UnsupportedModelException("Tensor " + name + " in " + weights.source()
                        + " belongs to an adapter of PEFT that is not merged into the weights; " + MERGE + ".");
            }
        }
    }

    private static String base(Path folder) {
        Path file = folder.resolve(LORA.get(0));
        if (!Files.isRegularFile(file)) {
            return "";
        }
        try {
            Json config = Json.read(file);
            String base = config.isString("base_model_name_or_path") ? config.string("base_model_name_or_path") : null;
            return base == null ? "" : " for " + base;
        } catch (CheckpointException e) {
            return ""; // the refusal is about something else
        }
    }

    /** What to say of a folder without {@code config.json}. */
    private static RuntimeException without(Path folder) {
        List<Path> files = list(folder);
        if (files.isEmpty()) {
            return new CheckpointException("The folder " + folder
                    + " is empty; put the files of a model there, for example with 'hf download OWNER/NAME --local-dir "
                    + folder + "'.");
        }
        refuseOtherWeights(folder);
        Path snapshots = folder.resolve("snapshots");
        if (Files.isDirectory(snapshots)) {
            return cache(folder, snapshots);
        }
        List<Path> models =
                files.stream().filter(file -> name(file).startsWith("models--")).collect(Collectors.toList());
        if (!models.isEmpty()) {
            return new CheckpointException("The folder " + folder + " is a cache of Hugging Face with " + models.size()
                    + " models; give the folder of one snapshot in it, like "
                    + models.get(0).resolve("snapshots")
                    + "/REVISION.");
        }
        List<Path> inside = files.stream()
                .filter(file -> Files.exists(file.resolve(CONFIG)))
                .collect(Collectors.toList());
        if (!inside.isEmpty()) {
            return new CheckpointException("There is no config.json in the folder " + folder + ", but in "
                    + names(inside) + " inside it; give that folder.");
        }
        return new CheckpointException(
                "There is no config.json in the folder " + folder + ", which holds " + names(files)
                        + "; a model is a folder with config.json, weights and tokenizer. Check the path and that the download"
                        + " is complete.");
    }

    /** {@code models--owner--name} of a cache, with the files of each revision in {@code snapshots}. */
    private static CheckpointException cache(Path folder, Path snapshots) {
        List<Path> revisions = list(snapshots);
        Path main = folder.resolve("refs").resolve("main");
        Path right = revisions.size() == 1 ? revisions.get(0) : null;
        if (right == null && Files.isRegularFile(main)) {
            try {
                if (Files.size(main) < 100) {
                    String revision = new String(Files.readAllBytes(main), StandardCharsets.US_ASCII).trim();
                    right = revisions.stream()
                            .filter(snapshot -> name(snapshot).equals(revision))
                            .findFirst()
                            .orElse(null);
                }
            } catch (IOException e) {
                right = null;
            }
        }
        String start = "The folder " + folder + " is an entry of a cache of Hugging Face; the model is in its folder"
                + " snapshots";
        if (revisions.isEmpty()) {
            return new CheckpointException(start + ", which is empty: download it again.");
        }
        return new CheckpointException(start + "; give "
                + (right != null ? right.toString() : "one of " + names(revisions) + " in " + snapshots) + ".");
    }

    /** Refuses weights in formats of other programs. */
    private static void refuseOtherWeights(Path folder) {
        List<Path> files = list(folder);
        List<Path> gguf = files.stream().filter(Folder::isGguf).collect(Collectors.toList());
        if (!gguf.isEmpty()) {
            throw gguf(folder, gguf);
        }
        String[][] others = {
            {"consolidated.", "the weights in the layout of its authors (consolidated.*)"},
            {"tf_model.h5", "weights for TensorFlow (tf_model.h5)"},
            {"flax_model.msgpack", "weights for Flax (flax_model.msgpack)"},
        };
        for (String[] other : others) {
            if (files.stream().anyMatch(file -> name(file).startsWith(other[0]))) {
                throw new UnsupportedModelException("The folder " + folder + " holds " + other[1]
                        + ", which are not read; take the checkpoint in the layout of transformers, with config.json and"
                        + " model.safetensors.");
            }
        }
        if (files.stream().anyMatch(file -> name(file).endsWith(".onnx"))) {
            throw new UnsupportedModelException("The folder " + folder
                    + " holds an exported ONNX graph, which is not read; take the checkpoint it was made from, with"
                    + " config.json and model.safetensors.");
        }
    }

    private static boolean isGguf(Path file) {
        return name(file).toLowerCase(Locale.ROOT).endsWith(".gguf");
    }

    private static UnsupportedModelException gguf(Path place, List<Path> files) {
        String origin = null;
        for (Path file : files.subList(0, Math.min(LISTED, files.size()))) {
            origin = origin == null ? Gguf.origin(file) : origin;
        }
        return new UnsupportedModelException(
                (files.get(0).equals(place) ? place + " is" : "The folder " + place + " holds")
                        + " a model in GGUF, the format of llama.cpp"
                        + (files.get(0).equals(place) ? "" : " (" + names(files) + ")")
                        + ", which is not read. Take the checkpoint it was made from, with config.json and safetensors: "
                        + (origin == null ? "the page it came from names it" : "the file names " + origin) + ".");
    }

    private static List<Path> list(Path folder) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path file : entries) {
                files.add(file);
            }
        } catch (IOException e) {
            throw new CheckpointException("The folder " + folder + " cannot be listed: " + Reason.of(e) + ".", e);
        }
        Collections.sort(files);
        return files;
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static String names(List<Path> files) {
        String names = files.stream().limit(LISTED).map(Folder::name).collect(Collectors.joining(", "));
        return files.size() > LISTED ? names + " and " + (files.size() - LISTED) + " more" : names;
    }
}
